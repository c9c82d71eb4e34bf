"""Retry storms: a client that asks again and again, sooner than it should, while it is being told of errors."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from llmsim.exchange import Exchange
from llmsim.verdict.calls import wait

WINDOW = 10.0
"""Seconds that a storm is looked for in."""

LEAST = 10
"""Hasty retries in one window that make a storm, if they are also more than half of the client's requests in it."""


@dataclass(slots=True)
class Storm:
    """When it was, in seconds since the epoch, and its retries; `peak` is the most of them in one second."""

    start: float
    end: float
    first: int
    last: int
    retries: int
    peak: int

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {
            "start": self.start,
            "end": self.end,
            "first": self.first,
            "last": self.last,
            "retries": self.retries,
            "peak_per_s": self.peak,
        }


class Watch:
    """Looks for the storms of one client, fed with its exchanges in order.

    A storm is a span in which, in any ten seconds, at least ten requests were hasty retries and these were more than
    half of all. A retry is hasty unless it came as late as the client was told: a client that keeps to Retry-After
    makes no storm, however many calls it has.
    """

    def __init__(self) -> None:
        self.storms: list[Storm] = []
        self._recent: deque[tuple[Exchange, bool]] = deque()
        self._hasty = 0
        self._second: deque[float] = deque()

    def add(self, exchange: Exchange, earlier: Exchange | None) -> None:
        """One more request of the client, and the try before it if it is a retry."""
        hasty = earlier is not None and wait(earlier, exchange).kept != "kept"
        recent, now = self._recent, exchange.started
        recent.append((exchange, hasty))
        self._hasty += hasty
        while now - recent[0][0].started > WINDOW:
            self._hasty -= recent.popleft()[1]
        if not hasty:
            return
        self._second.append(now)
        while now - self._second[0] > 1.0:
            self._second.popleft()
        if self._hasty >= LEAST and self._hasty * 2 > len(recent):
            self._storm(exchange)

    def _storm(self, exchange: Exchange) -> None:
        peak = len(self._second)
        last = self.storms[-1] if self.storms else None
        first = next(one for one, hasty in self._recent if hasty)
        if last is None or first.number > last.last:
            wall = exchange.wall
            self.storms.append(Storm(first.wall, wall, first.number, exchange.number, self._hasty, peak))
            return
        last.end, last.last, last.peak = exchange.wall, exchange.number, max(last.peak, peak)
        last.retries += 1
