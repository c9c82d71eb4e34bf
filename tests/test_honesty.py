"""The honesty of times: what was asked beside what was achieved, and what is said where they differ."""

from __future__ import annotations

import pytest
from support import Listener, ask_for

from llmsim.clock import ToldClock
from llmsim.events import Events
from llmsim.exchange import Exchange
from llmsim.honesty import Watch, gaps, measured
from llmsim.journal import Journal
from llmsim.pacer import Lag
from llmsim.plan import End, Plan, Say, Usage
from llmsim.settings import Settings
from llmsim.simulator import Simulator


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


def test_a_client_that_read_too_slowly_is_not_held_against_the_simulator():
    one = played(0.5)
    one.hindered = True
    assert measured([one], Lag()).replies == 0


def test_where_times_are_doubted_it_is_said_what_to_do_and_where_they_are_not_nothing_is():
    assert measured([played()], Lag()).json()["advice"] == ""
    told = measured([played(0.08)] * 3, Lag()).json()
    assert told["trusted"] is False
    assert "fewer replies at once" in told["advice"]


def test_the_mean_times_between_tokens_are_told_asked_and_achieved():
    assert gaps(played(slower=1.2)) == (pytest.approx(0.2 / 19), pytest.approx(0.24 / 19))
    one = played()
    one.state = "abandoned"
    assert gaps(one) is None


async def test_a_reply_that_followed_the_load_is_as_steady_and_as_true_as_any():
    load = {"slots": 2, "slowing": 3, "ttft": {"kind": "fixed", "mean": 100}, "tbt": {"kind": "fixed", "mean": 10}}
    settings = Settings(profiles={"served": load}, latency_profile="served", generator="words", target_tokens=30)
    simulator = Simulator(settings, clock=ToldClock())
    for text in "abc":
        Listener(simulator, simulator.begin(ask_for(text, stream=True)))
    await simulator.clock.advance(9)
    told = measured(simulator.journal, simulator.pacer.lag)
    assert (told.replies, told.doubts) == (3, [])
    assert told.asked_pace == pytest.approx(told.achieved_pace, rel=0.01)
    assert told.asked_pace < 40


# -- the watch


@pytest.fixture
def watched():
    clock = ToldClock()
    journal, events = Journal(), Events(clock)
    watch = Watch(journal, Lag(), clock, events)
    watch.begin()
    return clock, journal, events


def ended_at(journal, moment, late):
    one = played(late)
    one.ended = moment
    journal.add(one)


async def test_times_that_are_not_kept_are_warned_of_once_a_minute_and_so_is_that_they_are_again(watched, caplog):
    caplog.set_level("INFO", "llmsim")
    clock, journal, events = watched
    for second in range(70):
        ended_at(journal, clock.now() + 0.5, 0.2)
        await clock.advance(1)
        assert second < 60 or len(caplog.records) >= 1
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 2
    assert "first tokens come up to 200 ms later than asked" in warnings[0].getMessage()
    assert "fewer replies at once" in warnings[0].getMessage()
    journal.clear()
    for _ in range(61):
        journal.add(kept(clock.now() + 0.5))
        await clock.advance(1)
    assert [event.text for event in events.after(0)][-1] == "times are kept again"


async def test_what_comes_and_goes_is_told_once_a_minute_at_most(watched):
    clock, journal, events = watched
    for second in range(58):
        journal.clear()
        if second // 10 % 2:
            journal.add(kept(clock.now() + 0.5))
        else:
            ended_at(journal, clock.now() + 0.5, 0.2)
        await clock.advance(1)
    assert [event.kind for event in events.after(0)] == ["warning"]


def kept(moment):
    one = played()
    one.ended = moment
    one.first = one.first_due = moment - 0.2
    one.started = moment - 0.3
    one._anchor = one.started
    return one


async def test_without_traffic_nothing_is_warned_of(watched, caplog):
    clock, journal, _ = watched
    ended_at(journal, clock.now() - 1, 0.5)
    await clock.advance(100)
    assert not caplog.records
