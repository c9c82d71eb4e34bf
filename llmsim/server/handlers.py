"""The ASGI application: finds the dialect of a request, reads it, and has its exchange played."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from llmsim import tokens
from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Request, Route, kinds
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.server.outlet import Message, Send
from llmsim.server.player import Player, StreamPlayer, WholePlayer
from llmsim.server.routes import Routes
from llmsim.simulator import Simulator

logger = logging.getLogger("llmsim")

Receive = Callable[[], Awaitable[Message]]

_LONG = 48 << 10
"""Bytes of a body above which it is read and counted in a thread, so that the other replies keep their pace."""

STOPPING = "The server is shutting down."


class TooLarge(Exception):
    """The body is over the limit."""


class Gone(Exception):
    """The client left before its request was whole."""


class Application:
    """Every dialect at the root and below `/{provider}`; beside them /health and /ready."""

    def __init__(self, simulator: Simulator, body_limit: int = 32 << 20) -> None:
        self.simulator = simulator
        self.body_limit = body_limit
        self.players: dict[int, Player] = {}
        self.stopping = False
        self.routes = Routes([dialect() for dialect in kinds().values()])

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one HTTP request, or the server's lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            try:
                await self._serve(scope, receive, send)
            except Gone:
                return
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self.simulator.light_fuses()
        asyncio.get_running_loop().run_in_executor(None, tokens.preload)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        request = Request(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            dict(scope["headers"]),
            client=(scope.get("client") or ("",))[0],
        )
        found = self.routes.find(request)
        if found is None:
            await self._reply(send, self._unrouted(request))
            return
        dialect, route = found
        try:
            request.body = await self._body(request, receive)
        except TooLarge:
            failure = Failure("too_large", extra=self.body_limit)
            await self._generate(dialect, None, request, failure, scope, receive, send)
            return
        if route.read is not None:
            await self._generate(dialect, route, request, None, scope, receive, send)
        elif route.answer is not None:
            await self._reply(send, self._answered(dialect, route.answer, request))

    def _unrouted(self, request: Request) -> Answer:
        if request.path in ("/health", "/ready") and request.method in ("GET", "HEAD"):
            return self._health(request)
        methods = self.routes.methods(request.path)
        failure = Failure("method" if methods else "not_found", param=f"{request.method} {request.path}", extra=methods)
        return self.routes.owner(request).failure(failure)

    def _health(self, request: Request) -> Answer:
        """/health: the process answers; /ready: it also takes traffic and counts tokens."""
        ready = not self.stopping and tokens.loaded()
        if request.path == "/ready":
            return Answer.json({"status": "ready" if ready else "not ready"}, 200 if ready else 503)
        up = self.simulator.clock.now() - self.simulator.started
        return Answer.json({"status": "ok", "uptime_seconds": round(up, 3), "active": len(self.simulator.meter.live)})

    async def _body(self, request: Request, receive: Receive) -> bytes:
        """The request's whole body; raises TooLarge as soon as it is known to be, Gone when the client left."""
        told = request.headers.get(b"content-length", b"")
        if told.isdigit() and int(told) > self.body_limit:
            raise TooLarge
        message = await receive()
        chunks: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise Gone
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > self.body_limit:
                raise TooLarge
            if not message.get("more_body"):
                return b"".join((*chunks, chunk)) if chunks else chunk
            chunks.append(chunk)
            message = await receive()

    async def _generate(
        self,
        dialect: Dialect,
        route: Route | None,
        request: Request,
        failure: Failure | None,
        scope: Message,
        receive: Receive,
        send: Send,
    ) -> None:
        """Reads the ask, begins its exchange and has it played until it ends or the client leaves."""
        exchange = await self._begin(dialect, route, request, failure)
        streams = exchange.ask.stream and exchange.plan.failure is None
        player = (StreamPlayer if streams else WholePlayer)(self.simulator, dialect, exchange, send, scope)
        self.players[exchange.number] = player
        try:
            player.begin()
            # A connection that was dropped is waited for as well: what was written before has to go out.
            while exchange.state in ("live", "dropped") or player.outlet.blocked:
                if (await receive())["type"] == "http.disconnect":
                    break
        except asyncio.CancelledError:
            if not player.outlet.cancels:
                raise
            raise ConnectionResetError("the connection was cut, as planned") from None
        finally:
            del self.players[exchange.number]
            self.simulator.end(exchange, "abandoned")
            player.outlet.shut()

    async def _begin(
        self, dialect: Dialect, route: Route | None, request: Request, failure: Failure | None
    ) -> Exchange:
        ask = None
        if route is not None and route.read is not None:
            try:
                if len(request.body) > _LONG or not tokens.loaded():
                    ask = await asyncio.get_running_loop().run_in_executor(None, route.read, request)
                else:
                    ask = route.read(request)
            except Refused as refused:
                failure = refused.failure
            except Exception:
                logger.exception("a request could not be read")
                failure = Failure("internal")
        if ask is None:
            ask = Ask("", dialect=dialect.kind, endpoint=request.path)
            _sign(ask, request.headers)
            return self.simulator.refuse(ask, failure or Failure("internal"), request.body)
        _sign(ask, request.headers)
        if self.stopping:
            return self.simulator.refuse(ask, Failure("unavailable", STOPPING), request.body)
        return self.simulator.begin(ask, request.body)

    def _answered(self, dialect: Dialect, answer: Callable[[Request], Answer], request: Request) -> Answer:
        if self.simulator.settings.strict and not _key(request.headers):
            return dialect.failure(Failure("unauthenticated"))
        try:
            return answer(request)
        except Refused as refused:
            return dialect.failure(refused.failure)
        except Exception:
            logger.exception("a request failed")
            return dialect.failure(Failure("internal"))

    async def _reply(self, send: Send, answer: Answer) -> None:
        headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    def finish(self) -> int:
        """Ends every reply under way in good order, telling its client; gives how many there were."""
        players = list(self.players.values())
        for player in players:
            if player.exchange.state == "live":
                try:
                    player.finish(Failure("unavailable", STOPPING))
                except Exception as error:
                    logger.exception("a reply could not be ended in good order")
                    player.broken(error)
        return len(players)


def _sign(ask: Ask, headers: Mapping[bytes, bytes]) -> None:
    """Notes who asks: the key, a name for the client, and which try of the same request it is."""
    ask.key = _key(headers)
    client = headers.get(b"x-llmsim-client") or headers.get(b"user-agent", b"").partition(b" ")[0]
    ask.client = client[:40].decode("latin-1")
    retries = headers.get(b"x-stainless-retry-count", b"0")
    ask.attempt = int(retries) if retries.isdigit() and len(retries) < 6 else 0


def _key(headers: Mapping[bytes, bytes]) -> str:
    """The key, in whichever provider's header it comes; empty where there is none."""
    key = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
    if not key:
        key = headers.get(b"x-api-key") or headers.get(b"api-key") or headers.get(b"x-goog-api-key", b"")
    return key.decode("latin-1")
