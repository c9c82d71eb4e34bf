"""An exchange's time that stretches with the load: what `moment` says and what `time` says are always one thing."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ask_for

from llmsim.conversation import Stop
from llmsim.load import LoadedExchange
from llmsim.plan import End, Plan, Say

GAPS = st.floats(0, 2) | st.just(0.0)
OPS = st.tuples(
    st.sampled_from(["breathe", "pace", "take"]),
    st.floats(0.001, 3),
    st.sampled_from([1.0, 1.5, 4.0]),
    st.floats(0.1, 5),
)


def exchange_of(gaps, pause=None):
    times = list(accumulate(gaps))
    pauses = ()
    if pause is not None:
        at, length = min(pause[0], len(times) - 1), pause[1]
        start = times[at]
        times = [*times[:at], *(moment + length for moment in times[at:])]
        pauses = ((start, start + length),)
    pieces = [*[Say("a")] * (len(times) - 1), End(Stop.END)]
    one = LoadedExchange(1, ask_for(), Plan(pieces, times, pauses=pauses), 0.0, 0.0)
    one.admit(0.0, 1.0, 0)
    return one


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    gaps=st.lists(GAPS, min_size=2, max_size=12),
    pause=st.none() | st.tuples(st.integers(0, 11), st.floats(0.01, 5)),
    ops=st.lists(OPS, max_size=6),
)
def test_moments_only_go_forward_and_lead_back_to_the_places_in_the_plan(gaps, pause, ops):
    one, now = exchange_of(gaps, pause), 0.0
    for kind, seconds, stretch, rate in ops:
        now += seconds
        if kind == "breathe":
            one.breathe(stretch, now)
        elif kind == "pace":
            one.pace(rate, now)
        else:
            one.take(now)
    left = range(one.cursor, len(one.plan.pieces))
    # What is overdue has no moment to come; from the place of this moment on, both must agree.
    coming = [at for at in left if one.plan.times[at] >= one.time(now)]
    moments = [one.moment(at) for at in coming]
    assert all(before <= after + 1e-9 for before, after in pairwise(moments))
    for at, moment in zip(coming, moments, strict=True):
        assert one.time(moment) == pytest.approx(one.plan.times[at], abs=1e-6)
        assert moment >= now - 1e-6


@settings(derandomize=True, deadline=None, max_examples=100)
@given(gaps=st.lists(GAPS, min_size=2, max_size=12), length=st.floats(0.01, 5), at=st.integers(1, 11))
def test_stretched_waits_are_as_many_times_longer_and_pauses_are_not(gaps, length, at):
    plain, paused = exchange_of(gaps), exchange_of(gaps, (at, length))
    for one in (plain, paused):
        one.admit(0.0, 3.0, 2)
    last = len(gaps) - 1
    assert plain.moment(last) == pytest.approx(gaps[0] + 3 * sum(gaps[1:]), abs=1e-6)
    assert paused.moment(last) == pytest.approx(plain.moment(last) + length, abs=1e-6)


def test_what_waits_is_before_everything_and_has_no_moment():
    one = exchange_of([0.5, 0.1])
    one.wait()
    assert one.time(9.0) < 0
    assert one.due() is None
    assert one.take(9.0) == ()
    one.admit(10.0, 1.0, 0, ahead=0.2)
    assert one.due() == pytest.approx(10.3)
