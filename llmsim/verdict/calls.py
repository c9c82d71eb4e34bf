"""One call with all its tries: how long the client waited before each, as it was told or not, and how it came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from llmsim.exchange import Exchange
from llmsim.metrics import outcome
from llmsim.plan import Drop
from llmsim.verdict.tries import WRONG, told_wait

Kept = Literal["kept", "early", "ignored", "untold"]
Ending = Literal["succeeded", "refused", "broken", "left", "open"]

SLACK = 0.05
"""Seconds that a wait may fall short of what was told: clocks and timers differ by so much."""

HOPELESS = frozenset((400, 401, 402, 403, 404, 405, 413, 422))
"""Statuses that the same request, coming again, gets again."""

PATIENCE = 10.0
"""Seconds after which a client that was told no wait is taken to have given up; SDKs wait 8 s at most."""


@dataclass(slots=True, frozen=True)
class Wait:
    """The time between the end of one try and the beginning of the next, in seconds.

    `kept`: as long as told or longer. `early`: at least half as long as told. `ignored`: shorter still. `untold`: the
    client had been told nothing.
    """

    after: int
    number: int
    seconds: float
    told: float | None

    @property
    def kept(self) -> Kept:
        """How the wait compares with what was told."""
        if self.told is None:
            return "untold"
        if self.seconds >= self.told - SLACK:
            return "kept"
        return "early" if self.seconds >= self.told / 2 else "ignored"

    @property
    def early(self) -> float:
        """Seconds that were missing, 0 where none were."""
        return 0.0 if self.kept in ("kept", "untold") else (self.told or 0.0) - self.seconds

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {
            "after": self.after,
            "number": self.number,
            "waited_s": round(self.seconds, 3),
            "told_s": self.told,
            "kept": self.kept,
            "early_by_s": round(self.early, 3),
        }


class Call:
    """The tries of one request, the first one first; `now` is the present moment, None when all is over."""

    __slots__ = ("now", "tries")

    def __init__(self, tries: Sequence[Exchange], now: float | None = None) -> None:
        self.tries = tries
        self.now = now

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of its exchanges."""
        return tuple(one.number for one in self.tries)

    @property
    def count(self) -> int:
        """How many tries it took, those that are no longer kept included where the client counts them."""
        return len(self.tries) + self.tries[0].ask.attempt

    @property
    def waits(self) -> list[Wait]:
        """One before each try but the first."""
        return [wait(before, after) for before, after in pairwise(self.tries)]

    @property
    def ending(self) -> Ending:
        """How it came out: `open` while a reply is under way or may still be asked for again."""
        last = self.tries[-1]
        how = outcome(last)
        if how == "live":
            return "open"
        if how in WRONG and self.now is not None and last.ended is not None:
            may_come = last.status not in HOPELESS and how != "abandoned" and not midway(last)
            if may_come and self.now - last.ended < PATIENCE + (told_wait(last) or 0.0):
                return "open"
        if how in ("limited", "failed"):
            return "broken" if midway(last) else "refused"
        return "succeeded" if how == "ok" else "broken" if how == "cut" else "left"

    @property
    def backoff(self) -> str:
        """How waits that nobody told it grew: growing, steady or uneven; empty for fewer than two."""
        seconds = [one.seconds for one in self.waits if one.told is None]
        if len(seconds) < 2:
            return ""
        if all(after > before * 1.2 for before, after in pairwise(seconds)):
            return "growing"
        return "steady" if max(seconds) <= min(seconds) * 1.25 + SLACK else "uneven"

    @property
    def hopeless(self) -> tuple[int, ...]:
        """Statuses after which it asked again although no wait can mend them."""
        return tuple(one.status for one in self.tries[:-1] if one.status in HOPELESS)

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        ask = self.tries[0].ask
        return {
            "numbers": list(self.numbers),
            "model": ask.model,
            "endpoint": ask.endpoint,
            "tries": self.count,
            "statuses": [one.status for one in self.tries],
            "outcomes": [outcome(one) for one in self.tries],
            "waits": [one.json() for one in self.waits],
            "backoff": self.backoff,
            "ending": self.ending,
        }


def wait(before: Exchange, after: Exchange) -> Wait:
    """The wait between two tries; none where the next one began before the last was seen to end."""
    ended = after.started if before.ended is None else before.ended
    return Wait(before.number, after.number, max(0.0, after.started - ended), told_wait(before))


def midway(exchange: Exchange) -> bool:
    """Whether something went wrong after the reply had begun: SDKs do not ask again then."""
    plan = exchange.plan
    begun = exchange.status == 200 and exchange.cursor > 1
    return begun and (outcome(exchange) == "failed" or isinstance(plan.pieces[-1], Drop))
