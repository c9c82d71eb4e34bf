"""Sequence: texts in turn, one a request."""

from support import ask_for

from llmsim import generators
from llmsim.dice import Dice


def texts(spec, numbers):
    generator = generators.make(spec)
    return [generator.reply(ask_for(number=number), Dice(1), 5).text for number in numbers]


def test_the_texts_come_in_turn_and_from_the_start_again():
    assert texts("sequence:a|b|c", range(1, 6)) == ["a", "b", "c", "a", "b"]


def test_an_empty_part_is_an_empty_reply():
    assert texts("sequence:a||c", range(1, 4)) == ["a", "", "c"]


def test_without_an_argument_there_are_three():
    assert texts("sequence", range(1, 5)) == ["First reply.", "Second reply.", "Third reply.", "First reply."]


def test_one_request_after_the_other_gets_the_next_text(simulator):
    simulator.change(generator="sequence:one|two")
    plans = [simulator.begin(ask_for("same")).plan for _ in range(3)]
    assert ["".join(piece.text for piece in plan.pieces[:-1]) for plan in plans] == ["one", "two", "one"]
