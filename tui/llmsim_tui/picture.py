"""What is known of a simulator elsewhere: put together from its frames, shown like one in the same loop."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from llmsim import catalogue
from llmsim.honesty import Honesty
from llmsim.latency import Profile, presets
from llmsim.metrics import BUCKET
from llmsim.settings import Settings
from llmsim.views import ArmedFault, Bucket, Gauge, Happening, Play, Pulse, Retries, Row, Stream
from llmsim.views.packing import made, unpacked

_PAGE: Final = 100
"""Rows of newer exchanges that are asked for at once."""
_KEPT: Final = 20_000
"""Rows that are remembered at most."""
_SLOTS: Final = 1200
_DETAILS: Final = 16
_LOOKED: Final = 400
"""Exchanges that are asked for because they are looked at."""

NOTHING: Final = Pulse(
    wall=0.0,
    up=0.0,
    state="disconnected",
    requests=0,
    requests_per_s=0.0,
    tokens_per_s=0.0,
    live=0,
    error_share=0.0,
    lag_p95=0.0,
    seed=0,
)


class Picture:
    """The reading side of a backend over frames; what is looked at is remembered, to be asked for the next time."""

    def __init__(self) -> None:
        self.log: deque[Happening] = deque(maxlen=500)
        self._told = 0
        self.in_force = Settings()
        self.forget()

    def forget(self) -> None:
        """Begins anew, as with a server that was started anew; what happened before stays in the log."""
        self.run = ""
        self.figures = NOTHING
        self.first, self.last = 0, -1
        self.rows: dict[int, Row] = {}
        self._slots: dict[int, Bucket] = {}
        self._waits: tuple[float, ...] = ()
        self._streams: list[Stream] = []
        self._gauges: list[Gauge] = []
        self._answered: Mapping[str, int] = {}
        self._details: dict[int, Mapping[str, Any]] = {}
        self._models: Sequence[str] = ()
        self._play: Play | None = None
        self._taping: Mapping[str, Any] | None = None
        self._cluster: Mapping[str, Any] = {}
        self.tapes = False
        self._honesty = Honesty()
        self._retries = Retries()
        self._cursor = {"events": 0, "revision": 0, "mocks": 0, "ended": 0, "models": 0}
        self._looked: set[int] = set()
        self._wanted: dict[str, int] = {}
        self._into: set[int] = set()

    # -- frames

    def query(self) -> dict[str, Any]:
        """What to ask for: what is new, and what has been looked at since the last time."""
        known = self.rows
        stale = [one for one in self._looked if (row := known.get(one)) is None or row.outcome == "live"]
        asked: dict[str, Any] = {
            **{name: value for name, value in self._cursor.items() if value},
            "after": max(0, self.last),
            "newest": _PAGE,
            "bucket": max(self._slots, default=0),
            **self._wanted,
        }
        if stale:
            asked["rows"] = ",".join(str(one) for one in sorted(stale, reverse=True)[:_LOOKED])
        if self._into:
            asked["details"] = ",".join(str(one) for one in sorted(self._into))
        self._looked, self._wanted, self._into = set(), {}, set()
        return asked

    @property
    def lacks(self) -> bool:
        """Whether something is looked at that has not come yet."""
        return any(number not in self.rows for number in self._looked) or any(
            number not in self._details for number in self._into
        )

    def apply(self, frame: Mapping[str, Any], settings: Settings | None) -> bool:
        """Takes a frame in, with its settings as they were read; False where it tells of another run than is known."""
        if self.run and self.run != frame["run"]:
            return False
        self.run = str(frame["run"])
        armed = unpacked_each(ArmedFault, frame["pulse"].get("armed"))
        self.figures = replace(made(Pulse, {**frame["pulse"], "armed": ()}), armed=armed)
        self._exchanges(frame)
        self._events(unpacked(Happening, frame.get("events")))
        if settings is not None:
            self.in_force = settings
        for name in ("revision", "mocks", "ended"):
            if name in frame:
                self._cursor[name] = int(frame[name]) + 1
        self._rest(frame)
        return True

    def _exchanges(self, frame: Mapping[str, Any]) -> None:
        self.first, self.last = int(frame["first"]), int(frame["last"])
        self.rows |= {row.number: row for row in unpacked(Row, frame.get("rows"))}
        if len(self.rows) > _KEPT or (self.rows and next(iter(self.rows)) < self.first):
            there = sorted(number for number in self.rows if self.first <= number <= self.last)[-_KEPT:]
            self.rows = {number: self.rows[number] for number in there}
        if "streams" in frame:
            self._streams = unpacked(Stream, frame["streams"])
        for number, counts, tokens in frame.get("buckets", ()):
            self._slots[int(number)] = Bucket(number * BUCKET, Counter(counts), int(tokens))
        while len(self._slots) > _SLOTS:
            del self._slots[min(self._slots)]
        for number, told in frame.get("details", {}).items():
            if told is not None:
                self._details[int(number)] = {**told, "row": made(Row, told["row"])}
        while len(self._details) > _DETAILS:
            del self._details[next(iter(self._details))]

    def _events(self, fresh: Sequence[Happening]) -> None:
        for one in fresh:
            self.happened(one.wall, one.kind, one.text, one.who, one.mark)
            self._cursor["events"] = one.number + 1

    def happened(self, wall: float, kind: str, text: str, who: str = "", mark: str = "") -> None:
        """Writes a line into the log; numbers are the console's own, as a server that was started anew begins anew."""
        self._told += 1
        self.log.append(Happening(self._told, wall, kind, text, who, mark))

    def _rest(self, frame: Mapping[str, Any]) -> None:
        if "ttfts" in frame:
            self._waits = tuple(float(one) for one in frame["ttfts"])
        if "models" in frame:
            self._models, self._cursor["models"] = tuple(frame["models"]), int(frame["known"]) + 1
        play = frame.get("playing")
        self._play = made(Play, play) if play else None
        self.tapes, self._taping = "taping" in frame, frame.get("taping")
        self._cluster = frame.get("cluster") or {}
        if "honesty" in frame:
            self._honesty = made(Honesty, frame["honesty"])
        if "retries" in frame:
            self._retries = made(Retries, frame["retries"])
        if "gauges" in frame:
            self._gauges = unpacked(Gauge, frame["gauges"])
        if "answered" in frame:
            self._answered = frame["answered"]

    # -- what the screens read

    def pulse(self) -> Pulse:
        """The figures of the newest frame."""
        return self.figures

    def numbers(self) -> tuple[int, int]:
        """The oldest and the newest exchange that is kept over there."""
        return self.first, self.last

    def row(self, number: int) -> Row | None:
        """One exchange; None while it has not come."""
        self._looked.add(number)
        return self.rows.get(number)

    def detail(self, number: int) -> Mapping[str, Any] | None:
        """One exchange as it was when it was last asked for; it is asked for until it has ended."""
        known, row = self._details.get(number), self.row(number)
        if known is None or known["row"].outcome == "live":
            self._into.add(number)
        if known is not None or not self.first <= number <= self.last:
            return known
        return {**unknown("asking the server …"), "row": row or made(Row, {"number": number, "outcome": "live"})}

    def streams(self, limit: int) -> Sequence[Stream]:
        """Replies under way, oldest first."""
        self._wanted["streams"] = max(self._wanted.get("streams", 0), min(limit, 1000))
        return self._streams[:limit]

    def buckets(self, count: int) -> Sequence[Bucket]:
        """The newest half-seconds."""
        newest = int(self.figures.wall / BUCKET)
        span = range(newest - count + 1, newest + 1)
        return [self._slots.get(number) or Bucket(number * BUCKET, Counter(), 0) for number in span]

    def ttfts(self) -> Sequence[float]:
        """The newest achieved TTFTs."""
        return self._waits

    def happenings(self, after: int) -> Sequence[Happening]:
        """The newest events."""
        return [one for one in self.log if one.number > after]

    def settings(self) -> Settings:
        """The settings in force."""
        return self.in_force

    def profiles(self) -> Mapping[str, Profile]:
        """Presets, under the user's own profiles."""
        return {**presets(), **self.in_force.profiles}

    def models(self) -> Sequence[str]:
        """Models seen in traffic, then those of the catalogue."""
        seen = set(self._models)
        return [*self._models, *(name for name in catalogue.names() if name not in seen)]

    def answered(self) -> Mapping[str, int]:
        """How often each mock has answered."""
        self._wanted["answered"] = 1
        return self._answered

    def playing(self) -> Play | None:
        """The scenario that was begun last."""
        return self._play

    def taping(self) -> Mapping[str, Any] | None:
        """The recording of real APIs over there."""
        return self._taping

    def honesty(self) -> Honesty:
        """Asked beside achieved, over the newest replies."""
        self._wanted["honesty"] = 1
        return self._honesty

    def retries(self) -> Retries:
        """How clients took what went wrong, of the newest requests."""
        self._wanted["retries"] = 1
        return self._retries

    def gauges(self) -> Sequence[Gauge]:
        """Every bucket in use."""
        self._wanted["gauges"] = 1
        return self._gauges


def unknown(why: str) -> dict[str, Any]:
    """What is known of an exchange of which nothing is known but its line."""
    body = {"headers": [], "body": "", "cut": False}
    none = {"first": 0.0, "last": 0.0, "pace": None}
    return {
        "pending": True,
        "why": [why],
        "mock": "",
        "request": {"method": "POST", "path": "", **body},
        "response": {"status": 0, **body, "kept": False},
        "reply": "",
        "pieces": [],
        "planned": 0,
        "played": 0,
        "asked": none,
        "achieved": none,
        "late": 0.0,
        "steady": True,
        "speed": 1.0,
        "went": [],
    }


def unpacked_each(kind: type[ArmedFault], told: Iterable[Mapping[str, Any]] | None) -> list[ArmedFault]:
    """Things that each bring their own names."""
    return [made(kind, one) for one in told or ()]
