"""Refuse: an error of the provider's instead of the reply, late or in the middle of it."""

import pytest
from pydantic import ValidationError
from support import plan_of, said

from llmsim.dice import Dice
from llmsim.errors import Failure
from llmsim.faults.refuse import Refuse
from llmsim.plan import Drop, Fail, Plan

DICE = Dice(1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid"), (401, "unauthenticated"), (429, "rate_limit"), (503, "unavailable"), (529, "overloaded")],
)
def test_a_status_stands_for_its_kind_of_failure(status, kind):
    failure = Refuse(status=status, retry_after=2, message="Not today.").spoil(plan_of(), DICE).failure
    assert failure == Failure(kind, "Not today.", retry_after=2, status=status)


def test_the_error_comes_when_it_is_told_to():
    assert list(Refuse(after_ms=1500).spoil(plan_of(), DICE).times) == [1.5]


def test_after_so_many_tokens_the_error_comes_in_the_middle_of_the_reply():
    plan = Refuse(status=500, after_tokens=2).spoil(plan_of("a b c d"), DICE)
    assert said(plan.pieces) == "ab"
    assert plan.pieces[-1] == Fail(Failure("internal"))
    assert plan.times[-1] == pytest.approx(0.7)
    assert plan.failure is None


def test_a_reply_that_is_shorter_is_left_alone():
    plan = plan_of("a b")
    assert Refuse(after_tokens=3).spoil(plan, DICE) is plan


def test_a_reply_of_just_as_many_tokens_loses_its_end():
    plan = Refuse(after_tokens=2).spoil(plan_of("a b"), DICE)
    assert [type(piece).__name__ for piece in plan.pieces] == ["Say", "Say", "Fail"]


def test_a_dropped_connection_cannot_be_told_an_error_after_it():
    plan = Plan([Drop()], [0.0])
    assert Refuse(after_tokens=3).spoil(plan, DICE) is plan


def test_a_status_that_no_provider_sends_is_refused():
    with pytest.raises(ValidationError, match="418"):
        Refuse(status=418)
    with pytest.raises(ValidationError, match="retry_after"):
        Refuse(retry_after=-1)


def test_it_is_summed_up_by_its_status():
    assert Refuse(status=503).summary() == "503"
    assert Refuse(status=503, after_tokens=4).summary() == "503 after 4 tokens"
