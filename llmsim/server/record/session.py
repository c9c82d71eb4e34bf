"""A recording under way: its upstreams, its client, its tape, and every request that passes through."""

from __future__ import annotations

import asyncio
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx2

from llmsim.clock import Clock, keep
from llmsim.dialects import Request
from llmsim.errors import Failure
from llmsim.server.heads import joined
from llmsim.server.outlet import Message, Send
from llmsim.server.record import codings, hops
from llmsim.server.record.keeper import Body, Keeper, Room
from llmsim.server.record.options import Recording
from llmsim.server.record.passage import Passage, answer
from llmsim.server.record.scribe import Scribe
from llmsim.server.record.upstreams import Chooser, Way, brought
from llmsim.server.routes import Routes
from llmsim.server.sockets import Receive
from llmsim.tapes import Writer
from llmsim.tapes.masking import Masker

_TOGETHER = 256 << 20
"""Bytes of bodies that all exchanges under way may keep; of what comes beyond it bodies are left out."""

_CONNECT = 15.0
"""Seconds for a connection to an upstream; how long its answer takes is the client's to judge."""

_IDLE = 20.0

_PAGE = "Keys of this machine are put in here, so web pages may not ask."


class Session:
    """Passes requests on and records them, from when it is made until it is closed; raises SettingsError, TapeError."""

    def __init__(self, options: Recording, routes: Routes, clock: Clock, mask_key: str = "") -> None:
        self.options = options
        self.clock = clock
        self.began = clock.wall()
        upstreams = options.made()
        self._chooser = Chooser(routes, upstreams, options.default)
        self._injected = [one.key for one in upstreams.values() if one.key]
        self._room = Room(_TOGETHER)
        masker = Masker(options.mask_patterns, options.phone_regions, mask_key)
        writer = Writer(options.tape, rotate_at=options.rotate_bytes, limit=options.tape_bytes)
        self.scribe = Scribe(writer, masker)
        self.client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=_CONNECT),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=200, keepalive_expiry=_IDLE),
            follow_redirects=False,
        )
        self.client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))  # cookies are the clients' own
        self._passages: set[Passage] = set()
        self._closing: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    async def close(self, *, hurry: bool = False) -> None:
        """Waits for what is under way, in a hurry ends it, then closes the connections and the tape."""
        if hurry:
            self.finish()
        if self._closing is None:
            self._closing = keep(self._close(), "closing of a recording")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._idle.wait()
        await self.client.aclose()
        await self.scribe.close()

    def finish(self) -> None:
        """Ends what is under way."""
        for passage in tuple(self._passages):
            passage.end()

    @property
    def live(self) -> int:
        """Exchanges under way."""
        return len(self._passages)

    def told(self) -> dict[str, Any]:
        """How it is, for the control API and whoever shows it."""
        scribe = self.scribe
        return {
            "tape": self.options.tape,
            "upstreams": dict(self.options.upstreams),
            "inject_keys": self.options.inject_keys,
            "since": self.began,
            "live": self.live,
            "exchanges": scribe.writer.takes,
            "ends": dict(scribe.ends),
            "bytes": scribe.writer.size,
            "masked": scribe.masked,
            "lost": scribe.lost,
            "problem": scribe.problem,
        }

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        headers: hops.Pairs = [(name.lower(), value) for name, value in scope["headers"]]
        query = scope["query_string"].decode("latin-1")
        request = Request(scope["method"], scope["path"], query, joined(headers))
        raw_path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        way = self._chooser.way(request, raw_path)
        refused = self._refused(way, request)
        if refused is not None:
            await answer(send, way.dialect.failure(refused))
            return
        passage = Passage(self, way, self._keeper(way, request, headers), scope, receive, send)
        self._passages.add(passage)
        self._idle.clear()
        try:
            first = await receive()
            await passage.run(self._made(way, request, headers, passage, first))
        finally:
            self._passages.discard(passage)
            if not self._passages:
                self._idle.set()

    def _refused(self, way: Way, request: Request) -> Failure | None:
        if way.upstream is None:
            known = ", ".join(self.options.upstreams)
            message = f"This server records and has no upstream for {way.dialect.provider}; there are {known}."
            return Failure("not_found", message)
        page = b"origin" in request.headers or b"sec-fetch-site" in request.headers
        return Failure("forbidden", _PAGE) if page and way.upstream.key else None

    def _keeper(self, way: Way, request: Request, headers: hops.Pairs) -> Keeper:
        limit = self.options.body_limit
        coding = request.headers.get(b"content-encoding", b"").decode("latin-1")
        return Keeper(
            request.method,
            way.path,
            request.query,
            headers,
            Body(limit, self._room, coding),
            limit,
            self._room,
            upstream=way.upstream.name if way.upstream else "",
            provider=way.dialect.provider if way.known else "",
            dialect=way.dialect.kind if way.known else "",
            beside=self.live,
            own=[one for one in (*self._injected, *brought(headers, request.query)) if len(one) >= 8],
        )

    def _made(
        self, way: Way, request: Request, headers: hops.Pairs, passage: Passage, first: Message
    ) -> httpx2.Request:
        """The request as it goes to the upstream: what the client sent, with its key or ours."""
        upstream = way.upstream
        assert upstream is not None
        told, query = upstream.credited(hops.upwards(headers, codings.known()), request.query)
        target = upstream.target(way.path) + (f"?{query}" if query else "")
        return httpx2.Request(
            request.method,
            upstream.origin,
            headers=told,
            content=passage.content(first),
            extensions={"target": target.encode("latin-1"), "timeout": self.client.timeout.as_dict()},
        )
