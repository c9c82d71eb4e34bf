"""Faults: what can go wrong with a reply, each a pure function from plan to plan in a file of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from llmsim.dice import Dice
from llmsim.errors import SettingsError
from llmsim.gather import gather
from llmsim.plan import Plan

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0, le=3_600_000, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000)]


class Fault(BaseModel, ABC):
    """One thing that goes wrong; its fields are its settings, `probability` the share of requests it meets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]

    probability: Share = 1.0

    @abstractmethod
    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The plan with this fault in it; the very same plan where the fault finds nothing to spoil."""

    def summary(self) -> str:
        """The fault in a few words, for the console and the log."""
        return " ".join(f"{name}={value}" for name, value in self if name != "probability")


@cache
def kinds() -> dict[str, type[Fault]]:
    """Every fault there is, by kind."""
    return gather("llmsim.faults", "llmsim.faults", Fault)


def make(fields: Mapping[str, Any]) -> Fault:
    """The fault that the fields describe, `kind` among them; raises SettingsError with the kinds there are."""
    rest = dict(fields)
    kind = rest.pop("kind", None)
    if not isinstance(kind, str) or kind not in kinds():
        raise SettingsError(f"kind: there is no fault {kind!r}; there are {', '.join(kinds())}")
    return kinds()[kind].model_validate(rest)
