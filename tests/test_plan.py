"""A plan is told by comparing tuples: what comes, and when, before anything is sent."""

import tracemalloc
from dataclasses import replace

import pytest
from support import plan_of, said

from llmsim import faults
from llmsim.conversation import Stop, ToolCall
from llmsim.dice import Dice
from llmsim.errors import Failure
from llmsim.plan import Call, Decline, Drop, End, Fail, Garbled, Plan, Say, Script, Think

DICE = Dice(1)


def spoiled(plan: Plan, *fields: dict) -> Plan:
    for one in fields:
        plan = faults.make(one).spoil(plan, DICE)
    return plan


def shape(plan: Plan) -> list[tuple]:
    return [(type(piece).__name__, round(time, 3)) for piece, time in zip(plan.pieces, plan.times, strict=True)]


def test_a_429_then_a_stall_then_a_cut():
    plan = plan_of("a b c d e f")
    refused = spoiled(plan, {"kind": "refuse", "status": 429, "retry_after": 3})
    assert list(refused.pieces) == [Fail(Failure("rate_limit", retry_after=3.0))]
    assert list(refused.times) == [0.0]

    stalled_and_cut = spoiled(
        plan, {"kind": "stall", "after_tokens": 2, "for_ms": 5000}, {"kind": "cut", "after_tokens": 4}
    )
    assert shape(stalled_and_cut) == [("Say", 0.5), ("Say", 0.6), ("Say", 5.7), ("Say", 5.8), ("Drop", 5.9)]
    assert stalled_and_cut.pieces[-1] == Drop(reset=True)


def test_faults_work_one_upon_the_other_in_their_order():
    stall, slow = {"kind": "stall", "after_tokens": 0, "for_ms": 1000}, {"kind": "slow", "ttft_factor": 2}
    assert spoiled(plan_of("a"), stall, slow).times[0] == pytest.approx(3.0)
    assert spoiled(plan_of("a"), slow, stall).times[0] == pytest.approx(2.0)


def test_what_a_fault_cut_off_is_not_there_for_the_next_one():
    cut, stall = {"kind": "cut", "after_tokens": 2}, {"kind": "stall", "after_tokens": 3}
    once = spoiled(plan_of(), cut)
    assert spoiled(once, stall) is once
    assert shape(spoiled(plan_of(), stall, cut)) == shape(once)


def test_a_plan_that_fails_is_left_alone_by_every_fault_but_a_hold():
    failing = Plan([Fail(Failure("overloaded"))], [0.0])
    for kind in faults.kinds().keys() - {"hold"}:
        assert spoiled(failing, {"kind": kind}) is failing


def test_no_fault_changes_the_plan_it_was_given():
    for kind in faults.kinds():
        plan = replace(plan_of(), streamed=True)
        call = Call(ToolCall("call_1", "f", "{}"), 0, "", 1, True)
        plan.pieces, plan.times = [call, *plan.pieces], [plan.times[0], *plan.times]
        pieces, times, usage = list(plan.pieces), list(plan.times), plan.usage
        result = spoiled(plan, {"kind": kind})
        assert result is not plan
        assert (list(plan.pieces), list(plan.times), plan.usage) == (pieces, times, usage)
        assert (plan.faults, plan.notes) == ((), ())


def test_every_fault_leaves_as_many_times_as_pieces_and_all_in_order():
    for kind in faults.kinds():
        for text in ("", "a", "a b c d e f g h"):
            result = spoiled(plan_of(text) if text else Plan([End(Stop.END)], [0.2]), {"kind": kind})
            assert len(result.pieces) == len(result.times)
            assert list(result.times) == sorted(result.times)


def test_a_plan_knows_its_failure_and_its_end():
    assert plan_of().failure is None
    assert plan_of().end == pytest.approx(1.0)
    assert Plan([Fail(Failure("timeout"))], [2.0]).failure == Failure("timeout")
    assert Plan([], []).failure is None
    assert Plan([], []).end == 0.0
    late = plan_of().cut_after(2, (Fail(Failure("internal")), 0.0))
    assert late.failure is None


def test_a_plan_is_cut_after_so_many_tokens_and_goes_on_with_the_tail():
    cut = plan_of("a b c d").cut_after(2, (Drop(), 0.25), (Drop(), 0.5))
    assert said(cut.pieces) == "ab"
    assert list(cut.times) == pytest.approx([0.5, 0.6, 0.95, 1.2])
    beyond = plan_of("a b").cut_after(99, (Drop(), 1.0))
    assert shape(beyond)[-2:] == [("End", 0.6), ("Drop", 1.6)]


def test_the_place_after_so_many_tokens_counts_tokens_and_not_pieces():
    plan = Plan([Say("你", 2), Say("b"), End(Stop.END)], [0, 0, 0])
    assert [plan.place(tokens) for tokens in range(5)] == [0, 1, 1, 2, 3]


def test_pieces_are_values():
    assert Say("a") == Say("a")
    assert Say("a") != Say("b")
    assert Say("a") != Say("a", choice=1)
    assert Say("a") != Think("a")
    assert Decline("a") != Say("a")
    assert End(Stop.END) != End(Stop.LENGTH)
    assert Drop() != Drop(reset=False)
    assert Garbled(Say("a"), "broken") == Garbled(Say("a"), "broken")
    assert Garbled(Say("a", 2, 1), "broken").tokens == 2
    assert repr(Say("a")) == "Say(text='a', choice=0, tokens=1)"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Say("a"))


def test_the_fragments_of_a_call_are_told_apart():
    call = ToolCall("call_1", "look", "{}")
    assert Call(call, 0, "", 1, True) != Call(call, 0, "", 1, False)
    assert Call(call, 0, "x", 1, False) != Call(call, 1, "x", 1, False)


def test_a_script_knows_the_tokens_in_its_first_pieces():
    assert [*Script([Say("a"), Say("xyz", 3), End(Stop.END)]).spent] == [0, 1, 4, 4]


def test_a_script_is_plain_where_it_is_text_of_one_alternative_and_its_end():
    assert Script([Say("a"), End(Stop.END)]).plain
    assert not Script([Think("a"), End(Stop.END)]).plain
    assert not Script([Say("a", choice=1), End(Stop.END, 1)]).plain
    assert not Script([Say("a"), End(Stop.END), Say("b")]).plain
    assert Script([Say("a")]).memo == {}


def test_a_piece_takes_a_few_hundred_bytes():
    tracemalloc.start()
    try:
        kept = [kind(f"word {i}") for i in range(500) for kind in (Say, Think)]
        assert tracemalloc.get_traced_memory()[0] / len(kept) < 300
    finally:
        tracemalloc.stop()


def test_the_json_of_a_piece_is_that_of_its_text():
    assert Say('a "quoted" é\n').json == '"a \\"quoted\\" é\\n"'.encode()
