"""Disorder: an event twice, or two in the wrong order."""

from dataclasses import replace

import pytest
from support import plan_of, said

from llmsim.dice import Dice
from llmsim.faults.disorder import Disorder

STREAM = replace(plan_of("a b c d e f"), streamed=True)


@pytest.mark.parametrize(("after", "text"), [(0, "aabcdef"), (3, "abcddef"), (99, "abcdeff")])
def test_one_event_comes_twice(after, text):
    told = Disorder(after_tokens=after).spoil(STREAM, Dice(1))
    assert said(told.pieces) == text
    assert len(told.times) == len(told.pieces)
    assert list(told.times) == sorted(told.times)


@pytest.mark.parametrize(("after", "text"), [(0, "bacdef"), (3, "abcedf"), (99, "abcdfe")])
def test_two_events_change_places(after, text):
    told = Disorder(how="reorder", after_tokens=after).spoil(STREAM, Dice(1))
    assert said(told.pieces) == text
    assert list(told.times) == list(STREAM.times)


def test_one_event_alone_has_no_order():
    alone = replace(plan_of("a"), streamed=True)
    assert Disorder(how="reorder").spoil(alone, Dice(1)) is alone


def test_a_whole_reply_has_one_event():
    assert Disorder().spoil(plan_of(), Dice(1)).pieces == plan_of().pieces
