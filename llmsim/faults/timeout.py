"""Timeout: nothing for a while, then a 504 or a closed connection."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from llmsim.dice import Dice
from llmsim.errors import Failure
from llmsim.faults import Fault, Wait
from llmsim.plan import Drop, Fail, Piece, Plan


class Timeout(Fault):
    """Hangs for `after_ms`, then answers 504 (`then: error`) or closes without a word (`then: silence`)."""

    kind: ClassVar[str] = "timeout"

    after_ms: Wait = 30_000
    then: Literal["error", "silence"] = "error"

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The hang instead of the reply."""
        if plan.failure:
            return plan
        piece: Piece = Fail(Failure("gateway_timeout")) if self.then == "error" else Drop(reset=False)
        return replace(plan, pieces=[piece], times=[self.after_ms / 1000])

    def summary(self) -> str:
        """The wait and what follows."""
        return f"hang {self.after_ms / 1000:g}s, then {'504' if self.then == 'error' else 'silence'}"
