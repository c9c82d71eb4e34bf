"""Faults: what can go wrong with a reply, each a pure function from plan to plan in a file of its own."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from llmsim.dice import Dice
from llmsim.errors import SettingsError
from llmsim.gather import find, gather
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


def of_kind(kind: str) -> type[Fault] | None:
    """The fault of that kind, without a look at the others where that can be."""
    return find("llmsim.faults", "llmsim.faults", Fault, kind) or kinds().get(kind)


_LONGEST = 10_000
"""Characters of the short form."""
_WORD = re.compile(r"([A-Za-z_]\w*)=(\"[^\"]*\"|\S+)")


def read(text: str) -> dict[str, Any]:
    """The fields of a fault in its short form: a status, or a kind and its settings; raises SettingsError.

    `429`, `429 retry_after=2 count=3`, `cut after_tokens=5`, `slow ttft_factor=3 probability=0.5`,
    `refuse status=503 message="not today" scope="model:gpt*"`.
    """
    if len(text) > _LONGEST:
        raise SettingsError(f"the short form of a fault has at most {_LONGEST:,} characters")
    kind, _, rest = text.strip().partition(" ")
    fields: dict[str, Any] = (
        {"kind": "refuse", "status": int(kind)}
        if kind.isascii() and kind.isdigit() and len(kind) == 3
        else {"kind": kind}
    )
    if _WORD.sub("", rest).strip():
        raise SettingsError(
            f"{text.strip()[:200]!r} is no fault; it is written as in: cut after_tokens=5 probability=0.5"
        )
    fields |= {name: _scalar(value) for name, value in _WORD.findall(rest)}
    make({name: value for name, value in fields.items() if name == "kind"})
    return fields


def _scalar(told: str) -> Any:
    if told.startswith('"'):
        return told[1:-1]
    if told.lower() in ("true", "false"):
        return told.lower() == "true"
    for number in (int, float):
        with suppress(ValueError):
            return number(told)
    return told


def make(fields: Mapping[str, Any]) -> Fault:
    """The fault that the fields describe, `kind` among them; raises SettingsError with the kinds there are."""
    rest = dict(fields)
    kind = rest.pop("kind", None)
    found = of_kind(kind) if isinstance(kind, str) else None
    if found is None:
        raise SettingsError(f"kind: there is no fault {kind!r}; there are {', '.join(kinds())}")
    return found.model_validate(rest)
