"""Timeout: nothing for a while, then a 504 or silence."""

import pytest
from pydantic import ValidationError
from support import plan_of

from llmsim.dice import Dice
from llmsim.errors import Failure
from llmsim.faults.timeout import Timeout
from llmsim.plan import Drop, Fail

DICE = Dice(1)


def test_the_reply_hangs_and_fails_with_504():
    plan = Timeout(after_ms=2500).spoil(plan_of(), DICE)
    assert list(plan.pieces) == [Fail(Failure("gateway_timeout"))]
    assert plan.failure.status == 504
    assert list(plan.times) == [2.5]


def test_or_the_connection_closes_without_a_word():
    assert list(Timeout(then="silence").spoil(plan_of(), DICE).pieces) == [Drop(reset=False)]


def test_other_ends_are_refused():
    with pytest.raises(ValidationError, match="'error' or 'silence'"):
        Timeout(then="bang")


def test_it_is_summed_up_by_the_wait_and_what_follows():
    assert Timeout(after_ms=1500).summary() == "hang 1.5s, then 504"
    assert Timeout(then="silence").summary() == "hang 30s, then silence"
