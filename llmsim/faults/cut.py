"""Cut: the connection goes before the first byte or in mid-reply."""

from __future__ import annotations

from typing import ClassVar

from llmsim.dice import Dice
from llmsim.faults import Fault, Tokens
from llmsim.plan import Drop, Plan


class Cut(Fault):
    """Ends the connection after `after_tokens` (0: before the first byte); by a TCP reset, or closed if not `reset`."""

    kind: ClassVar[str] = "cut"

    after_tokens: Tokens = 5
    reset: bool = True

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The plan up to the cut."""
        if plan.failure or plan.place(self.after_tokens) >= len(plan.pieces):
            return plan
        return plan.cut_after(self.after_tokens, (Drop(self.reset), 0.0))

    def summary(self) -> str:
        """Where the connection goes."""
        return f"cut after {self.after_tokens} tokens" if self.after_tokens else "cut before the first byte"
