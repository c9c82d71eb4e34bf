"""Mislabel: a reply whose content type is not what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from llmsim.dice import Dice
from llmsim.faults import Fault
from llmsim.plan import Plan

Label = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~][ -~]*$")]


class Mislabel(Fault):
    """Sends the reply as `content_type`; an error keeps its own."""

    kind: ClassVar[str] = "mislabel"

    content_type: Label = "text/html; charset=utf-8"

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The same plan under another label."""
        return plan if plan.failure else replace(plan, content_type=self.content_type)

    def summary(self) -> str:
        """The label."""
        return f"content type {self.content_type}"
