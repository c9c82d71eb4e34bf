"""Profiles are found again in what was drawn from them; other families are rejected."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from llmsim.dice import Dice
from llmsim.fitting import families
from llmsim.fitting.fit import Fitted, fit
from llmsim.fitting.needs import FitError
from llmsim.fitting.seen import Seen, together
from llmsim.latency import Kind, Profile, Spread

MEAN, STDDEV = 0.10, 0.20
"""What is promised of a fit to 200 replies: the mean within a tenth, the standard deviation within a fifth."""


def drawn(profile: Profile, seed: int, replies: int = 200, tokens: int = 30) -> list[Seen]:
    """Replies at this profile's pace, one after the other."""
    seen = []
    for number in range(replies):
        times = [1000 * time for time in profile.times(tokens, Dice(1000 * seed + number), seed)]
        gaps = [late - early for early, late in pairwise(times)]
        seen.append(Seen("m", times[0], gaps, start=100.0 * number))
    return seen


def fitted(replies: Sequence[Seen]) -> Fitted:
    (one,) = fit(replies)
    return one


KNOWN: list[tuple[Spread, Spread, dict[str, str]]] = [
    (
        Spread(kind="lognormal", mean=400, stddev=200),
        Spread(kind="gamma", mean=25, stddev=12),
        {"ttft": "normal uniform", "tbt": "normal lognormal uniform"},
    ),
    (
        Spread(kind="uniform", mean=300, stddev=120),
        Spread(kind="lognormal", mean=40, stddev=20),
        {"ttft": "normal lognormal gamma", "tbt": "normal gamma uniform"},
    ),
    (
        Spread(kind="gamma", mean=600, stddev=270),
        Spread(kind="normal", mean=30, stddev=9),
        {"ttft": "uniform", "tbt": "lognormal gamma uniform"},
    ),
]


@pytest.mark.parametrize(("ttft", "tbt", "wrong"), KNOWN, ids=["lognormal-gamma", "uniform-lognormal", "gamma-normal"])
def test_a_known_profile_is_found_again_over_twenty_seeds(
    ttft: Spread, tbt: Spread, wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "RESAMPLES", 50)  # enough for the twentieth that is asked for
    right = {"ttft": 0, "tbt": 0}
    for seed in range(20):
        found = fitted(drawn(Profile(ttft=ttft, tbt=tbt), seed))
        for name, spread in (("ttft", ttft), ("tbt", tbt)):
            chosen = getattr(found, name)
            best = next(one for one in chosen.candidates if one.family == spread.kind)
            assert best.mean == pytest.approx(spread.mean, rel=MEAN), (name, seed)
            assert best.stddev == pytest.approx(spread.stddev, rel=STDDEV), (name, seed)
            right[name] += chosen.spread.kind == spread.kind
            others = {one.family: one.p for one in chosen.candidates}
            for family in wrong[name].split():
                assert others[family] < 0.05, f"{name}, seed {seed}: {family} is not told from {spread.kind}"
    assert right["tbt"] >= 19, "5,800 waits tell every family from every other"
    assert right["ttft"] >= 14, "200 waits tell most from most"


@pytest.mark.parametrize("kind", ["normal", "lognormal", "gamma"])
def test_nothing_is_seen_where_nothing_varies(kind: Kind) -> None:
    found = fitted(drawn(Profile(ttft=Spread(kind=kind, mean=50), tbt=Spread(kind=kind, mean=20)), 1, 40))
    assert found.ttft is not None
    assert found.ttft.spread == Spread(kind="fixed", mean=50)
    assert found.tbt is not None
    assert found.tbt.spread == Spread(kind="fixed", mean=20)


def test_what_no_family_fits_is_kept_as_it_was_seen() -> None:
    two_humps = [Seen("m", 100.0 + at % 7 if at % 2 else 900.0 + at % 11, start=100.0 * at) for at in range(300)]
    found = fitted(two_humps)
    assert found.ttft is not None
    assert found.ttft.spread.kind == "empirical"
    assert found.ttft.spread.middle == pytest.approx(504, abs=5)
    assert found.ttft.why == "every family is rejected"


def test_too_few_replies_are_kept_as_they_were_seen() -> None:
    found = fitted([Seen("m", 100.0 * at) for at in range(1, 6)])
    assert found.ttft is not None
    assert found.ttft.spread.samples == (140.0, 220.0, 300.0, 380.0, 460.0)
    assert "too few" in found.ttft.why


def test_whole_milliseconds_do_not_hide_a_family() -> None:
    spread = Spread(kind="gamma", mean=12, stddev=5)
    seen = [
        Seen(one.model, one.ttft, [float(round(gap)) for gap in one.gaps], start=one.start)
        for one in drawn(Profile(ttft=Spread(kind="fixed", mean=100), tbt=spread), 3)
    ]
    found = fitted(seen)
    assert found.tbt is not None
    assert found.tbt.spread.kind == "gamma"


# -- what waits depend on


def test_what_a_prompt_costs_is_found_and_taken_out() -> None:
    base = drawn(Profile(ttft=Spread(kind="lognormal", mean=200, stddev=40)), 5, 300, 1)
    seen = [
        Seen("m", (one.ttft or 0) + 0.05 * prompt, prompt=prompt, start=one.start)
        for at, one in enumerate(base)
        if (prompt := 100 + 37 * (at * 7 % 211))
    ]
    found = fitted(seen)
    assert found.per_token.believed
    assert found.per_token.slope == pytest.approx(0.05, rel=0.05)
    assert found.load()["prefill_ms_per_token"] == round(found.per_token.slope, 6)
    assert found.ttft is not None
    assert found.ttft.spread.kind in ("lognormal", "gamma")  # which look alike where waits vary by a fifth
    assert found.ttft.spread.mean == pytest.approx(200, rel=MEAN)
    assert found.ttft.spread.stddev == pytest.approx(40, rel=STDDEV)


def test_a_prompt_that_costs_nothing_is_not_believed_to() -> None:
    believed = 0
    for seed in range(20):
        base = drawn(Profile(ttft=Spread(kind="gamma", mean=200, stddev=80)), seed, 100, 1)
        seen = [Seen("m", one.ttft, prompt=at * 31 % 997, start=one.start) for at, one in enumerate(base)]
        believed += fitted(seen).per_token.believed
    assert not believed


def test_a_pace_that_falls_with_load_is_found_and_taken_out() -> None:
    seen = []
    start = 0.0
    for wave in range(30):
        active = 1 + wave % 8
        for one in drawn(Profile(ttft=Spread(kind="fixed", mean=50), tbt=Spread(mean=20, stddev=4)), wave, active, 40):
            gaps = [gap * (1 + 0.6 * (active - 1) / 7) for gap in one.gaps]
            seen.append(Seen("m", one.ttft, gaps, start=start))
        start += 100
    found = fitted(seen)
    assert found.slower.believed
    assert found.most == 8
    assert found.load()["slots"] == 8
    assert found.load()["slowing"] == pytest.approx(0.6, rel=0.1)
    assert found.tbt is not None
    assert found.tbt.spread.kind == "normal"
    assert found.tbt.spread.mean == pytest.approx(20, rel=0.05)


def test_replies_that_waited_for_their_turn_tell_how_many_fit_at_once() -> None:
    seen = []
    for wave in range(20):
        for at in range(8):
            waited = 0.0 if at < 4 else 2000.0
            start = 100.0 * wave + at * 0.001
            seen.append(Seen("m", 100.0 + at + waited, [50.0] * 40, start=start))
    found = fitted(seen)
    assert found.slots == 4
    assert found.ttft is not None
    assert found.ttft.spread.middle == pytest.approx(101.5, abs=1)
    assert any("at most 4 replies" in note for note in found.notes)


# -- what was seen


def test_how_many_were_under_way_is_counted() -> None:
    told = together(
        [Seen("m", 0.0, start=0, end=10), Seen("m", 0.0, start=5, end=15), Seen("m", 0.0, start=12, end=13)]
    )
    assert [one.active for one in told] == [1, 2, 2]
    assert [one.beside for one in told] == [pytest.approx(1.5), pytest.approx(1.6), pytest.approx(2.0)]


def test_tokens_that_came_together_share_their_wait() -> None:
    found = fitted([Seen("m", 100.0, [40.0, 0.0] * 20, start=1000.0 * at) for at in range(30)])
    assert found.tbt is not None
    assert found.tbt.spread == Spread(kind="fixed", mean=20)
    assert any("came together" in note for note in found.notes)


def test_models_are_fitted_apart() -> None:
    both = [Seen("slow", 900.0, start=at) for at in range(30)] + [Seen("fast", 9.0, start=at) for at in range(40)]
    assert [(one.model, one.replies) for one in fit(both)] == [("fast", 40), ("slow", 30)]


def test_nothing_to_fit_is_said() -> None:
    with pytest.raises(FitError, match="no reply in it with a first token"):
        fit([Seen("m", None)])
