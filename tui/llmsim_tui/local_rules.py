"""The rules of a simulator in the console's own event loop: mocks, scopes, scenarios, limits, the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmsim.journal.search import Query, in_turns, search, with_texts
from llmsim.match import Match, Subject
from llmsim.mocks import Mock, named
from llmsim.mocks.index import Index
from llmsim.scenarios import Scenario
from llmsim.scenarios.calls import of_event
from llmsim.scenarios.record import recorded
from llmsim.server.control import Control
from llmsim.simulator import Simulator
from llmsim.verdict import judging
from llmsim.views import Tried
from llmsim.views.view import View
from llmsim_tui.rules import Sift


class LocalRules(View):
    """The part of the local backend that is about rules."""

    _control: Control

    # -- mocks

    async def draft(self, number: int) -> Mapping[str, Any] | None:
        """A mock's fields from one exchange."""
        return self.drafted(number)

    async def try_mocks(self, mocks: Sequence[Mock], last: int = 100) -> Sequence[Tried]:
        """Which mock each of the last requests would have got, a few at a time."""
        return await in_turns(self._tried(Index(named(mocks)), last))

    def _tried(self, index: Index, last: int) -> Iterator[Tried | None]:
        for exchange in self._simulator.journal.newest(last):
            subject = Subject(with_texts(exchange, self._simulator.reread), exchange.request, exchange.seen)
            taken = index.find(subject, lambda _: True)
            near = None if taken is not None else index.nearest(subject, lambda _: "")
            yield Tried(exchange.number, taken.name if taken else "", near.told() if near else "")
            yield None

    # -- matches

    async def preview(self, scope: Match, last: int = 100) -> tuple[int, int]:
        """How many of the last requests a scope would have met, a few looked at at a time."""
        newest = self._simulator.journal.newest(last)
        return len(await in_turns(search(newest, scope, self._simulator.reread))), len(newest)

    def sift(self, match: Match) -> Sift:
        """The match, asked of the journal."""
        return _Sift(self._simulator, match)

    # -- scenarios

    async def begin_scenario(self, path: str) -> None:
        """Begins the scenario in a file."""
        self._control.begin_scenario(_scenario(path))

    async def stop_scenario(self) -> bool:
        """Stops the scenario."""
        return self._control.stop_scenario()

    async def recorded(self) -> Mapping[str, Any]:
        """What was changed by hand."""
        return recorded(self._simulator.history)

    async def calls(self, event: int) -> Sequence[Mapping[str, Any]]:
        """The calls behind an event."""
        return of_event(self._simulator.history, event)

    # -- limits and clients

    async def drain(self, name: str | None = None, share: float = 1.0) -> int:
        """Takes a share out of buckets."""
        self._simulator.events.add("limits", f"drained {name or 'all limits'}", "console", "limits")
        return self._simulator.limiter.drain(name, share)

    async def refill(self, name: str | None = None) -> int:
        """Fills buckets."""
        self._simulator.events.add("limits", f"refilled {name or 'all limits'}", "console", "limits")
        return self._simulator.limiter.refill(name)

    async def verdict(self) -> Sequence[str]:
        """The verdict on all clients that the journal knows."""
        simulator = self._simulator
        (verdict,) = await in_turns(judging(simulator.journal.between(), simulator.clock.now()))
        return verdict.lines()


class _Sift:
    """A match asked of a simulator's journal."""

    def __init__(self, simulator: Simulator, match: Match) -> None:
        self._journal = simulator.journal
        self._query = Query(match, simulator.reread)

    @property
    def work(self) -> int:
        """What was done."""
        return self._query.work

    @work.setter
    def work(self, value: int) -> None:
        self._query.work = value

    def look(self, number: int) -> tuple[bool, bool] | None:
        """Whether it is under way, and meant."""
        exchange = self._journal.get(number)
        return None if exchange is None else (exchange.state == "live", self._query.holds(exchange))


def _scenario(path: str) -> Scenario:
    from llmsim.server import scenario_files  # late: few consoles play one

    return scenario_files.read(Path(path).expanduser())
