"""Sequence: texts in turn, one a request."""

from __future__ import annotations

from typing import ClassVar

from llmsim.conversation import Ask, Reply
from llmsim.dice import Dice
from llmsim.generators import Generator


class Sequence(Generator):
    """The argument's texts, parted by `|`: the first for the first exchange, and from the start after the last."""

    kind: ClassVar[str] = "sequence"

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument)
        self._texts = tuple(argument.split("|")) if argument else ("First reply.", "Second reply.", "Third reply.")

    def reply(self, ask: Ask, dice: Dice, target_tokens: int) -> Reply:
        """The text whose turn it is, whatever the target."""
        return Reply(segments=(self._texts[(ask.number - 1) % len(self._texts)],), origin="generator sequence")
