"""One server of models: so many slots, a queue before them, a pace that all who are at work share, a cache."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from llmsim.clock import Clock
from llmsim.exchange import Exchange
from llmsim.latency import Profile
from llmsim.load.exchange import LoadedExchange
from llmsim.load.prefixes import Prefixes

BREATH = 0.02
"""Seconds within which replies under way follow a change of the load, one server's step or so; a newly admitted one has
the pace of the moment. Following each change at once would cost as much as playing the tokens."""


class Station:
    """Who is at work and who waits, first come first served."""

    def __init__(self, name: str, profile: Profile, clock: Clock, moved: Callable[[Exchange], None]) -> None:
        self.name = name
        self.profile = profile
        self.prefixes = Prefixes(profile, clock)
        self.active: dict[int, LoadedExchange] = {}
        self.waiting: OrderedDict[int, LoadedExchange] = OrderedDict()
        self.refused = 0
        self._clock = clock
        self._moved = moved
        self._stretch = 1.0
        self._breathing = False

    @property
    def full(self) -> bool:
        """Whether neither a slot nor a place in the queue is free."""
        return not self._free and len(self.waiting) >= self.profile.queue

    @property
    def _free(self) -> bool:
        slots = self.profile.slots
        return slots is None or len(self.active) < slots

    def stretch(self) -> float:
        """How many times longer waits between tokens are at this moment."""
        return self.profile.stretch(len(self.active))

    def enter(self, exchange: LoadedExchange) -> None:
        """Gives the exchange a slot, or a place at the end of the queue."""
        exchange.station = self
        if self._free:
            self._admit(exchange, waited=False)
        else:
            self.waiting[exchange.number] = exchange
            exchange.wait()

    def leave(self, exchange: LoadedExchange) -> None:
        """Takes the exchange out; who has waited longest has its slot."""
        if self.waiting.pop(exchange.number, None) is not None and exchange.followers:
            exchange.admit(self._clock.now(), 1.0, 0)  # who follows it must not wait for ever
            self._moved(exchange)
        exchange.station, exchange.followers = None, ()
        if self.active.pop(exchange.number, None) is not None:
            self._fill()
            self._breathe_soon()

    def force(self, exchange: LoadedExchange) -> None:
        """Admits one that waits, whether a slot is free or not."""
        if self.waiting.pop(exchange.number, None) is not None:
            self._admit(exchange, waited=True)

    def renew(self, profile: Profile) -> None:
        """Takes the profile over: more slots are filled at once, fewer let those at work come to their end."""
        if profile == self.profile:
            self.profile = self.prefixes.profile = profile
            return
        self.profile = self.prefixes.profile = profile
        self._fill()
        self._breathe_soon()

    def _fill(self) -> None:
        while self.waiting and self._free:
            self._admit(self.waiting.popitem(last=False)[1], waited=True)

    def _admit(self, exchange: LoadedExchange, waited: bool) -> None:
        ahead = self._warmer(exchange) if waited else 0.0
        company = len(self.active)
        self.active[exchange.number] = exchange
        exchange.admit(self._clock.now(), self.stretch(), company, ahead)
        self.prefixes.keep(exchange.ask, (exchange.plan.times[0] - ahead) / (exchange.rate or 1.0))
        self._breathe_soon()
        if waited:
            self._moved(exchange)

    def _warmer(self, exchange: LoadedExchange) -> float:
        """Seconds of prefill that others have done since the exchange came: its prompt may be known by now."""
        plan, profile = exchange.plan, self.profile
        known = self.prefixes.look(exchange.ask) if profile.cache_tokens else 0
        more = known - plan.usage.cached
        if more <= 0 or plan.mock or exchange.ask.cached is not None:
            return 0.0
        plan.usage = replace(plan.usage, cached=known)
        return more * profile.prefill_ms_per_token / 1000.0

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {
            "profile": self.name,
            "slots": self.profile.slots,
            "active": len(self.active),
            "queue": self.profile.queue,
            "queued": len(self.waiting),
            "refused": self.refused,
            "slowing": round(self.stretch(), 4),
            "cache": {"tokens": self.prefixes.tokens, "limit": self.profile.cache_tokens},
        }

    # -- the pace

    def _breathe_soon(self) -> None:
        """Lets all at work follow the load in a moment, if it has changed what their pace is."""
        if not self._breathing and self.stretch() != self._stretch:
            # Without a running loop nothing can call back, and nothing is played.
            with suppress(RuntimeError):
                self._clock.call_at(self._clock.now() + BREATH, self._breathe)
                self._breathing = True

    def _breathe(self) -> None:
        self._breathing = False
        stretch, now = self.stretch(), self._clock.now()
        self._stretch = stretch
        for exchange in list(self.active.values()):
            old = exchange.stretch
            if old != stretch:
                exchange.breathe(stretch, now)
                if stretch < old:  # one that is slower now is found to be early, and waits on by itself
                    self._moved(exchange)
