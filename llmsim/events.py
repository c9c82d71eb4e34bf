"""What happened besides the exchanges: changes, faults armed and lifted, warnings; the newest are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from llmsim.clock import Clock


@dataclass(slots=True, frozen=True)
class Event:
    """One line of the log: `kind` is a word such as fault, latency, settings or warning; `mark` its flag on charts."""

    number: int
    wall: float
    kind: str
    text: str
    who: str = ""
    mark: str = ""


class Events:
    """A bounded log; when it is full the oldest event goes. The `listeners` are called after each new one."""

    def __init__(self, clock: Clock, limit: int = 1000) -> None:
        self._clock = clock
        self._ring: deque[Event] = deque(maxlen=limit)
        self.newest = 0
        self.listeners: set[Callable[[], None]] = set()

    def add(self, kind: str, text: str, who: str = "", mark: str = "") -> Event:
        """Writes a line."""
        self.newest += 1
        event = Event(self.newest, self._clock.wall(), kind, text, who, mark)
        self._ring.append(event)
        for told in tuple(self.listeners):
            told()
        return event

    def after(self, number: int, limit: int = 500) -> list[Event]:
        """Events with a greater number, oldest first, at most the newest `limit`."""
        fresh = min(self.newest - number, len(self._ring), limit)
        return list(islice(self._ring, len(self._ring) - fresh, None)) if fresh > 0 else []
