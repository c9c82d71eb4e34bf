"""The hub's look at the traffic: it asks the workers when somebody wants to know, and not before."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from llmsim.conversation import Ask, Stop
from llmsim.dialects import kinds
from llmsim.exchange import Exchange
from llmsim.plan import End, Plan
from llmsim.server.cluster.federation import Replica
from llmsim.server.cluster.peer import Lost
from llmsim.server.cluster.report import Report, together
from llmsim.server.cluster.seat import Seat
from llmsim.server.metrics import Metrics
from llmsim.server.snapshot import Snapshot

if TYPE_CHECKING:
    from llmsim.server.cluster.hub import Hub

logger = logging.getLogger("llmsim")


class HubMetrics(Metrics):
    """The figures of all workers together."""

    lookout: Lookout

    async def figures(self) -> Snapshot:
        """The figures at this moment."""
        return await self.lookout.figures()


class Lookout:
    """What is known of the traffic; `owners` are the places of the workers by the numbers of exchanges."""

    def __init__(self, hub: Hub, most: int) -> None:
        self._hub = hub
        self._simulator, self._meter = hub.hub_simulator, hub.hub_simulator.meter
        self._one_look = asyncio.Lock()
        self._unread: deque[Exchange] = deque(maxlen=most)
        self._dialects: dict[str, tuple[Any, dict[Any, Any]]] = {}
        self.owners: dict[int, Seat | Replica] = {}

    async def look(self) -> None:
        """Brings everything up to this moment: the journal, the counts and the figures."""
        async with self._one_look:
            places: list[Seat | Replica] = [*self._hub.seats, *self._hub.replicas]
            await asyncio.gather(*(self._look_at(one) for one in places if one.ready))
            self._meter.live = dict(sorted(self._meter.live.items()))

    async def _look_at(self, seat: Seat | Replica) -> None:
        peer, fresh = seat.peer, True
        while peer is not None:
            try:
                report: Report = await peer.ask("pull", fresh)
            except Lost as error:
                logger.warning("worker %s was not heard: %s", seat.index, error)
                return
            self._note(seat, report, fresh)
            fresh = False
            if not report.more:
                return

    def _note(self, seat: Seat | Replica, report: Report, fresh: bool) -> None:
        simulator, tally = self._simulator, self._simulator.tally
        if fresh:
            self._meter.take((seat.index, seat.starts), report)
            for total, more in ((tally.hits, report.hits), (tally.answered, report.answered)):
                for name, count in more.items():
                    total[name] = total.get(name, 0) + count
        shift = seat.shift if isinstance(seat, Replica) else 0.0
        for exchange in report.exchanges:
            if shift:
                _shifted(exchange, shift)
            self._whole(exchange)
            simulator.journal.add(exchange)
            self._live(exchange, seat)
        for number, moves in report.went_on:
            known = self._meter.live.get(number)
            if known is not None:
                for name, value in moves.items():
                    setattr(known, name, value + shift if value is not None and name in _MOMENTS else value)
                if known.state != "live":
                    known.ask.shed()
                self._live(known, seat)

    def _live(self, exchange: Exchange, seat: Seat | Replica) -> None:
        number = exchange.number
        self.owners[number] = seat
        if len(self.owners) > 2 * self._simulator.journal.count_limit + 1000:
            self.owners = {one.number: self.owners[one.number] for one in self._simulator.journal}
        if exchange.state == "live":
            self._meter.live[number] = exchange
        else:
            self._meter.live.pop(number, None)

    def lost(self, seat: Seat) -> None:
        """Told that a worker is gone, and all that it had under way."""
        for number in [number for number in self._meter.live if self.owners.get(number) is seat]:
            exchange = self._meter.live.pop(number)
            exchange.state, exchange.ended = "dropped", self._simulator.clock.now()
            exchange.ask.shed()

    def _whole(self, exchange: Exchange) -> None:
        """Puts back what an exchange refers to."""
        follows = exchange.ask.follows
        if follows is not None:
            journal = self._simulator.journal
            exchange.ask.follows = journal.get(follows) or Exchange(
                follows, Ask(""), Plan([End(Stop.END)], [0.0]), exchange.started, exchange.wall
            )
        if exchange.asked is not None:
            self._unread.append(exchange)

    async def read(self) -> None:
        """Finds the dialects and the routes of all that was looked at; loads them first, which takes its time."""
        if not self._dialects:
            await asyncio.get_running_loop().run_in_executor(None, kinds)
            for dialect in self._hub.app.routes.dialects:
                self._dialects[dialect.kind] = (dialect, {(one.method, one.path): one for one in dialect.routes()})
        for exchange in self._unread:
            kind, route, request = exchange.asked
            dialect, routes = self._dialects.get(kind, (None, {}))
            exchange.asked = None if dialect is None else (dialect, routes.get(route), request)
        self._unread.clear()

    async def report(self, fresh: bool) -> Report:
        """A part of what all workers of this machine have to tell, for another hub."""
        told = Report()
        for seat in self._hub.seats:
            if seat.ready and seat.peer is not None:
                try:
                    one: Report = await seat.peer.ask("pull", fresh)
                except Lost as error:
                    logger.warning("worker %d was not heard: %s", seat.index, error)
                    continue
                for exchange in one.exchanges:
                    self.owners[exchange.number] = seat
                told.join(one)
        return told

    async def figures(self, own: bool = False) -> Snapshot:
        """The figures of all workers, or of one's `own`; those of one that is gone are as it told them last."""
        places: list[Seat | Replica] = [*self._hub.seats, *([] if own else self._hub.replicas)]
        for seat in places:
            if seat.ready and seat.peer is not None:
                try:
                    seat.figures[seat.starts] = await seat.peer.ask("figures")
                except Lost as error:
                    logger.warning("worker %s was not heard: %s", seat.index, error)
        told = together(_counted(one) for one in places)
        told.gauges["workers"] = float(sum(seat.ready for seat in self._hub.seats))
        return told


def _counted(seat: Seat | Replica) -> Snapshot:
    """What all the workers have counted that had this seat; only the present one has anything under way."""
    told = dict(seat.figures)
    for starts, one in told.items():
        if starts != seat.starts:
            one.gauges, one.running, one.waiting = {}, type(one.running)(), type(one.waiting)()
            one.sent = type(one.sent)()
    return together(told.values())


_MOMENTS = ("first", "first_due", "ended", "admitted", "_anchor")


def _shifted(exchange: Exchange, shift: float) -> None:
    """Puts the moments of another machine's clock on this one's."""
    exchange.started += shift
    for name in _MOMENTS:
        value = getattr(exchange, name, None)  # only one under load is `admitted`
        if value is not None:
            setattr(exchange, name, value + shift)
