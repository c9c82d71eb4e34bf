"""Every reply is played at its moments, on a clock that is told the time."""

import math
from statistics import fmean

import pytest

from llmsim.clock import ToldClock
from llmsim.pacer import CROWD, THRONG, Lag, Pacer


class Tape:
    """A playback of planned moments that notes when it was played."""

    def __init__(self, clock, moments, fails=False):
        self.slot = 0
        self.clock, self.moments, self.fails = clock, list(moments), fails
        self.played, self.errors = [], []

    def play(self, now):
        self.played.append(now)
        if self.fails:
            raise RuntimeError("torn")
        while self.moments and self.moments[0] <= now + 1e-6:
            self.moments.pop(0)
        return self.next_moment()

    def next_moment(self):
        return self.moments[0] if self.moments else None

    def broken(self, error):
        self.errors.append(error)


class LateClock(ToldClock):
    """A clock whose timers come late by as much as it is told, as a busy machine's do."""

    def __init__(self):
        super().__init__()
        self.lateness = 0.0

    def call_at(self, moment, callback):
        return super().call_at(moment + self.lateness, callback)


@pytest.fixture
def pacer(clock):
    return Pacer(clock)


def start(pacer, *tapes):
    for tape in tapes:
        pacer.at(tape.moments[0], tape)


async def test_a_reply_is_played_at_each_of_its_moments(clock, pacer):
    tape = Tape(clock, [0.1, 0.2, 0.5])
    start(pacer, tape)
    await clock.advance(0.15)
    assert tape.played == pytest.approx([0.1])
    await clock.advance(1)
    assert tape.played == pytest.approx([0.1, 0.2, 0.5])
    assert tape.slot == 0


async def test_a_moment_between_two_milliseconds_is_played_at_the_later_one(clock, pacer):
    tape = Tape(clock, [0.1003])
    start(pacer, tape)
    await clock.advance(1)
    assert tape.played == pytest.approx([0.101])


async def test_a_moment_that_has_passed_is_played_at_once(clock, pacer):
    await clock.advance(5)
    tape = Tape(clock, [1.0])
    start(pacer, tape)
    await clock.advance(0)
    assert tape.played == [5]


async def test_an_earlier_reply_does_not_wait_for_a_later_one(clock, pacer):
    late, early = Tape(clock, [9.0]), Tape(clock, [1.0])
    start(pacer, late, early)
    await clock.advance(1)
    assert (early.played, late.played) == ([1.0], [])


async def test_thousands_of_waits_do_not_drift(clock, pacer):
    moments = [0.0137 * i for i in range(1, 3_001)]
    tape = Tape(clock, moments)
    start(pacer, tape)
    await clock.advance(200)
    assert len(tape.played) == 3_000
    lateness = [played - moment for played, moment in zip(tape.played, moments, strict=True)]
    assert min(lateness) + 1e-9 >= 0
    assert max(lateness) <= 0.001 + 1e-9


async def test_a_late_tick_catches_up_and_shifts_nothing(caplog):
    clock = LateClock()
    pacer = Pacer(clock)
    tape = Tape(clock, [0.1, 0.2, 0.3, 1.0])
    clock.lateness = 0.25
    start(pacer, tape)
    clock.lateness = 0.0
    await clock.advance(2)
    assert tape.played == pytest.approx([0.35, 1.0])
    assert pacer.lag.quantile(0.9999) == pytest.approx(0.25)


async def test_a_dropped_reply_is_never_played(clock, pacer):
    kept, dropped = Tape(clock, [0.1, 0.2]), Tape(clock, [0.1, 0.2])
    start(pacer, kept, dropped)
    pacer.drop(dropped)
    pacer.drop(dropped)
    await clock.advance(1)
    assert dropped.played == []
    assert len(kept.played) == 2


async def test_a_reply_that_is_moved_is_played_at_its_new_moment_alone(clock, pacer):
    tape = Tape(clock, [0.5])
    start(pacer, tape)
    pacer.at(0.9, tape)
    pacer.at(0.2, tape)
    pacer.at(0.5, tape)
    await clock.advance(2)
    assert tape.played == pytest.approx([0.5])
    assert pacer._waiting == 0


async def test_a_dropped_reply_is_let_go_of_long_before_its_moment(clock, pacer):
    kept, dropped = Tape(clock, [3600.0]), Tape(clock, [3600.0])
    start(pacer, kept, dropped)
    pacer.drop(dropped)
    assert [one for waiting in pacer._slots.values() for one in waiting] == [kept]


async def test_a_dropped_reply_can_be_put_back(clock, pacer):
    tape = Tape(clock, [0.5])
    start(pacer, tape)
    pacer.drop(tape)
    start(pacer, tape)
    await clock.advance(1)
    assert tape.played == [0.5]


async def test_one_reply_that_fails_is_told_so_and_the_others_are_played(clock, pacer, caplog):
    tapes = [Tape(clock, [0.1, 0.2]), Tape(clock, [0.1], fails=True), Tape(clock, [0.1, 0.2])]
    start(pacer, *tapes)
    await clock.advance(1)
    assert [len(tape.played) for tape in tapes] == [2, 1, 2]
    assert [str(error) for error in tapes[1].errors] == ["torn"]
    assert "a reply could not be played" in caplog.text


async def test_one_reply_that_cannot_even_be_ended_does_not_stop_the_others(clock, pacer, caplog):
    class Hopeless(Tape):
        def broken(self, error):
            raise RuntimeError("torn to pieces")

    tapes = [Tape(clock, [0.1, 0.2]), Hopeless(clock, [0.1], fails=True), Tape(clock, [0.1, 0.2]), Tape(clock, [0.3])]
    start(pacer, *tapes)
    await clock.advance(1)
    assert [len(tape.played) for tape in tapes] == [2, 1, 2, 1]


async def test_a_reply_may_drop_another_of_the_same_moment(clock, pacer):
    victim = Tape(clock, [0.1])

    class Killer(Tape):
        def play(self, now):
            pacer.drop(victim)
            return super().play(now)

    start(pacer, Killer(clock, [0.1]), victim)
    await clock.advance(1)
    assert victim.played == []


async def test_many_replies_are_each_played_at_their_moments(clock, pacer):
    tapes = [Tape(clock, [(i % 97) / 100 + 0.0101 * k for k in range(1, 21)]) for i in range(CROWD)]
    planned = [list(tape.moments) for tape in tapes]
    start(pacer, *tapes)
    await clock.advance(10)
    for tape, moments in zip(tapes, planned, strict=True):
        assert tape.played == pytest.approx([math.ceil(moment * 1000 - 1e-9) / 1000 for moment in moments], abs=1.1e-3)


async def test_in_a_crowd_replies_share_ticks_of_five_milliseconds(clock, pacer):
    tapes = [Tape(clock, [0.1 + i * 0.0001, 2.0]) for i in range(3 * THRONG)]
    start(pacer, *tapes)
    await clock.advance(10)
    assert all(len(tape.played) == 2 for tape in tapes)
    late = [tape.played[0] - (0.1 + i * 0.0001) for i, tape in enumerate(tapes)]
    assert min(late) > -1e-6
    assert max(late) <= 0.005 + 1e-9
    assert fmean(late) < 0.003


def test_lag_tells_how_late_the_newest_ticks_were():
    lag = Lag(size=4)
    assert lag.quantile(0.5) == 0.0
    for seconds in (9.0, 0.001, 0.002, 0.003, 0.004):
        lag.add(seconds)
    assert lag.quantile(0.5) == 0.003
    assert lag.quantile(1.0) == 0.004
    for _ in range(4):
        lag.add(-0.001)
    assert lag.quantile(0.9) == 0.0


async def test_who_hangs_itself_up_while_it_plays_waits_once(clock, pacer):
    class Restless(Tape):
        def play(self, now):
            moment = super().play(now)
            if moment is not None:
                pacer.at(moment + 0.01, self)
            return moment

    tape = Restless(clock, [0.1, 0.2, 0.3])
    start(pacer, tape)
    await clock.advance(1)
    assert tape.played == pytest.approx([0.1, 0.2, 0.3])
    others = [Tape(clock, [2.0001]) for _ in range(CROWD)]
    start(pacer, *others)  # as many as tick every millisecond, if nobody else is counted
    assert {tape.slot for tape in others} == {2001}
