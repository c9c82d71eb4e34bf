"""Fixed: always the same text."""

from __future__ import annotations

from typing import ClassVar

from llmsim.conversation import Ask, Reply
from llmsim.dice import Dice
from llmsim.generators import Generator

DEFAULT = "This is a simulated reply."


class Fixed(Generator):
    """The argument, word for word, or a default sentence."""

    kind: ClassVar[str] = "fixed"

    def reply(self, ask: Ask, dice: Dice, target_tokens: int) -> Reply:
        """The text, whatever the target."""
        return Reply(segments=(self.argument or DEFAULT,), origin="generator fixed")
