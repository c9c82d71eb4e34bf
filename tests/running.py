"""Runs a simulator on a free port of the loopback for one test, and looks into what it left behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, cast

import orjson
import pytest
from several import WORKERS, Several, several

from llmsim import generators, tokens
from llmsim.conversation import Ask, Reply
from llmsim.dice import Dice
from llmsim.generators import Generator
from llmsim.plan import Plan
from llmsim.server.config import Config
from llmsim.server.handlers import Application
from llmsim.server.serve import Runner
from llmsim.settings import Settings
from llmsim.simulator import Simulator

PROFILES: dict[str, Any] = {
    # Much slower than any test takes: a reply on it is under way for as long as the test wants it to be.
    "glacial": {"ttft": {"kind": "fixed", "mean": 0}, "tbt": {"kind": "fixed", "mean": 3_600_000}},
    "silent": {"ttft": {"kind": "fixed", "mean": 3_600_000}, "tbt": {"kind": "fixed", "mean": 0}},
}

Write = Callable[[Ask, Dice], Reply]


@contextlib.asynccontextmanager
async def running(**fields: Any) -> AsyncIterator[Runner]:
    """A server with these settings; instant unless told otherwise, with the profiles `glacial` and `silent`.

    It is one of several processes where the tests are told so (see several.py).
    """
    given = {"port": 0, "latency_profile": "instant", "profiles": PROFILES, "target_tokens": 20, **fields}
    if WORKERS > 1:
        with several(given) as one:
            yield cast(Runner, one)
        return
    runner = Runner(Config(**given))
    await runner.start()
    try:
        yield runner
    finally:
        await runner.stop(grace=0)


def application(**fields: Any) -> Application:
    """The ASGI application without a server."""
    tokens.preload()
    given = {"latency_profile": "instant", "profiles": PROFILES, "target_tokens": 20, **fields}
    return Application(Simulator(Settings(**given)))


def in_process(why: str) -> None:
    """Skips a test that looks into the server's own process where that is another one than the test's."""
    if WORKERS > 1:
        pytest.skip(f"{why} only in the test's own process, where no worker is")


@contextlib.contextmanager
def written_by(write: Write) -> Iterator[str]:
    """Puts a generator of the test's own among the others; gives the spec that settings name it by."""
    in_process("the test's own generator is there")

    class Own(Generator):
        kind = "own"

        def reply(self, ask: Ask, dice: Dice, target_tokens: int) -> Reply:
            return write(ask, dice)

    found = generators.kinds()
    found["own"] = Own
    generators.make.cache_clear()
    try:
        yield "own"
    finally:
        del found["own"]
        generators.make.cache_clear()


async def until(condition: Callable[[], object], patience: float = 5.0) -> None:
    """Lets the loop run until the condition holds; an error when it does not come to hold at all."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience * WORKERS**2  # of several processes the figures are asked for, which takes longer
    while not condition():
        assert loop.time() < end, "what was waited for did not come"
        await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def nothing_left(runner: Runner) -> AsyncIterator[None]:
    """Holds the server to leave no live exchange, no player and no task of a request behind."""
    yield
    if isinstance(runner, Several):
        runner.nothing_left()
        return
    meter = runner.simulator.meter
    await until(lambda: not meter.live and not runner.app.players and not _requests())
    assert all(exchange.state != "live" for exchange in runner.simulator.journal)


def _requests() -> list[str]:
    """The tasks in which uvicorn runs the application, one a request."""
    tasks = [task.get_coro() for task in asyncio.all_tasks()]
    return [str(work) for work in tasks if getattr(work, "__qualname__", "") == "RequestResponseCycle.run_asgi"]


class Wire:
    """One raw connection, for requests that no client library would send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, runner: Runner) -> AsyncIterator[Wire]:
        host, _, port = runner.address.rpartition(":")
        wire = cls(*await asyncio.open_connection(host, int(port)))
        try:
            yield wire
        finally:
            await wire.leave()

    async def ask(self, body: Mapping[str, Any] | bytes, path: str, *headers: str, method: str = "POST") -> None:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        lines = [f"{method} {path} HTTP/1.1", "host: here", "authorization: Bearer sk-test", *headers]
        if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
            lines.append(f"content-length: {len(data)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        """The status and the headers of the next answer."""
        raw = await self.reader.readuntil(b"\r\n\r\n")
        status, *lines = raw.decode("latin-1").strip().split("\r\n")
        return int(status.split()[1]), dict(line.split(": ", 1) for line in lines)

    async def body(self, headers: Mapping[str, str]) -> bytes:
        """The body of the answer with these headers."""
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        told = b""
        while chunk := await self.chunk():
            told += chunk
        return told

    async def chunk(self) -> bytes:
        """The next part of a chunked body, empty at its end."""
        size = int(await self.reader.readline(), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer, whole."""
        status, headers = await self.head()
        return status, headers, await self.body(headers)

    async def leave(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def told(plan: Plan) -> tuple[object, ...]:
    """All of a plan that a client can see or feel."""
    return [repr(piece) for piece in plan.pieces], plan.times, plan.usage, plan.faults
