"""Hold: a reply that is kept back until somebody lets it go, to be looked at, let go, failed or stepped by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from llmsim.dice import Dice
from llmsim.faults import Fault
from llmsim.plan import Plan


class Hold(Fault):
    """Keeps a reply back, so that nothing of it is sent: for `for_ms` at most, then it goes on by itself.

    `most` replies are held at once; while they are, others pass. One that is let go by hand takes its time from then
    on. A hold that is lifted, or armed again just as it was, lets go of all that it holds; with another scope it keeps
    them.
    """

    kind: ClassVar[str] = "hold"

    for_ms: Annotated[float, Field(gt=0, le=3_600_000, allow_inf_nan=False)] = 300_000
    most: Annotated[int, Field(ge=1, le=10_000)] = 100

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The plan with a time for which nothing of it is played; of two holds the longer one."""
        return plan if plan.hold >= self.for_ms / 1000 else replace(plan, hold=self.for_ms / 1000)

    def summary(self) -> str:
        """How long at most."""
        return f"hold for {self.for_ms / 1000:g}s at most"
