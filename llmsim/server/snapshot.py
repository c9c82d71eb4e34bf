"""All figures of the simulator at one moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from llmsim.figures import Labels, Series


@dataclass(slots=True)
class Snapshot:
    """All figures at one moment, none of which changes any more: they are worded in a thread.

    `sent` are tokens of the replies under way. `running` and `waiting` have these replies by model, those that have
    their first token and those that have not - under load those at work and those in the queue; `gauges` is what else
    goes up and down, by name, `load` what the stations tell.
    """

    series: list[Series] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    late_sum: float = 0.0
    sent: Counter[Labels] = field(default_factory=Counter)
    faults: dict[tuple[str, ...], int] = field(default_factory=dict)
    mocks: dict[tuple[str, ...], int] = field(default_factory=dict)
    limits: dict[tuple[str, ...], int] = field(default_factory=dict)
    running: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    gauges: dict[str, float] = field(default_factory=dict)
    load: list[dict[str, Any]] = field(default_factory=list)
    build: dict[str, str] = field(default_factory=dict)
