"""Garble: an event that does not arrive as it should."""

import pytest
from support import plan_of

from llmsim.conversation import Stop
from llmsim.dice import Dice
from llmsim.faults.garble import Garble
from llmsim.plan import Drop, End, Garbled, Plan, Say

DICE = Dice(1)


@pytest.mark.parametrize("how", ["broken", "malformed"])
def test_one_event_is_spoiled_and_the_reply_goes_on(how):
    plan = Garble(how=how, after_tokens=1).spoil(plan_of("a b c"), DICE)
    assert list(plan.pieces) == [Say("a"), Garbled(Say("b"), how), Say("c"), End(Stop.END)]
    assert list(plan.times) == list(plan_of("a b c").times)


def test_a_truncated_event_is_the_last_before_the_connection_closes():
    plan = Garble(how="truncated", after_tokens=1).spoil(plan_of("a b c"), DICE)
    assert list(plan.pieces) == [Say("a"), Garbled(Say("b"), "truncated"), Drop(reset=False)]
    assert list(plan.times) == pytest.approx([0.5, 0.6, 0.6])


def test_in_a_shorter_reply_the_last_token_is_spoiled():
    plan = Garble(after_tokens=99).spoil(plan_of("a b"), DICE)
    assert list(plan.pieces) == [Say("a"), Garbled(Say("b"), "broken"), End(Stop.END)]


def test_a_reply_of_no_token_has_nothing_to_spoil():
    plan = Plan([End(Stop.END)], [0.1])
    assert Garble().spoil(plan, DICE) is plan


def test_what_is_garbled_already_is_not_garbled_again():
    once = Garble(after_tokens=1).spoil(plan_of("a b c"), DICE)
    assert Garble(after_tokens=1, how="malformed").spoil(once, DICE) is once


def test_a_spoiled_piece_counts_its_tokens():
    plan = Garble(after_tokens=0).spoil(Plan([Say("你", 3), End(Stop.END)], [0, 0]), DICE)
    assert plan.pieces[0].tokens == 3


def test_it_is_summed_up_by_what_is_wrong_where():
    assert Garble(how="truncated", after_tokens=4).summary() == "truncated event after 4 tokens"
