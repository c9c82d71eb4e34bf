"""Fixed: always the same text, and the specs of generators."""

import pytest
from support import ask_for

from llmsim import generators
from llmsim.dice import Dice
from llmsim.errors import SettingsError
from llmsim.generators.fixed import Fixed


def test_the_argument_is_the_reply_word_for_word():
    assert generators.make("fixed:Hello: there|you").reply(ask_for(), Dice(1), 5).text == "Hello: there|you"


def test_without_an_argument_there_is_a_sentence():
    assert generators.make("fixed").reply(ask_for(), Dice(1), 5).text == "This is a simulated reply."
    assert generators.make("fixed:").reply(ask_for(), Dice(1), 5).text == "This is a simulated reply."


@pytest.mark.parametrize("spec", ["lorme", "", ":text", "Lorem", "structured", "calls"])
def test_an_unknown_generator_is_an_error_that_lists_those_there_are(spec):
    with pytest.raises(SettingsError, match="there are echo, fixed, lorem, sequence, words"):
        generators.make(spec)


def test_a_generator_that_refuses_its_argument_says_why(monkeypatch):
    class Picky(Fixed):
        kind = "picky"

        def __init__(self, argument=""):
            raise ValueError(f"{argument!r} is not to my taste")

    monkeypatch.setitem(generators.kinds(), "picky", Picky)
    with pytest.raises(SettingsError, match="generator: 'soup' is not to my taste"):
        generators.make("picky:soup")


def test_replies_tell_who_made_them():
    for kind in generators.kinds():
        assert generators.make(kind).reply(ask_for(number=1), Dice(1), 5).origin == f"generator {kind}"
