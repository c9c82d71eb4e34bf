"""What was measured of one reply: its wait for the first token, its waits between tokens, its prompt, its moments."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush


@dataclass(slots=True, frozen=True)
class Seen:
    """One reply as a client saw it; waits in milliseconds, moments in seconds on any one clock.

    `gaps` are the waits between its tokens; of a source that tells only their mean they are that mean alone, and
    `means` is set. `prompt` counts the prompt's tokens that were not cached, None where nobody knows. `active` is how
    many replies were under way when this one began, itself among them, and `beside` how many on average while it came.
    """

    model: str
    ttft: float | None
    gaps: Sequence[float] = ()
    prompt: int | None = None
    start: float | None = None
    end: float | None = None
    means: bool = False
    active: int | None = None
    beside: float | None = None


def together(replies: Iterable[Seen]) -> list[Seen]:
    """The replies in the order in which they began, each with how many others were under way.

    Those whose moments are not known stay as they are.
    """
    known = sorted((one for one in replies if one.start is not None), key=lambda one: one.start or 0.0)
    unknown = [one for one in replies if one.start is None]
    ends: list[float] = []
    active = []
    for one in known:
        start, end = _moments(one)
        while ends and ends[0] <= start:
            heappop(ends)
        heappush(ends, end)
        active.append(len(ends))
    besides = _besides(known)
    return [replace(one, active=at, beside=by) for one, at, by in zip(known, active, besides, strict=True)] + unknown


def _moments(one: Seen) -> tuple[float, float]:
    start = one.start or 0.0
    waits = (one.ttft or 0.0) + (0.0 if one.means else sum(one.gaps))
    return start, max(start, one.end if one.end is not None else start + waits / 1000)


def _besides(known: Sequence[Seen]) -> list[float]:
    """How many replies were under way on average while each one's tokens came, itself among them.

    The area below the number of replies under way, looked up at two moments for each reply.
    """
    changes = sorted([(_moments(one)[0], 1) for one in known] + [(_moments(one)[1], -1) for one in known])
    moments: list[float] = []
    areas: list[float] = []
    counts: list[int] = []
    area, count = 0.0, 0
    for moment, change in changes:
        if moments:
            area += count * (moment - moments[-1])
        count += change
        moments.append(moment)
        areas.append(area)
        counts.append(count)

    def below(moment: float) -> float:
        at = bisect_right(moments, moment) - 1
        return areas[at] + counts[at] * (moment - moments[at])

    told = []
    for one in known:
        start, end = _moments(one)
        begin = min(end, start + (one.ttft or 0.0) / 1000)
        told.append((below(end) - below(begin)) / (end - begin) if end > begin else 1.0)
    return told
