"""A transport for httpx and httpx2 clients, sync and async, that asks a simulator in this process without a socket."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from typing import Any, TypeVar

from llmsim.pacer import Pacer
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator
from llmsim.testing.controls import Controls
from llmsim.testing.thread import LoopThread
from llmsim.testing.turn import Turn

T = TypeVar("T")
_NAMED = ("httpx", "httpx2")


class Transport(Controls):
    """What clients of httpx and httpx2, sync and async, take as their `transport`; any host will do.

    Async clients are served in their own loop, sync ones in a thread that `close` ends, as the client's own does. One
    loop at a time: another one can be served once all replies have ended.
    """

    def __init__(self, simulator: Simulator | None = None) -> None:
        self._simulator = simulator or Simulator(Settings(latency_profile="instant"))
        self.app = Application(self._simulator)
        self._thread = LoopThread("llmsim transport")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._first = {name: getattr(self._simulator.settings, name) for name in Settings.model_fields}

    @property
    def simulator(self) -> Simulator:
        """The simulator that it asks."""
        return self._simulator

    def _do(self, work: Callable[[], T]) -> T:
        return self._thread.call(work)

    def _end_all(self) -> None:
        self.app.desk.finish()

    # -- as httpx calls it

    def handle_request(self, request: Any) -> Any:
        """Answers a request of a sync client."""
        request.read()
        self._thread.start()
        turn = self._thread.run(self._begun(request))
        return _response(request, turn, self._thread)

    async def handle_async_request(self, request: Any) -> Any:
        """Answers a request of an async client, in its own loop."""
        await request.aread()
        turn = await self._begun(request)
        return _response(request, turn, None)

    async def _begun(self, request: Any) -> Turn:
        self._live_in(asyncio.get_running_loop())
        turn = Turn(self.app, request, importlib.import_module(_library(request)))
        try:
            await turn.begin()
        except BaseException:
            await turn.leave()
            raise
        return turn

    def _live_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """Lets the simulator live in this loop: timers of another one would never come."""
        if self._loop is loop:
            return
        if self._loop is not None:
            if self._loop.is_running() and self.app.players:
                raise RuntimeError("a transport serves one event loop at a time, and another one still has a reply")
            self._end_all()
            self._simulator.pacer = Pacer(self._simulator.clock)
        self._loop = loop
        self._simulator.light_fuses()

    def close(self) -> None:
        """Ends the thread of sync clients; the next request begins another one."""
        self._thread.stop()

    async def aclose(self) -> None:
        """Nothing is to be ended for async clients."""

    def __enter__(self) -> Transport:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Transport:
        """Itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def transport(simulator: Simulator | None = None) -> Transport:
    """A transport to a simulator of its own, whose replies come at once, or to the one given; no server, no socket.

    `OpenAI(api_key="…", http_client=httpx.Client(transport=llmsim.transport()))`. Faults that cut a connection are
    httpx's own errors, a stalled reply its read timeout. It has the controls of `llmsim.running()` but no address.
    """
    return Transport(simulator)


class _Body:
    """The body of a response as its parts come; for a sync client they come in the loop of a `thread`."""

    def __init__(self, turn: Turn, thread: LoopThread | None) -> None:
        self._turn = turn
        self._thread = thread

    def __iter__(self) -> Iterator[bytes]:
        assert self._thread is not None
        while part := self._thread.run(self._turn.part()):
            yield part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while part := await self._turn.part():
            yield part

    def close(self) -> None:
        if self._thread is not None and self._thread.alive:
            self._thread.run(self._turn.leave())

    async def aclose(self) -> None:
        await self._turn.leave()


def _library(request: Any) -> str:
    """Whose request it is: httpx or its successor."""
    name = type(request).__module__.partition(".")[0]
    return name if name in _NAMED else "httpx"


@cache
def _stream_of(library: str) -> type[Any]:
    """The body as a stream that the library takes for its own."""
    own = importlib.import_module(library)
    return type("Stream", (_Body, own.SyncByteStream, own.AsyncByteStream), {})


def _response(request: Any, turn: Turn, thread: LoopThread | None) -> Any:
    library = _library(request)
    stream = _stream_of(library)(turn, thread)
    made = importlib.import_module(library).Response
    return made(turn.status, headers=turn.headers, stream=stream, extensions={"http_version": b"HTTP/1.1"})
