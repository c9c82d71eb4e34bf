"""Slow: a late first token, or every token late."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import Annotated, ClassVar

from pydantic import Field

from llmsim.dice import Dice
from llmsim.faults import Fault, Wait
from llmsim.plan import Plan

Factor = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]


class Slow(Fault):
    """Multiplies the TTFT by `ttft_factor` and adds `ttft_add_ms`; the same for every wait between tokens."""

    kind: ClassVar[str] = "slow"

    ttft_factor: Factor = 5.0
    ttft_add_ms: Wait = 0
    tbt_factor: Factor = 1.0
    tbt_add_ms: Wait = 0

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The same pieces at later moments."""
        if plan.failure or not plan.times:
            return plan
        start = plan.times[0]
        first = start * self.ttft_factor + self.ttft_add_ms / 1000
        add, times, told = self.tbt_add_ms / 1000, [], [0] * (1 + max(piece.choice for piece in plan.pieces))
        for piece, moment in zip(plan.pieces, plan.times, strict=True):
            before = max(0, told[piece.choice] - (not piece.tokens))
            times.append(first + (moment - start) * self.tbt_factor + before * add)
            told[piece.choice] += piece.tokens > 0 and plan.seen(piece)
        # Alternatives get their waits each for itself, but all of a plan's moments stand in order.
        pauses = tuple(
            (first + (a - start) * self.tbt_factor, first + (b - start) * self.tbt_factor) for a, b in plan.pauses
        )
        return replace(plan, times=list(accumulate(times, max)), pauses=pauses)

    def summary(self) -> str:
        """The factors that are not one."""
        parts = [f"TTFT ×{self.ttft_factor:g}"] if self.ttft_factor != 1 else []
        parts += [f"TTFT +{self.ttft_add_ms:g}ms"] if self.ttft_add_ms else []
        parts += [f"tokens ×{self.tbt_factor:g}"] if self.tbt_factor != 1 else []
        parts += [f"tokens +{self.tbt_add_ms:g}ms"] if self.tbt_add_ms else []
        return ", ".join(parts) or "as before"
