"""Echo: the user's own words."""

from support import ask_for

from llmsim import generators
from llmsim.conversation import Ask, Message
from llmsim.dice import Dice


def test_the_newest_user_message_comes_back():
    turns = (Message("user", "first"), Message("assistant", "reply"), Message("user", "second"), Message("tool", "42"))
    assert generators.make("echo").reply(ask_for(messages=turns), Dice(1), 5).text == "second"


def test_the_argument_comes_before_it():
    assert generators.make("echo:You said: ").reply(ask_for("hi 👋"), Dice(1), 5).text == "You said: hi 👋"


def test_nothing_said_is_nothing_echoed():
    assert generators.make("echo").reply(Ask("gpt-4o"), Dice(1), 5).text == ""
