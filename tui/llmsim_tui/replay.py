"""A recorded session as the console's backend: the same screens, at any moment of it; nothing can be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from llmsim import catalogue
from llmsim.clock import Clock, RealClock
from llmsim.conversation import Ask
from llmsim.errors import SettingsError
from llmsim.honesty import Honesty
from llmsim.latency import Profile, presets
from llmsim.match import Match, Subject
from llmsim.match import Outcome as Fate
from llmsim.settings import Settings
from llmsim.views import Bucket, Gauge, Happening, Play, Pulse, Retries, Row, Stream
from llmsim.views.packing import made
from llmsim.views.recording import Seen
from llmsim.views.session import Session
from llmsim_tui.picture import unknown
from llmsim_tui.remote import read_settings
from llmsim_tui.rules import Sift
from llmsim_tui.text import uptime

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

_LOCKED: Final = "This is a recording: nothing in it can be changed."


class ReplayBackend:
    """Shows a session; it plays by the clock, at a `speed`, from where it was sought to."""

    kind: Literal["local", "remote", "replay"] = "replay"
    read_only = True
    locked = _LOCKED
    untaped = _LOCKED
    stale = False
    away = ""

    def __init__(self, session: Session, *, speed: float = 1.0, clock: Clock | None = None) -> None:
        self.session = session
        self.speed = speed
        self.playing_on = True
        self.address = session.address
        self._clock = clock or RealClock()
        self._base = 0.0
        self._since = self._clock.now()
        self._settings: tuple[Any, Settings] = (None, Settings())

    # -- where it is

    @property
    def position(self) -> float:
        """Seconds from the beginning."""
        played = (self._clock.now() - self._since) * self.speed if self.playing_on else 0.0
        return min(self.session.lasts, self._base + played)

    def seek(self, seconds: float) -> None:
        """Goes to that moment, and plays on from there if it played."""
        self._base, self._since = min(max(0.0, seconds), self.session.lasts), self._clock.now()

    def play(self, on: bool) -> None:
        """Plays or stands still; from the end it plays anew."""
        self.seek(0.0 if on and self.position >= self.session.lasts else self.position)
        self.playing_on = on

    def pace(self, speed: float) -> None:
        """Plays at another speed, from here on."""
        self.seek(self.position)
        self.speed = speed

    @property
    def at_end(self) -> bool:
        """Whether there is no more to play."""
        return self.position >= self.session.lasts

    @property
    def note(self) -> str:
        """That it is a recording, and where in it."""
        paused = "" if self.playing_on and not self.at_end else " · still"
        return f"REPLAY {uptime(self.position)}/{uptime(self.session.lasts)}{paused}"

    @property
    def _line(self) -> int:
        return self.session.line(self.position)

    # -- what the screens read

    def shown(self) -> Seen:
        """A recording is not recorded again."""
        raise SettingsError("this is a recording already")

    def pulse(self) -> Pulse:
        """The figures of the moment."""
        return self.session.pulse(self._line)

    def numbers(self) -> tuple[int, int]:
        """The oldest and the newest exchange that was kept at the moment."""
        return self.session.numbers[self._line]

    def row(self, number: int) -> Row | None:
        """One exchange; what a stream tells of it is newer than its line."""
        row = self.session.row(number, self._line)
        first, last = self.numbers()
        if row is None and first <= number <= last:
            return made(Row, {"number": number, "client": "not recorded", "outcome": "abandoned"})
        return row

    def detail(self, number: int) -> Mapping[str, Any] | None:
        """What was kept of an exchange."""
        row, kept = self.row(number), self.session.detail(number)
        if row is None:
            return None
        return {**(kept or unknown("the recording has no more of this exchange than its line")), "row": row}

    def streams(self, limit: int) -> Sequence[Stream]:
        """Replies under way, oldest first."""
        return self.session.streams(self._line)[:limit]

    def buckets(self, count: int) -> Sequence[Bucket]:
        """The newest half-seconds."""
        return self.session.buckets(self._line, count)

    def ttfts(self) -> Sequence[float]:
        """Achieved TTFTs."""
        return self.session.told("ttfts", self._line) or ()

    def happenings(self, after: int) -> Sequence[Happening]:
        """What had happened by the moment."""
        return self.session.happened(self._line, after)

    def settings(self) -> Settings:
        """The settings of the moment."""
        told = self.session.told("settings", self._line)
        if told is not self._settings[0]:
            self._settings = (told, read_settings(told or {}, ())[0] or Settings())
        return self._settings[1]

    def profiles(self) -> Mapping[str, Profile]:
        """Presets, under the user's own profiles."""
        return {**presets(), **self.settings().profiles}

    def models(self) -> Sequence[str]:
        """Those of the catalogue."""
        return list(catalogue.names())

    def answered(self) -> Mapping[str, int]:
        """How often each mock had answered."""
        return self.session.told("answered", self._line) or {}

    def playing(self) -> Play | None:
        """The scenario of the moment."""
        return self.session.playing(self._line)

    def taping(self) -> Mapping[str, Any] | None:
        """Not kept of a session."""
        return None

    def gauges(self) -> Sequence[Gauge]:
        """The buckets of the moment."""
        return self.session.gauges(self._line)

    def honesty(self) -> Honesty:
        """Asked beside achieved, at the moment."""
        return self.session.honesty(self._line)

    def retries(self) -> Retries:
        """How clients took what went wrong, by the moment."""
        return self.session.retries(self._line)

    # -- what is asked of it

    async def tries(self, number: int) -> Sequence[int]:
        """The tries of one call that there were by the moment."""
        last = self.numbers()[1]
        return [one for one in self.session.tries(number) if one <= max(last, number)]

    async def draft(self, number: int) -> Mapping[str, Any] | None:
        """Nothing is made of a recording."""
        raise SettingsError(_LOCKED)

    async def try_mocks(self, mocks: Sequence[Any], last: int = 100) -> Sequence[Any]:
        """Requests are not recorded whole, so that no mock can be tried on them."""
        return []

    async def preview(self, scope: Match, last: int = 100) -> tuple[int, int]:
        """Nothing is armed in a recording."""
        return 0, 0

    def sift(self, match: Match) -> Sift:
        """The match, asked of the lines that were recorded."""
        return RowSift(self, match)

    async def recorded(self) -> Mapping[str, Any]:
        """What was changed is told by the events."""
        return {}

    async def calls(self, event: int) -> Sequence[Mapping[str, Any]]:
        """A recording has none."""
        return []

    async def verdict(self) -> Sequence[str]:
        """What was recorded of it: of the newest requests at the moment, each client in a line."""
        retries = self.retries()
        if not retries.requests:
            return []
        again = retries.requests - retries.firsts
        words = f"the {retries.requests} requests before {uptime(self.position)}: {again} retries"
        words = ", ".join([words, *retries.words])
        return [words, *(retries.worst or ("no client had to ask again, and none gave up",))]

    async def change(self, who: str = "console", *, text: str = "", mark: str = "", **changes: Any) -> None:
        """Refuses."""
        raise SettingsError(_LOCKED)

    async def _refuse(self, *_: Any, **__: Any) -> Any:
        raise SettingsError(_LOCKED)

    arm = lift = undo = redo = act = resend = begin_scenario = stop_scenario = drain = refill = begin_tape = (
        end_tape
    ) = _refuse


class RowSift:
    """A match asked of lines: of texts, keys and other things that a line does not hold it knows nothing."""

    def __init__(self, backend: ReplayBackend, match: Match) -> None:
        self.work = 0
        self._backend = backend
        self._match = match

    def look(self, number: int) -> tuple[bool, bool] | None:
        """Whether it is under way, and meant."""
        self.work += 12
        row = self._backend.row(number)
        if row is None:
            return None
        ask = Ask(row.model, (), endpoint=row.endpoint, client=row.client)
        ask.attempt, ask.stream = row.attempt, row.stream
        fate = Fate(row.status or 0, row.outcome, row.faults)
        return row.outcome == "live", self._match.holds(Subject(ask, b"", 0, fate))
