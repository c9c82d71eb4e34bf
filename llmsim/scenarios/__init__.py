"""Scenarios: a timeline of changes as a file, with what is expected of the clients meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from llmsim.journal.verify import Expectation, Times
from llmsim.latency import Profile
from llmsim.settings import Armed, Settings

__all__ = ["ClientExpectation", "Phase", "Ramp", "Scenario", "Step", "seconds"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST = 86_400.0
"""Seconds that a scenario lasts at most."""
_MOST = 10_000
"""Phases, steps and expectations of a scenario, each; as many as changes are remembered that it can be made of."""


_MOST_AT_ONCE = 1_000
"""Faults that one of them arms or lifts, and its ramps, each."""
_MOST_DEEDS = 100_000
"""Steps of all ramps of a scenario."""


def seconds(raw: Any) -> Any:
    """A duration in seconds, from a number or from `500ms`, `30s`, `2m`, `1h`; what is neither stays as it is."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)\s*", raw) if isinstance(raw, str) else None
    return float(found[1]) * _UNITS[found[2]] if found else raw


Seconds = Annotated[float, BeforeValidator(seconds), Field(ge=0, le=LONGEST, allow_inf_nan=False)]
Span = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=LONGEST, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Ramp(_Part):
    """A setting that goes from one number to another, in even steps; `from` is the present one where it is left out.

    With `fault` it is a number of the armed fault of that id, such as its probability.
    """

    setting: str
    start: float | None = Field(None, alias="from")
    to: float
    over: Span = Field(alias="for")
    every: Span = 1.0
    fault: Name | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.fault is None:
            known = [name for name, field in Settings.model_fields.items() if _numeric(field.annotation)]
            if self.setting not in known:
                raise ValueError(
                    f"setting: {self.setting!r} is no number that can go up and down; there are {', '.join(known)}"
                )
            for value in (self.to,) if self.start is None else (self.start, self.to):
                Settings().changed(**{self.setting: value})
        if self.steps > 10_000:
            raise ValueError(f"every: {self.every:g} s makes more than 10000 steps of {self.over:g} s")
        return self

    @property
    def steps(self) -> int:
        """How many changes it is made of, but for the first."""
        return max(1, round(self.over / self.every))


def _numeric(annotation: Any) -> bool:
    told = str(annotation)
    return ("float" in told or "int" in told) and not any(word in told for word in ("dict", "tuple", "bool"))


def _profiles(told: Any, place: str = "") -> Iterator[str]:
    """The latency profiles that a change of settings names."""
    if isinstance(told, Mapping):
        for name, value in told.items():
            yield from _profiles(value, "latency" if place == "model_profiles" else str(name))
    elif isinstance(told, list | tuple):
        for value in told:
            yield from _profiles(value, place)
    elif isinstance(told, str) and place in ("latency", "latency_profile"):
        yield told


class _Doing(_Part):
    """What happens at one moment: settings that change, faults armed and lifted, ramps, a mark for the charts."""

    change: dict[str, Any] = Field(default_factory=dict)
    # Of very many that cannot be, one is told.
    arm: Annotated[tuple[dict[str, Any], ...], FailFast(), Field(max_length=_MOST_AT_ONCE)] = ()
    lift: Annotated[tuple[str, ...], Field(max_length=_MOST_AT_ONCE)] | Literal["all"] = ()
    ramp: Annotated[tuple[Ramp, ...], FailFast(), Field(max_length=_MOST_AT_ONCE)] = ()
    mark: str = ""
    _made: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _one_or_more(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        told = dict(raw)
        for name in ("arm", "ramp"):
            if isinstance(told.get(name), Mapping):
                told[name] = [told[name]]
        if isinstance(told.get("lift"), str) and told["lift"] != "all":
            told["lift"] = [told["lift"]]
        if isinstance(told.get("lift"), list | tuple) and not all(isinstance(one, str) for one in told["lift"]):
            raise ValueError("lift: it is a list of ids, or all")
        return told

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        rest = dict(self.change)
        if "profiles" in rest:
            self._made["profiles"] = Settings().changed(profiles=rest.pop("profiles")).profiles
        if rest:  # the profiles that it names may have been made before: they are looked for when it is played
            made = Settings(profiles={name: Profile() for name in _profiles(rest)}).changed(**rest)
            self._made |= {name: getattr(made, name) for name in rest}
        for fault in self.arm:
            Armed.model_validate(fault)
        return self

    @property
    def made(self) -> dict[str, Any]:
        """The settings that change, as they were read: thousands of mocks are not read again when it is played."""
        return self._made


class Step(_Doing):
    """Something that happens `at` a moment after the start; what it arms lasts `for` so long, or until it is lifted."""

    at: Seconds
    lasts: Span | None = Field(None, alias="for")


class Phase(_Doing):
    """A stretch of time with a name; what it arms lasts as long as the phase, what it changes stays changed."""

    name: Name
    lasts: Span = Field(alias="for")


class ClientExpectation(_Part):
    """What is expected of the clients, by the verdict on them: numbers over all clients, `waits_kept` a share."""

    retries: Times | None = None
    storms: Times | None = None
    ignored_waits: Times | None = None
    abandoned: Times | None = None
    gave_up: Times | None = None
    succeeded: Times | None = None
    waits_kept: Annotated[float | None, Field(ge=0, le=1)] = None


class Scenario(_Part):
    """Phases one after the other, and steps at moments of their own; then what was expected is looked at.

    `settings` are changed at the start. It lasts as long as its phases and steps, or `lasts`: nothing comes later.
    """

    name: Name = "scenario"
    description: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    steps: tuple[Step, ...] = ()
    lasts: Span | None = Field(None, alias="for")
    expect: tuple[Expectation, ...] = ()
    clients: ClientExpectation = ClientExpectation()
    _made: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def made(self) -> dict[str, Any]:
        """The settings of the start, as they were read."""
        return self._made

    @field_validator("phases", "steps", "expect", mode="before")
    @classmethod
    def _not_too_many(cls, value: Any) -> Any:
        # pydantic looks at all of them first, and counts those alone that are valid.
        if isinstance(value, list | tuple) and len(value) > _MOST:
            raise ValueError(f"there are {len(value):,} of them; at most {_MOST:,} are allowed")
        return value

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if not self.phases and not self.steps and not self.settings:
            raise ValueError("a scenario has phases, steps or settings")
        if self.settings:
            made = Settings().changed(**self.settings)
            self._made |= {name: getattr(made, name) for name in self.settings}
        deeds = sum(ramp.steps for part in (*self.phases, *self.steps) for ramp in part.ramp)
        if deeds > _MOST_DEEDS:
            raise ValueError(f"the ramps of a scenario have at most {_MOST_DEEDS:,} steps; these have {deeds:,}")
        if self.length > LONGEST:
            raise ValueError(f"a scenario lasts at most {LONGEST:g} s; this one {self.length:g} s")
        return self

    @cached_property
    def length(self) -> float:
        """How many seconds it lasts."""
        phases = sum(phase.lasts for phase in self.phases)
        steps = [step.at + max(step.lasts or 0.0, *(ramp.over for ramp in step.ramp), 0.0) for step in self.steps]
        return self.lasts if self.lasts is not None else max([phases, *steps])
