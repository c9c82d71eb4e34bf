"""The honesty of times: what was asked beside what was achieved, and what is said where they differ."""

from __future__ import annotations

import pytest
from support import ask_for

from llmsim.exchange import Exchange
from llmsim.honesty import measured
from llmsim.pacer import Lag
from llmsim.plan import End, Plan, Say, Usage


def played(late: float = 0.0, slower: float = 1.0, steady: bool = True) -> Exchange:
    """Twenty tokens asked for after 100 ms and then every 10 ms."""
    ask = ask_for()
    ask.stream = True
    times = [0.1 + 0.01 * at for at in range(21)]
    one = Exchange(1, ask, Plan([*[Say("a")] * 20, End("end")], times, Usage(5, 20)), 0.0, 0.0)
    one.first, one.first_due, one.late = 0.1 + late, 0.1, late
    one.ended, one.state = one.first + 0.2 * slower, "done"
    if not steady:
        one.pace(0.5, 0.05)
    return one


def test_times_that_are_kept_raise_no_doubts():
    told = measured([played(0.001)] * 10, Lag())
    assert (told.replies, told.asked_ttft, told.doubts) == (10, 0.1, [])
    assert told.achieved_ttft == pytest.approx(0.101)
    assert told.asked_pace == pytest.approx(95)


def test_late_tokens_slow_paces_and_late_timers_are_each_told_in_a_sentence():
    lag = Lag(10)
    for _ in range(10):
        lag.add(0.04)
    told = measured([played(0.08, slower=1.2)] * 10, lag)
    assert told.doubts == [
        "first tokens come up to 80 ms later than asked",
        "tokens come up to 80 ms late",
        "replies are 17% slower than asked",
        "timers come 40 ms late in this process",
    ]
    assert told.json()["doubts"] == told.doubts


def test_replies_that_were_paced_by_hand_say_nothing():
    assert measured([played(0.5, steady=False)], Lag()).replies == 0
    assert measured([], Lag()).doubts == []
