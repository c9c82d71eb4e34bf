"""While threads work beside the event loop, turns are short; else they are as Python has them."""

import sys

from llmsim.server.turns import TURN, Turns


def test_turns_are_short_as_long_as_anybody_needs_it() -> None:
    usual, turns = sys.getswitchinterval(), Turns()
    with turns:
        with turns:
            assert abs(sys.getswitchinterval() - TURN) < 1e-6
        assert abs(sys.getswitchinterval() - TURN) < 1e-6
    assert sys.getswitchinterval() == usual


def test_turns_are_as_they_were_after_an_error() -> None:
    usual = sys.getswitchinterval()
    try:
        with Turns():
            raise ValueError
    except ValueError:
        assert sys.getswitchinterval() == usual
