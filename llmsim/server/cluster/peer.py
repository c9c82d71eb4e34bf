"""The other end of a channel between two processes: things are told, and things are asked and answered."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from llmsim.clock import keep
from llmsim.errors import LlmsimError
from llmsim.server.cluster import codec

logger = logging.getLogger("llmsim")

_HEAD = struct.Struct("!I")

FULL = 8 << 20
"""Bytes that may wait for the other end before who sends a body is made to wait, too."""


class Lost(LlmsimError):
    """The other end is gone, or did not answer in time."""


class Peer:
    """One end of a channel; what comes is handled by the methods `on_KIND` of its owner.

    What is asked is answered by what such a method returns, or by what its coroutine comes to.
    """

    def __init__(self, owner: Any, write: Callable[[bytes], None]) -> None:
        self._owner = owner
        self._write = write
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self.gone = False
        self.room: Callable[[], Awaitable[None]] | None = None
        """Waits until the other end takes more, where that is known."""

    def tell(self, kind: str, *told: Any) -> None:
        """Tells something; nothing comes back."""
        self._send((kind, 0, told))

    async def ask(self, kind: str, *told: Any, patience: float = 30.0) -> Any:
        """What the other end answers; raises Lost where it is gone or takes longer than that many seconds."""
        if self.gone:
            raise Lost("the other process is gone")
        number = next(self._numbers)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send((kind, number, told))
        try:
            return await asyncio.wait_for(future, patience)
        except TimeoutError:
            raise Lost(f"the other process has not answered for {patience:g} s") from None
        finally:
            self._asked.pop(number, None)

    def _send(self, frame: tuple[str, int, tuple[Any, ...]]) -> None:
        if not self.gone:
            self._write(codec.dumps(frame))

    def feed(self, data: bytes | memoryview) -> None:
        """Takes a frame that has come."""
        try:
            kind, number, told = codec.loads(data)
        except codec.Unreadable as error:
            logger.error("what another process sent %s", error)
            return
        if kind in ("=", "!"):
            future = self._asked.get(number)
            if future is not None and not future.done():
                if kind == "=":
                    future.set_result(told[0])
                else:
                    future.set_exception(Lost(told[0]))
            return
        try:
            made = getattr(self._owner, f"on_{kind}")(self, *told)
            if asyncio.iscoroutine(made):
                keep(self._answer(number, made), f"answering {kind}")
            elif number:
                self._send(("=", number, (made,)))
        except Exception as error:
            logger.exception("what another process sent could not be handled: %s", kind)
            if number:
                self._send(("!", number, (str(error),)))

    async def _answer(self, number: int, made: Awaitable[Any]) -> None:
        try:
            told = await made
            if number:
                self._send(("=", number, (told,)))
        except LlmsimError as error:
            if number:
                self._send(("!", number, (str(error),)))

    def lose(self) -> None:
        """Told that the other end is gone."""
        self.gone = True
        for future in self._asked.values():
            if not future.done():
                future.set_exception(Lost("the other process is gone"))
        self._owner.on_lost(self)


class Wire(asyncio.Protocol):
    """Frames on a stream: their length in four bytes, then what they say."""

    def __init__(self, owner: Any) -> None:
        self.peer = Peer(owner, self._write)
        self._transport: asyncio.Transport
        self._buffer = bytearray()
        self._room = asyncio.Event()
        self._room.set()
        self.peer.room = self._room.wait  # type: ignore[assignment]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's is none by its class
        self._transport.set_write_buffer_limits(FULL)

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(_HEAD.pack(len(data)) + data)

    def pause_writing(self) -> None:
        """Told that the other end is slow."""
        self._room.clear()

    def resume_writing(self) -> None:
        """Told that it has caught up."""
        self._room.set()

    def data_received(self, data: bytes) -> None:
        """Takes bytes in, whole frames at once."""
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= 4:
            (size,) = _HEAD.unpack_from(buffer, at)
            if len(buffer) - at - 4 < size:
                break
            frame = bytes(buffer[at + 4 : at + 4 + size])
            at += 4 + size
            self.peer.feed(frame)
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        """Told that the other end is gone."""
        self._room.set()
        self.peer.lose()

    def close(self) -> None:
        """Ends the channel."""
        self._transport.close()
