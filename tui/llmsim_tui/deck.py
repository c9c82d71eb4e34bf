"""The eight fault pads: what each digit arms, and what has been armed last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from llmsim.settings import Settings
from llmsim_tui.backend import ArmedFault, Backend
from llmsim_tui.text import countdown, share


@dataclass(frozen=True)
class Pad:
    """One pad: a fault as a config file has it, and its fuse in seconds (None: it stays until lifted)."""

    label: str
    short: str
    fault: Mapping[str, Any]
    seconds: float | None

    def terms(self) -> str:
        """The share of requests it meets, how many or for how long, and whom."""
        fault = self.fault
        fuses = [f"{self.seconds:g}s"] if self.seconds else []
        if count := fault.get("count"):
            fuses.append(f"{count}× a {fault['per']}" if fault.get("per", "all") != "all" else f"{count}×")
        if requests := fault.get("for_requests"):
            fuses.append(f"{requests} requests")
        words = [share(fault.get("probability", 1.0)), " ".join(fuses) or "until lifted", str(fault.get("scope", ""))]
        return " ".join(word for word in words if word)


PADS: Final = (
    Pad("429 storm", "429", {"kind": "refuse", "status": 429, "retry_after": 1, "probability": 0.7}, 20),
    Pad("500 burst", "500", {"kind": "refuse", "status": 500, "probability": 0.5}, 10),
    Pad("503 overload", "503", {"kind": "refuse", "status": 503, "probability": 0.3}, 20),
    Pad("slow TTFT ×5", "slow", {"kind": "slow", "ttft_factor": 5.0, "probability": 1.0}, 20),
    Pad("stall", "stall", {"kind": "stall", "after_tokens": 5, "for_ms": 5_000, "probability": 0.5}, 15),
    Pad("cut stream", "cut", {"kind": "cut", "after_tokens": 5, "probability": 0.4}, 15),
    Pad("bad JSON", "JSON", {"kind": "garble", "how": "broken", "after_tokens": 3, "probability": 0.5}, 15),
    Pad("timeout", "hang", {"kind": "timeout", "after_ms": 10_000, "probability": 0.3}, 15),
)

_MORE: Final = 5.0
"""Seconds that one press of + adds to a fuse."""


def pad_id(digit: int) -> str:
    """The id that the pad's fault has while it is armed."""
    return f"pad-{digit}"


def find(armed: Iterable[ArmedFault], digit: int) -> ArmedFault | None:
    """The pad's fault among those in force."""
    return next((one for one in armed if one.id == pad_id(digit)), None)


def fuse(armed: ArmedFault) -> str:
    """What is left of a fuse, in a few cells: 14s, 2/3, in 3s; empty where it stays until it is lifted."""
    if armed.waits:
        return f"in {countdown(armed.waits)}"
    left = [countdown(armed.left)] if armed.left is not None else []
    if armed.more is not None:
        left.append(f"{armed.more}/{armed.most}")
    return " ".join(left)


def in_words(armed: ArmedFault) -> str:
    """What is left of a fuse that counts: 2/3 left, 40/100 req, 3 a client; empty for any other."""
    if armed.more is not None:
        return f"{armed.more}/{armed.most} {'req' if armed.unit == 'requests' else 'left'}"
    return f"{armed.most} a {armed.per}" if armed.per and armed.most else ""


@dataclass
class Deck:
    """The pads of one console; `last` is the digit pressed last."""

    pads: list[Pad] = field(default_factory=lambda: list(PADS))
    last: int | None = None

    async def press(self, backend: Backend, digit: int) -> None:
        """Arms the pad, or lifts it when it is armed."""
        if find(backend.pulse().armed, digit):
            await backend.lift(pad_id(digit))
        else:
            await self.arm(backend, digit)

    async def arm(self, backend: Backend, digit: int) -> None:
        """Arms the pad for its whole time."""
        pad, armed = self.pads[digit - 1], find(backend.pulse().armed, digit)
        if armed is not None and armed.most:
            await backend.lift(pad_id(digit))  # what takes its place would count on where this one is
        await backend.arm(pad.fault, label=pad.label, seconds=pad.seconds, id=pad_id(digit))
        self.last = digit

    async def extend(self, backend: Backend) -> str | None:
        """Adds five seconds to the pad armed last; gives a sentence when there is nothing to add to."""
        armed = find(backend.pulse().armed, self.last) if self.last else None
        if self.last is None or armed is None:
            return "No pad of this console is armed: press 1-8 first."
        if armed.left is None:
            return f"{armed.label} has no time to add to: it stays until it is {'used up' if armed.most else 'lifted'}."
        pad = self.pads[self.last - 1]
        fault = {name: value for name, value in pad.fault.items() if name != "after_s" or armed.waits}
        await backend.arm(fault, label=pad.label, seconds=armed.left + _MORE, id=pad_id(self.last))
        return None

    def keep(self, digit: int, pad: Pad) -> None:
        """Replaces a pad; raises SettingsError when its fault or its fuse cannot be."""
        fuse = {"for_s": pad.seconds} if pad.seconds is not None else {}
        Settings().changed(faults=({"label": pad.label, **fuse, **pad.fault},))
        self.pads[digit - 1] = pad
