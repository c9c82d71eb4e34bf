"""The replies that are held back by hand: how many there may be, and which of them a change of rules lets go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from llmsim.clock import Clock
from llmsim.events import Events
from llmsim.exchange import Exchange
from llmsim.faults.hold import Hold
from llmsim.plan import Plan
from llmsim.settings import Armed, Settings

_LOOK = 0.05
"""Seconds between two looks at which of very many are held no more by themselves."""


class Holds:
    """Who is held, by whom; `let_go` resumes one, `spent` says whether a hold has done all that it was armed for."""

    spent: Callable[[Armed], bool] = staticmethod(lambda _: False)

    def __init__(self, clock: Clock, events: Events, let_go: Callable[[Exchange], None]) -> None:
        self._clock = clock
        self._events = events
        self._let_go = let_go
        self._held: dict[int, tuple[Exchange, frozenset[str]]] = {}
        self._looked = 0.0
        self._full = False

    def __len__(self) -> int:
        """How many were held when they were looked at last."""
        return len(self._held)

    def room(self, plan: Plan, settings: Settings) -> Plan:
        """The plan, held no more where as many are held as may be."""
        now = self._clock.now()
        most = min([one.fault.most for one in _armed(plan, settings) if isinstance(one.fault, Hold)], default=1)
        if len(self._held) >= most and now >= self._looked + _LOOK:
            self.look()
        if len(self._held) < most:
            self._full = False
            return plan
        if not self._full:
            self._full = True
            self._events.add("warning", f"{most} held, as many as may be: others pass", "", "!held")
        return replace(plan, hold=0.0, notes=(*plan.notes, f"not held: {most} are, as many as may be"))

    def take(self, exchange: Exchange, settings: Settings) -> None:
        """Holds one back."""
        exchange.keep_back()
        self._held[exchange.number] = exchange, frozenset(armed.id for armed in _armed(exchange.plan, settings))

    def left(self, exchange: Exchange) -> None:
        """Told that one has ended."""
        self._held.pop(exchange.number, None)

    def look(self) -> None:
        """Forgets those that are held no more."""
        self._looked = now = self._clock.now()
        self._held = {number: one for number, one in self._held.items() if one[0].holds(now)}

    def renew(self, before: Settings, after: Settings) -> None:
        """Lets go of what was held by holds that are gone, but for those used up, or armed again as they were."""
        if not self._held:
            return
        now = {one.id: one for one in after.faults}
        gone = {
            one.id
            for one in before.faults
            if type(one.fault) is Hold
            and one is not now.get(one.id)
            and _over(one, now.get(one.id))
            and not self.spent(one)
        }
        for exchange, ids in list(self._held.values()):
            if ids & gone:
                self._let_go(exchange)
        self.look()


def _over(before: Armed, after: Armed | None) -> bool:
    """Whether a hold is gone, or is armed anew just as it was."""
    return after is None or (after.since != before.since and after.flat() == before.flat())


def _armed(plan: Plan, settings: Settings) -> list[Armed]:
    return [one for one in settings.faults if one.id in plan.struck and type(one.fault) is Hold]
