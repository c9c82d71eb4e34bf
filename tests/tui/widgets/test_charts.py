"""Charts: scales that stay put, flags that do not collide, shares that add up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from llmsim_tui.backend import Bucket, Happening
from llmsim_tui.palette import Ink, folders, load, make_ink
from llmsim_tui.widgets.bars import EIGHTHS, Traffic, _cell, ceiling, decimals, flagged
from llmsim_tui.widgets.spread import percentile, placed, shares

from llmsim.latency import Spread


@pytest.fixture(scope="module")
def ink() -> Ink:
    theme = load(folders()[0] / "night.yaml").theme()
    return make_ink({**theme.to_color_system().generate(), **theme.variables})


@pytest.mark.parametrize(
    ("value", "top"), [(0, 4), (4, 4), (5, 10), (11, 20), (21, 40), (41, 100), (101, 200), (999, 1000)]
)
def test_the_scale_goes_in_few_steps(value: int, top: int) -> None:
    assert ceiling(value) == top


@pytest.mark.parametrize(
    ("value", "top"), [(0.7, 0.8), (1, 1), (1.2, 1.5), (437, 500), (641, 800), (5_300, 6_000), (0, 1)]
)
def test_an_axis_ends_at_a_number_people_can_read(value: float, top: float) -> None:
    assert decimals(value) == pytest.approx(top)


@pytest.mark.parametrize(
    "counts", [(0, 0, 0, 0, 0), (3, 0, 0, 1, 0), (1, 1, 1, 1, 1), (0, 0, 0, 0, 40), (7, 0, 2, 0, 9)]
)
def test_a_bar_is_as_high_as_its_count(counts: tuple[int, ...], ink: Ink) -> None:
    cells = [_cell(counts, row, 10, 40, ink) for row in range(10)]
    full = [cell for cell in cells if cell[0] != " "]
    assert len(full) == pytest.approx(sum(counts) / 4, abs=1)
    assert all(cell[0] in EIGHTHS for cell in cells)


def test_two_outcomes_share_the_cell_they_meet_in(ink: Ink) -> None:
    glyph, style = _cell((2, 0, 0, 6, 0), 0, 2, 8, ink)
    assert glyph == "▄"
    assert style is not None
    assert style.color == ink.fill["ok"].rich_color
    assert style.bgcolor == ink.fill["limited"].rich_color


def test_flags_stand_over_their_half_second() -> None:
    buckets = [Bucket(100 + place / 2, {"ok": 1}, 0) for place in range(6)]
    marks = [Happening(1, 101.2, "fault", "", "", "▼a"), Happening(2, 99.0, "fault", "", "", "▼b")]
    traffic = Traffic.of(buckets, [*marks, Happening(3, 101.0, "note", "", "")])
    assert traffic.marks == ((2, "▼a"),)
    assert Traffic.of([], marks).marks == ()


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ([(2, "a"), (8, "b")], "  ▲a    ▲b  "),
        ([(5, "aa"), (7, "b")], "   aa▲ ▲b   "),
        ([(11, "aa")], "         aa▲"),
        ([(5, "aaa"), (5, "bbb")], "    ▲aaa bbb"),
    ],
)
def test_flags_do_not_collide(flags: list[tuple[int, str]], line: str) -> None:
    assert placed(flags, 12) == line


@pytest.mark.parametrize("kind", ["normal", "lognormal", "gamma", "uniform", "fixed"])
def test_the_outline_of_every_shape_adds_up_to_one(kind: str) -> None:
    spread = Spread.model_validate({"kind": kind, "mean": 400, "stddev": 100})
    parts = shares(spread, 2_000, 200)
    assert sum(parts) == pytest.approx(1, abs=0.01)
    assert sum((place + 0.5) * 10 * part for place, part in enumerate(parts)) == pytest.approx(400, rel=0.03)


def test_samples_make_their_own_outline() -> None:
    assert shares(Spread(kind="empirical", samples=(5, 15, 15, 95)), 100, 10) == [0.25, 0.5, *[0] * 7, 0.25]


def test_percentiles_come_from_the_ordered_waits() -> None:
    waits: Sequence[float] = range(100)
    assert (percentile(waits, 0.5), percentile(waits, 0.99), percentile([7], 0.95)) == (50, 99, 7)


@pytest.mark.parametrize(
    ("marks", "line"),
    [
        ({2: ["▼429 storm"]}, "  ▼429 storm        "),
        ({2: ["▼429 storm", "▼503 overload"], 19: ["△lifted"]}, "  ▼429 503   lifted△"),
        ({4: ["▼429 storm"], 9: ["△lifted"]}, "    ▼429 △lifted    "),
        ({0: ["▼a"], 1: ["▼b"], 2: ["▼c"]}, "▼▼▼c                "),
        ({5: ["▼429 storm", "▼429 storm", "△lifted"]}, "     ▼429 △lifted   "),
    ],
)
def test_every_flag_has_its_sign_in_its_place_and_words_where_there_is_room(marks, line) -> None:
    assert flagged(marks, 20) == line
