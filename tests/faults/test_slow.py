"""Slow: a late first token, or every token late."""

import pytest
from support import plan_of, said

from llmsim.conversation import Stop
from llmsim.dice import Dice
from llmsim.faults.slow import Slow
from llmsim.plan import Drop, End, Plan, Say

DICE = Dice(1)


def times(plan, **fields):
    return list(Slow(**{"ttft_factor": 1, **fields}).spoil(plan, DICE).times)


def test_the_first_token_is_late_and_the_others_keep_their_pace():
    assert times(plan_of("a b"), ttft_factor=3) == pytest.approx([1.5, 1.6, 1.6])
    assert times(plan_of("a b"), ttft_add_ms=250) == pytest.approx([0.75, 0.85, 0.85])


def test_every_wait_between_tokens_is_longer_and_the_first_token_keeps_its_time():
    assert times(plan_of("a b c"), tbt_factor=2) == pytest.approx([0.5, 0.7, 0.9, 0.9])
    assert times(plan_of("a b c"), tbt_add_ms=100) == pytest.approx([0.5, 0.7, 0.9, 0.9])


def test_all_of_it_together():
    slow = {"ttft_factor": 2, "ttft_add_ms": 100, "tbt_factor": 3, "tbt_add_ms": 50}
    assert times(plan_of("a b c"), **slow) == pytest.approx([1.1, 1.45, 1.8, 1.8])


def test_a_factor_below_one_makes_it_faster():
    assert times(plan_of("a b"), ttft_factor=0.5, tbt_factor=0.5) == pytest.approx([0.25, 0.3, 0.3])


def test_a_cut_comes_as_late_as_what_it_cuts():
    plan = plan_of("a b").cut_after(2, (Drop(), 0.0))
    assert times(plan, tbt_add_ms=100) == pytest.approx([0.5, 0.7, 0.7])


def test_alternatives_are_slowed_each_for_itself_and_stay_in_order():
    pieces = [
        Say("a", 1, 0),
        Say("b", 1, 0),
        Say("c", 1, 0),
        Say("A", 1, 1),
        End(Stop.END, 0),
        Say("B", 1, 1),
        End(Stop.END, 1),
    ]
    plan = Plan(pieces, [0.1, 0.2, 0.3, 0.3, 0.3, 0.4, 0.4])
    slowed = Slow(ttft_factor=1, tbt_add_ms=1000).spoil(plan, DICE)
    assert list(slowed.times) == sorted(slowed.times)
    assert said(slowed.pieces) == "abcAB"
    assert slowed.times[2] == pytest.approx(2.3)


def test_it_is_summed_up_by_what_it_changes():
    assert Slow().summary() == "TTFT ×5"
    assert Slow(ttft_factor=1).summary() == "as before"
    told = Slow(ttft_factor=2, ttft_add_ms=10, tbt_factor=3, tbt_add_ms=20).summary()
    assert told == "TTFT ×2, TTFT +10ms, tokens ×3, tokens +20ms"
