"""A recorded session, read whole: what was shown at any moment of it is found at once."""

from __future__ import annotations

import gzip
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import orjson

from llmsim.errors import SettingsError
from llmsim.honesty import Honesty
from llmsim.metrics import BUCKET
from llmsim.views import ArmedFault, Bucket, Gauge, Happening, Play, Pulse, Retries, Row, Stream
from llmsim.views.packing import made, unpacked
from llmsim.views.recording import FORMAT

T = TypeVar("T")

LONGEST: Final = 512 << 20
"""Bytes that are read, unpacked; what is behind them is left out, and said."""


class Track(Generic[T]):
    """A value that changes from line to line."""

    __slots__ = ("_at", "_values")

    def __init__(self) -> None:
        self._at: list[int] = []
        self._values: list[T] = []

    def put(self, line: int, value: T) -> None:
        """It is this from that line on."""
        self._at.append(line)
        self._values.append(value)

    def at(self, line: int) -> T | None:
        """What it is at that line; None before its first."""
        place = bisect_right(self._at, line)
        return self._values[place - 1] if place else None


class Session:
    """All lines of a file; `times` are the seconds of each since the first, `notes` what is odd about the file."""

    def __init__(self, head: Mapping[str, Any]) -> None:
        self.address = str(head.get("address", ""))
        self.version = str(head.get("version", ""))
        self.wall = float(head.get("wall", 0.0))
        self.notes: list[str] = []
        self.times: list[float] = []
        self.numbers: list[tuple[int, int]] = []
        self.events: list[Happening] = []
        self.skipped = 0
        self._pulses: list[Any] = []
        self._streams: list[Any] = []
        self._event_lines: list[int] = []
        self._rows: dict[int, Track[Row]] = {}
        self._slots: dict[int, Track[Bucket]] = {}
        self._details: dict[int, Mapping[str, Any]] = {}
        self._tracks: dict[str, Track[Any]] = {}
        self.earlier: dict[int, int] = {}

    # -- reading

    def take(self, told: Mapping[str, Any]) -> None:
        """Takes a line in."""
        line = len(self.times)
        self.times.append(max(float(told["t"]) - self.wall, self.times[-1] if self.times else 0.0))
        self.numbers.append((int(told["first"]), int(told["last"])))
        self._pulses.append(told["pulse"])
        self._streams.append(told.get("streams"))
        self.skipped += int(told.get("skipped", 0))
        for row in unpacked(Row, told.get("rows")):
            self._rows.setdefault(row.number, Track()).put(line, row)
        for number, counts, tokens in told.get("buckets", ()):
            slot = Bucket(number * BUCKET, Counter(counts), int(tokens))
            self._slots.setdefault(int(number), Track()).put(line, slot)
        for event in unpacked(Happening, told.get("events")):
            self.events.append(event)
            self._event_lines.append(line)
        self._details |= {int(number): one for number, one in told.get("details", {}).items()}
        for name in ("settings", "playing", "ttfts", "gauges", "honesty", "answered", "retries"):
            if name in told:
                self._tracks.setdefault(name, Track()).put(line, told[name])
        if "retries" in told:
            self.earlier |= {int(new): int(before) for new, before in told["retries"].pop("links", {}).items()}

    # -- at a moment

    @property
    def lasts(self) -> float:
        """Seconds from the first line to the last."""
        return self.times[-1] if self.times else 0.0

    def line(self, seconds: float) -> int:
        """The line that shows this moment."""
        return max(0, bisect_right(self.times, seconds) - 1)

    def pulse(self, line: int) -> Pulse:
        """The figures."""
        told = self._pulses[line]
        armed = [made(ArmedFault, one) for one in told.get("armed") or ()]
        return replace(made(Pulse, {**told, "armed": ()}), armed=armed)

    def row(self, number: int, line: int) -> Row | None:
        """An exchange as it was last told of."""
        track = self._rows.get(number)
        return track.at(line) if track is not None else None

    def detail(self, number: int) -> Mapping[str, Any] | None:
        """What was kept of an exchange, once it had ended."""
        return self._details.get(number)

    def streams(self, line: int) -> list[Stream]:
        """Replies under way."""
        return unpacked(Stream, self._streams[line])

    def buckets(self, line: int, count: int) -> list[Bucket]:
        """The newest half-seconds."""
        newest = int((self.wall + self.times[line]) / BUCKET)
        found = ((number, self._slots.get(number)) for number in range(newest - count + 1, newest + 1))
        return [
            (track.at(line) if track is not None else None) or Bucket(number * BUCKET, Counter(), 0)
            for number, track in found
        ]

    def happened(self, line: int, after: int) -> list[Happening]:
        """Events by that line, with a greater number than `after`."""
        by = self.events[: bisect_right(self._event_lines, line)]
        return by[bisect_right([one.number for one in by], after) :][-500:]

    def told(self, name: str, line: int) -> Any:
        """The settings, the scenario and the like as JSON."""
        track = self._tracks.get(name)
        return track.at(line) if track is not None else None

    def gauges(self, line: int) -> list[Gauge]:
        """The buckets of rate limits."""
        return unpacked(Gauge, self.told("gauges", line))

    def playing(self, line: int) -> Play | None:
        """The scenario."""
        told = self.told("playing", line)
        return made(Play, told) if told else None

    def honesty(self, line: int) -> Honesty:
        """Asked beside achieved."""
        return made(Honesty, self.told("honesty", line) or {})

    def retries(self, line: int) -> Retries:
        """How clients took what went wrong."""
        return made(Retries, self.told("retries", line) or {})

    def tries(self, number: int) -> list[int]:
        """All tries of the call that an exchange is one of, as far as they were recorded, oldest first."""
        found, later = [number], {before: new for new, before in self.earlier.items()}
        while (before := self.earlier.get(found[0])) is not None and before not in found:
            found.insert(0, before)
        while (new := later.get(found[-1])) is not None and new not in found:
            found.append(new)
        return found

    def marks(self) -> list[float]:
        """The seconds at which something was changed."""
        start = self.wall
        return sorted(one.wall - start for one in self.events if one.mark and 0 <= one.wall - start <= self.lasts)

    def beside(self, seconds: float, by: int) -> float | None:
        """The mark before or behind this moment."""
        marks = self.marks()
        place = bisect_right(marks, seconds + 0.05) if by > 0 else bisect_left(marks, seconds - 0.3) - 1
        return marks[place] if 0 <= place < len(marks) else None


def read(path: Path) -> Session:
    """The session in a file; raises SettingsError for a file that is none. A file that was cut off is read so far."""
    lines = _lines(path)
    head = next(lines, None)
    if not isinstance(head, dict) or "llmsim_session" not in head:
        raise SettingsError(f"{path}: it is no session that llmsim recorded")
    if head["llmsim_session"] != FORMAT:
        raise SettingsError(
            f"{path}: it was recorded by llmsim {head.get('version')}, in form {head['llmsim_session']}; "
            f"this release reads form {FORMAT}"
        )
    session = Session(head)
    for told in lines:
        if isinstance(told, str):
            session.notes.append(told)
        elif "end" in told:
            if told["end"] != "stopped":
                session.notes.append(f"the recording ended because it was {told['end']}")
        else:
            _take(session, told, path)
    if not session.times:
        raise SettingsError(f"{path}: nothing was recorded in it")
    return session


def _take(session: Session, told: Any, path: Path) -> None:
    try:
        session.take(told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        line = len(session.times) + 2
        raise SettingsError(f"{path} line {line}: it is no line of a session ({error!r})") from None


def _lines(path: Path) -> Iterator[Any]:
    """The lines as JSON; a sentence in the place of what cannot be read."""
    size = 0
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            for line in file:
                size += len(line)
                if size > LONGEST:
                    yield f"only the first {LONGEST >> 20} MB are shown"
                    return
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError:
                    yield "the file was cut off: its last line is not whole"
                    return
    except (EOFError, gzip.BadGzipFile):
        yield "the file was cut off"
    except OSError as error:
        raise SettingsError(f"{path}: it cannot be read: {(error.strerror or str(error)).lower()}") from None
