"""The changes of the settings: those that can be taken back, and all of them in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from llmsim.settings import Settings

UNDO = 100
"""Changes that can be taken back."""

KEPT = 10_000
"""Changes that are remembered in their order, undoing included; the oldest goes first."""

FUSE = "fuse"
"""Who changes the settings when a fault's time is up: nobody's decision, so nothing to undo."""


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

    def __iter__(self) -> Iterator[Change]:
        """Oldest first."""
        return iter(self._all)

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._all)

    def add(self, change: Change) -> None:
        """Remembers a change; what a fuse did cannot be taken back."""
        self._all.append(change)
        if change.who != FUSE:
            self._open.append(change)

    def last(self) -> Change | None:
        """The last change that can be taken back."""
        return self._open[-1] if self._open else None

    def undone(self, change: Change) -> None:
        """Remembers that the last change was taken back, by this one."""
        self._open.pop()
        self._all.append(change)
