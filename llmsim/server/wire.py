"""uvicorn's HTTP protocol, with a short way for plain requests, and what the application needs besides ASGI.

ASGI has no word for cutting a connection; the transport and its flow control are put into the scope's extensions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from llmsim.server.heads import Found
from llmsim.server.lane import Lane, Lanes
from llmsim.server.outlet import FLOW, WIRE


class ClosingCycle(RequestResponseCycle):
    """A reply to HTTP/1.0, which knows no chunks: what has no length ends with its connection (RFC 9112, 6.3)."""

    async def send(self, message: Any) -> None:
        """Sends a part of the reply as it is; uvicorn closes the connection after the last one."""
        self.chunked_encoding = False
        self.expected_content_length = len(message.get("body", b""))
        await super().send(message)


SPARED = 64 << 20
"""Bytes of a body that are still read, and dropped, after its request was refused.

Most clients send all of it before they look at the answer, and would see nothing but a reset where the connection
closed at once; nginx lingers for the same reason (`lingering_close`).
"""


class LeavingCycle(RequestResponseCycle):
    """Says, where it is answered before a long body has come, that the connection will close."""

    async def send(self, message: Any) -> None:
        """Sends a part of the reply; the protocol closes the connection, and not in the midst of what still comes."""
        starts = message["type"] == "http.response.start" and self.more_body and self.keep_alive
        if not starts:
            await super().send(message)
            return
        told: Any = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await super().send(told)
        self.keep_alive = True


_TOO_LARGE = "Request header fields too large."


class Partial:
    """How far a request is that has come only in part.

    `began` is when its first byte came, `heard` when the last one did; `size` counts bytes since the last one that a
    part of a body, or the end of the head, came of; `headed` says that its head is whole.
    """

    __slots__ = ("began", "headed", "heard", "moved", "size", "too_large")

    def __init__(self) -> None:
        self.began: float | None = None
        self.heard = 0.0
        self.size = 0
        self.headed = self.moved = self.too_large = False

    def begin(self) -> None:
        """Notes that a request begins."""
        self.headed = self.too_large = False
        self.size = 0

    def came(self, size: int, now: float) -> int:
        """Notes that bytes have come, and gives how many of them nothing has come of yet."""
        self.size = 0 if self.moved else self.size + size
        self.heard = now
        if self.began is None:
            self.began = now
        return self.size

    @property
    def since(self) -> float | None:
        """Since when there has been no progress: a body makes some with every byte, a head only by its end."""
        return self.heard if self.headed else self.began


class WireProtocol(HttpToolsProtocol):
    """Serves a plain request in the call that brings its last byte; leaves all others to uvicorn."""

    _earlier: Sequence[RequestResponseCycle] = ()

    def __init__(self, *, lanes: Lanes, head_limit: int = 64 << 10, **given: Any) -> None:
        super().__init__(**given)
        self._lanes = lanes
        self._head_limit = head_limit
        self._waiting = b""
        self._dropped = 0
        self._within = False
        self._idle_since: float | None = None
        self._partial = Partial()
        self._found: Found | None = None
        self.address = ""
        """The client's, without its port."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for a request, and not for ever."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._idle_since = self.loop.time()
        self._look_again(self.timeout_keep_alive)

    def data_received(self, data: bytes) -> None:
        """Takes bytes of the connection, which end anywhere: all of a request, a part of one, or several."""
        cycle, lanes = self.cycle, self._lanes
        if self._within or not (cycle is None or cycle.response_complete):
            self._parsed(data)
            return
        if self._waiting:
            data, self._waiting = self._waiting + data, b""
        found = lanes.find(data, self._found)
        if found is None or found.end < len(data):
            self._parsed(data)
            return
        self._found, self._idle_since = found, None
        if found.end > len(data):
            self._waiting = data
            self._partial.headed = False  # so short a request counts as one head
            self._partial.came(0, self.loop.time())
            return
        self._partial.began = None
        self.cycle = lane = Lane(self, lanes.desk)  # type: ignore[assignment]
        lane.serve(found.head, data[found.start :])

    def _parsed(self, data: bytes) -> None:
        """Has uvicorn's parser read; a head, or what stands between parts of a body, is not kept without bounds."""
        partial = self._partial
        partial.moved = False
        super().data_received(data)
        if not self._within:
            partial.began = None
        elif partial.came(len(data), self.loop.time()) > self._head_limit and not self.transport.is_closing():
            self.send_400_response(_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request, by its own status where the head is too large."""
        if msg != _TOO_LARGE and not self._partial.too_large:
            super().send_400_response(msg)
            return
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[431] + head % len(_TOO_LARGE) + _TOO_LARGE.encode())
        self.transport.close()

    def shutdown(self) -> None:
        """Ends the connection once what is under way has been answered, be it only a part of a request."""
        if self._waiting:
            data, self._waiting = self._waiting, b""
            super().data_received(data)
        super().shutdown()

    def pause_writing(self) -> None:
        """Told that the client reads more slowly than it is written to."""
        super().pause_writing()
        for lane in self._lanes_under_way():
            lane.blocked = True

    def resume_writing(self) -> None:
        """Told that the client reads again."""
        super().resume_writing()
        for lane in self._lanes_under_way():
            lane.blocked = False
            lane.drained()

    def _lanes_under_way(self) -> list[Lane]:
        cycles: tuple[object, ...] = (*self._earlier, self.cycle)
        return [cycle for cycle in cycles if isinstance(cycle, Lane)]

    # -- keeping the connection: one timer that is looked after when it fires costs less than a new one for each request

    def _unset_keepalive_if_required(self) -> None:
        """Notes that the client is at work."""
        self._idle_since = None

    def on_response_complete(self) -> None:
        """Goes on with the next request of a pipeline, or waits for one."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Closes the connection if nothing has come for so long, or the head of a request does not end."""
        self.timeout_keep_alive_task = None
        since = self._idle_since
        if since is None and (self._within or self._waiting):
            before = any(not one.response_complete for one in self._earlier)
            since = self.loop.time() if before else self._partial.since
        if since is None:
            return  # a reply is under way; its end looks again
        left = since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_again(left)
        else:
            super().timeout_keep_alive_handler()

    def _look_again(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    # -- what uvicorn's parser and the transport tell

    def on_message_begin(self) -> None:
        """Notes requests that are still under way when the next one of a pipeline comes."""
        super().on_message_begin()
        self._within = True
        self._dropped = 0
        self._partial.begin()
        if self.cycle is not None and not self.cycle.response_complete:
            self._earlier = [*(one for one in self._earlier if not one.response_complete), self.cycle]

    def on_message_complete(self) -> None:
        """Notes that uvicorn's parser is between two requests."""
        super().on_message_complete()
        if self._dropped and type(self.cycle) is LeavingCycle:
            self.transport.close()
        self._within = False
        self._partial.moved = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header; those behind a body are nobody's and would only be kept."""
        if not self._partial.headed:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Takes a part of a body; of one that was refused, no more than is dropped in patience."""
        self._partial.moved = True
        if self.cycle.response_complete:
            self._dropped += len(body)
            if self._dropped > SPARED:
                self.transport.close()
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Puts the extensions into the scope."""
        self._partial.headed = self._partial.moved = True
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self._head_limit:
            self._partial.too_large = True
            raise ValueError(_TOO_LARGE)  # uvicorn then refuses the request
        old = self.parser.get_http_version() == "1.0"
        # Without the flow's extension nobody writes chunks to the transport, which HTTP/1.0 does not know.
        extensions: dict[Any, Any] = {WIRE: self.transport} if old else {WIRE: self.transport, FLOW: self.flow}
        self.scope["extensions"] = extensions
        super().on_headers_complete()
        if old:
            self.cycle.__class__ = ClosingCycle  # its task has not begun
        elif any(name == b"content-length" and int(value) > SPARED for name, value in self.headers):
            self.cycle.__class__ = LeavingCycle

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells every request that the client is gone; uvicorn tells the newest of pipelined ones alone."""
        for cycle in self._earlier:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        self.cycle, self._earlier = None, ()  # type: ignore[assignment]
