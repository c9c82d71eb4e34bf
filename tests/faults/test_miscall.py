"""Miscall: calls that cannot be carried out."""

import orjson
import pytest

from llmsim.conversation import Stop, ToolCall
from llmsim.dice import Dice
from llmsim.faults.miscall import Miscall
from llmsim.plan import Call, End, Plan, Say

CALL = ToolCall("call_1", "look", '{"city":"Oslo"}')


def plan() -> Plan:
    fragments = ['{"', "city", '":"', "Oslo", '"}']
    pieces = [Call(CALL, 0, "", 1, True), *(Call(CALL, 0, text, 1, False) for text in fragments), End(Stop.CALLS)]
    return Plan(pieces, [0.1 * at for at in range(len(pieces))])


def arguments(told: Plan) -> str:
    return "".join(piece.text for piece in told.pieces if isinstance(piece, Call))


def test_arguments_that_end_too_early_are_no_json():
    told = Miscall().spoil(plan(), Dice(1))
    assert arguments(told) == told.pieces[0].call.arguments == '{"city":"O'
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(arguments(told))
    assert list(told.times) == sorted(told.times)
    assert len(told.times) == len(told.pieces)
    assert type(told.pieces[-1]) is End


def test_a_tool_that_nobody_has_is_called():
    told = Miscall(how="unknown_tool").spoil(plan(), Dice(1))
    assert {piece.call.name for piece in told.pieces if isinstance(piece, Call)} == {"no_such_tool"}
    assert arguments(told) == CALL.arguments


def test_a_call_without_arguments():
    assert arguments(Miscall(how="no_arguments").spoil(plan(), Dice(1))) == "{}"


def test_a_reply_without_calls_stays_as_it_is():
    words = Plan([Say("a"), End(Stop.END)], [0.0, 0.0])
    assert Miscall().spoil(words, Dice(1)) is words
