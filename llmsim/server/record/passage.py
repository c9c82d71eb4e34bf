"""Passes one request on to its upstream and the answer back, byte by byte as they come, and keeps what passed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx2

from llmsim.clock import keep
from llmsim.dialects import Answer
from llmsim.errors import Failure
from llmsim.server.outlet import WIRE, Message, Send, sever
from llmsim.server.record import hops
from llmsim.server.record.keeper import Body, Keeper
from llmsim.server.record.upstreams import Way
from llmsim.server.sockets import Receive
from llmsim.tapes import End

if TYPE_CHECKING:
    from llmsim.server.record.session import Session


_FAREWELL = 0.05
"""Seconds that an upstream has to end its answer when the client has left."""


_STATUSES = range(200, 600)
"""Those that can be passed on (RFC 9110, 15)."""


class Gone(Exception):
    """The client left before its request was whole."""


class Passage:
    """One exchange: `run` it; it ends when the answer is through, or the client or the upstream has gone."""

    def __init__(
        self, session: Session, way: Way, keeper: Keeper, scope: Message, receive: Receive, send: Send
    ) -> None:
        self._session, self._way, self._keeper = session, way, keeper
        self._scope, self._receive, self._send = scope, receive, send
        self._clock = session.clock
        self._asked = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._end: End = "left"
        self._broken = False

    async def run(self, request: httpx2.Request) -> None:
        """Passes the request on, as the session has made it."""
        request.extensions["trace"] = self._trace
        self._stamp()
        self._work = work = keep(self._pass(request), "recording")
        watch = keep(self._watch(), "recorded client")
        timer = None
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():  # some clients leave at the last event and not at the end, which is then under way
                timer = self._clock.call_at(self._clock.now() + _FAREWELL, self.end)
                await asyncio.wait({work})
        finally:
            watch.cancel()
            self.end()
            await asyncio.wait({work})
            if timer is not None:
                timer.cancel()
        if self._broken:
            raise ConnectionResetError("the upstream broke off")

    def end(self) -> None:
        """Ends it now, as if its client had left."""
        if self._work is not None:
            self._work.cancel()  # harmless where it has ended

    # -- the request

    def content(self, first: Message) -> bytes | AsyncIterator[bytes] | None:
        """The request's body, whose first part has come: all of it, or its parts as they come; None for none."""
        if first["type"] == "http.disconnect" or first.get("more_body"):
            return self._body(first)
        data: bytes = first.get("body", b"")
        self._keeper.asked.add(0.0, data)
        self._asked.set()
        return data or None

    async def _body(self, message: Message) -> AsyncIterator[bytes]:
        """The parts of the body; raises Gone when the client leaves in the midst of it."""
        while True:
            if message["type"] == "http.disconnect":
                raise Gone
            data: bytes = message.get("body", b"")
            self._keeper.asked.add(0.0, data)
            if data:
                yield data
            if not message.get("more_body"):
                self._asked.set()
                return
            message = await self._receive()

    async def _watch(self) -> None:
        """Returns when the client has left, or has its whole answer."""
        await self._asked.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Notes when the connection was there and the request goes out: what comes is timed from then on."""
        if event.endswith("send_request_headers.started"):
            self._stamp()

    def _stamp(self) -> None:
        self._keeper.sent, self._keeper.wall = self._clock.now(), self._clock.wall()

    @property
    def _at(self) -> float:
        return self._clock.now() - self._keeper.sent

    # -- the answer

    async def _pass(self, request: httpx2.Request) -> None:
        try:
            await self._answered(request)
        except Gone:
            pass
        except asyncio.CancelledError:
            await self._kept()
            raise
        await self._kept()
        if self._end == "done":
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        elif self._end == "cut":
            self._cut()

    async def _answered(self, request: httpx2.Request) -> None:
        """Passes the answer on, all but its end."""
        try:
            response = await self._session.client.send(request, stream=True)
        except httpx2.TransportError as error:
            await self._refused(_said(error))
            return
        try:
            if response.status_code in _STATUSES:
                await self._through(response)
            else:
                await self._refused(f"it answered with the status {response.status_code}, which is none of HTTP")
        except httpx2.TransportError as error:
            self._end = "cut"
            self._keeper.error = f"the upstream broke off: {_said(error)}"
        finally:
            await response.aclose()

    async def _refused(self, why: str) -> None:
        """Tells the client in its API's own words that there is no answer to pass on."""
        self._end = "error"
        upstream = self._way.upstream
        told = f"The upstream {upstream.name} at {upstream.url} did not answer: {why}" if upstream else ""
        self._keeper.error = told
        await answer(self._send, self._way.dialect.failure(Failure("bad_gateway", told)))

    async def _through(self, response: httpx2.Response) -> None:
        body = await self._begin(response)
        length = response.headers.get("content-length", "")
        async for data in response.aiter_raw():
            body.add(self._at, data)
            if length.isdigit() and body.size >= int(length):
                self._end = "done"  # the client has it all, and may leave
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self._end = "done"

    async def _begin(self, response: httpx2.Response) -> Body:
        headers = response.headers.raw
        body = self._keeper.begin(self._at, response.status_code, headers)
        told = hops.downwards(headers, response.status_code)
        await self._send({"type": "http.response.start", "status": response.status_code, "headers": told})
        return body

    def _cut(self) -> None:
        """Ends the client's connection as the upstream's ended; under a server without transports it fails instead."""
        wire = self._scope.get("extensions", {}).get(WIRE)
        if wire is None:
            self._broken = True
        else:
            sever(wire, reset=False)

    async def _kept(self) -> None:
        take = self._keeper.take(self._end, self._at)
        try:
            await self._session.scribe.keep(take, self._keeper.own)
        finally:
            self._keeper.free()


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


async def answer(send: Send, told: Answer) -> None:
    """Sends an answer of our own."""
    headers = [*told.headers, (b"content-length", b"%d" % len(told.body))]
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    await send({"type": "http.response.body", "body": told.body, "more_body": False})
