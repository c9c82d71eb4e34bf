"""Echo: the user's own words."""

from __future__ import annotations

from typing import ClassVar

from llmsim.conversation import Ask, Reply
from llmsim.dice import Dice
from llmsim.generators import Generator


class Echo(Generator):
    """The newest user message again, the argument before it."""

    kind: ClassVar[str] = "echo"

    def reply(self, ask: Ask, dice: Dice, target_tokens: int) -> Reply:
        """The user's text, whatever the target."""
        return Reply(segments=(self.argument + ask.last_user_text,), origin="generator echo")
