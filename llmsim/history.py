"""The changes of the settings: those that can be taken back, and all of them in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmsim.mocks import Mock
from llmsim.settings import Armed, Settings

UNDO = 100
"""Changes that can be taken back."""

KEPT = 10_000
"""Changes that are remembered in their order, undoing included; the oldest goes first."""

FUSE = "fuse"
"""Who changes the settings when a fault's time is up: nobody's decision, so nothing to undo."""

SCENARIO = "scenario "
"""How the name of a scenario begins that changes the settings: it is stopped, not undone step by step."""


@dataclass(slots=True, frozen=True)
class Change:
    """One change of the settings, as it was made; `at` is the moment on the simulator's clock."""

    before: Settings
    after: Settings
    text: str
    who: str
    at: float


class History:
    """Every change, newest last."""

    def __init__(self) -> None:
        self._all: deque[Change] = deque(maxlen=KEPT)
        self._open: deque[Change] = deque(maxlen=UNDO)
        self._undone: deque[Change] = deque(maxlen=UNDO)

    def __iter__(self) -> Iterator[Change]:
        """Oldest first."""
        return iter(self._all)

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._all)

    def add(self, change: Change) -> None:
        """Remembers a change; what a fuse or a scenario did cannot be taken back."""
        self._all.append(change)
        if change.who != FUSE and not change.who.startswith(SCENARIO):
            self._open.append(change)
            self._undone.clear()

    def last(self) -> Change | None:
        """The last change that can be taken back."""
        return self._open[-1] if self._open else None

    def last_undone(self) -> Change | None:
        """The change that was taken back last, as long as nobody has changed anything else since."""
        return self._undone[-1] if self._undone else None

    def undone(self, change: Change) -> None:
        """Remembers that the last change was taken back, by this one."""
        self._undone.append(self._open.pop())
        self._all.append(change)

    def redone(self, change: Change) -> None:
        """Remembers that the change taken back last was made again, by this one."""
        self._open.append(self._undone.pop())
        self._all.append(change)


def undoing(change: Change, now: Settings) -> dict[str, Any]:
    """The settings that take a change back, and nothing that was changed since: faults and mocks one by one."""
    told: dict[str, Any] = {}
    for name in Settings.model_fields:
        old, new = getattr(change.before, name), getattr(change.after, name)
        if old == new:
            continue
        told[name] = _without(old, new, getattr(now, name)) if name in ("faults", "mocks") else old
    return told


def redoing(change: Change, now: Settings) -> dict[str, Any]:
    """The settings that make a change again that was taken back, and nothing that was changed since."""
    return undoing(replace(change, before=change.after, after=change.before), now)


def _without(old: Sequence[Any], new: Sequence[Any], now: Sequence[Any]) -> tuple[Any, ...]:
    """What there is, without what the change brought and with what it took, in the places that it had."""
    if tuple(now) == tuple(new):
        return tuple(old)
    brought = [one for one in new if one not in old]
    kept = [one for one in now if one not in brought]
    there = {_name(one) for one in kept}
    for place, one in enumerate(old):
        if one not in new and _name(one) not in there:
            kept.insert(min(place, len(kept)), one)
    return tuple(kept)


def _name(one: Armed | Mock) -> str:
    return one.id if isinstance(one, Armed) else one.name
