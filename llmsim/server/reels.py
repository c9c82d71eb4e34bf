"""Tapes that are replayed: read with the APIs' own readers, asked for each request, told what became of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from llmsim.clock import Clock
from llmsim.conversation import Ask
from llmsim.dialects import Dialect, Request, Route
from llmsim.errors import Failure, Refused, TapeError
from llmsim.exchange import Exchange
from llmsim.plan import Drop, Fail, Plan
from llmsim.replay.cue import Cue, Hit, Miss
from llmsim.replay.heard import listen
from llmsim.replay.normal import exact, normal
from llmsim.replay.reel import Asked, Reel
from llmsim.server.heads import joined
from llmsim.server.routes import Routes
from llmsim.settings import Settings
from llmsim.tapes import Take, Tape

if TYPE_CHECKING:
    from llmsim.tapes.masking import Masker

logger = logging.getLogger("llmsim")


class Reels:
    """The tapes of one server, and what they have for a request."""

    def __init__(self, routes: Routes, clock: Clock, limit: int = 256 << 20) -> None:
        self.routes = routes
        self.clock = clock
        self.reel = Reel(limit)
        self.files: list[str] = []
        self._masked = False

    # -- loading

    def load(self, path: str | Path) -> int:
        """Adds a tape and gives how many of its takes can be played; raises TapeError where it cannot be read."""
        tape = Tape(path)
        count = self.take_in(tape.placed())
        if tape.dropped:
            self.reel.notes.append(tape.dropped)
        self.files.append(str(path))
        return count

    def take_in(self, placed: Iterable[tuple[str, Take]]) -> int:
        """Adds takes, each with its place; those whose client left before the end are no whole answer to anybody."""
        count, left = 0, 0
        for place, take in placed:
            if take.end == "left" or (take.left_out and not take.frames):
                left += 1
                continue
            self.reel.add(self.cue(_short(place), take))
            self._masked = self._masked or take.masked > 0
            count += 1
        if left:
            self.reel.notes.append(
                f"{left} takes are left out: their client left before the end, or they were too large"
            )
        return count

    def cue(self, place: str, take: Take) -> Cue:
        """A take with all that is known of it."""
        headers = joined(
            [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in take.request_headers]
        )
        request = Request(take.method, _unquoted(take.path), take.query, headers, take.request_body)
        key = exact(request.method, request.path, request.query, request.body)
        cue = Cue(place, take, key, take.dialect, take.provider)
        found = self.routes.find(request)
        if found is not None:
            dialect, route = found
            cue.dialect, cue.provider = dialect.kind, dialect.provider
            ask = _read(dialect, route, request)
            cue.normal = normal(ask) if ask is not None else None
            cue.heard = listen(dialect.hear, take.body) if take.frames else None
        cue.stream = streams(take)
        return cue

    # -- asking

    def recalled(self, request: Request) -> None:
        """Turns ids that this client was told by a replay back into those on the tape."""
        request.body = self.reel.recalled(request.body)
        path = self.reel.recalled(request.path.encode()).decode()
        if path != request.path:
            request.path = path
            self.routes.find(request)  # what the path names stands in its params

    def ask(
        self, dialect: Dialect, route: Route | None, request: Request, ask: Ask | Failure, settings: Settings
    ) -> Ask | Failure:
        """The ask with its cue; where its own API would refuse what the tape has an answer to, an ask in its place."""
        other = route is not None and route.method == "WEBSOCKET"
        if settings.replay == "all" or other or (settings.overrides and b"x-llmsim-generator" in request.headers):
            return ask
        found = self._find(dialect, request, ask, settings)
        if isinstance(ask, Failure):
            if isinstance(found, Miss):
                return ask
            ask = Ask("", dialect=dialect.kind, endpoint=request.path, parts=0, stream=_wants_stream(request))
        elif isinstance(found, Miss) and ask.parts == 0:
            return ask  # a plain answer, such as a list of models, needs no tape
        ask.cue = found
        return ask

    def _find(self, dialect: Dialect, request: Request, ask: Ask | Failure, settings: Settings) -> Hit | Miss:
        asked = self._asked(dialect, request, ask)
        found = self.reel.find(asked, settings.replay_repeats)
        if isinstance(found, Miss) and self._masked:
            body = self._masker.body(request.body)
            if body != request.body:
                again = Request(request.method, request.path, request.query, request.headers, body, request.params)
                reread = self._reread(dialect, again) or ask
                told = self.reel.find(self._asked(dialect, again, reread), settings.replay_repeats)
                found = told if isinstance(told, Hit) else found
        if isinstance(found, Hit):
            found.wall, found.known = self.clock.wall(), self.reel.new_ids
            detached = isinstance(ask, Ask) and (ask.detached or ask.follows is not None)
            found.verbatim = found.verbatim and not detached
        return found

    def _reread(self, dialect: Dialect, request: Request) -> Ask | None:
        found = self.routes.find(request)
        return _read(found[0], found[1], request) if found is not None and found[0] is dialect else None

    def _asked(self, dialect: Dialect, request: Request, ask: Ask | Failure) -> Asked:
        told = None if isinstance(ask, Failure) else normal(ask)
        stream = _wants_stream(request) if isinstance(ask, Failure) else ask.stream
        path = _own_path(request.path, dialect.provider)
        key = exact(request.method, path, request.query, request.body)
        return Asked(key, told, dialect.kind, stream, f"{request.method} {request.path}")

    def records(self, settings: Settings) -> bool:
        """Whether all requests go to a recorder: in mode `all`, and in `once` where there was no tape to begin with."""
        return settings.replay == "all" or (settings.replay == "once" and not self.files)

    def has(self, dialect: Dialect, request: Request, ask: Ask | Failure, settings: Settings) -> bool:
        """Whether a take answers."""
        return isinstance(self._find(dialect, request, ask, settings), Hit)

    def heard(self, place: str, take: Take) -> None:
        """Takes in what was recorded in this moment; its client has had it, so that it counts as played."""
        try:
            if self.take_in([(place, take)]):
                self.reel.cues[-1].played = 1
        except TapeError as error:
            note = f"what is recorded from here on is not replayed: {error}"
            if note not in self.reel.notes:
                self.reel.notes.append(note)

    def knows(self, request: Request, provider: str) -> bool:
        """Whether the tape has an answer for a path that llmsim does not serve."""
        return self.reel.knows(exact(request.method, _own_path(request.path, provider), request.query, request.body))

    def told(self, exchange: Exchange) -> None:
        """Counts what became of a cue, once the exchange is planned."""
        cue = exchange.ask.cue
        if isinstance(cue, Hit) and exchange.plan.take and not withheld(exchange.plan):
            self.reel.played(cue)
        elif isinstance(cue, Miss) and exchange.plan.origin == "tape":
            self.reel.miss(f"{exchange.ask.endpoint} {exchange.ask.model}".strip(), cue)

    @property
    def _masker(self) -> Masker:
        from llmsim.tapes.masking import Masker

        made: Masker = self.__dict__.setdefault("_made", Masker())
        return made


def withheld(plan: Plan) -> bool:
    """Whether a fault keeps all of the take back, so that the client's next try is to have it."""
    return bool(plan.struck) and isinstance(plan.pieces[0], Fail | Drop)


def streams(take: Take) -> bool:
    """Whether the reply on the tape came as a stream, by what was asked, else by its type."""
    if take.status != 200:
        return _wanted(take.path, take.query, take.request_body)
    kind = take.header("content-type")
    return kind.startswith(("text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream")) or (
        kind.startswith("application/json") and "stream" in take.path.lower()
    )


def _wants_stream(request: Request) -> bool:
    return _wanted(request.path, request.query, request.body)


def _wanted(path: str, query: str, body: bytes) -> bool:
    if "stream" in path.lower():
        return True
    if b'"stream"' not in body:
        return False
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(told, dict) and told.get("stream") is True


def _own_path(path: str, provider: str) -> str:
    return path.removeprefix(f"/{provider}") if path.startswith(f"/{provider}/") else path


def _unquoted(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path)


def _read(dialect: Dialect, route: Route, request: Request) -> Ask | None:
    if route.read is None:
        return None
    try:
        return route.read(request)
    except Refused:
        return None
    except Exception:  # whatever it is: the take is then found by the very same request alone
        logger.exception("a request on a tape could not be read", extra={"fields": {"path": request.path[:300]}})
        return None


def _short(place: str) -> str:
    return place.rpartition("/")[2]
