"""One request of a client in this process, played to it as the ASGI application sends it."""

from __future__ import annotations

import asyncio
from typing import Any

from llmsim.clock import keep
from llmsim.server.handlers import Application
from llmsim.server.outlet import WIRE, Message

_CUT = "peer closed connection without sending complete message body"
_NONE = "Server disconnected without sending a response."


class Turn:
    """Begun, then read part by part; left early, the exchange is abandoned.

    To the application it is the connection, too: a fault closes or aborts it, and the client gets httpx's own error.
    """

    def __init__(self, app: Application, request: Any, library: Any) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._request = request
        self._library = library
        self._body: bytes | None = request.content
        self._patience = request.extensions.get("timeout", {}).get("read")
        self._parts: asyncio.Queue[bytes | Exception] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._over = False
        self._task = keep(app(self._scope(request), self._receive, self._send), "llmsim request")
        self._task.add_done_callback(self._ended)

    def _scope(self, request: Any) -> Message:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": (request.url.host, request.url.port),
            "client": ("127.0.0.1", 0),
            "extensions": {WIRE: self},
        }

    # -- the client's side

    async def begin(self) -> None:
        """Returns when the status and the headers are known; raises the client library's errors."""
        await self._next()

    async def part(self) -> bytes:
        """The next part of the body, empty at its end; raises the client library's errors."""
        if self._over:
            return b""
        found = await self._next()
        self._over = not found
        return found

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._patience):
                found = await self._parts.get()
        except TimeoutError:
            raise self._library.ReadTimeout("The read operation timed out", request=self._request) from None
        if isinstance(found, Exception):
            self._over = True
            raise found
        return found

    async def leave(self) -> None:
        """Tells the application that the client has left, and waits until it has seen it."""
        self._over = True
        self._gone.set()
        await asyncio.wait([self._task])

    # -- the application's side

    async def _receive(self) -> Message:
        if self._body is None:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message.get("headers", [])
            self._parts.put_nowait(b"")
            return
        body = message.get("body", b"")
        if body and self._request.method != "HEAD":
            self._parts.put_nowait(body)
        if not message.get("more_body"):
            self._parts.put_nowait(b"")
            self._gone.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An application that fails, or ends without a word, must not leave its client waiting."""
        error = None if task.cancelled() else task.exception()
        told = error if isinstance(error, Exception) else self._broken("RemoteProtocolError", _CUT)
        self._parts.put_nowait(told)

    def _broken(self, name: str, words: str) -> Exception:
        made: Exception = getattr(self._library, name)(words if self.status else _NONE, request=self._request)
        return made

    # -- as the connection's transport

    def close(self) -> None:
        """Ends the connection in mid-response."""
        self._parts.put_nowait(self._broken("RemoteProtocolError", _CUT))
        self._gone.set()

    def abort(self) -> None:
        """Ends it by a reset."""
        self._parts.put_nowait(self._broken("ReadError", "[Errno 104] Connection reset by peer"))
        self._gone.set()

    def is_closing(self) -> bool:
        """Whether it has ended."""
        return self._gone.is_set()

    def get_extra_info(self, name: str) -> None:
        """There is no socket."""
