"""What load does to replies: slots and a queue in front of them, a pace that slows, prompts that are known already.

All replies under one profile's name share one station. Sources of the formulae and of the presets: docs/latency.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from llmsim.clock import Clock
from llmsim.conversation import Ask
from llmsim.exchange import Exchange
from llmsim.latency import Profile
from llmsim.load.exchange import LoadedExchange
from llmsim.load.prefixes import Prefixes
from llmsim.load.station import Station
from llmsim.plan import Drop, Fail, Plan, Raw

__all__ = ["LoadedExchange", "Prefixes", "Station", "Stations", "loads"]


def loads(plan: Plan, ask: Ask) -> bool:
    """Whether the model works on this reply: an error, a hang, a cut before the first token is none of its work."""
    return ask.parts != 0 and type(plan.pieces[0]) not in (Fail, Drop, Raw)


class Stations:
    """The stations by the names of their profiles; `moved` is told of exchanges whose next moment has come nearer."""

    def __init__(self, clock: Clock, moved: Callable[[Exchange], None]) -> None:
        self._clock = clock
        self._moved = moved
        self._stations: dict[str, Station] = {}

    def __iter__(self) -> Iterator[Station]:
        """Those that were used, oldest first."""
        return iter(self._stations.values())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._stations)

    def at(self, name: str, profile: Profile) -> Station:
        """The station of that name, as the profile has it at this moment."""
        station = self._stations.get(name)
        if station is None:
            station = self._stations[name] = Station(name, profile, self._clock, self._moved)
        elif station.profile is not profile:
            station.renew(profile)
        return station

    def cached(self, name: str, profile: Profile, ask: Ask) -> int:
        """Tokens of the prompt that need no prefill, as they are in the profile's cache."""
        return self.at(name, profile).prefixes.look(ask) if profile.cache_tokens else 0

    def full(self, plan: Plan) -> bool:
        """Whether a reply by this plan would find all slots and the whole queue taken; counted, if so."""
        station = self.at(plan.profile, plan.load)
        station.refused += station.full
        return station.full

    def open(self, number: int, ask: Ask, plan: Plan, started: float, wall: float, rate: float) -> Exchange:
        """The exchange for a plan under load: it has a slot, or waits for one."""
        station = self.at(plan.profile, plan.load)
        if station.profile.slots is None:
            station.prefixes.keep(ask, plan.times[0] / (rate or 1.0))
            return Exchange(number, ask, plan, started, wall, rate)
        exchange = LoadedExchange(number, ask, plan, started, wall, rate)
        station.enter(exchange)
        return exchange

    def force(self, exchange: Exchange) -> None:
        """Lets an exchange wait no longer, whether there is a slot for it or not."""
        if isinstance(exchange, LoadedExchange):
            exchange.force()

    def left(self, exchange: Exchange) -> None:
        """Told that an exchange has ended: its slot, or its place in the queue, is free at once."""
        if isinstance(exchange, LoadedExchange) and exchange.station is not None:
            exchange.station.leave(exchange)

    def renew(self, find: Callable[[str], Profile | None]) -> None:
        """Takes over what profiles have become; a station whose profile is gone goes once nobody is there."""
        for name, station in list(self._stations.items()):
            profile = find(name)
            if profile is not None and profile.loaded:
                station.renew(profile)
            elif not station.active and not station.waiting:
                del self._stations[name]
            elif profile is not None:
                station.renew(profile)

    def forget(self) -> None:
        """Empties all caches of prompts."""
        for station in self._stations.values():
            station.prefixes.clear()
