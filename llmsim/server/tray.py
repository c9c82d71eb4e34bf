"""Takes a whole reply that no client waits for, in place of a connection."""

from __future__ import annotations

from collections.abc import Callable

from llmsim.dialects import Answer, Headers


class Tray:
    """Collects one answer; `done` is told it when it is whole, or None where it was cut."""

    def __init__(self, done: Callable[[Answer | None], None]) -> None:
        self.blocked = False
        self.started = False
        self._done = done
        self._answer = Answer()

    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        """Notes the status and the headers."""
        self.started = True
        self._answer = Answer(status, b"", headers)

    def body(self, data: bytes, more: bool) -> None:
        """Takes the whole body; a part of one is followed by a cut."""
        if not more:
            self._answer.body = data
            self._done(self._answer)

    def part(self, data: bytes) -> None:
        """Lets a part of a stream go: nobody waits for it."""

    def sever(self, reset: bool) -> None:
        """Tells that the reply was cut."""
        self._done(None)

    def shut(self) -> None:
        """Has nothing to let go of."""
