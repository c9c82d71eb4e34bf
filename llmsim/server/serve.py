"""Serves the application: in a loop that somebody else runs, or headless until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from llmsim.clock import RealClock, keep
from llmsim.errors import LlmsimError
from llmsim.honesty import Watch
from llmsim.journal import Journal
from llmsim.server import garbage, telemetry
from llmsim.server.config import Config
from llmsim.server.control import Control
from llmsim.server.handlers import Application
from llmsim.server.lane import Lanes
from llmsim.server.logs.access import Access
from llmsim.server.mock_files import MockFiles
from llmsim.server.pages import Pages
from llmsim.server.telemetry import Telemetry
from llmsim.server.wire import WireProtocol
from llmsim.simulator import Simulator
from llmsim.store import Store

if TYPE_CHECKING:
    from llmsim.server.session import SessionFile

logger = logging.getLogger("llmsim")

_FAREWELL = 0.5
"""Seconds that clients get at shutdown to take the end of their answer."""


class ServeError(LlmsimError):
    """The server cannot start; the message says why, in one sentence."""


class End:
    """The end of a server: `come` is set when it has been asked for, `signal` is the one that asked, else 0."""

    def __init__(self) -> None:
        self.come = asyncio.Event()
        self.signal = 0


class EmbeddedServer(uvicorn.Server):
    """uvicorn without its signal handlers: who runs the loop decides about signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


class Runner:
    """One server in the running event loop: `start` it, then `stop` it."""

    shares_port = False
    """Whether other processes listen on the same port."""

    def __init__(self, config: Config, simulator: Simulator | None = None) -> None:
        journal = Journal(config.journal_count, config.journal_bytes)
        clock = RealClock()
        store = Store(clock, config.store_count, config.store_bytes, config.store_age_s)
        self.config = config
        self.simulator = simulator or Simulator(config.settings(), clock=clock, journal=journal, store=store)
        self.control = Control(
            self.simulator,
            token=config.control_token,
            watch_token=config.watch_token,
            read_only=config.read_only,
        )
        self.app = self.application()
        self.app.desk.tape_bytes = config.tape_bytes
        if config.tapes:
            self._load_tapes(config)
        self.mock_files = MockFiles(self.simulator, [Path(name) for name in config.mock_files])
        if config.mock_files:
            self.mock_files.load()
        self.control.mock_problems = lambda: self.mock_files.problems
        self.control.reload_mocks = self.mock_files.reload
        self.control.resend = self.app.desk.resend
        self._telemetry: Telemetry | None = None
        simulator = self.simulator
        self.watch = Watch(simulator.journal, simulator.pacer.lag, simulator.clock, simulator.events)
        self.recorded: dict[str, Any] | None = None
        """What was recorded when it stopped."""
        self._session: SessionFile | None = None
        self._socket: socket.socket | None = None
        self._server: EmbeddedServer | None = None
        self._task: asyncio.Task[None] | None = None

    def _load_tapes(self, config: Config) -> None:
        """Loads the tapes that requests are answered from; raises TapeError."""
        from llmsim.server.reels import Reels

        reels = self.app.desk.reels = Reels(self.app.routes, self.simulator.clock, config.tape_bytes)
        for name in config.tapes:
            logger.info("%d takes on %s", reels.load(name), name)
        for note in reels.reel.notes:
            logger.warning("%s", note)

    def replay_beside_recording(self) -> None:
        """Makes room for what is recorded, where it is to be replayed at once."""
        if self.simulator.settings.replay == "new_episodes" and self.app.desk.reels is None:
            from llmsim.server.reels import Reels

            self.app.desk.reels = Reels(self.app.routes, self.simulator.clock, self.config.tape_bytes)

    def application(self) -> Application:
        """What is served."""
        config = self.config
        return Application(
            self.simulator,
            config.body_limit,
            config.apis_off,
            config.upload_limit,
            control=self.control,
            metrics=config.metrics_names,
        )

    def lanes(self) -> Lanes:
        """Which requests take the short way."""
        return Lanes(self.app.desk, self.config.body_limit)

    @property
    def address(self) -> str:
        """Host and port, once it is bound."""
        if self._socket is None:
            return f"{self.config.host}:{self.config.port}"
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def url(self) -> str:
        """The root of every API; an address of all networks is shown as this machine's own."""
        return f"http://{self.address}".replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")

    def bind(self) -> None:
        """Takes the port; raises ServeError when it cannot be had."""
        host, port = self.config.host, self.config.port
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            bound = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            raise ServeError(f"host: {host!r} is no address of this machine: {error.strerror}") from None
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self.shares_port:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind((host, port))
            bound.set_inheritable(True)
        except OSError as error:
            bound.close()
            raise ServeError(
                f"cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}; "
                "choose another with --port, or --port 0 for any free one"
            ) from None
        self._socket = bound

    def release(self) -> None:
        """Gives the port back, of a server that is not to start after all."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def start(self) -> None:
        """Binds if that has not been done, and serves; returns when requests are answered."""
        if self._socket is None:
            self.bind()
        assert self._socket is not None
        self._server = EmbeddedServer(
            uvicorn.Config(
                Pages(self.app, self.config.origins),
                http=partial(  # type: ignore[arg-type]
                    WireProtocol,
                    lanes=self.lanes(),
                    head_limit=self.config.head_limit,
                ),
                ws=_web_socket,  # type: ignore[arg-type]
                ws_max_size=self.config.body_limit,
                loop="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=4096,
                timeout_keep_alive=self.config.idle_s,  # type: ignore[arg-type]
                timeout_graceful_shutdown=int(self.config.grace_s) + 5,
            )
        )
        self.control.address = self.url
        if self.config.otel and not telemetry.off():
            self._telemetry = Telemetry(self.simulator, port=int(self.address.rpartition(":")[2]))
        self._task = keep(self._guarded(self._server), "llmsim server")
        ready = asyncio.Event()
        clock = self.simulator.clock

        def look() -> None:
            if self._task is None or self._task.done() or (self._server and self._server.started):
                ready.set()
            else:
                clock.call_at(clock.now() + 0.002, look)

        look()
        await ready.wait()
        if self._task.done():
            self._task.result()
            raise ServeError("the server ended before it had started")
        self.mock_files.watch()
        if self.config.record_session:
            from llmsim.server.session import SessionFile  # here, as most servers write none, and it takes its time

            self._session = SessionFile(self.control, self.config.record_session)
        self.watch.begin()

    def tidy(self) -> None:
        """Takes the collector of garbage in hand: for a process that is this server and nothing else."""
        meter = self.simulator.meter
        garbage.begin(self.simulator.clock, lambda: bool(meter.live))

    async def _guarded(self, server: EmbeddedServer) -> None:
        """Uvicorn leaves by SystemExit when it cannot start; here that is an error like any other."""
        try:
            await server.serve(sockets=[self._socket] if self._socket else None)
        except SystemExit as error:
            raise ServeError(f"the server could not start (exit status {error.code})") from None

    async def stop(self, grace: float | None = None) -> None:
        """Stops accepting, lets replies end for `grace` seconds, then ends those that have not."""
        if self._server is None or self._task is None:
            return
        self.app.desk.stopping = True
        self.mock_files.stop()
        self.watch.end()
        self.control.stop_scenario()
        if self._session is not None:
            self._session.stop()
        self.simulator.events.add("server", "the server is stopping")
        self._server.should_exit = True
        clock = self.simulator.clock
        wait = self.config.grace_s if grace is None else grace
        timer = clock.call_at(clock.now() + wait, self._finish)
        await asyncio.wait([self._task])
        timer.cancel()
        self.recorded = await self.app.recorder.stop("the server", hurry=True)
        if self._telemetry is not None:
            await asyncio.to_thread(self._telemetry.stop)

    def _finish(self) -> None:
        ended = self.app.desk.finish()
        self.app.recorder.finish()
        if ended:
            logger.info("ended %d replies that were still under way", ended)
        clock = self.simulator.clock
        clock.call_at(clock.now() + _FAREWELL, self._abandon)

    def _abandon(self) -> None:
        """Drops the connections of clients that do not read their answer, or never end their request."""
        for connection in list(self._server.server_state.connections if self._server else ()):
            if isinstance(connection, WireProtocol):
                connection.transport.abort()

    def hurry(self) -> None:
        """Ends the replies under way at once; for a second signal."""
        self._finish()


def _web_socket(**given: Any) -> asyncio.Protocol:
    """Uvicorn's protocol for web sockets; imported when the first one is opened, as few clients have any."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    logging.getLogger("uvicorn.error").addFilter(_without_trace)  # the same one is added only once
    return WebSocketsSansIOProtocol(**given)


def _without_trace(record: logging.LogRecord) -> bool:
    """A frame that is no UTF-8 is its client's mistake, which needs no traceback of ours."""
    if "UTF-8" in str(record.msg):
        record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
    return True


Beside = Callable[[Runner, End], Coroutine[Any, Any, None]]
"""What is done beside serving, once the server has started; it ends when the end has come."""


First = Callable[[Runner], Coroutine[Any, Any, None]]
"""What is done once the port is known and before the first request."""


async def serve(
    config: Config,
    beside: Beside | None = None,
    first: First | None = None,
    made: Callable[[Config], Runner] = Runner,
) -> None:
    """Serves until SIGINT or SIGTERM; a second signal ends the replies under way at once.

    What is done `beside` may end it too, and is waited for at the end; what is done `first` may raise. By
    what it is `made` it is one process, or several.
    """
    runner = made(config)
    if config.log_requests and logger.isEnabledFor(logging.INFO):
        Access(runner.simulator, config.log_requests)
    runner.bind()
    if first is not None:
        try:
            await first(runner)
        except BaseException:
            runner.release()
            raise
    await runner.start()
    runner.tidy()
    end = End()
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        if end.come.is_set():
            runner.hurry()
        else:
            end.signal = number
            end.come.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop, number)
    several = f", {config.workers} workers" if config.workers > 1 else ""
    logger.info("serving on %s (seed %d%s); stop with Ctrl+C", runner.url, config.seed, several)
    task = keep(beside(runner, end), "beside the server") if beside is not None else None
    await end.come.wait()
    logger.info("stopping: replies may take %g s to end; Ctrl+C again ends them now", config.grace_s)
    await runner.stop()
    if task is not None:
        await task
    logger.info("stopped")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs on uvloop where it is installed, which is faster at whole replies."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)
