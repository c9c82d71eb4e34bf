"""An exchange hands out each piece once, in order, at its moment, whatever is done to its pace."""

from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ask_for, plan_of, said

from llmsim.conversation import Stop, ToolCall
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Call, Drop, End, Fail, Garbled, Plan, Say, Think


def exchange_of(plan: Plan, *, started: float = 10.0, rate: float = 1.0) -> Exchange:
    return Exchange(1, ask_for(), plan, started, 1_700_000_000.0, rate)


def test_pieces_are_handed_out_at_their_moments_and_only_once():
    exchange = exchange_of(plan_of("a b c"))
    assert exchange.due() == pytest.approx(10.5)
    assert exchange.take(10.4) == ()
    assert said(exchange.take(10.5)) == "a"
    assert exchange.take(10.5) == ()
    assert exchange.due() == pytest.approx(10.6)
    assert said(exchange.take(11.0)) == "bc"
    assert exchange.over
    assert exchange.due() is None
    assert exchange.end_due() is None
    assert exchange.take(99.0) == ()


def test_a_timer_that_comes_a_hair_early_still_finds_its_piece():
    assert said(exchange_of(plan_of("a")).take(10.5 - 5e-7)) == "a"


def test_the_first_moment_and_the_greatest_lateness_are_kept():
    exchange = exchange_of(plan_of("a b c"))
    exchange.take(10.53)
    exchange.take(10.61)
    assert exchange.first == 10.53
    assert exchange.late == pytest.approx(0.03)


def test_a_reply_sent_whole_is_due_at_its_last_piece():
    assert exchange_of(plan_of("a b c")).end_due() == pytest.approx(10.7)


def test_at_twice_the_speed_everything_comes_in_half_the_time():
    exchange = exchange_of(plan_of("a b c"), rate=2.0)
    assert exchange.due() == pytest.approx(10.25)
    assert exchange.end_due() == pytest.approx(10.35)


def test_a_change_of_pace_holds_for_the_rest_and_shifts_nothing_that_was():
    exchange = exchange_of(plan_of("a b c"))
    assert said(exchange.take(10.5)) == "a"
    exchange.pace(0.5, 10.55)
    assert exchange.rate == 0.5
    assert exchange.due() == pytest.approx(10.65)
    assert said(exchange.take(10.65)) == "b"
    exchange.pace(10, 10.65)
    assert exchange.due() == pytest.approx(10.66)


def test_while_it_is_paused_nothing_is_due_and_afterwards_it_goes_on_where_it_was():
    exchange = exchange_of(plan_of("a b"))
    exchange.take(10.5)
    exchange.pace(0, 10.55)
    assert exchange.due() is None
    assert exchange.end_due() is None
    assert exchange.take(5000.0) == ()
    exchange.pace(1, 5000.0)
    assert exchange.due() == pytest.approx(5000.05)
    assert said(exchange.take(5000.05)) == "b"
    assert exchange.late == pytest.approx(0.0, abs=1e-9)


def test_what_was_due_before_a_pause_may_still_be_taken_in_it():
    exchange = exchange_of(plan_of("a b"))
    exchange.pace(0, 10.5)
    assert said(exchange.take(10.7)) == "a"


def test_an_exchange_may_begin_paused():
    exchange = exchange_of(plan_of("a", ttft=0.0), rate=0.0)
    assert exchange.due() is None
    exchange.take(10.0)
    assert exchange.late == 0.0


def test_another_piece_can_take_the_place_of_all_that_is_to_come():
    exchange = exchange_of(plan_of("a b c"))
    planned = exchange.plan
    exchange.take(10.5)
    exchange.divert(Drop(), 10.55)
    assert list(exchange.plan.pieces) == [Say("a"), Drop()]
    assert exchange.due() == pytest.approx(10.55)
    assert list(exchange.take(10.55)) == [Drop()]
    assert said(planned.pieces) == "abc"


def test_before_its_first_piece_a_reply_can_be_failed_at_once():
    exchange = exchange_of(plan_of("a b c"))
    exchange.divert(Fail(Failure("internal")), 10.1)
    assert exchange.plan.failure == Failure("internal")
    assert exchange.end_due() == pytest.approx(10.1)


def test_what_was_sent_so_far_is_the_text_the_client_has():
    call = ToolCall("c", "look", "{}")
    pieces = [Think("hm"), Say("Yes"), Garbled(Say("."), "broken"), Call(call, 0, "{}", 1, False), End(Stop.CALLS)]
    exchange = exchange_of(Plan(pieces, [0.0, 0.0, 0.0, 0.0, 1.0]))
    assert exchange.text() == ""
    exchange.take(10.0)
    assert exchange.text() == "Yes.{}"
    assert exchange.text(2) == ".{}"
    exchange.ask.shows_thinking = True
    assert exchange.text() == "hmYes.{}"


def test_tokens_handed_out_are_counted_by_piece():
    exchange = exchange_of(Plan([Say("你", 2), Say("b"), End(Stop.END)], [0.0, 0.0, 1.0]))
    assert exchange.tokens == 0
    exchange.take(10.0)
    assert exchange.tokens == 3


def test_a_step_hands_out_one_piece_of_those_that_are_due_together():
    pieces = [Say("a"), Say("b"), Say("c"), End("end")]
    exchange = Exchange(1, ask_for(), Plan(pieces, [1.0, 1.0, 1.0, 1.0]), 0.0, 0.0)
    for wanted in pieces:
        assert exchange.step(5.0)
        assert exchange.take(5.0) == [wanted]
    assert not exchange.step(5.0)


def test_a_step_passes_over_what_the_client_is_not_shown():
    plan = Plan([Think("hm"), Think("so"), Say("a"), End("end")], [1.0, 1.0, 1.0, 2.0], hides_thinking=True)
    exchange = Exchange(1, ask_for(), plan, 0.0, 0.0)
    exchange.step(0.0)
    assert exchange.take(0.0)[-1] == Say("a")
    assert exchange.cursor == 3


def test_an_exchange_that_ended_is_over():
    exchange = exchange_of(plan_of())
    assert not exchange.over
    exchange.state = "abandoned"
    assert exchange.over
    assert exchange.due() is None


gaps = st.lists(st.floats(0, 2), min_size=1, max_size=12)
steps = st.lists(
    st.tuples(st.sampled_from(["wait", "pace", "take"]), st.sampled_from([0.0, 0.001, 0.1, 0.5, 1.0, 3.0])), max_size=40
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(gaps=gaps, steps=steps, rate=st.sampled_from([0.0, 0.5, 1.0, 4.0]))
def test_no_piece_is_lost_or_doubled_or_early_whatever_the_pace(gaps, steps, rate):
    times = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    pieces = [Say(str(i)) for i in range(len(gaps))]
    exchange = exchange_of(Plan(pieces, times), started=0.0, rate=rate)
    now, taken, place, pace = 0.0, [], 0.0, rate
    for step, amount in steps:
        if step == "wait":
            now, place = now + amount, place + amount * pace
        elif step == "pace":
            exchange.pace(amount, now)
            pace = amount
        else:
            batch = exchange.take(now)
            taken += batch
            assert all(int(piece.text) < len(times) and times[int(piece.text)] <= place + 1e-5 for piece in batch)
            assert exchange.cursor == len(taken)
            assert all(time > place - 1e-5 for time in times[exchange.cursor :])
            due = exchange.due()
            assert due is None or due > now - 1e-5
    exchange.pace(1, now)
    taken += exchange.take(now + 1000)
    assert [piece.text for piece in taken] == [piece.text for piece in pieces]
    assert exchange.over


def test_a_whole_reply_is_late_by_its_end_and_not_by_its_beginning():
    exchange = exchange_of(plan_of("a b c"))
    assert said(exchange.take(exchange.end_due() + 0.003, whole=True)) == "abc"
    assert exchange.late == pytest.approx(0.003)


@given(
    st.lists(st.floats(0.0, 0.2), min_size=2, max_size=20),
    st.lists(st.floats(0.0, 0.15), min_size=1, max_size=40),
    st.sampled_from([0.5, 1.0, 3.0]),
)
def test_advancing_is_taking_what_is_due_where_it_is_one_piece_of_the_middle(gaps, steps, rate):
    plan = plan_of(" ".join("w" for _ in gaps))
    plan = replace(plan, times=[0.0, *accumulate(gaps)])
    short, long = exchange_of(plan, rate=rate), exchange_of(plan, rate=rate)
    now = 10.0
    assert short.take(now) == long.take(now)
    for step in steps:
        now += step
        cursor, moment = short.cursor, short.advance(now)
        if not moment:
            assert short.cursor == cursor
            assert short.take(now) == long.take(now)
        else:
            assert len(long.take(now)) == 1
            assert moment == long.due()
        assert (short.cursor, short.due(), short.late) == (long.cursor, long.due(), pytest.approx(long.late))


def test_a_paused_exchange_does_not_advance():
    exchange = exchange_of(plan_of("a b c"))
    exchange.take(10.5)
    exchange.pace(0.0, 10.55)
    assert exchange.advance(99.0) == 0.0
    assert exchange.cursor == 1
