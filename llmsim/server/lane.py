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
from llmsim.server.heads import Found, Head, Heads
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

    def find(self, data: bytes, before: Found | None = None) -> Found | None:
        """The head that the data begins with; None where it is not to go this way.

        `before` is what was found for the connection's request before: its head often comes again as it was.
        """
        desk = self.desk
        if desk.stopping or desk.passing:
            return None
        found = before
        if found is None or not data.startswith(found.raw):
            found = self._heads.find(data)
            if found is None or found.end - found.start > self._longest or found.head.route.heavy:
                return None
        if tokens.loaded() or found.head.route.read is None:
            return found
        return found if tokens.quick(data[found.start : found.end]) else None


class Lane:
    """One reply on its connection: the player's channel, and to uvicorn's protocol the cycle of the request.

    Bytes go straight to the transport. While that is full, `blocked` is set by the protocol, and the player lets its
    pieces wait.
    """

    __slots__ = (
        "_chunked",
        "_desk",
        "_head",
        "_player",
        "_protocol",
        "_wire",
        "blocked",
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
        self.blocked = protocol.flow.write_paused
        self.started = False
        self.disconnected = False
        self.keep_alive = True
        self.response_complete = False

    def serve(self, head: Head, body: bytes) -> None:
        """Begins the reply; what is due at once is sent before this returns."""
        request = Request(head.method, head.path, head.query, head.headers, body, head.params, self._protocol.address)
        desk, dialect, route = self._desk, head.dialect, head.route
        try:
            ask = desk.read(dialect, route, request)
            exchange = desk.begin(dialect, route, request, ask, head.caller)
            player = desk.player(dialect, route, request, exchange, self)
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

    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        """Notes the status and the headers; they go out with the data that follows."""
        self.started = True
        self._chunked = length is None
        coding = b"transfer-encoding: chunked" if length is None else b"content-length: %d" % length
        lines = [*map(_LINE, self._protocol.server_state.default_headers), *map(_LINE, headers), coding]
        if not self.keep_alive:
            lines.append(b"connection: close")
        self._head = b"%b%b\r\n\r\n" % (STATUS_LINE[status], b"\r\n".join(lines))

    def body(self, data: bytes, more: bool) -> None:
        """Sends a part of the body, the last one if not `more`."""
        if not self._chunked:
            self._write(self._head + data)
        elif data:
            # A stream of many events is long: joining copies it once.
            end = b"\r\n" if more else b"\r\n0\r\n\r\n"
            self._write(b"".join((self._head, b"%x\r\n" % len(data), data, end)))
        else:
            self._write(self._head if more else self._head + b"0\r\n\r\n")
        self._head = b""
        if more:
            return
        self.response_complete = True
        if not self.keep_alive:
            self._wire.close()
        self._protocol.on_response_complete()

    def part(self, data: bytes) -> None:
        """Sends a part of a stream, with more to come."""
        if self._head:
            self.body(data, True)
        elif data and not self._wire.is_closing():
            self._wire.write(b"%x\r\n%b\r\n" % (len(data), data))

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
