"""Stall: a pause in the middle of a reply."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from llmsim.dice import Dice
from llmsim.faults import Fault, Tokens, Wait
from llmsim.plan import Plan


class Stall(Fault):
    """Stops for `for_ms` after `after_tokens`, then goes on at the old pace."""

    kind: ClassVar[str] = "stall"

    after_tokens: Tokens = 5
    for_ms: Wait = 5_000

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The plan with everything after the stall that much later."""
        at = plan.place(self.after_tokens)
        if plan.failure or at >= len(plan.pieces):
            return plan
        pause, start = self.for_ms / 1000, plan.times[at]
        later = [(a + pause, b + pause) if a >= start else (a, b) for a, b in plan.pauses]
        times = [*plan.times[:at], *(moment + pause for moment in plan.times[at:])]
        return replace(plan, times=times, pauses=tuple(sorted([*later, (start, start + pause)])))

    def summary(self) -> str:
        """Where and how long."""
        return f"stall {self.for_ms / 1000:g}s after {self.after_tokens} tokens"
