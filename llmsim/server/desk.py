"""What becomes of a request: the ask it is, the exchange it opens, the player it gets; with a client or without."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from llmsim import overrides
from llmsim.conversation import Ask
from llmsim.dialects import HOME, Desk, Dialect, Done, Request, Route, home, kinds
from llmsim.errors import Failure, Refused, SettingsError
from llmsim.exchange import Exchange
from llmsim.overrides import Overrides
from llmsim.server.lenient import forgiven
from llmsim.server.nesting import TOO_DEEP, too_deep
from llmsim.server.player import AnswerPlayer, Channel, Player, StreamPlayer, WholePlayer
from llmsim.server.replay import replay
from llmsim.server.routes import Routes
from llmsim.server.tray import Tray
from llmsim.simulator import Simulator

if TYPE_CHECKING:
    from llmsim.server.reels import Reels

logger = logging.getLogger("llmsim")

LONG = 48 << 10
"""Bytes of a body above which it is read and counted in a thread, so that the other replies keep their pace."""

STOPPING = "The server is shutting down."

MOST_UNATTENDED = 10_000
"""Replies under way that no client waits for; beyond it, new ones are refused as overload."""


class ServerDesk(Desk):
    """The dialects over one simulator, and every reply under way; `stopping` refuses what comes new."""

    def __init__(self, simulator: Simulator, apis_off: Collection[str] = ()) -> None:
        super().__init__(simulator.store, simulator.clock)
        self.simulator = simulator
        self.players: dict[int, Player] = {}
        self.stopping = False
        self.passing = False
        """Whether a recorder passes requests on to other servers, so that none is answered here."""
        self.reels: Reels | None = None
        self.tape_bytes = 256 << 20
        self._unattended: dict[int, Player] = {}
        simulator.reread = self.reread
        simulator.reword = partial(replay, reread=self.reread)
        self._apis_off = apis_off
        first = None if HOME in apis_off else home()
        self._first = None if first is None else first(self)
        self.routes = Routes([self._first], self._dialects) if self._first is not None else Routes(self._dialects())

    @property
    def served_models(self) -> Sequence[str]:
        """As the settings say."""
        return self.simulator.settings.served_models

    def _dialects(self) -> list[Dialect]:
        """All of them that are not off; the one that was there first stays the one it is."""
        first = self._first
        found = [(kind, made) for kind, made in kinds().items() if kind not in self._apis_off]
        return [first if first is not None and kind == HOME else made(self) for kind, made in found]

    # -- one request

    def read(self, dialect: Dialect, route: Route, request: Request) -> Ask | Failure:
        """The ask that the request is, or the dialect's refusal."""
        if too_deep(request.body):
            return Failure("invalid", TOO_DEEP)
        if self.reels is not None:
            self.reels.recalled(request)
        if route.read is None:
            return _plain(dialect, route, request)
        try:
            return route.read(request)
        except Refused as refused:
            return forgiven(dialect, route, request, refused, self.simulator.settings)
        except Exception:
            logger.exception("a request could not be read", extra={"fields": {"path": request.path[:300]}})
            return Failure("internal")

    def begin(
        self,
        dialect: Dialect,
        route: Route | None,
        request: Request,
        ask: Ask | Failure,
        caller: Caller | None = None,
    ) -> Exchange:
        """Opens an exchange for an ask, or for a request that is refused; gives the one that its client is answered by.

        `caller` is who the headers say it is, where that is known already.
        """
        reels, failure = self.reels, None
        if reels is not None:
            ask = reels.ask(dialect, route, request, ask, self.simulator.settings)
        if isinstance(ask, Failure):
            failure = ask
            ask = Ask(
                "",
                dialect=dialect.kind,
                endpoint=request.path,
                extra={"method": request.method, "query": request.query},
            )
        elif self.stopping:
            failure = Failure("unavailable", STOPPING)
        elif ask.detached and len(self._unattended) >= MOST_UNATTENDED:
            failure = Failure("unavailable")
        self.know(dialect, request, ask, caller)
        if failure is None and ask.overrides is not None:
            failure = self._overridden(ask.overrides)
        if failure is not None:
            exchange = self.simulator.refuse(ask, failure, request.body)
        else:
            exchange = self.simulator.begin(ask, request.body)
            if reels is not None:
                reels.told(exchange)
        exchange.asked = (dialect, route, request)
        if ask.detached and exchange.plan.failure is None:
            return self._detached(dialect, exchange)
        return exchange

    def know(self, dialect: Dialect, request: Request, ask: Ask, caller: Caller | None = None) -> None:
        """Notes in an ask who asks."""
        key, ask.client, ask.attempt, ask.overrides = caller or calling(request.headers, request.query)
        ask.key = key or ask.key
        ask.provider, ask.headers = dialect.provider, request.headers

    def reread(self, exchange: Exchange) -> Ask | None:
        """The ask that an exchange's request was, read anew; None for what cannot be read again."""
        if exchange.asked is None:
            return None
        dialect, route, request = exchange.asked
        if route is None or route.read is None or not dialect.rereads:
            return None
        try:
            ask: Ask | Failure = route.read(request)
        except Refused as refused:
            ask = forgiven(dialect, route, request, refused, self.simulator.settings)
        if isinstance(ask, Failure):
            return None
        old = exchange.ask
        ask.key, ask.client, ask.attempt, ask.provider, ask.headers = (
            old.key,
            old.client,
            old.attempt,
            old.provider,
            old.headers,
        )
        return ask

    def _overridden(self, asked: Overrides) -> Failure | None:
        """What is wrong with what a client asks for itself."""
        settings = self.simulator.settings
        try:
            if settings.overrides:
                asked.over(settings)
                _ = asked.seed
        except SettingsError as error:
            return Failure("invalid", str(error))
        return None

    def player(
        self, dialect: Dialect, route: Route | None, request: Request, exchange: Exchange, channel: Channel
    ) -> Player:
        """Who plays the exchange onto the channel."""
        if exchange.plan.head is not None:
            player = self._tape_player(dialect, exchange, channel)
            if player is not None:
                return player
        if route is not None and route.answer is not None:
            return AnswerPlayer(self.simulator, dialect, exchange, channel, route.answer, request)
        streams = exchange.ask.stream and exchange.plan.failure is None
        return (StreamPlayer if streams else WholePlayer)(self.simulator, dialect, exchange, channel)

    def _tape_player(self, dialect: Dialect, exchange: Exchange, channel: Channel) -> Player | None:
        """Who plays a take byte by byte; None where a fault has put another reply in its place."""
        from llmsim.server.tape_player import TapePlayer, plays

        if not plays(exchange.plan.pieces):
            return None
        return TapePlayer(self.simulator, dialect, exchange, channel)

    # -- without a client

    def _detached(self, dialect: Dialect, exchange: Exchange) -> Exchange:
        """Lets a detached exchange go on by itself; gives the one that its client is answered by."""
        ask = exchange.ask.again()
        ask.follows, ask.detached, ask.parts = exchange, False, None if ask.stream else 0
        exchange.ask.stream = False
        self._attend(WholePlayer(self.simulator, dialect, exchange, Tray(partial(dialect.ended, exchange))))
        return self.simulator.begin(ask, exchange.request)

    def submit(self, request: Request, done: Done) -> Exchange | None:
        """Serves a request as if a client had sent it, in the midst of all others; None where no API has its path."""
        found = self.routes.find(request)
        if found is None:
            return None
        dialect, route = found
        ask = self.read(dialect, route, request)
        if isinstance(ask, Ask):
            ask.stream = False
        exchange = self.begin(dialect, route, request, ask)
        self._attend(self.player(dialect, route, request, exchange, Tray(partial(done, exchange))))
        return exchange

    def resend(self, exchange: Exchange) -> Exchange | None:
        """Asks once more what an exchange was asked, with no client to answer; None for what cannot be asked again.

        It is asked with the same key, in the name of the client `resent`, so that no client is blamed for it.
        """
        if exchange.asked is None or exchange.asked[1] is None:
            return None
        dialect, route, request = exchange.asked
        caller = calling(request.headers, request.query)._replace(client="resent", attempt=0)
        again = self.begin(dialect, route, request, self.read(dialect, route, request), caller)
        self._attend(self.player(dialect, route, request, again, Tray(lambda _: None)))
        return again

    def _attend(self, player: Player) -> None:
        exchange = player.exchange
        self.players[exchange.number] = self._unattended[exchange.number] = player
        player.told = self._left
        player.begin()
        if exchange.state != "live":
            self._left(exchange)

    def _left(self, exchange: Exchange) -> None:
        self._unattended.pop(exchange.number, None)
        self.players.pop(exchange.number, None)

    def stop(self, exchange: Exchange) -> None:
        """Ends a detached exchange, and what follows it, wherever it is."""
        self.simulator.end(exchange, "abandoned")
        for player in list(self.players.values()):
            if player.exchange.ask.follows is exchange and player.exchange.state == "live":
                player.finish(Failure("unavailable", "The reply was cancelled."))

    # -- the end

    def finish(self) -> int:
        """Ends every reply under way in good order, telling its client; gives how many there were."""
        players = list(self.players.values())
        for player in players:
            if player.exchange.state == "live":
                try:
                    player.finish(Failure("unavailable", STOPPING))
                except Exception as error:
                    logger.exception("a reply could not be ended in good order", extra={"exchange": player.exchange})
                    player.broken(error)
        return len(players)


def _plain(dialect: Dialect, route: Route, request: Request) -> Ask:
    """The ask of a request that needs no model."""
    told = f"{request.method} {request.path}?{request.query} {len(request.body)} ".encode()
    digest = blake2b(told + request.body[:8192], digest_size=16).digest()
    key = "public" if route.public else ""
    return Ask("", dialect=dialect.kind, endpoint=route.path, parts=0, digest=digest, key=key)


class Caller(NamedTuple):
    """Who asks: the key, a name for the client, which try of the same request it is, what it asks for itself."""

    key: str
    client: str
    attempt: int
    overrides: Overrides | None


def calling(headers: Mapping[bytes, bytes], query: str = "") -> Caller:
    """Who asks, by the headers; the key comes in whichever provider's it is, or in the query, and may be missing."""
    key = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
    if not key:
        key = headers.get(b"x-api-key") or headers.get(b"api-key") or headers.get(b"x-goog-api-key", b"")
    if not key and "key=" in query:
        key = dict(parse_qsl(query)).get("key", "").encode("latin-1", "replace")
    client = headers.get(b"x-llmsim-client") or headers.get(b"user-agent", b"").partition(b" ")[0]
    retries = headers.get(b"x-stainless-retry-count", b"0")
    attempt = int(retries) if retries.isdigit() and len(retries) < 6 else 0
    return Caller(key.decode("latin-1"), client[:40].decode("latin-1"), attempt, overrides.read(headers))
