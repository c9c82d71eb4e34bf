"""Sends ASGI messages without a task of its own, so that one timer can write to a thousand clients."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

Message = dict[str, Any]
Send = Callable[[Message], Coroutine[Any, Any, None]]

WIRE = "llmsim.wire"
"""The scope extension that holds the connection's transport, where the server gives it."""

FLOW = "llmsim.flow"
"""The scope extension with the connection's flow control: `write_paused` says that the client reads too slowly."""

# Linger on, for no time: closing then sends a TCP reset (socket(7), SO_LINGER).
_RESET = struct.pack("ii", 1, 0)


class Outlet:
    """Drives the server's `send` by hand; while the client's socket is full, messages wait here and `blocked` is set.

    `drained`, set by who plays, is called when it can take more again. Made within the request's own task, which is
    cancelled, and `cancels` set, where a connection must end and the server gives no transport to end it by.
    """

    __slots__ = (
        "_coroutine",
        "_flow",
        "_queue",
        "_send",
        "_task",
        "_wire",
        "blocked",
        "cancels",
        "drained",
        "started",
    )

    def __init__(self, send: Send, scope: Message) -> None:
        self._send = send
        self.drained: Callable[[], None] | None = None
        extensions = scope.get("extensions", {})
        self._wire: Any = extensions.get(WIRE)
        self._flow = extensions.get(FLOW)
        self._task = asyncio.current_task() if self._wire is None else None
        self._queue: deque[Message] = deque()
        self._coroutine: Coroutine[Any, Any, None] | None = None
        self.blocked = False
        self.cancels = False
        self.started = False

    def start(self, status: int, headers: list[tuple[bytes, bytes]], length: int | None = None) -> None:
        """Sends the status and the headers; `length` is that of the whole body in bytes, None where it is not known."""
        self.started = True
        told = headers if length is None else [*headers, (b"content-length", b"%d" % length)]
        self.push({"type": "http.response.start", "status": status, "headers": told})

    def body(self, data: bytes, more: bool) -> None:
        """Sends a part of the body, the last one if not `more`."""
        self.push({"type": "http.response.body", "body": data, "more_body": more})

    def part(self, data: bytes) -> None:
        """Sends a part of a stream, with more to come; straight to the transport, in chunked coding, where it may."""
        flow = self._flow
        if flow is None or flow.write_paused or self.blocked or self._wire.is_closing():
            self.body(data, True)
        elif data:
            self._wire.write(b"%x\r\n%b\r\n" % (len(data), data))

    def push(self, message: Message) -> None:
        """Sends a message at once, or as soon as the client takes more."""
        if self.blocked:
            self._queue.append(message)
            return
        coroutine = self._send(message)
        try:
            waits_for = coroutine.send(None)
        except StopIteration:
            return
        self._coroutine, self.blocked = coroutine, True
        self._wait(waits_for)

    def _wait(self, waits_for: asyncio.Future[Any] | None) -> None:
        if waits_for is None:
            asyncio.get_running_loop().call_soon(self._resume, None)
        else:
            # What a task does when a coroutine yields a future to it (asyncio.tasks.Task.__step).
            waits_for._asyncio_future_blocking = False
            waits_for.add_done_callback(self._resume)

    def _resume(self, _: asyncio.Future[Any] | None) -> None:
        coroutine = self._coroutine
        if coroutine is None:
            return
        try:
            self._wait(coroutine.send(None))
        except StopIteration:
            self._coroutine, self.blocked = None, False
            while self._queue and not self.blocked:
                self.push(self._queue.popleft())
            if not self.blocked and self.drained is not None:
                self.drained()

    def sever(self, reset: bool) -> None:
        """Ends the connection in mid-response: by a TCP reset, or after what was written has gone out."""
        wire = self._wire
        if wire is None:
            self.cancels = True
            if self._task is not None:
                self._task.cancel()
            return
        sever(wire, reset)

    def shut(self) -> None:
        """Lets go of everything that was still to be sent, and of who plays."""
        self.drained = None
        self._queue.clear()
        if self._coroutine is not None:
            self._coroutine.close()
            self._coroutine = None
        if self.cancels and self._task is not None:
            self._task.uncancel()


def sever(wire: Any, reset: bool) -> None:
    """Ends a transport's connection: by a TCP reset, or after what was written has gone out."""
    if not reset:
        wire.close()
        return
    plug = wire.get_extra_info("socket")
    # A client may have gone in the moment between the last bytes and the reset: there is no socket left to set then.
    if plug is not None and plug.fileno() >= 0 and plug.family in (socket.AF_INET, socket.AF_INET6):
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    wire.abort()
