"""A channel that lets bytes through at a fixed rate: a slow line, whatever the reply is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llmsim.clock import Clock
from llmsim.dialects import Headers

if TYPE_CHECKING:
    from llmsim.server.player import Channel

_TICK = 0.02
"""Seconds between two drops, where a byte takes no longer."""


class DripChannel:
    """Holds the body back and passes it on drop by drop; `drained`, set by who plays, is called after the last one."""

    def __init__(self, channel: Channel, clock: Clock, rate: float) -> None:
        self._channel = channel
        self._clock = clock
        self._tick = max(_TICK, 1.0 / rate)
        self._drop = max(1, int(rate * self._tick))
        self._held = bytearray()
        self._more = True
        self._timer: object | None = None
        self.drained: Callable[[], None] | None = None

    @property
    def started(self) -> bool:
        """Whether the headers have been sent."""
        return self._channel.started

    @property
    def blocked(self) -> bool:
        """Whether the client reads more slowly still."""
        return self._channel.blocked

    @property
    def empty(self) -> bool:
        """Whether all has gone out."""
        return self._timer is None and not self._held

    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        """Sends the status and the headers, at once."""
        self._channel.start(status, headers, length)

    def body(self, data: bytes, more: bool) -> None:
        """Takes a part of the body, the last one if not `more`."""
        self._held += data
        self._more = more
        if self._timer is None:
            self._next()

    def part(self, data: bytes) -> None:
        """Takes a part of a stream."""
        self.body(data, True)

    def _next(self) -> None:
        """Passes on what is due, and waits for the next drop."""
        self._timer = None
        if not self._channel.blocked:
            drop = bytes(self._held[: self._drop])
            del self._held[: self._drop]
            last = not self._held and not self._more
            if drop or last:
                self._channel.body(drop, not last)
            if last:
                if self.drained is not None:
                    self.drained()
                return
        if self._held or not self._more:
            self._timer = self._clock.call_at(self._clock.now() + self._tick, self._next)

    def sever(self, reset: bool) -> None:
        """Ends the connection; what was held back is lost."""
        self.shut()
        self._channel.sever(reset)

    def shut(self) -> None:
        """Lets go of what was held back."""
        self._held.clear()
        if self._timer is not None:
            self._timer.cancel()  # type: ignore[attr-defined]
            self._timer = None
