"""Lets pages in browsers use the APIs, as the providers' own servers let them (CORS).

Who serves pages of this machine can use the SDKs in them; those of other sites are told nothing, so that a page that
somebody happens to visit cannot read what is on this server. The control API is for no page.
Source: the Fetch standard, and what api.openai.com and api.anthropic.com answer as users quote it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from llmsim.dialects import Answer, Dialect, Request
from llmsim.errors import Failure
from llmsim.server.control import ROOT
from llmsim.server.origins import is_among
from llmsim.server.outlet import Message, Send
from llmsim.server.sockets import Receive

if TYPE_CHECKING:
    from llmsim.server.handlers import Application

_DIRECT = b"anthropic-dangerous-direct-browser-access"
_UNMARKED = Failure("unauthenticated", f"CORS requests must set '{_DIRECT.decode()}' header")

# What a script may read of the headers, by provider.
_EXPOSED = {"openai": b"X-Request-ID", "gemini": b"vary,vary,vary,content-encoding,date,server,content-length"}
_METHODS = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
_ALLOW = b"access-control-allow-origin"


class Pages:
    """The application for pages in browsers as well: it answers their questions before, and marks their answers."""

    def __init__(self, app: Application, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves a request; for one that no page sends this is a look at its headers."""
        page = scope["type"] == "http" and any(name == b"origin" for name, _ in scope["headers"])
        await (self._serve if page else self._app)(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """A request of a page: while others are recorded the real API answers for itself."""
        path: str = scope["path"]
        if self._app.desk.passing or path == ROOT or path.startswith(f"{ROOT}/"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        allowed = is_among(headers[b"origin"].decode("latin-1"), self._origins)
        if allowed and scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _reply(send, Answer(200, b"", _preflight(headers)))
            return
        dialect = self._dialect(scope, headers)
        if dialect.provider == "anthropic" and headers.get(_DIRECT) != b"true":
            await _reply(send, dialect.failure(_UNMARKED))
            return
        await self._app(scope, receive, _marking(send, dialect.provider) if allowed else send)

    def _dialect(self, scope: Message, headers: Mapping[bytes, bytes]) -> Dialect:
        request = Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers)
        found = self._app.routes.find(request)
        return self._app.routes.owner(request) if found is None else found[0]


def _preflight(headers: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """What a browser asks before it sends a request: it may send whatever it wants to."""
    told = [(_ALLOW, b"*"), (b"access-control-allow-methods", _METHODS), (b"access-control-max-age", b"86400")]
    wanted = headers.get(b"access-control-request-headers")
    if wanted is not None:
        told.append((b"access-control-allow-headers", wanted))
    if headers.get(b"access-control-request-private-network") == b"true":
        told.append((b"access-control-allow-private-network", b"true"))
    return [*told, (b"vary", b"Origin")]


def _marking(send: Send, provider: str) -> Send:
    """Sends with the headers that let a page's script read the answer."""
    marks = [(_ALLOW, b"*"), (b"access-control-expose-headers", _EXPOSED.get(provider, b"*"))]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *marks]}
        await send(message)

    return sending


async def _reply(send: Send, answer: Answer) -> None:
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
