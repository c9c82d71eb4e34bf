"""The one pacer of all replies: a timer wheel on the event loop that plays each of them at its moments.

A task or a timer for each token costs more than the token; here all replies that are due in the same millisecond
share one timer. A tick that comes late is followed by everything that is due, never by a shift of the rest.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable
from math import ceil, inf
from typing import Protocol

from llmsim.clock import Clock, Timer
from llmsim.exchange import Exchange

logger = logging.getLogger("llmsim")

CROWD, THRONG = 150, 400
"""Replies on the wheel above which it ticks every two, every five milliseconds in place of every one: fewer, fuller."""


class Playback(Protocol):
    """Something that is played: `slot` belongs to the pacer (0: not on the wheel)."""

    slot: int

    def play(self, now: float) -> float | None:
        """Plays what is due and gives the next moment, or None when nothing is to come by itself."""
        ...

    def next_moment(self) -> float | None:
        """When it wants to be played next, asked after its pace was changed."""
        ...

    def over(self) -> None:
        """Told that its exchange has ended, however it did."""
        ...

    def broken(self, error: Exception) -> None:
        """Told when `play` raised; must end the reply."""
        ...


class Pacer:
    """Plays playbacks at their moments."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slots: dict[int, list[Playback]] = {}
        self._queue: list[int] = []
        self._timer: Timer | None = None
        self._armed = inf
        self._waiting = 0
        self.lag = Lag()

    def at(self, moment: float, playback: Playback) -> None:
        """Plays the playback at that moment; one it was waiting for before is forgotten."""
        slot = ceil(moment * 1000.0)
        slot += -slot % _grain(self._waiting)
        if slot < 1:
            slot = 1
        if not playback.slot:
            self._waiting += 1
        playback.slot = slot
        waiting = self._slots.get(slot)
        if waiting is None:
            self._open(slot, playback)
            if slot < self._armed:
                self._arm()
        else:
            waiting.append(playback)

    def _open(self, slot: int, playback: Playback) -> None:
        self._slots[slot] = [playback]
        heapq.heappush(self._queue, slot)

    def drop(self, playback: Playback) -> None:
        """Takes the playback off the wheel, which lets go of it: its moment may be an hour away."""
        if playback.slot:
            waiting = self._slots.get(playback.slot)
            if waiting is not None:
                waiting.remove(playback)
            playback.slot = 0
            self._waiting -= 1

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = self._queue[0]
        self._timer = self._clock.call_at(self._armed / 1000.0, self._tick)

    def _tick(self) -> None:
        clock = self._clock.now
        now = clock()
        self.lag.add(now - self._armed / 1000.0)
        self._timer, self._armed = None, inf
        reached = int(now * 1000.0 + 1e-3)
        queue = self._queue
        while queue and queue[0] <= reached:
            self._play(heapq.heappop(queue), clock)
        if queue and queue[0] < self._armed:
            self._arm()

    def _play(self, slot: int, clock: Callable[[], float]) -> None:
        """Plays all that waits in a slot, and hangs each up again as `at` does: this is done for every token."""
        slots, grain = self._slots, _grain(self._waiting)
        for playback in slots.pop(slot):
            if playback.slot != slot:
                continue
            playback.slot = 0
            try:
                moment = playback.play(clock())
            except Exception as error:
                _break(playback, error)
                moment = None
            if moment is None or playback.slot:
                self._waiting -= 1  # it waits no more, or was hung up while it played and is counted by that
            if moment is not None:
                again = ceil(moment * 1000.0) or 1
                again += -again % grain
                playback.slot = again
                waiting = slots.get(again)
                if waiting is None:
                    self._open(again, playback)
                else:
                    waiting.append(playback)


def _grain(waiting: int) -> int:
    """How many milliseconds are one tick while so many replies wait."""
    return 1 if waiting <= CROWD else 5 if waiting > THRONG else 2


def _break(playback: Playback, error: Exception) -> None:
    """Ends a reply that cannot be played, whatever that takes: the others must go on."""
    about = {"exchange": getattr(playback, "exchange", None)}
    logger.error("a reply could not be played", exc_info=error, extra=about)
    try:
        playback.broken(error)
    except Exception:
        logger.exception("nor could it be ended", extra=about)


class Lag:
    """How late the newest ticks came, in seconds: the truth about this process's own timing."""

    def __init__(self, size: int = 512) -> None:
        self._ring = [0.0] * size
        self._next = 0

    def add(self, seconds: float) -> None:
        """Takes one more measurement, the oldest one out."""
        self._ring[self._next] = seconds
        self._next = (self._next + 1) % len(self._ring)

    def quantile(self, p: float) -> float:
        """The lateness that a share `p` of the newest ticks stayed below."""
        ordered = sorted(self._ring)
        return max(0.0, ordered[min(len(ordered) - 1, int(p * len(ordered)))])


class Waiter:
    """Wakes whoever plays an exchange by hand: `reached` is done when a piece is due."""

    def __init__(self, exchange: Exchange) -> None:
        self.slot = 0
        self.reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.next_moment = exchange.due

    def play(self, now: float) -> float | None:
        """Tells that a piece is due; who waits takes it and asks for the next moment."""
        if not self.reached.done():
            self.reached.set_result(None)
        return None

    def broken(self, error: Exception) -> None:
        """Tells that playing raised."""
        if not self.reached.done():
            self.reached.set_exception(error)

    def over(self) -> None:
        """Tells that the exchange has ended."""
        self.play(0.0)
