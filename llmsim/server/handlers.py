"""The ASGI application: finds the dialect of a request, reads it, and has its exchange played."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from llmsim import decide, tokens
from llmsim.clock import keep
from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Request, Route, kinds
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.server.control import ROOT, Control
from llmsim.server.desk import LONG, ServerDesk
from llmsim.server.heads import joined
from llmsim.server.metrics import PATH, Metrics, Names
from llmsim.server.outlet import Message, Outlet, Send
from llmsim.server.record import Recorder
from llmsim.server.sockets import Receive, Session
from llmsim.server.turns import turns
from llmsim.simulator import Simulator

logger = logging.getLogger("llmsim")

_OWN = ("/health", "/ready")

_AGAIN = 10
"""Seconds after which what could not be loaded is loaded."""
_IDLE = 0.5
"""Seconds without a request after which the server counts as idle."""


LARGE = 1 << 20
"""Bytes of a body above which it waits for one of two threads: what is read of it can take twenty times its size."""


class TooLarge(Exception):
    """The body is over the limit."""


class Gone(Exception):
    """The client left before its request was whole."""


def _first(message: Message, receive: Receive) -> Receive:
    """Receives this message first, then what comes."""
    waiting = [message]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received


class Application:
    """Every dialect at the root and below `/{provider}`; beside them /health, /ready, /metrics and the control API."""

    def __init__(
        self,
        simulator: Simulator,
        body_limit: int = 32 << 20,
        apis_off: Collection[str] = (),
        upload_limit: int = 128 << 20,
        control: Control | None = None,
        metrics: Names = "llmsim",
    ) -> None:
        self.simulator = simulator
        self.body_limit = body_limit
        self.upload_limit = max(body_limit, upload_limit)
        self.desk = ServerDesk(simulator, apis_off)
        self.players = self.desk.players
        self.routes = self.desk.routes
        self.control = control or Control(simulator)
        self.metrics = Metrics(simulator, self.routes, metrics)
        self.control.desk = self.desk
        self.control.stopping = lambda: self.desk.stopping
        self._large = ThreadPoolExecutor(2, "large bodies")
        self.recorder = self.control.recorder = Recorder(self.desk)

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
            await self._socket(scope, receive, send)

    async def _socket(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves a web socket where an API has one at this path; uvicorn answers 403 for any other."""
        found = self.routes.find(Request("WEBSOCKET", scope["path"], headers=dict(scope["headers"])))
        if found is None or self.desk.passing:
            await send({"type": "websocket.close", "code": 1000})
            return
        dialect, route = found

        async def serve(request: Request, receive: Receive, send: Send) -> None:
            await self._play(dialect, route, request, await self._read(dialect, route, request), scope, receive, send)

        await Session(scope, receive, send, serve).run()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self.simulator.light_fuses()
        tokens.prime(tokens.DEFAULT_ENCODING)
        self._load_when_idle()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _load_when_idle(self, begun: int = -1) -> None:
        """Loads all APIs, then the rest of the vocabulary, once nobody has asked for anything for a while.

        No thread runs while the vocabulary is set up, so that it had better be then.
        """
        meter, clock = self.simulator.meter, self.simulator.clock
        if tokens.loaded():
            return
        if meter.live or meter.begun != begun:
            clock.call_at(clock.now() + _IDLE, partial(self._load_when_idle, meter.begun))
        else:
            keep(self._load(), "loading")

    async def _load(self) -> None:
        loop, clock = asyncio.get_running_loop(), self.simulator.clock
        try:
            await loop.run_in_executor(None, kinds)
            self.routes.complete()
            await loop.run_in_executor(None, decide.prepare)
            await loop.run_in_executor(None, tokens.preload)
            await loop.run_in_executor(None, self.routes.prepare)
        except OSError as error:  # as where so many connections are open that no file can be
            logger.warning("not everything could be loaded, it is tried again in %d s: %s", _AGAIN, error)
            clock.call_at(clock.now() + _AGAIN, self._load_again)

    def _load_again(self) -> None:
        keep(self._load(), "loading")

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(ROOT) and scope["path"][len(ROOT) : len(ROOT) + 1] in ("", "/"):
            await self.control(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request = Request(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            headers if len(headers) == len(scope["headers"]) else joined(scope["headers"]),
            client=(scope.get("client") or ("",))[0],
        )
        if request.path == PATH:
            await self._reply(send, await self.metrics.answer(request))
            return
        if self.desk.passing and request.path not in _OWN:
            rest = receive if self.desk.reels is None else await self._unless_taped(request, scope, receive, send)
            if rest is not None:
                await self.recorder(scope, rest, send)
            return
        found = self.routes.find(request)
        if found is None:
            if self.desk.reels is None or not await self._taped(request, scope, receive, send):
                await self._reply(send, self._unrouted(request))
            return
        dialect, route = found
        limit = self.upload_limit if route.uploads else self.body_limit
        try:
            request.body = await self._body(request, receive, limit)
        except TooLarge:
            failure = Failure("too_large", extra=limit)
            await self._play(dialect, None, request, failure, scope, receive, send)
            return
        await self._take(dialect, route, request, scope, receive, send)

    async def _take(
        self, dialect: Dialect, route: Route, request: Request, scope: Message, receive: Receive, send: Send
    ) -> None:
        """Serves a request that is whole."""
        await self._play(dialect, route, request, await self._read(dialect, route, request), scope, receive, send)

    async def _unless_taped(self, request: Request, scope: Message, receive: Receive, send: Send) -> Receive | None:
        """Answers a request while others are recorded, where a tape has it or new ones are refused.

        Else it gives what the recorder is to receive: the body, which has been read, then what comes.
        """
        reels, settings = self.desk.reels, self.simulator.settings
        if reels is None or reels.records(settings):
            return receive
        found = self.routes.find(request)
        dialect, route = found or (self.routes.owner(request), None)
        try:
            request.body = await self._body(request, receive, self.body_limit)
        except TooLarge:
            await self._play(dialect, None, request, Failure("too_large", extra=self.body_limit), scope, receive, send)
            return None
        unread = Failure("not_found", param=f"{request.method} {request.path}")
        ask = unread if route is None else await self._read(dialect, route, request)
        if settings.replay == "new_episodes" and not reels.has(dialect, request, ask, settings):
            return _first({"type": "http.request", "body": request.body, "more_body": False}, receive)
        await self._play(dialect, route, request, ask, scope, receive, send)
        return None

    async def _taped(self, request: Request, scope: Message, receive: Receive, send: Send) -> bool:
        """Answers a path that no API has from a tape; False where none has it either."""
        owner, reels = self.routes.owner(request), self.desk.reels
        try:
            request.body = await self._body(request, receive, self.body_limit)
        except TooLarge:
            return False
        if reels is None or not reels.knows(request, owner.provider):
            return False
        failure = Failure("not_found", param=f"{request.method} {request.path}")
        await self._play(owner, None, request, failure, scope, receive, send)
        return True

    async def _begun(self, dialect: Dialect, route: Route | None, request: Request, ask: Ask | Failure) -> Exchange:
        """Opens the exchange of a request."""
        return self.desk.begin(dialect, route, request, ask)

    async def _read(self, dialect: Dialect, route: Route, request: Request) -> Ask | Failure:
        """The ask; a long body is read in a thread, so that the other replies keep their pace."""
        if route.read is not None and (len(request.body) > LONG or route.heavy or not tokens.quick(request.body)):
            readers = self._large if len(request.body) > LARGE else None
            with turns:
                return await asyncio.get_running_loop().run_in_executor(
                    readers, self.desk.read, dialect, route, request
                )
        return self.desk.read(dialect, route, request)

    def _unrouted(self, request: Request) -> Answer:
        if request.path in _OWN and request.method in ("GET", "HEAD"):
            return self._health(request)
        methods = self.routes.methods(request)
        failure = Failure("method" if methods else "not_found", param=f"{request.method} {request.path}", extra=methods)
        return self.routes.owner(request).failure(failure)

    def _health(self, request: Request) -> Answer:
        """/health: the process answers; /ready: it also takes new requests."""
        if request.path == "/ready":
            ready, told = self.ready()
            return Answer.json({"status": "ready" if ready else "not ready", **told}, 200 if ready else 503)
        up = self.simulator.clock.now() - self.simulator.started
        return Answer.json({"status": "ok", "uptime_seconds": round(up, 3), "active": len(self.simulator.meter.live)})

    def ready(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether new requests are taken, and what there is to say besides."""
        return not self.desk.stopping, {}

    async def _body(self, request: Request, receive: Receive, limit: int) -> bytes:
        """The request's whole body; raises TooLarge as soon as it is known to be, Gone when the client left."""
        told = request.headers.get(b"content-length", b"")
        if told.isdigit() and int(told) > limit:
            raise TooLarge
        message = await receive()
        chunks: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise Gone
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise TooLarge
            if not message.get("more_body"):
                return b"".join((*chunks, chunk)) if chunks else chunk
            chunks.append(chunk)
            message = await receive()

    async def _play(
        self,
        dialect: Dialect,
        route: Route | None,
        request: Request,
        ask: Ask | Failure,
        scope: Message,
        receive: Receive,
        send: Send,
    ) -> None:
        """Begins the exchange and has it played until it ends or the client leaves."""
        desk = self.desk
        exchange = await self._begun(dialect, route, request, ask)
        outlet = Outlet(send, scope)
        player = desk.player(dialect, route, request, exchange, outlet)
        outlet.drained = player.drained
        desk.players[exchange.number] = player
        try:
            player.begin()
            # A connection that was dropped is waited for as well: what was written before has to go out.
            while exchange.state in ("live", "dropped") or outlet.blocked:
                if (await receive())["type"] == "http.disconnect":
                    break
        except asyncio.CancelledError:
            if not outlet.cancels:
                raise
            raise ConnectionResetError("the connection was cut, as planned") from None
        finally:
            del desk.players[exchange.number]
            self.simulator.end(exchange, "abandoned")
            outlet.shut()

    async def _reply(self, send: Send, answer: Answer) -> None:
        headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})
