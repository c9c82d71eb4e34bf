"""Time comes from a Clock: the machine's own in service, a told one in tests."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, Protocol


class Timer(Protocol):
    """A call to come, which can be taken back."""

    def cancel(self) -> None:
        """Takes the call back; harmless when it has already been made."""
        ...


class Clock(Protocol):
    """What time it is, and a call at a later moment. Moments are monotonic seconds of no fixed zero."""

    def now(self) -> float:
        """This moment."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch."""
        ...

    def call_at(self, moment: float, callback: Callable[[], None]) -> Timer:
        """Calls back at that moment or as soon after as can be, on the running event loop."""
        ...


class RealClock:
    """The machine's clock; stamped by time.monotonic, as an event loop's own time may be a millisecond coarse."""

    now = staticmethod(time.monotonic)  # noqa: TID251 - this is the Clock
    wall = staticmethod(time.time)  # noqa: TID251 - this is the Clock

    def call_at(self, moment: float, callback: Callable[[], None]) -> Timer:
        """A timer of the running event loop, never early."""
        loop = asyncio.get_running_loop()
        # uvloop counts whole milliseconds from a stale "now" and calls up to one too early: whoever is called then has
        # to wait on, and spins (measured: eight calls for one, a third of the CPU of 500 streams).
        slack = 0.001 if type(loop).__module__.startswith("uvloop") else 0.0
        return loop.call_later(max(0.0, moment - self.now()) + slack, callback)


class _ToldTimer:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None] | None) -> None:
        self.callback = callback

    def cancel(self) -> None:
        self.callback = None


class ToldClock:
    """A clock that stands still until it is told to go on; for tests."""

    def __init__(self, start: float = 0.0, wall: float = 1_700_000_000.0) -> None:
        self._now = start
        self._offset = wall - start
        self._order = count()
        self._timers: list[tuple[float, int, _ToldTimer]] = []

    def now(self) -> float:
        """The moment it was last told."""
        return self._now

    def wall(self) -> float:
        """The same moment as seconds since the epoch."""
        return self._now + self._offset

    def call_at(self, moment: float, callback: Callable[[], None]) -> Timer:
        """A timer that fires while the clock is advanced."""
        timer = _ToldTimer(callback)
        heapq.heappush(self._timers, (moment, next(self._order), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Goes on by that much, through every timer that is due on the way, each at its own moment."""
        end = self._now + seconds
        await self._settle()
        while self._timers and self._timers[0][0] <= end:
            moment, _, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                self._now = max(self._now, moment)
                timer.callback()
                await self._settle()
        self._now = end
        await self._settle()

    async def _settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)  # noqa: TID251 - lets woken tasks run; no time passes


_kept: set[asyncio.Task[Any]] = set()


def keep(work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    """Runs a coroutine as a task that cannot be lost: it is held until it ends, and its exception is logged."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    _kept.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _kept.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler(
            {"message": f"task {task.get_name()!r} failed", "exception": error, "task": task}
        )
