"""Stall: a pause in the middle of a reply, then the old pace."""

import pytest
from support import plan_of, said

from llmsim.dice import Dice
from llmsim.faults.stall import Stall

DICE = Dice(1)


def test_everything_after_the_stall_comes_that_much_later():
    plan = Stall(after_tokens=2, for_ms=2000).spoil(plan_of("a b c d"), DICE)
    assert list(plan.times) == pytest.approx([0.5, 0.6, 2.7, 2.8, 2.8])
    assert said(plan.pieces) == "abcd"


def test_after_no_token_the_first_one_is_late():
    assert list(Stall(after_tokens=0, for_ms=1000).spoil(plan_of("a b"), DICE).times) == pytest.approx([1.5, 1.6, 1.6])


def test_after_the_last_token_only_the_end_is_late():
    assert list(Stall(after_tokens=2, for_ms=1000).spoil(plan_of("a b"), DICE).times) == pytest.approx([0.5, 0.6, 1.6])


def test_a_reply_that_is_shorter_is_left_alone():
    plan = plan_of("a b")
    assert Stall(after_tokens=3).spoil(plan, DICE) is plan


def test_it_is_summed_up_by_where_and_how_long():
    assert Stall(after_tokens=7, for_ms=1500).summary() == "stall 1.5s after 7 tokens"
