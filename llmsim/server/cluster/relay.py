"""Serves a client's connection in another process: the messages of ASGI go to and fro between them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from llmsim.clock import keep
from llmsim.server.cluster.peer import Peer
from llmsim.server.outlet import WIRE, Message, Send, sever
from llmsim.server.sockets import Receive

logger = logging.getLogger("llmsim")

App = Callable[[Message, Receive, Send], Awaitable[None]]

_SCOPE = (
    *("type", "asgi", "http_version", "method", "path", "raw_path", "query_string", "root_path"),
    *("headers", "client", "server", "scheme", "subprotocols"),
)


class Away(Exception):
    """The other end is gone, or could not serve; nothing has been sent to the client yet."""


class _Queue:
    """Messages in their order; `over` says how it ended: well (""), cut, away, broken or gone."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._news = asyncio.Event()
        self.over: str | None = None

    def put(self, message: Message) -> None:
        self._messages.append(message)
        self._news.set()

    def end(self, how: str) -> None:
        self.over = how
        self._news.set()

    async def get(self) -> Message | None:
        """The next message, None at the end."""
        while not self._messages:
            if self.over is not None:
                return None
            self._news.clear()
            await self._news.wait()
        return self._messages.popleft()


class Relays:
    """What both ends of a relay have: the owner of peers that serves what they open, and opens by `relay`."""

    def __init__(self) -> None:
        self._relay_numbers = count(1)
        self._opened: dict[tuple[Peer, int], _Queue] = {}
        self._served: dict[tuple[Peer, int], _Queue] = {}

    def app_for(self, target: str) -> App:
        """Who serves what is opened for that target."""
        raise NotImplementedError

    # -- where the client is

    async def relay(self, peer: Peer, target: str, scope: Message, receive: Receive, send: Send) -> None:
        """Has a call of the control API served by the other end; where that is gone it is told so."""
        try:
            await self.hand(peer, target, scope, receive, send)
        except Away:
            await _unavailable(send)

    async def hand(self, peer: Peer, target: str, scope: Message, receive: Receive, send: Send) -> None:
        """Has a connection served by the other end; raises Away where that is gone before it has begun to answer."""
        if peer.gone:
            raise Away
        number = next(self._relay_numbers)
        queue = self._opened[peer, number] = _Queue()
        peer.tell("open", number, target, {name: scope[name] for name in _SCOPE if name in scope})
        pump = keep(self._pump(peer, number, receive), "relay")
        started = False
        try:
            while (message := await queue.get()) is not None:
                started = True
                await send(message)
        finally:
            pump.cancel()
            del self._opened[peer, number]
            if queue.over is None:
                peer.tell("leave", number)
        if queue.over == "cut":
            _cut(scope)
        elif queue.over and not started:
            raise Away
        elif queue.over:
            _cut(scope)

    async def _pump(self, peer: Peer, number: int, receive: Receive) -> None:
        while True:
            message = await receive()
            peer.tell("in", number, message)
            if message["type"].endswith(".disconnect"):
                return

    def on_out(self, peer: Peer, number: int, message: Message) -> None:
        """The other end sends."""
        queue = self._opened.get((peer, number))
        if queue is not None:
            queue.put(message)

    def on_over(self, peer: Peer, number: int, how: str) -> None:
        """The other end has served."""
        queue = self._opened.get((peer, number))
        if queue is not None:
            queue.end(how)

    # -- where it is served

    def on_open(self, peer: Peer, number: int, target: str, scope: Message) -> None:
        """Serves a connection of the other end."""
        queue = self._served[peer, number] = _Queue()
        keep(self._serve(peer, number, target, scope, queue), "relayed")

    async def _serve(self, peer: Peer, number: int, target: str, scope: Message, queue: _Queue) -> None:
        async def receive() -> Message:
            message = await queue.get()
            return message if message is not None else {"type": f"{scope['type']}.disconnect", "code": 1006}

        async def send(message: Message) -> None:
            peer.tell("out", number, message)
            if peer.room is not None:
                await peer.room()

        how = ""
        try:
            await self.app_for(target)({**scope, "extensions": {}}, receive, send)
        except ConnectionResetError:
            how = "cut"
        except Away:
            how = "away"
        except Exception:
            logger.exception("a request of another worker could not be served")
            how = "broken"
        finally:
            self._served.pop((peer, number), None)
            peer.tell("over", number, how)

    def on_in(self, peer: Peer, number: int, message: Message) -> None:
        """The client sends."""
        queue = self._served.get((peer, number))
        if queue is not None:
            queue.put(message)

    def on_leave(self, peer: Peer, number: int) -> None:
        """The client has left."""
        queue = self._served.get((peer, number))
        if queue is not None:
            queue.end("")

    def on_lost(self, peer: Peer) -> None:
        """Ends all that went over a peer that is gone."""
        for (other, _), queue in [*self._opened.items(), *self._served.items()]:
            if other is peer and queue.over is None:
                queue.end("gone")


def _cut(scope: Message) -> None:
    wire: Any = scope.get("extensions", {}).get(WIRE)
    if wire is None:
        raise ConnectionResetError("the connection was cut, as planned")
    sever(wire, True)


async def _unavailable(send: Send) -> None:
    body = b'{"error":{"message":"the process that serves this is starting again; try once more in a moment"}}'
    headers = [
        (b"content-type", b"application/json"),
        (b"retry-after", b"1"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
