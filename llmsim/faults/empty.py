"""Empty: a reply that says nothing and ends as if all were well."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from llmsim.conversation import Stop
from llmsim.dice import Dice
from llmsim.faults import Fault
from llmsim.plan import End, Plan, Usage


class Empty(Fault):
    """Leaves out every word and call: each alternative is its ordinary end alone, when the first token was due."""

    kind: ClassVar[str] = "empty"

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The ends of the alternatives, with no tokens told."""
        ends = [piece for piece in plan.pieces if isinstance(piece, End)]
        if plan.failure or len(ends) == len(plan.pieces) or not ends:
            return plan
        pieces = [End(Stop.END if piece.stop is Stop.CALLS else piece.stop, piece.choice) for piece in ends]
        usage = Usage(plan.usage.prompt, 0, 0, plan.usage.cached)
        return replace(plan, pieces=pieces, times=[plan.times[0]] * len(pieces), usage=usage)

    def summary(self) -> str:
        """That nothing is said."""
        return "empty reply"
