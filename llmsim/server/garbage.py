"""The collector of garbage, in a process that is the server and nothing else: every reply under way waits for it."""

from __future__ import annotations

import gc
from collections.abc import Callable

from llmsim.clock import Clock

_LOOK = 2.0
"""Seconds between two looks whether nobody waits; by the first one all is loaded that is going to be."""

_STEPS = (5_000, 100, 50)
"""New objects that are walked in one step, steps after which what they have left is walked once more, and so on.

A step of 100,000 objects took 70 to 130 ms. What steps have left is walked seldom: hardly anything here is garbage that
only the collector finds (seven objects of asyncio's for a connection that has ended; none on uvloop).
"""

_WORTH = 10
"""Steps whose leavings are worth a walk in a moment in which nobody waits."""


def begin(clock: Clock, busy: Callable[[], bool]) -> None:
    """Lets the collector work in small steps, and in large ones while nobody is `busy`."""
    gc.freeze()  # lest the first client waits for what has been loaded to be walked
    gc.set_threshold(*_STEPS)
    gc.enable()
    settled = False

    def look() -> None:
        nonlocal settled
        if not busy():
            if not settled:
                settled = True
                settle()
            elif gc.get_count()[1] >= _WORTH:
                gc.collect(1)
        clock.call_at(clock.now() + _LOOK, look)

    clock.call_at(clock.now() + _LOOK, look)


def settle() -> None:
    """Everything loaded by now stays: the collector need not walk it again (pauses of 100 ms and more, measured)."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_STEPS)
