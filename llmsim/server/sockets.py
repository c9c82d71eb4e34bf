"""Web sockets: each frame of a client is a request, and the events of its stream go back as frames of their own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from llmsim.clock import keep
from llmsim.dialects import Request
from llmsim.server.outlet import Message, Send

Receive = Callable[[], Awaitable[Message]]
Serve = Callable[[Request, Receive, Send], Awaitable[None]]
"""Serves one request as HTTP would: given are the request, what tells of the client's leaving, and where it answers."""

_MOST_WAITING = 64
"""Frames that a client may send ahead; with more than that it is told to go (RFC 6455, 7.4.1: 1008)."""


class Session:
    """One connection: its frames are answered one after the other."""

    def __init__(self, scope: Message, receive: Receive, send: Send, serve: Serve) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._serve = serve
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._gone = False
        self._complete = False

    async def run(self) -> None:
        """Serves the connection until its client leaves."""
        await self._receive()
        await self._send({"type": "websocket.accept"})
        reader = keep(self._read(), "web socket reader")
        try:
            while (frame := await self._next()) is not None:
                await self._answer(frame)
        except ConnectionResetError:  # cut, as planned
            await self._send({"type": "websocket.close", "code": 1011})
        finally:
            reader.cancel()

    async def _read(self) -> None:
        """Takes frames in as they come, so that a client's leaving is seen at once."""
        while not self._gone:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._gone = True
            elif len(self._frames) < _MOST_WAITING:
                text = message.get("text")
                self._frames.append(message.get("bytes") or b"" if text is None else text.encode())
            else:
                self._gone = True
                await self._send({"type": "websocket.close", "code": 1008, "reason": "too many frames at once"})
            self._news.set()

    async def _next(self) -> bytes | None:
        while not self._frames and not self._gone:
            await self._waited()
        return self._frames.popleft() if self._frames and not self._gone else None

    async def _waited(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _answer(self, frame: bytes) -> None:
        scope = self._scope
        query = scope.get("query_string", b"").decode("latin-1")
        request = Request("WEBSOCKET", scope["path"], query, dict(scope["headers"]), frame)
        self._complete = False
        await self._serve(request, self._left, self._told)

    async def _left(self) -> Message:
        """Returns when the client has left, or the answer is complete."""
        while not self._gone and not self._complete:
            await self._waited()
        return {"type": "http.disconnect"}

    async def _told(self, message: dict[str, Any]) -> None:
        """Sends a part of an answer: each event's data as a frame, a whole body as one."""
        for text in _texts(message.get("body", b"")):
            if not self._gone:
                await self._send({"type": "websocket.send", "text": text})
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._complete = True
            self._news.set()


def _texts(body: bytes) -> list[str]:
    """The data of each event; what is no event stands for itself."""
    texts = []
    for event in body.split(b"\n\n"):
        data = [line.removeprefix(b"data: ") for line in event.split(b"\n") if line.startswith(b"data: ")]
        text = b"\n".join(data) if data else event.strip()
        if text and text != b"[DONE]":
            texts.append(text.decode("utf-8", "replace"))
    return texts
