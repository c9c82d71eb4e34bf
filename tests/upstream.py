"""An API that does what a test tells it, byte by byte, and a server that records it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from running import running
from several import Several

from llmsim.server.record.options import Recording
from llmsim.server.serve import Runner
from llmsim.tapes import Take, Tape

Serve = Callable[["Call"], Awaitable[None]]
Read = Callable[[asyncio.StreamReader], Awaitable[bytes]]


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"0\r\n\r\n")


class Call:
    """One request that has come, and the connection to answer it on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.head = b""
        self.body = b""

    async def read(self, chunked: Read) -> None:
        self.head = await self.reader.readuntil(b"\r\n\r\n")
        if b"chunked" in self.head.lower():
            self.body = await chunked(self.reader)
        elif length := self.header("content-length"):
            self.body = await self.reader.readexactly(int(length))

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    def header(self, name: str) -> str:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return next((line.split(": ", 1)[1] for line in lines if line.lower().startswith(f"{name}:")), "")

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def stream(self, *headers: str, status: str = "200 OK") -> None:
        """The head of a chunked response."""
        lines = [f"HTTP/1.1 {status}", "transfer-encoding: chunked", *headers]
        self.write("\r\n".join([*lines, "", ""]).encode())

    def chunk(self, data: bytes) -> None:
        self.write(b"%x\r\n%b\r\n" % (len(data), data))

    def close(self) -> None:
        self.write(b"0\r\n\r\n")

    def whole(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
        self.write("\r\n".join([*lines, "", ""]).encode() + body)


@contextlib.asynccontextmanager
async def upstream(serve: Serve, chunks: Read | None = None) -> AsyncIterator[str]:
    """An API on a free port, which reads chunked bodies as told; gives its address."""
    calls: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        calls.add(task)
        try:
            while True:
                call = Call(reader, writer)
                await call.read(chunks or _chunks)
                await serve(call)
                if writer.is_closing():
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            calls.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for one in tuple(calls):
            one.cancel()
        if calls:
            await asyncio.wait(calls)
        await server.wait_closed()


@contextlib.asynccontextmanager
async def recorder(tape: Path, upstreams: dict[str, str], **options: Any) -> AsyncIterator[Runner]:
    """A server that records from its first request on; at the end its tape is closed."""
    told = {"tape": str(tape), "upstreams": upstreams, **options}
    async with running() as runner:
        if not isinstance(runner, Several):
            await runner.app.recorder.start(Recording.of(told))
            yield runner
            return
        await asyncio.to_thread(runner.call, "POST", "record", told)
        try:
            yield runner
        finally:
            await asyncio.to_thread(runner.call, "DELETE", "record")


def takes(tape: Path) -> list[Take]:
    return list(Tape(tape))
