"""What a request to the Responses API wants beside words: all that is needed again to word its response."""

from __future__ import annotations

from typing import NamedTuple

from llmsim.dialects._openai_responses_choice import Use
from llmsim.dialects._openai_responses_echo import Echo


class Wanted(NamedTuple):
    """What is kept of a request until its response is told, and as long as the response is kept.

    `top` is the number of likeliest tokens to tell with each token, None where no log probabilities are wanted.
    `runs` is the built-in tool that the client runs itself, `namespaces` are those of functions, `hint` is the user's
    newest text; `previous` and `conversation` are the ids of what the response goes on from, `moderates` is the model
    that judges it. With `compacts` the words are a summary that the client sees sealed only; without `generates` there
    are none.
    """

    echo: Echo
    background: bool = False
    stores: bool = True
    obfuscates: bool = True
    summarizes: bool = False
    seals: bool = False
    top: int | None = None
    include: frozenset[str] = frozenset()
    uses: tuple[Use, ...] = ()
    runs: Use | None = None
    previous: str = ""
    namespaces: tuple[tuple[str, str], ...] = ()
    conversation: str = ""
    moderates: str = ""
    stream_id: str = ""
    generates: bool = True
    compacts: bool = False
    hint: str = ""

    def with_padding(self, pads: bool) -> Wanted:
        """The same with obfuscation, or without."""
        return self if pads == self.obfuscates else self._replace(obfuscates=pads)
