"""Words: common words at random, as many as the reply needs."""

from __future__ import annotations

from typing import ClassVar

from llmsim.conversation import Ask, Reply
from llmsim.dice import Dice
from llmsim.generators import Generator

# Each of these, with a space before it and without, is one token in o200k_base and in cl100k_base.
WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem"
    " hand part place case week company system program question work government number night point home water room"
    " mother area money story fact month lot right study book eye job word business issue side kind head house"
    " service friend father power hour game line end member law car city community name team minute idea"
    " kid body information back parent face others level office door health person art war history party result"
    " change reason research girl moment air teacher force education"
).split()
_SPACED = tuple(f" {word}" for word in WORDS)


class Words(Generator):
    """Common English words in no order; the argument, words parted by spaces, replaces them."""

    kind: ClassVar[str] = "words"

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument)
        own = tuple(f" {word}" for word in argument.split())
        self._words = own or _SPACED

    def reply(self, ask: Ask, dice: Dice, target_tokens: int) -> Reply:
        """One word a token for the built-in words."""
        count, words = len(self._words), self._words
        draw = dice.generator().random
        segments = [words[int(draw() * count)] for _ in range(target_tokens)]
        segments[0] = segments[0].lstrip()
        return Reply(segments=tuple(segments), origin="generator words")
