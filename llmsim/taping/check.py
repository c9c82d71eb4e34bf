"""Looks through a tape for what would keep it from being replayed, or from being given to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from dataclasses import replace as changed

from llmsim.dialects import kinds
from llmsim.replay.heard import listen
from llmsim.tapes import Take
from llmsim.tapes.masking import Masker


@dataclass
class Found:
    """What is on a tape: counts by what they are of, and what is wrong, one sentence each."""

    takes: int = 0
    bytes: int = 0
    first: float = 0.0
    last: float = 0.0
    apis: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def look(takes: Iterable[Take], masker: Masker | None) -> Found:
    """What is on the tape; with a masker, whether it still has secrets or personal data that it would mask."""
    found = Found()
    seen: set[str] = set()
    for number, take in enumerate(takes, 1):
        _count(found, take)
        name = f"take {number}, {take.method} {take.path}"
        if take.id in seen:
            found.problems.append(f"{name}: the id {take.id} comes twice")
        seen.add(take.id)
        found.problems += [f"{name}: {told}" for told in _wrong(take)]
        if masker is not None:
            more = masker.take(changed(take, masked=0)).masked
            if more:
                told = f"{more} secrets or personal data are not masked; `llmsim tape mask` does so"
                found.problems.append(f"{name}: {told}")
    return found


def _count(found: Found, take: Take) -> None:
    found.takes += 1
    found.bytes += len(take.request_body) + sum(len(frame.data) for frame in take.frames)
    found.first = min(found.first or take.at, take.at)
    found.last = max(found.last, take.at)
    found.apis[take.dialect or "no API of llmsim's"] += 1
    found.statuses[take.status] += 1
    found.ends[take.end] += 1
    made = kinds().get(take.dialect)
    heard = listen(made().hear, take.body) if made is not None and take.frames and take.status == 200 else None
    if heard is not None and heard.model:
        found.models[heard.model] += 1


def _wrong(take: Take) -> list[str]:
    told = []
    if take.left_out:
        told.append(f"{take.left_out} bytes of its bodies were over the recorder's limit: it cannot be replayed")
    moments = [frame.at for frame in take.frames]
    if moments != sorted(moments) or (moments and moments[0] < 0):
        told.append("its frames are not in the order of their moments")
    if take.status == 0 and take.end == "done":
        told.append("it ended whole, yet no answer came")
    return told
