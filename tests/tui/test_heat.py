"""The waits over time: counted once each, at the second in which they were seen."""

from __future__ import annotations

import pytest
from llmsim_tui.heat import KEPT, Heat, fresh, step, value
from llmsim_tui.widgets.heatmap import _framed, _labels


@pytest.mark.parametrize(
    ("known", "now", "new"),
    [
        ([], [1, 2], [1, 2]),
        ([1, 2], [1, 2], []),
        ([1, 2], [1, 2, 3], [3]),
        ([1, 2, 3], [2, 3, 4], [4]),
        ([1, 1, 2], [1, 2, 3], [3]),
        ([1, 5, 2], [5, 2, 3, 1, 4], [3, 4]),
        ([1, 2], [7, 8], [7, 8]),
        ([1, 2], [], []),
    ],
)
def test_only_what_was_not_there_before_is_new(known: list[float], now: list[float], new: list[float]) -> None:
    assert list(fresh(known, now)) == new


def counted(heat: Heat, count: int) -> list[int]:
    return [sum(one.values()) for one in heat.columns(count)[1]]


def test_what_came_before_the_first_look_has_no_place() -> None:
    heat = Heat()
    heat.see(100.0, [0.2, 0.3])
    heat.see(101.2, [0.2, 0.3, 0.4])
    heat.see(101.9, [0.2, 0.3, 0.4, 0.5])
    heat.see(103.0, [0.2, 0.3, 0.4, 0.5, 0.6])
    assert counted(heat, 4) == [0, 2, 0, 1]


def test_a_recording_that_is_wound_back_begins_anew_and_one_wound_on_counts_nothing_twice() -> None:
    heat = Heat()
    heat.see(100.0, [])
    heat.see(101.0, [0.1])
    heat.see(160.0, [0.5] * 300)
    assert sum(counted(heat, 100)) == 1
    heat.see(50.0, [0.7])
    assert sum(counted(heat, 100)) == 0


def test_columns_grow_longer_instead_of_losing_what_is_remembered() -> None:
    heat, waits = Heat(), list[float]()
    for second in range(300):
        waits = [*waits, 0.1 + second / 1000]
        heat.see(1000.0 + second, waits)
    period, columns = heat.columns(40)
    assert period == 10
    assert sum(sum(one.values()) for one in columns) == 299
    assert heat.place(1299.0, 40, period) == 39


def test_no_more_is_kept_than_a_quarter_of_an_hour() -> None:
    heat = Heat()
    for second in range(3 * KEPT):
        heat.see(float(second), [0.1 + second])
    assert len(heat._slots) == KEPT


def test_steps_are_of_the_logarithm_and_have_their_ends() -> None:
    assert step(0.0) < step(0.001) < step(0.0012) < step(1.0) < step(10_000.0) == step(1e9)
    assert value(step(0.1)) == pytest.approx(100)


def test_the_axis_has_round_labels_that_never_touch() -> None:
    low, high = _framed(step(0.2), step(0.9))
    labels = _labels(low, high, 20)
    assert "500 ms" in labels.values()
    assert "200 ms" in labels.values()
    assert all(row + 1 not in labels for row in labels)
