"""A scenario as what happens at which moment: pure, so that it can be shown before it is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from llmsim.scenarios import Phase, Ramp, Scenario, Step


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to do `at` so many seconds after the start.

    `change` are settings; `arm` is a fault; `lift` names one; `number` is a number of the armed fault `fault`, or where
    that is empty a setting, to be put at `to`, or that share of the `way` there; `phase` begins a phase.
    """

    at: float
    change: dict[str, Any] = field(default_factory=dict)
    arm: dict[str, Any] | None = None
    lift: str = ""
    number: str = ""
    fault: str = ""
    to: float = 0.0
    way: float = 1.0
    phase: str = ""
    mark: str = ""


def deeds(scenario: Scenario) -> list[Deed]:
    """All that happens, in order; of what happens at one moment, what ends comes before what begins."""
    found = [Deed(0.0, change=scenario.made)] if scenario.settings else []
    at = 0.0
    for place, phase in enumerate(scenario.phases):
        found.append(Deed(at, phase=phase.name))
        found += _of(phase, at, phase.lasts, f"phase-{place + 1}")
        at += phase.lasts
    for place, step in enumerate(scenario.steps):
        found += _of(step, step.at, step.lasts, f"step-{place + 1}")
    return sorted((one for one in found if one.at <= scenario.length), key=lambda deed: (deed.at, not deed.lift))


def _of(part: Phase | Step, at: float, lasts: float | None, name: str) -> Iterator[Deed]:
    if part.mark:
        yield Deed(at, mark=part.mark)
    names = ["all"] if part.lift == "all" else part.lift
    for lifted in names:
        yield Deed(at, lift=lifted)
    if part.change:
        yield Deed(at, change=part.made)
    for place, fault in enumerate(part.arm):
        id = fault.get("id") or (f"{name}-{place + 1}" if len(part.arm) > 1 else name)
        yield Deed(at, arm={**fault, "id": id})
        if lasts is not None:
            yield Deed(at + lasts, lift=id)
    for ramp in part.ramp:
        yield from _ramped(ramp, at)


def _ramped(ramp: Ramp, at: float) -> Iterator[Deed]:
    """The steps of a ramp; without a `from` the first one is known only when it is played."""
    count = ramp.steps
    for place in range(0 if ramp.start is not None else 1, count + 1):
        share = place / count
        to = ramp.to if ramp.start is None else ramp.start + (ramp.to - ramp.start) * share
        # Without a start each step covers its share of the way that is left.
        way = 1.0 / (count - place + 1) if ramp.start is None else 1.0
        yield Deed(at + share * ramp.over, number=ramp.setting, fault=ramp.fault or "", to=to, way=way)
