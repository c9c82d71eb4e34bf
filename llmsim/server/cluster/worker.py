"""One of the processes that serve: it listens with the others on one address, and does as the hub says."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from llmsim import overrides
from llmsim.clock import RealClock, keep
from llmsim.conversation import Ask
from llmsim.dialects import Dialect, Request, Route
from llmsim.errors import Failure, LlmsimError
from llmsim.exchange import Exchange
from llmsim.server import logs
from llmsim.server.cluster.claims import Grant, Outcome
from llmsim.server.cluster.journal import SparseJournal
from llmsim.server.cluster.peer import Lost, Peer, Wire
from llmsim.server.cluster.player import WorkerSimulator
from llmsim.server.cluster.relay import App, Away, Relays
from llmsim.server.cluster.report import Report, Reporter
from llmsim.server.cluster.shared import Lock, Memory
from llmsim.server.cluster.stateful import stateful
from llmsim.server.config import Config
from llmsim.server.control import ROOT
from llmsim.server.handlers import Application
from llmsim.server.heads import Found, joined
from llmsim.server.lane import Lanes
from llmsim.server.logs.access import Access
from llmsim.server.metrics import PATH
from llmsim.server.outlet import Message, Send
from llmsim.server.serve import Runner, run
from llmsim.server.snapshot import Snapshot
from llmsim.server.sockets import Receive
from llmsim.settings import Settings
from llmsim.store import Store

logger = logging.getLogger("llmsim")

PROFILE = b"x-llmsim-profile"
"""Names a latency profile, which may be one under load: that is known to one worker alone."""

_STARTS = "The server that keeps this is being started again. Please try again in a moment."
_SOON = 1.0
"""Seconds that a client is told to wait for worker 0: what comes once its process is there waits for it by itself."""

_AGAIN = 3
"""Times that a request is claimed for anew, as the settings have changed meanwhile, before it begins as it is."""


class WorkerLanes(Lanes):
    """Of plain requests, those take the short way that need nobody else."""

    link: Link

    def find(self, data: bytes, before: Found | None = None) -> Found | None:
        """The head that the data begins with; None where it is not to go this way."""
        link = self.link
        found = None if link.taped else super().find(data, before)
        if found is None or link.simulator.counting or found.head.caller.overrides is not None:
            return None
        if link.keeper:
            return found
        head, start, end, _ = found
        if link.simulator.loaded or stateful(head.dialect, head.route, data, start, end):
            return None
        return found


class WorkerApplication(Application):
    """Serves what this worker can; the rest is served by the hub, and by the worker that keeps what clients left."""

    link: Link

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == PATH or (path.startswith(ROOT) and path[len(ROOT) : len(ROOT) + 1] in ("", "/")):
            await self.link.relay(self.link.peer, "control", scope, receive, send)
        elif self.link.taped and not self.link.keeper and path not in ("/health", "/ready"):
            await self._taped_elsewhere(scope, receive, send)
        else:
            await super()._serve(scope, receive, send)

    async def _take(
        self, dialect: Dialect, route: Route, request: Request, scope: Message, receive: Receive, send: Send
    ) -> None:
        paced = PROFILE in request.headers and not self.link.keeper
        if not (paced or self.link.elsewhere(dialect, route, request.body)):
            await super()._take(dialect, route, request, scope, receive, send)
            return
        whole: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        try:
            await self.link.hand(self.link.peer, "keeper", scope, again, send)
        except Away:
            await self._play(dialect, None, request, _away(), scope, again, send)

    async def _taped_elsewhere(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            await self.link.hand(self.link.peer, "keeper", scope, receive, send)
        except Away:
            client = (scope.get("client") or ("",))[0]
            request = Request(scope["method"], scope["path"], headers=joined(scope["headers"]), client=client)
            found = self.routes.find(request)
            dialect = found[0] if found is not None else self.routes.owner(request)
            await self._play(dialect, None, request, _away(), scope, receive, send)

    async def _socket(self, scope: Message, receive: Receive, send: Send) -> None:
        if self.link.keeper:
            await super()._socket(scope, receive, send)
            return
        try:
            await self.link.hand(self.link.peer, "keeper", scope, receive, send)
        except Away:
            await send({"type": "websocket.close", "code": 1013})

    async def _begun(self, dialect: Dialect, route: Route | None, request: Request, ask: Ask | Failure) -> Exchange:
        simulator, desk = self.link.simulator, self.desk
        if isinstance(ask, Failure) or not (simulator.counting or overrides.read(request.headers)):
            return desk.begin(dialect, route, request, ask)
        desk.know(dialect, request, ask)
        try:
            grant = await self.link.claim(ask, request.body)
        except BaseException:  # the client has left meanwhile
            simulator.forget(ask)
            simulator.came(Outcome(ask.number, None, True))
            simulator.limiter.settled(ask.number, 0, 0)
            raise
        begun: Exchange = simulator.granted(ask, grant, lambda: desk.begin(dialect, route, request, ask))
        return begun

    def ready(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether all workers take new requests."""
        ready, told = super().ready()
        return ready and self.link.all_ready, {**told, **self.link.told}


def _away() -> Failure:
    """What clients are told while worker 0, which keeps what they have left, is being started again."""
    return Failure("unavailable", _STARTS, retry_after=_SOON)


class WorkerRunner(Runner):
    """One server of several on the same port."""

    shares_port = True

    def __init__(self, config: Config, simulator: WorkerSimulator, link: Link) -> None:
        self.link = link
        super().__init__(config, simulator)

    def application(self) -> Application:
        """What is served."""
        config = self.config
        made = WorkerApplication(
            self.simulator, config.body_limit, config.apis_off, config.upload_limit, self.control, config.metrics_names
        )
        made.link = self.link
        return made

    def lanes(self) -> Lanes:
        """Which requests take the short way."""
        made = WorkerLanes(self.app.desk, self.config.body_limit)
        made.link = self.link
        return made


class Link(Relays):
    """A worker's side of the channel to the hub."""

    simulator: WorkerSimulator
    runner: WorkerRunner
    reporter: Reporter

    def __init__(self, memory: int) -> None:
        super().__init__()
        self.over = asyncio.Event()
        self.peer: Peer
        self.keeper = self.taped = False
        self.all_ready = False
        self.told: Mapping[str, Any] = {}
        self._memory = memory

    # -- what the hub tells

    def on_welcome(self, peer: Peer, told: Mapping[str, Any]) -> None:
        """Begins to serve, as the hub says."""
        config: Config = told["config"]
        self.keeper, self.taped = told["keeper"], told["taped"]
        clock = RealClock()
        store = Store(clock, config.store_count, config.store_bytes, config.store_age_s)
        journal = SparseJournal(config.journal_count, told["journal_bytes"])
        memory = Memory(self._memory, Lock(told["lock"]))
        settings = Settings.model_construct(**told["settings"])
        self.simulator = WorkerSimulator(settings, memory, clock=clock, journal=journal, store=store)
        self.simulator.revision = told["revision"]
        self.simulator.came = lambda outcome: peer.tell("came", outcome)
        self.simulator.limiter.settled = lambda *used: peer.tell("settle", *used)
        self.simulator.changed = lambda who, changes: peer.tell("change", who, changes)
        self.reporter = Reporter(self.simulator)
        self.runner = WorkerRunner(config, self.simulator, self)
        self.simulator.events.listeners.add(self._event)
        logs.set_up(config.log_level, config.log_format)
        if config.log_requests and logger.isEnabledFor(logging.INFO):
            Access(self.simulator, max(1, config.log_requests // told["of"]))
        keep(self._start(peer), "starting")

    async def _start(self, peer: Peer) -> None:
        try:
            self.runner.bind()
            await self.runner.start()
        except LlmsimError as error:
            peer.tell("failed", str(error))
            self.over.set()
            return
        self.runner.tidy()
        peer.tell("ready", os.getpid())

    def on_settings(self, peer: Peer, changes: Mapping[str, Any], revision: int) -> int:
        """Takes changes of the settings on."""
        self.simulator.follow(changes, revision)
        return revision

    def on_taped(self, peer: Peer, taped: bool) -> None:
        """Told whether all requests are worker 0's, as it records them or answers them from a tape."""
        self.taped = taped

    def on_taping(self, peer: Peer) -> bool:
        """Tells whether it does either."""
        app = self.runner.app
        return app.desk.reels is not None or app.recorder.session is not None

    def on_cluster(self, peer: Peer, ready: bool, told: Mapping[str, Any]) -> None:
        """Told how all workers are."""
        self.all_ready, self.told = ready, told

    def on_reset(self, peer: Peer, what: tuple[str, ...]) -> None:
        """Puts parts back to where they began."""
        simulator = self.simulator
        if "journal" in what:
            simulator.journal.clear()
        if "counts" in what:
            simulator.tally.clear()
        if "store" in what:
            simulator.store.clear()
            simulator.stations.forget()

    def on_pull(self, peer: Peer, fresh: bool) -> Report:
        """Tells of the traffic."""
        return self.reporter.report(fresh)

    def on_figures(self, peer: Peer) -> Snapshot:
        """Tells the figures for monitoring."""
        return self.runner.app.metrics.snapshot()

    async def on_stop(self, peer: Peer, grace: float) -> None:
        """Stops in good order."""
        await self.runner.stop(grace)
        self.over.set()

    def on_hurry(self, peer: Peer) -> None:
        """Ends the replies under way at once."""
        self.runner.hurry()

    def on_lost(self, peer: Peer) -> None:
        """Ends with the hub: without it, nobody would stop this worker, and nothing is counted any more."""
        super().on_lost(peer)
        if hasattr(self, "runner"):
            self.runner.app.desk.stopping = True  # at once: who waits for a grant is refused, and not let in uncounted
        if not self.over.is_set():
            keep(self._orphaned(), "the hub is gone")

    async def _orphaned(self) -> None:
        if hasattr(self, "runner"):
            await self.runner.stop(0)
        self.over.set()

    def _event(self) -> None:
        events = self.simulator.events
        for event in events.after(events.newest - 1, 1):
            if event.kind != "server":
                self.peer.tell("event", event.kind, event.text, event.who, event.mark)

    # -- what is asked of the hub

    async def claim(self, ask: Ask, request: bytes) -> Grant | None:
        """What the hub grants a request; None where it has nothing to say, or cannot be reached."""
        for _ in range(_AGAIN):
            claims = self.simulator.claims(ask, request)
            if claims is None:
                return None
            try:
                grant: Grant | None = await self.peer.ask("claim", claims)
            except Lost as error:
                if not self.peer.gone:
                    logger.warning("a request begins without what is counted: %s", error)
                return None
            if grant is not None:
                return grant
        return None

    def elsewhere(self, dialect: Dialect, route: Route, body: bytes) -> bool:
        """Whether another worker has to serve a request."""
        return not self.keeper and (self.simulator.loaded or stateful(dialect, route, body))

    def app_for(self, target: str) -> App:
        """Who serves what the hub sends here: all of it, or only calls of the control API."""
        return self.runner.control if target == "control" else self.runner.app


async def work(descriptor: int, memory: int) -> None:
    """Serves until the hub says that it is over."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they are sent to all processes; the hub says when to stop
    link = Link(memory)
    wire = Wire(link)
    link.peer = wire.peer
    channel = socket.socket(fileno=descriptor)
    channel.setblocking(False)
    await loop.create_unix_connection(lambda: wire, sock=channel)
    await link.over.wait()
    wire.close()


def main() -> None:
    """The process of a worker: its arguments are the descriptors of its channel and of the shared memory."""
    gc.disable()
    run(work(int(sys.argv[1]), int(sys.argv[2])))


if __name__ == "__main__":
    main()
