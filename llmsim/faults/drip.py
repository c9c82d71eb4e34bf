"""Drip: bytes that come slowly, whatever they say: a bad line between the client and the API."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from llmsim.dice import Dice
from llmsim.faults import Fault
from llmsim.plan import Plan


class Drip(Fault):
    """Lets at most `bytes_per_s` of the body through; events are cut wherever the bytes are."""

    kind: ClassVar[str] = "drip"

    bytes_per_s: Annotated[float, Field(ge=1, le=1e9, allow_inf_nan=False)] = 200.0

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The same plan on a slower line; of two the slower one holds."""
        if plan.failure or (plan.drip and plan.drip <= self.bytes_per_s):
            return plan
        return replace(plan, drip=self.bytes_per_s)

    def summary(self) -> str:
        """The speed of the line."""
        return f"{self.bytes_per_s:g} bytes/s"
