"""The collector of garbage, in a process that is the server and nothing else: every reply under way waits for it."""

from __future__ import annotations

import gc
from collections.abc import Callable

from llmsim.clock import Clock

_LOADED = 2.0
"""Seconds from the start after which all is loaded that is going to be."""

_STEPS = (5_000, 400, 50)
"""New objects that are walked in one step, steps after which what they have left is walked once more, and so on.

A step of 100,000 objects took 70 to 130 ms; what steps have left is walked seldom, as hardly anything here is garbage
that only the collector finds.
"""


def begin(clock: Clock, busy: Callable[[], bool]) -> None:
    """Lets the collector work in small steps; once all is loaded, and nobody is `busy`, it is settled."""
    gc.freeze()  # lest the first client waits for what has been loaded to be walked
    gc.set_threshold(*_STEPS)
    gc.enable()

    def look() -> None:
        if busy():
            clock.call_at(clock.now() + _LOADED, look)
        else:
            settle()

    clock.call_at(clock.now() + _LOADED, look)


def settle() -> None:
    """Everything loaded by now stays: the collector need not walk it again (pauses of 100 ms and more, measured)."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
