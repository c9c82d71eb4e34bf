"""Lets the event loop have its turn sooner while a thread works beside it."""

from __future__ import annotations

import sys
from types import TracebackType

TURN = 0.0005
"""Seconds after which a thread gives the interpreter up to another that waits for it; Python's own 5 ms are ten times
what a paced stream may be late."""


class Turns:
    """Entered, by the event loop's thread alone, for as long as other threads work; several can be at once."""

    def __init__(self) -> None:
        self._entered = 0
        self._usual = 0.0

    def __enter__(self) -> None:
        """Makes turns short."""
        if not self._entered:
            self._usual = sys.getswitchinterval()
            sys.setswitchinterval(TURN)
        self._entered += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Makes them as long as they were, once nobody needs short ones."""
        self._entered -= 1
        if not self._entered:
            sys.setswitchinterval(self._usual)


turns = Turns()
"""Those of this process: the interpreter has one interval for all threads."""
