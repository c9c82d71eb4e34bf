"""The process that makes one server of several: it serves nobody, decides for all, and looks after the workers."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from llmsim.clock import keep
from llmsim.dialects import Answer, Request
from llmsim.server.cluster.authority import HubSimulator
from llmsim.server.cluster.book import Book
from llmsim.server.cluster.claims import Claims, Outcome
from llmsim.server.cluster.federation import Federation, Replica
from llmsim.server.cluster.lookout import HubMetrics, Lookout
from llmsim.server.cluster.peer import Lost, Peer
from llmsim.server.cluster.relay import App, Away, Relays
from llmsim.server.cluster.seat import Seat
from llmsim.server.cluster.shared import SIZE, Lock, Memory, SharedRepeats
from llmsim.server.config import Config
from llmsim.server.control import ROOT
from llmsim.server.handlers import Application
from llmsim.server.metrics import PATH
from llmsim.server.outlet import Message, Send
from llmsim.server.serve import Runner, ServeError
from llmsim.server.sockets import Receive
from llmsim.settings import Settings

logger = logging.getLogger("llmsim")

_ACT = re.compile(re.escape(ROOT) + r"/exchanges/(\d{1,18})/(\w+)")
_UNSEEN = re.compile(
    re.escape(ROOT) + r"/(settings.*|profiles|limits.*|undo|redo|changes|reset|events|faults/kinds|openapi\.json)"
)
"""Calls that are not about the traffic, which the workers know of."""
_TAPES = re.compile(re.escape(ROOT) + r"/(record|replay)(/.*)?")
_ALONE = "the cluster cannot be reached, so that nothing can be changed for all of it; this replica serves on as it is"
_FIGURES = ("/state", "/faults", "/mocks", "/store")
"""Those of them that are about numbers alone."""
_APPLIED = 2.0
"""Seconds that a call of the control API waits at most until all workers have taken on what it changed."""
_START = 60.0
"""Seconds that the workers may take to start."""


class Hub(Relays, Runner):
    """Serves by workers: has the settings, the counts and the control API, and no traffic of its own."""

    shares_port = True

    def __init__(self, config: Config) -> None:
        Relays.__init__(self)
        self.seats: list[Seat] = []
        self.hub_simulator = HubSimulator(config, self.tell_all, self.spread)
        self.meter = self.hub_simulator.meter
        self.lookout = Lookout(self, config.journal_count)
        self._tapes = config.tapes
        self._taped = bool(config.tapes)
        self.federation: Federation | None = None  # nobody else is told of what the files of mocks change at the start
        Runner.__init__(self, config.model_copy(update={"tapes": ()}), self.hub_simulator)
        self.started = False
        self.federation = Federation(self, config.cluster, config.cluster_name) if config.cluster else None
        self.control.recorder = self.control.desk = None  # what would be recorded or replayed does not pass by here
        self.book = Book(self.hub_simulator)
        self._spreading: set[asyncio.Task[Any]] = set()
        self._failed = ""
        self._closing = False
        self._ready = asyncio.Event()

    def application(self) -> Application:
        """What the control API reads requests again by; it serves nobody."""
        made = super().application()
        metrics = HubMetrics(self.simulator, made.routes, self.config.metrics_names)
        metrics.lookout = self.lookout
        made.metrics = metrics
        return made

    # -- starting and stopping

    def bind(self) -> None:
        """Takes the port, which nobody else may have; the workers then share it."""
        if self.config.record_session:
            raise ServeError("record_session: a session is recorded by a server of one process; leave the workers away")
        self.shares_port = False
        super().bind()
        assert self._socket is not None
        port = self._socket.getsockname()[1]
        self._socket.close()
        self.config = self.config.model_copy(update={"port": port})
        self.shares_port = True
        super().bind()

    async def start(self) -> None:
        """Starts the workers; returns when all of them answer requests."""
        if self._socket is None:
            self.bind()
        self.control.address = self.url
        self.control.members, self.control.cluster = self.members, self._cluster
        if self.federation is None:
            self.simulator.light_fuses()
        self._lock = Lock(f"/llmsim-{os.getpid()}-{self.config.port}", new=True)
        self._memory = os.memfd_create("llmsim") if hasattr(os, "memfd_create") else _unnamed()
        os.ftruncate(self._memory, SIZE)
        self._counts = Memory(self._memory, self._lock)
        self.simulator._repeats = SharedRepeats(self._counts)
        if self.federation is not None:
            await self.federation.bus.start()
        self.seats = [Seat(self, index, self._memory) for index in range(self.config.workers)]
        for seat in self.seats:
            keep(seat.fill(), f"worker {seat.index}")
        try:
            await asyncio.wait_for(self._ready.wait(), _START)
        except TimeoutError:
            self._failed = f"the workers did not start within {_START:g} s"
        if self._failed:
            await self.stop(0)
            raise ServeError(self._failed)
        self.started = True
        self.mock_files.watch()
        keep(self.lookout.read(), "loading")

    async def stop(self, grace: float | None = None) -> None:
        """Lets the replies of all workers end for `grace` seconds, then ends those that have not."""
        if self._closing:
            return
        self._closing = True
        self.app.desk.stopping = True
        self.mock_files.stop()
        self.control.stop_scenario()
        self.simulator.events.add("server", "the server is stopping")
        if self.federation is not None:
            await self.federation.bus.stop()
        await asyncio.gather(*(seat.empty(self.config.grace_s if grace is None else grace) for seat in self.seats))
        self._lock.forget()
        if self._socket is not None:
            self._socket.close()

    def hurry(self) -> None:
        """Ends the replies under way at once; for a second signal."""
        self.tell_all("hurry")

    # -- the workers

    @property
    def peers(self) -> list[Peer]:
        """The channels to all workers there are."""
        return [seat.peer for seat in self.seats if seat.peer is not None and not seat.peer.gone]

    def tell_all(self, kind: str, *told: Any) -> None:
        """Tells all workers, those of other machines too where this hub leads them."""
        for peer in self.peers:
            peer.tell(kind, *told)
        if self.federation is not None and self.federation.leads and kind == "reset":
            self.federation.bus_all(kind, *told)

    def welcome(self, seat: Seat) -> Mapping[str, Any]:
        """What a worker begins with."""
        settings, keeper = self.simulator.settings, seat.index == 0
        if keeper and self._taped != bool(self._tapes):
            logger.warning("what was recorded, or replayed from a tape of the control API, has ended with worker 0")
            keep(self._tape(bool(self._tapes)), "tapes")
        own: dict[str, Any] = {
            "mock_files": (),
            "scenario": "",
            "workers": 1,
            "cluster": "",
            "tapes": self._tapes if keeper else (),
        }
        return {
            "index": seat.index,
            "of": self.config.workers,
            "keeper": keeper,
            "taped": bool(self._tapes) if keeper else self._taped,
            "config": self.config.model_copy(update=own),
            "journal_bytes": max(1 << 16, self.config.journal_bytes // self.config.workers),
            "lock": self._lock.name,
            "settings": {name: getattr(settings, name) for name in Settings.model_fields},
            "revision": self.hub_simulator.revision,
        }

    def _seat(self, peer: Peer) -> Seat:
        return next(seat for seat in self.seats if seat.peer is peer)

    def on_ready(self, peer: Peer, pid: int) -> None:
        """A worker answers requests."""
        self._seat(peer).ready = True
        self.tell_state()
        if all(seat.ready for seat in self.seats):
            self._ready.set()

    def on_failed(self, peer: Peer, why: str) -> None:
        """A worker cannot start."""
        self._failed = why
        self._ready.set()

    def on_lost(self, peer: Peer) -> None:
        """A worker is gone: what it had is given back, and another takes its place."""
        super().on_lost(peer)
        seat = self._seat(peer)
        self.book.lost(peer)
        self.lookout.lost(seat)
        seat.left()
        if not self._closing:
            self.tell_state()

    def tell_state(self) -> None:
        """Tells all workers how all of them are, for /ready."""
        ready = sum(seat.ready for seat in self.seats)
        told = {"workers": {"ready": ready, "of": len(self.seats)}, **self._cluster()}
        self.tell_all("cluster", ready == len(self.seats), told)

    def _cluster(self) -> dict[str, Any]:
        return {} if self.federation is None else self.federation.told()

    @property
    def closing(self) -> bool:
        """Whether the server is stopping."""
        return self._closing

    def members(self) -> dict[str, Any]:
        """How the workers are, for people."""
        seats: list[Seat | Replica] = [*self.seats, *self.replicas]
        return {"workers": [one.json(self.meter.of((one.index, one.starts))) for one in seats], **self._cluster()}

    @property
    def replicas(self) -> list[Replica]:
        """The hubs of other machines that this one leads."""
        federation = self.federation
        return list(federation.replicas.values()) if federation is not None and federation.leads else []

    # -- what is decided here

    def spread(self, changes: Mapping[str, Any], revision: int) -> None:
        """Tells all workers of changes; they are applied in the order in which they were made."""
        for seat in self.seats:
            seat.spread(changes, revision)
        if self.federation is not None:
            for task in self.federation.spread(changes, revision):
                self._spreading.add(task)
                task.add_done_callback(self._spreading.discard)

    def number_from(self, least: int) -> None:
        """Numbers exchanges from there on, so that no two machines have the same."""
        self._counts.number_from(least)

    def forget(self, what: tuple[str, ...]) -> None:
        """Puts parts back to where they began, as another hub says."""
        if "journal" in what:
            self.simulator.journal.clear()
        if "counts" in what:
            self.simulator.tally.clear()
            self._counts.clear()
        if "limits" in what:
            self.simulator.limiter.clear()
        for peer in self.peers:
            peer.tell("reset", what)

    async def applied(self) -> None:
        """Waits until all workers have taken on every change so far."""
        waiting = [*self._spreading, *(one for seat in self.seats for one in seat.applying)]
        if waiting:
            await asyncio.wait(waiting, timeout=_APPLIED)
        if self.federation is not None and self.federation.leads:
            await self.federation.scribe.written(whole=True)

    def on_change(self, peer: Peer, who: str, changes: Mapping[str, Any]) -> None:
        """A worker's part of the control API changes settings."""
        self.simulator.change(who=who, **changes)

    def on_claim(self, peer: Peer, claims: Claims) -> Any:
        """Decides what a request is given; None where it was claimed for under other settings."""
        if claims.revision != self.hub_simulator.revision:
            return None
        if self.federation is not None:
            return self.federation.claim(claims, peer)
        return self.book.grant(claims, peer)

    def on_came(self, peer: Peer, outcome: Outcome) -> None:
        """What came of a grant."""
        if self.federation is None or not self.federation.came(outcome):
            self.book.came(outcome)

    def on_settle(self, peer: Peer, number: int, tokens_in: int, tokens_out: int) -> None:
        """What a request has really used."""
        if self.federation is None or not self.federation.settle(number, tokens_in, tokens_out):
            self.book.settle(number, tokens_in, tokens_out, peer)

    def on_event(self, peer: Peer, kind: str, text: str, who: str, mark: str) -> None:
        """Something happened in a worker."""
        self.simulator.events.add(kind, text, who, mark)

    # -- tapes

    async def _tapes_call(self, scope: Message, receive: Receive, send: Send) -> None:
        """Records and replays: both are worker 0's, and all requests too while it does either."""
        keeper, changes = self.seats[0].peer, scope["method"] not in ("GET", "HEAD")
        assert keeper is not None
        if changes and scope["method"] != "DELETE":
            await self._tape(True)
        await self.relay(keeper, "control", scope, receive, send)
        if changes:
            await self.applied()
            with suppress(Lost):
                await self._tape(await keeper.ask("taping"))

    async def _tape(self, taped: bool) -> None:
        """Has all requests served by worker 0, or by all again."""
        self._taped = taped
        await asyncio.gather(*(peer.ask("taped", taped) for peer in self.peers), return_exceptions=True)

    # -- the control API

    def app_for(self, target: str) -> App:
        """Who serves what a worker sends here."""
        if target in ("control", "here"):
            return self._control if target == "control" else self._here
        keeper = self.seats[0].peer
        if keeper is None:
            raise Away
        return lambda scope, receive, send: self.hand(keeper, "app", scope, receive, send)

    async def _control(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == PATH:
            await _reply(send, await self.app.metrics.answer(_request(scope)))
            return
        federation = self.federation
        if federation is not None:
            if await federation.pass_on(scope, receive, send):
                return
            if federation.alone and scope["method"] not in ("GET", "HEAD"):
                await _reply(send, Answer.json({"error": {"message": _ALONE}}, 503))
                return
        await self._here(scope, receive, send)

    async def _here(self, scope: Message, receive: Receive, send: Send) -> None:
        """A call of the control API for this hub, whoever leads."""
        if self.federation is None and _TAPES.fullmatch(scope["path"]):
            await self._tapes_call(scope, receive, send)
            return
        if not _UNSEEN.fullmatch(scope["path"]):
            await self.lookout.look()
            if not scope["path"].endswith(_FIGURES):
                await self.lookout.read()
        act = _ACT.fullmatch(scope["path"])
        owner = self.lookout.owners.get(int(act[1])) if act and scope["method"] == "POST" else None
        if isinstance(owner, Replica) and self.federation is not None:
            await self.federation.relay(owner.peer, "here", scope, receive, send)
            return
        if owner is not None and owner.peer is not None:
            await self.relay(owner.peer, "control", scope, receive, send)
            return

        async def once_applied(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] not in ("GET", "HEAD"):
                await self.applied()
            await send(message)

        await self.control(scope, receive, once_applied)


def _request(scope: Message) -> Request:
    return Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), dict(scope["headers"]))


async def _reply(send: Send, answer: Answer) -> None:
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def _unnamed() -> int:
    import tempfile

    with tempfile.TemporaryFile() as made:
        return os.dup(made.fileno())
