"""A frame: what has changed of a simulator's picture since the one before, as JSON, for whoever shows or keeps it.

Who asks says what it has and what it looks at, so that a frame costs the same under any traffic, and the one who is
asked remembers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from llmsim.metrics import BUCKET
from llmsim.views.packing import packed
from llmsim.views.view import View

FORMAT = 1
"""The number of the form that frames have; another one is for who does not know this one."""

ROWS, STREAMS, BUCKETS, GAUGES, DETAILS = 500, 1000, 1200, 500, 8
"""How many of each a frame holds at most."""


@dataclass(frozen=True, slots=True)
class Wants:
    """What somebody has of the picture, and what it looks at.

    `after` is the number of the newest exchange that it knows, `newest` how many of those behind it are wanted at most,
    `rows` are others that it looks at. `bucket` is the newest half-second it has, in half-seconds since the epoch,
    `events` the number of the newest event. `revision` and `mocks` are those of the settings and the mocks it has,
    `ended` how many exchanges had ended when it was told of their waits, `models` how many it knows.
    """

    after: int = 0
    newest: int = 100
    rows: Sequence[int] = ()
    streams: int = 0
    bucket: int = 0
    events: int = -1
    revision: int = -1
    mocks: int = -1
    ended: int = -1
    models: int = -1
    gauges: bool = False
    answered: bool = False
    honesty: bool = False
    retries: bool = False
    details: Sequence[int] = ()


def frame(view: View, wants: Wants) -> dict[str, Any]:
    """What is new to the one who wants it."""
    simulator = view._simulator
    pulse, (first, last) = view.pulse(), view.numbers()
    told: dict[str, Any] = {
        "run": view.run,
        "pulse": asdict(pulse),
        "first": first,
        "last": last,
        "rows": _rows(view, wants, first, last),
        "buckets": _buckets(view, wants, pulse.wall),
        "events": packed(view.happenings(wants.events if wants.events <= simulator.events.newest else -1)),
        "playing": None if (play := view.playing()) is None else asdict(play),
    }
    if wants.streams:
        told["streams"] = packed(view.streams(min(STREAMS, wants.streams)))
    told |= _settings(view, wants) | _seen(view, wants)
    if wants.gauges:
        told["gauges"] = packed(view.gauges()[-GAUGES:])
    if wants.answered:
        told["answered"] = {name: count for name, count in view.answered().items() if count}
    if wants.honesty:
        told["honesty"] = asdict(view.honesty())
    if wants.retries:
        told["retries"] = asdict(view.retries())
    if wants.details:
        told["details"] = {str(number): _detail(view.detail(number)) for number in wants.details[:DETAILS]}
    return told


def _rows(view: View, wants: Wants, first: int, last: int) -> dict[str, Any]:
    after = wants.after if wants.after <= last else 0
    fresh = range(max(first, after + 1, last - min(ROWS, wants.newest) + 1), last + 1)
    numbers = [*islice((one for one in wants.rows if one not in fresh), ROWS), *fresh]
    return packed([row for number in numbers if (row := view.row(number)) is not None])


def _buckets(view: View, wants: Wants, wall: float) -> list[list[Any]]:
    """Number, counts and tokens of each half-second in which something was, from the newest that is known on."""
    missing = int(wall / BUCKET) - wants.bucket + 1
    found = view.buckets(max(1, min(BUCKETS, missing)))
    return [[round(one.wall / BUCKET), one.counts, one.tokens] for one in found if one.counts or one.tokens]


def _settings(view: View, wants: Wants) -> dict[str, Any]:
    """The settings where they are others; the mocks only where these are, as there may be thousands."""
    now = view.settings()
    if now.revision == wants.revision:
        return {}
    tag = view.mocks_tag()
    left_out = {"mocks"} if tag == wants.mocks else set()
    return {"revision": now.revision, "mocks": tag, "settings": now.model_dump(mode="json", exclude=left_out)}


def _seen(view: View, wants: Wants) -> dict[str, Any]:
    """The waits for first tokens and the models, where there are new ones."""
    meter = view._simulator.meter
    ended, told = sum(meter.outcomes.values()), dict[str, Any]()
    if ended != wants.ended:
        told |= {"ended": ended, "ttfts": [round(one, 5) for one in view.ttfts()]}
    if len(meter.models) != wants.models:
        told |= {"models": [name for name, _ in meter.models.most_common() if name], "known": len(meter.models)}
    return told


def _detail(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if told is None else {**told, "row": asdict(told["row"])}
