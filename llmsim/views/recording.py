"""Records a session: what the panels show, four times a second, as a file of JSON lines that can be shown again."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final, Protocol

import orjson

from llmsim import __version__
from llmsim.errors import SettingsError
from llmsim.honesty import Honesty
from llmsim.latency import Profile
from llmsim.metrics import BUCKET
from llmsim.settings import Settings
from llmsim.views import Bucket, Gauge, Happening, Play, Pulse, Retries, Row, Stream
from llmsim.views.packing import packed

FORMAT: Final = 1
"""The number of the form that a file has."""
PACE: Final = 0.25
"""Seconds between two lines."""
LONGEST: Final = 256 << 20
"""Bytes of a file, before they are packed; then the recording ends and says so."""

_ROWS, _OPEN, _STREAMS, _GAUGES, _DETAILS = 500, 2000, 40, 100, 4
"""Of each at most: new rows in a line, exchanges under way that are looked after, and so on."""
_BODY, _PIECES = 2000, 200
"""Characters of a request and of a reply, and pieces of a plan, that are kept."""


class Seen(Protocol):
    """What can be recorded: a simulator as it is shown."""

    def pulse(self) -> Pulse: ...  # noqa: D102 - as a backend has them
    def numbers(self) -> tuple[int, int]: ...  # noqa: D102
    def row(self, number: int) -> Row | None: ...  # noqa: D102
    def detail(self, number: int) -> Mapping[str, Any] | None: ...  # noqa: D102
    def streams(self, limit: int) -> Sequence[Stream]: ...  # noqa: D102
    def buckets(self, count: int) -> Sequence[Bucket]: ...  # noqa: D102
    def ttfts(self) -> Sequence[float]: ...  # noqa: D102
    def happenings(self, after: int) -> Sequence[Happening]: ...  # noqa: D102
    def settings(self) -> Settings: ...  # noqa: D102
    def profiles(self) -> Mapping[str, Profile]: ...  # noqa: D102
    def models(self) -> Sequence[str]: ...  # noqa: D102
    def playing(self) -> Play | None: ...  # noqa: D102
    def gauges(self) -> Sequence[Gauge]: ...  # noqa: D102
    def answered(self) -> Mapping[str, int]: ...  # noqa: D102
    def honesty(self) -> Honesty: ...  # noqa: D102
    def retries(self) -> Retries: ...  # noqa: D102


class Recorder:
    """Writes a line for each `frame`; `path` ending in .gz is packed. Raises SettingsError where it cannot be written.

    What it records has its keys masked already. `problem` says why it ended before it was stopped.
    """

    def __init__(self, seen: Seen, path: Path, address: str, longest: int = LONGEST) -> None:
        self.path = path
        self.problem = ""
        self.size = 0
        self.lines = 0
        self._seen = seen
        self._longest = longest
        self._last = max(0, seen.numbers()[1] - _ROWS)
        self._open: dict[int, Row | None] = {}
        self._ended: list[int] = []
        self._known: dict[str, Any] = {"event": -1, "bucket": 0}
        self._file = _opened(path)
        pulse = seen.pulse()
        self.started = pulse.wall
        self._write({"llmsim_session": FORMAT, "version": __version__, "address": address, "wall": pulse.wall})

    @property
    def over(self) -> bool:
        """Whether nothing more is written."""
        return self._file is None

    def frame(self) -> None:
        """Writes what has changed since the last line."""
        if self._file is None:
            return
        seen, pulse, (first, last) = self._seen, self._seen.pulse(), self._seen.numbers()
        told: dict[str, Any] = {"t": round(pulse.wall, 3), "pulse": asdict(pulse), "first": first, "last": last}
        told |= self._rows(first, last)
        told["streams"] = packed(seen.streams(_STREAMS))
        told |= self._figures(pulse)
        told |= self._changed("settings", seen.settings().revision, lambda: seen.settings().model_dump(mode="json"))
        play = seen.playing()
        told |= self._changed("playing", play, lambda: None if play is None else asdict(play))
        told |= self._details()
        self._write(told)

    def stop(self, reason: str = "stopped") -> None:
        """Closes the file."""
        if self._file is not None:
            self._put(orjson.dumps({"end": reason}) + b"\n")
            self._close()

    # -- what is in a line

    def _changed(self, name: str, mark: object, tell: Any) -> dict[str, Any]:
        if self._known.get(name, _NEVER) == mark:
            return {}
        self._known[name] = mark
        return {name: tell()}

    def _rows(self, first: int, last: int) -> dict[str, Any]:
        """New exchanges, and those that have got their first token or their end; between these streams tell of them."""
        fresh = range(max(first, self._last + 1), last + 1)
        skipped = max(0, len(fresh) - _ROWS, len(self._open) + len(fresh) - _OPEN)
        self._open |= dict.fromkeys(fresh[skipped:])
        self._last = max(self._last, last) if last >= 0 else 0
        rows = []
        for number, old in list(self._open.items()):
            row = self._seen.row(number)
            if row is None and number >= first:
                continue  # of a server elsewhere it has not come yet
            if row is not None and (old is None or _told(old) != _told(row)):
                rows.append(row)
                self._open[number] = row
            if row is None or row.outcome != "live":
                del self._open[number]
                self._ended.append(number)
        return {"rows": packed(rows)} | ({"skipped": skipped} if skipped else {})

    def _figures(self, pulse: Pulse) -> dict[str, Any]:
        seen = self._seen
        newest = int(pulse.wall / BUCKET)
        buckets = seen.buckets(min(1200, newest - self._known["bucket"] + 1))
        events = seen.happenings(self._known["event"])
        self._known["bucket"] = newest
        if events:
            self._known["event"] = events[-1].number
        told = {
            "buckets": [
                [round(one.wall / BUCKET), one.counts, one.tokens] for one in buckets if one.counts or one.tokens
            ],
            "events": packed(events),
        }
        waits, gauges = tuple(seen.ttfts()), seen.gauges()[-_GAUGES:]
        told |= self._changed("ttfts", waits, lambda: [round(one, 4) for one in waits])
        if self.lines % 4 == 0:
            honesty, answered = seen.honesty(), {name: count for name, count in seen.answered().items() if count}
            told |= self._changed("gauges", gauges, lambda: packed(gauges))
            told |= self._changed("honesty", honesty, lambda: asdict(honesty))
            told |= self._changed("answered", answered, lambda: answered) | self._retries()
        return told

    def _retries(self) -> dict[str, Any]:
        """How clients took what went wrong; of the links between tries those that are new."""
        retries = self._seen.retries()
        known = self._known.get("links") or {}
        fresh = {new: before for new, before in retries.links.items() if new not in known}
        self._known["links"] = retries.links
        return self._changed("retries", retries, lambda: {**asdict(retries), "links": fresh})

    def _details(self) -> dict[str, Any]:
        """A few of those that have ended, cut to what fits a page; of more than can be kept the newest."""
        found = {}
        del self._ended[: -5 * _DETAILS]
        for number in self._ended[-_DETAILS:]:
            told = self._seen.detail(number)
            if told is not None and told.get("pending"):
                continue
            self._ended.remove(number)
            if told is not None:
                found[str(number)] = _cut(told)
        return {"details": found} if found else {}

    # -- the file

    def _write(self, told: Mapping[str, Any]) -> None:
        line = orjson.dumps(told, default=str) + b"\n"
        if self.size + len(line) > self._longest:
            self.problem = f"the recording {self.path} is full at {self._longest >> 20} MB and has ended"
            self.stop("full")
            return
        self.lines += 1
        self._put(line)

    def _put(self, line: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            self.problem = f"the recording {self.path} has ended: {(error.strerror or str(error)).lower()}"
            self._close()
        self.size += len(line)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


_NEVER: Final = object()


def _told(row: Row) -> tuple[Any, ...]:
    return (row.outcome, row.status, row.ttft is None)


def _cut(told: Mapping[str, Any]) -> dict[str, Any]:
    """A detail without its line, which is told elsewhere, and without what is long."""
    request, response = dict(told["request"]), dict(told["response"])
    for side in (request, response):
        side["cut"] = bool(side["cut"]) or len(side["body"]) > _BODY
        side["body"] = side["body"][:_BODY]
    kept = {name: value for name, value in told.items() if name != "row"}
    short: dict[str, Any] = {"reply": str(told["reply"])[:_BODY], "pieces": list(told["pieces"])[:_PIECES]}
    short["went"] = list(told.get("went", ()))[:_PIECES]
    return {**kept, "request": request, "response": response, **short}


def _opened(path: Path) -> IO[bytes] | None:
    try:
        if path.exists() and path.stat().st_size:
            raise SettingsError(f"{path}: there is such a file already; a recording does not take its place")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)  # for its owner alone: it holds what clients wrote
        os.fchmod(descriptor, 0o600)  # it may have been there, empty and open to all
        os.close(descriptor)
        return gzip.open(path, "wb", compresslevel=5) if path.suffix == ".gz" else path.open("wb")  # type: ignore[return-value]
    except OSError as error:
        raise SettingsError(f"{path}: it cannot be written: {(error.strerror or str(error)).lower()}") from None
