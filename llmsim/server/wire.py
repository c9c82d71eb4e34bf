"""uvicorn's HTTP protocol, with what the application needs of a connection besides ASGI.

ASGI has no word for cutting a connection, and its two messages for one answer cost as much as planning the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from llmsim.server.outlet import FLOW, SHORTCUT, WIRE


class Shortcut:
    """Opens and finishes one response as uvicorn's own `send` would, without its checks of headers that are ours."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def open(self, status: int, headers: Sequence[tuple[bytes, bytes]], length: int | None) -> bytes | None:
        """The head of a response for the transport, or None where `send` must see to it; no length: chunked coding."""
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused or cycle.access_log:
            return None
        cycle.response_started, cycle.waiting_for_100_continue = True, False
        cycle.chunked_encoding, cycle.expected_content_length = length is None, length or 0
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        coding = b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length
        lines = [b"%b: %b\r\n" % header for header in (*cycle.default_headers, *headers)]
        return b"".join((STATUS_LINE[status], *lines, coding, end))

    def finish(self) -> None:
        """The response is complete: the next request of the connection may come."""
        cycle = self._cycle
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


class WireProtocol(HttpToolsProtocol):
    """Hands each request its connection's transport, flow control and shortcut."""

    _earlier: Sequence[RequestResponseCycle] = ()

    def on_message_begin(self) -> None:
        """Notes requests that are still under way when the next one of a pipeline comes."""
        super().on_message_begin()
        if self.cycle is not None and not self.cycle.response_complete:
            self._earlier = [*(one for one in self._earlier if not one.response_complete), self.cycle]

    def on_headers_complete(self) -> None:
        """Puts the extensions into the scope, the shortcut as soon as there is a response to take it."""
        extensions: dict[Any, Any] = {WIRE: self.transport, FLOW: self.flow}
        self.scope["extensions"] = extensions
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope is self.scope:
            extensions[SHORTCUT] = Shortcut(self.cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells every request that the client is gone; uvicorn tells the newest of pipelined ones alone."""
        for cycle in self._earlier:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)
