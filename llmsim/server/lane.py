"""The short way of a plain request: read, planned and played in the very call that brought it, past ASGI.

For a short reply a task, an event, a scope and two messages cost more than all that llmsim does. ASGI remains the way
for everything that is not plain (see heads.py), and under every other server.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from llmsim import tokens
from llmsim.dialects import Headers, Request
from llmsim.exchange import Exchange
from llmsim.server.desk import LONG, ServerDesk
from llmsim.server.heads import Head, Heads
from llmsim.server.outlet import sever
from llmsim.server.player import Player

if TYPE_CHECKING:
    from llmsim.server.wire import WireProtocol

logger = logging.getLogger("llmsim")

_LINE = b": ".join

_FAILED = b"Internal Server Error"


class Lanes:
    """Which requests may take the short way at this moment."""

    def __init__(self, desk: ServerDesk, body_limit: int) -> None:
        self.desk = desk
        self._heads = Heads(desk.routes)
        self._longest = min(LONG, body_limit)

    def find(self, data: bytes) -> tuple[Head, int, int] | None:
        """The head that the data begins with and the places where its body begins and ends; None: not this way."""
        found = None if self.desk.stopping or self.desk.passing else self._heads.find(data)
        if found is None or found[2] - found[1] > self._longest or found[0].route.heavy:
            return None
        if tokens.loaded() or found[0].route.read is None:
            return found
        return found if tokens.quick(data[found[1] : found[2]]) else None


class Lane:
    """One reply on its connection: the player's channel, and to uvicorn's protocol the cycle of the request.

    Bytes go straight to the transport. While that is full, `blocked` is set, and the player lets its pieces wait.
    """

    __slots__ = (
        "_chunked",
        "_desk",
        "_head",
        "_player",
        "_protocol",
        "_wire",
        "disconnected",
        "keep_alive",
        "response_complete",
        "started",
    )

    def __init__(self, protocol: WireProtocol, desk: ServerDesk) -> None:
        self._protocol = protocol
        self._wire = protocol.transport
        self._desk = desk
        self._head = b""
        self._chunked = False
        self._player: Player | None = None
        self.started = False
        self.disconnected = False
        self.keep_alive = True
        self.response_complete = False

    def serve(self, head: Head, body: bytes) -> None:
        """Begins the reply; what is due at once is sent before this returns."""
        client = self._protocol.client
        request = Request(
            head.method, head.path, head.query, head.headers, body, head.params, client[0] if client else ""
        )
        desk = self._desk
        try:
            ask = desk.read(head.dialect, head.route, request)
            exchange = desk.begin(head.dialect, head.route, request, ask, head.caller)
            player = desk.player(head.dialect, head.route, request, exchange, self)
            player.begin()
        except Exception:
            logger.exception("a request could not be served", extra={"fields": {"path": request.path[:300]}})
            self._fail()
            return
        if exchange.state == "live":
            self._player = desk.players[exchange.number] = player
            player.told = self._over

    def _fail(self) -> None:
        if self.started:
            self._wire.close()
            return
        self.start(500, [(b"content-type", b"text/plain; charset=utf-8")], len(_FAILED))
        self.body(_FAILED, False)

    def _over(self, exchange: Exchange) -> None:
        self._player = None
        self._desk.players.pop(exchange.number, None)

    # -- as the player's channel

    @property
    def blocked(self) -> bool:
        """Whether the client reads more slowly than it is written to."""
        return self._protocol.flow.write_paused

    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        """Notes the status and the headers; they go out with the data that follows."""
        self.started = True
        self._chunked = length is None
        coding = b"transfer-encoding: chunked" if length is None else b"content-length: %d" % length
        end = b"\r\n\r\n" if self.keep_alive else b"\r\nconnection: close\r\n\r\n"
        lines = b"\r\n".join(map(_LINE, (*self._protocol.server_state.default_headers, *headers)))
        self._head = b"%b%b\r\n%b%b" % (STATUS_LINE[status], lines, coding, end)

    def body(self, data: bytes, more: bool) -> None:
        """Sends a part of the body, the last one if not `more`."""
        end = b"" if more else b"0\r\n\r\n"
        if not self._chunked:
            self._write(self._head + data)
        elif data:
            self._write(b"%b%x\r\n%b\r\n%b" % (self._head, len(data), data, end))
        else:
            self._write(self._head + end)
        self._head = b""
        if not more:
            self.response_complete = True
            if not self.keep_alive:
                self._wire.close()
            self._protocol.on_response_complete()

    def part(self, data: bytes) -> None:
        """Sends a part of a stream, with more to come."""
        if self._head:
            self.body(data, True)
        elif data:
            self._write(b"%x\r\n%b\r\n" % (len(data), data))

    def _write(self, data: bytes) -> None:
        if not self._wire.is_closing():
            self._wire.write(data)

    def sever(self, reset: bool) -> None:
        """Ends the connection in mid-response."""
        if self._head:
            self._write(self._head)
        sever(self._wire, reset)

    def shut(self) -> None:
        """Has nothing to let go of."""

    # -- as the cycle of uvicorn's protocol

    def drained(self) -> None:
        """Told that the client reads again."""
        if self._player is not None:
            self._player.drained()

    @property
    def message_event(self) -> Lane:
        """What uvicorn sets when the client has left."""
        return self

    def set(self) -> None:
        """Told that the client has left."""
        if self._player is not None:
            self._desk.simulator.end(self._player.exchange, "abandoned")
