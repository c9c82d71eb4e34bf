"""Cut: the connection goes before the first byte or in mid-reply."""

import pytest
from support import plan_of, said

from llmsim.dice import Dice
from llmsim.faults.cut import Cut
from llmsim.plan import Drop

DICE = Dice(1)


def test_the_connection_goes_when_the_next_token_would_have_come():
    plan = Cut(after_tokens=2).spoil(plan_of("a b c d"), DICE)
    assert said(plan.pieces) == "ab"
    assert plan.pieces[-1] == Drop(reset=True)
    assert plan.times[-1] == pytest.approx(0.7)


def test_after_no_token_nothing_comes_at_all():
    plan = Cut(after_tokens=0, reset=False).spoil(plan_of(), DICE)
    assert list(plan.pieces) == [Drop(reset=False)]
    assert list(plan.times) == [0.5]


def test_after_the_last_token_only_the_end_is_missing():
    plan = Cut(after_tokens=3).spoil(plan_of("a b c"), DICE)
    assert said(plan.pieces) == "abc"
    assert plan.pieces[-1] == Drop()


def test_a_reply_that_is_shorter_is_left_alone():
    plan = plan_of("a b")
    assert Cut(after_tokens=3).spoil(plan, DICE) is plan


def test_the_usage_stays_what_it_would_have_been():
    plan = plan_of()
    assert Cut(after_tokens=1).spoil(plan, DICE).usage == plan.usage


def test_it_is_summed_up_by_where_it_cuts():
    assert Cut(after_tokens=3).summary() == "cut after 3 tokens"
    assert Cut(after_tokens=0).summary() == "cut before the first byte"
