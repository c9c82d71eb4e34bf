"""A hub among the hubs of other machines: it leads them, or passes on to the one that leads what is decided once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from llmsim.clock import keep
from llmsim.server.cluster.claims import Claims, Grant, Outcome
from llmsim.server.cluster.journal import SHARE
from llmsim.server.cluster.ledger import Ledger
from llmsim.server.cluster.peer import Lost, Peer
from llmsim.server.cluster.redis import BEAT, LEASE, Bus
from llmsim.server.cluster.relay import App, Relays
from llmsim.server.cluster.report import Report
from llmsim.server.cluster.scribe import Scribe
from llmsim.server.outlet import Message, Send
from llmsim.server.sockets import Receive
from llmsim.settings import Settings

if TYPE_CHECKING:
    from llmsim.server.cluster.hub import Hub

logger = logging.getLogger("llmsim")

_CLAIM = 2 * LEASE
"""Seconds after which a claim is decided here, as no leader has answered; one that dies is followed sooner."""

_UNKNOWN = -1
"""The revision of no settings: who is told of it has missed something."""


class Replica:
    """Another machine's hub, as the leader knows it; a place of workers like those that it has itself."""

    def __init__(self, name: str, peer: Peer) -> None:
        self.name, self.peer = name, peer
        self.ready, self.starts = True, 1
        self.figures: dict[int, Any] = {}
        self.heard = 0.0
        self.shift = 0.0

    @property
    def index(self) -> str:
        """What it is called among the workers."""
        return self.name

    def json(self, report: Report) -> dict[str, Any]:
        """How it is, for people."""
        return {"replica": self.name, "requests": report.begun}


class Federation(Relays):
    """This replica's part in the cluster."""

    def __init__(self, hub: Hub, url: str, name: str) -> None:
        super().__init__()
        self._hub, self._clock = hub, hub.simulator.clock
        self.bus = Bus(url, name, self._clock, self)
        self.ledger = Ledger(hub.simulator)
        self.scribe = Scribe(self.ledger, self.bus.write_down)
        self.leads = self.followed = False
        self.up: Peer | None = None
        self.replicas: dict[Peer, Replica] = {}
        self.missing = "redis has not been reached yet"
        self._leader = ""
        self._joining = False
        self._turn = asyncio.Event()
        self._led = False
        self._since = self._clock.now()
        self._afar: dict[int, Any] = {}
        self._last = 0.0

    # -- what the bus tells

    def eager(self) -> bool:
        """Whether this replica would lead now: who led before comes first, so that nothing is lost by a pause."""
        return self._led or self._clock.now() - self._since > (BEAT if not self._hub.started else LEASE)

    def found(self, number: int) -> None:
        """Redis is there."""
        self.missing, self._since = "", self._clock.now()
        self._hub.number_from(number * SHARE)
        self._say("redis is there", warns=False)

    def lost(self, why: str) -> None:
        """Redis is gone: each replica goes on by itself, under its last settings."""
        self._say(f"redis is lost ({why}): serving on under the last settings, limits and counts by this replica alone")
        self.missing, self.up, self._leader = why, None, ""
        self.leads = self.followed = False
        self.ledger.forget()
        self._turned()

    def _turned(self) -> None:
        """Tells all who wait for a leader, and the workers, that it is another or none."""
        self._turn.set()
        self._turn = asyncio.Event()
        self._hub.tell_state()

    def take_over(self, told: Mapping[bytes, bytes]) -> None:
        """Goes on from what the leader before had counted, that this replica has followed."""
        self.ledger.take(told)
        self._say("goes on from what the leader before it had counted", warns=False)

    def led_by(self, leader: str) -> None:
        """Who has the lease, at each beat."""
        now = self._clock.now()
        if leader != self._leader:
            before, self._leader = self._leader, leader
            self.leads = leader == self.bus.id
            self.up = None
            if self.leads:
                self._led, self.followed = True, False
                self.ledger.forget()
                self._say("this replica leads the cluster", warns=False)
                self._hub.simulator.light_fuses()
            self._turned()
            if before and before != self.bus.id:
                self.bus.drop(before)  # what it was asked is asked the next one
        if leader and not self.leads:
            self._led = False
            if self.up is None and not self._joining:
                self._joining = True
                keep(self._join(leader), "joining")
        if self.leads and now - self._last >= BEAT:
            self._last = now
            self.bus_all("pulse", self._hub.hub_simulator.revision)
            for peer in [peer for peer, one in self.replicas.items() if now - one.heard > 3 * LEASE]:
                self.bus.drop(self.replicas[peer].name)
        elif self.up is not None:
            self.up.tell("here")

    def bus_all(self, kind: str, *told: Any) -> None:
        """Tells all replicas."""
        for peer in list(self.replicas):
            peer.tell(kind, *told)

    async def _join(self, leader: str) -> None:
        try:
            peer = self.bus.peer(leader)
            told = await peer.ask("join", self.bus.id, self._offset(), patience=LEASE)
            self._adopt(told["settings"], told["revision"], told["offset"])
            self.up, self.followed = peer, True
            self._say(f"joined the cluster that {leader} leads", warns=False)
        except Lost:
            self.bus.drop(leader)
        finally:
            self._joining = False
        self._turned()

    def _offset(self) -> float:
        return self._clock.wall() - self._clock.now()

    def _say(self, told: str, warns: bool = True) -> None:
        (logger.warning if warns else logger.info)("cluster: %s", told)
        self._hub.simulator.events.add("warning" if warns else "cluster", f"cluster: {told}", "hub", "cluster")

    # -- as the leader

    def on_join(self, peer: Peer, name: str, offset: float) -> Mapping[str, Any]:
        """Another replica comes, or comes back."""
        one = self.replicas.get(peer) or Replica(name, peer)
        one.heard, one.shift = self._clock.now(), offset - self._offset()
        self.replicas[peer] = one
        self._hub.tell_state()
        settings = self._hub.simulator.settings
        return {
            "settings": {field: getattr(settings, field) for field in Settings.model_fields},
            "revision": self._hub.hub_simulator.revision,
            "offset": self._offset(),
        }

    def on_here(self, peer: Peer) -> None:
        """A replica is alive; one that was given up meanwhile, as its words did not come through, is to join again."""
        if peer in self.replicas:
            self.replicas[peer].heard = self._clock.now()
        elif self.leads:
            peer.tell("pulse", _UNKNOWN)

    def on_claim(self, peer: Peer, claims: Claims) -> Any:
        """Decides what a request of another replica is given."""
        self.on_here(peer)
        return self._hub.on_claim(peer, claims) if self.leads else None

    def on_came(self, peer: Peer, outcome: Outcome) -> None:
        """What came of a grant."""
        self._hub.book.came(outcome)

    def on_settle(self, peer: Peer, number: int, tokens_in: int, tokens_out: int) -> None:
        """What a request has really used."""
        self._hub.book.settle(number, tokens_in, tokens_out, peer)

    def spread(self, changes: Mapping[str, Any], revision: int) -> list[asyncio.Task[Any]]:
        """Tells all replicas of changes; the tasks end when they have taken them on."""
        if not self.leads:
            return []
        return [keep(self._apply(peer, changes, revision), "a change") for peer in self.replicas]

    async def _apply(self, peer: Peer, changes: Mapping[str, Any], revision: int) -> None:
        with suppress(Lost):
            await peer.ask("settings", changes, revision, self._offset(), patience=LEASE)

    # -- as one that is led

    async def on_settings(self, peer: Peer, changes: Mapping[str, Any], revision: int, offset: float) -> int:
        """Takes changes of the settings on, in all workers."""
        self._adopt(changes, revision, offset)
        await self._hub.applied()
        return revision

    def _adopt(self, changes: Mapping[str, Any], revision: int, offset: float) -> None:
        shift = offset - self._offset()
        if "faults" in changes:
            moved = []
            for one in changes["faults"]:
                moments = {
                    name: value + shift for name in ("since", "until") if (value := getattr(one, name)) is not None
                }
                moved.append(one.model_copy(update=moments))
            changes = {**changes, "faults": tuple(moved)}
        self._hub.hub_simulator.adopt(changes, revision)

    def on_pulse(self, peer: Peer, revision: int) -> None:
        """The leader is alive; what was missed is fetched."""
        if peer is self.up and revision != self._hub.hub_simulator.revision and not self._joining:
            self._joining = True
            self.up = None
            keep(self._join(self._leader), "joining again")

    def on_reset(self, peer: Peer, what: tuple[str, ...]) -> None:
        """Puts parts back to where they began."""
        self._hub.forget(what)

    async def on_pull(self, peer: Peer, fresh: bool) -> Report:
        """Tells of the traffic of this machine's workers."""
        return await self._hub.lookout.report(fresh)

    async def on_figures(self, peer: Peer) -> Any:
        """Tells the figures of this machine's workers."""
        return await self._hub.lookout.figures(own=True)

    async def claim(self, claims: Claims, worker: Any) -> Grant | None:
        """What the leader grants, or the next one where it dies; decided here while there is none to be found."""
        end = self._clock.now() + _CLAIM
        while not (self.missing or self.leads) and (left := end - self._clock.now()) > 0:
            up, turn = self.up, self._turn
            if up is None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(turn.wait(), left)
                continue
            with suppress(Lost):
                return self._granted(await up.ask("claim", claims, patience=left), claims, worker)
        return await self.grant(claims, worker)

    def _granted(self, grant: Grant | None, claims: Claims, worker: Any) -> Grant | None:
        if grant is not None:
            self._afar[claims.number] = worker
            if len(self._afar) > 100_000:
                del self._afar[next(iter(self._afar))]
        return grant

    async def grant(self, claims: Claims, worker: Any) -> Grant | None:
        """Decides here; what is given is told once it is written down, None where another leads meanwhile."""
        grant = self._hub.book.grant(claims, worker)
        if not self.leads or (grant.standing is not None and grant.standing.refused):
            return grant
        self.ledger.touch(claims.number, bool(grant.faults or grant.mock))
        return grant if await self.scribe.written() else None

    def came(self, outcome: Outcome) -> bool:
        """Passes on what came of a grant; False where it was given here."""
        if outcome.number in self._afar and self.up is not None:
            self.up.tell("came", outcome)
            return True
        return False

    def settle(self, number: int, tokens_in: int, tokens_out: int) -> bool:
        """Passes on what a request has used; False where it was let in here."""
        if self._afar.pop(number, None) is not None and self.up is not None:
            self.up.tell("settle", number, tokens_in, tokens_out)
            return True
        return False

    # -- both

    def on_lost(self, peer: Peer) -> None:
        """A replica is gone."""
        super().on_lost(peer)
        gone = self.replicas.pop(peer, None)
        if gone is not None:
            self._hub.book.lost(peer)
            self._say(f"replica {gone.name} is gone")
        if peer is self.up:
            self.up = None

    def app_for(self, target: str) -> App:
        """Who serves what another replica sends here."""
        return self._hub.app_for(target)

    async def pass_on(self, scope: Message, receive: Receive, send: Send) -> bool:
        """Has a call of the control API served by the leader; False where it is to be served here."""
        if self.up is None:
            return False
        await self.relay(self.up, "control", scope, receive, send)
        return True

    @property
    def alone(self) -> bool:
        """Whether this replica cannot reach those it belongs to."""
        return bool(self.missing) or not (self.leads or self.up)

    def told(self) -> dict[str, Any]:
        """How the cluster is, for /ready and for people."""
        state = "lost" if self.missing else "leads" if self.leads else "follows" if self.up else "looks for its leader"
        told: dict[str, Any] = {"replica": self.bus.id, "redis": state}
        if self.missing:
            told["why"] = self.missing
        if self.leads:
            told["replicas"] = 1 + len(self.replicas)
        return {"cluster": told}
