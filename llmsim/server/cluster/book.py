"""The hub's book: what is counted once for all workers, kept by the very limiter and tally that one process has."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from llmsim.conversation import Ask
from llmsim.history import FUSE
from llmsim.match import Subject
from llmsim.mocks import Mock
from llmsim.server.cluster.claims import Claims, Grant, Outcome
from llmsim.settings import Spoiler
from llmsim.simulator import Simulator
from llmsim.tally import Taken


@dataclass(slots=True)
class _Given:
    """What a request was given, until it is told what came of it."""

    ask: Ask
    chances: dict[str, Any] = field(default_factory=dict)
    mock: str = ""
    state: tuple[str, str | None] | None = None


class Book:
    """Grants what workers claim for their requests."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._given: dict[int, _Given] = {}
        self._open: dict[Any, set[int]] = {}

    def grant(self, claims: Claims, worker: Any = None) -> Grant:
        """Decides what of the claims is given, and counts it; all of it in one step."""
        simulator, ask = self._simulator, claims.who.ask(claims.number)
        settings, grant = simulator.settings, Grant()
        if claims.limits:
            subject = Subject(ask, b"", claims.seen)
            limits, limiter = settings.rate_limits, simulator.limiter
            grant.standing = limiter.admit(subject, limits, claims.tokens_in, claims.tokens_out, claims.limits)
            if grant.standing.refused:
                return grant
            self._open.setdefault(worker, set()).add(claims.number)
        if not claims.open:
            return grant
        given = _Given(ask)
        self._strike(claims, given)
        self._answer(claims, given, grant)
        grant.faults = frozenset(given.chances)
        if given.chances or given.mock:
            self._given[claims.number] = given
            self._open.setdefault(worker, set()).add(claims.number)
        self._burn()
        return grant

    def _strike(self, claims: Claims, given: _Given) -> None:
        """Gives the faults that may strike; their strikes are counted at once, so that no other has them."""
        tally = self._simulator.tally
        for chance in claims.chances:
            armed: Any = SimpleNamespace(**chance._asdict(), count=chance.strikes)
            if tally.may(armed, given.ask) and chance.rolls:
                tally.struck(_spoiler(armed), given.ask)
                given.chances[chance.id] = armed

    def _answer(self, claims: Claims, given: _Given, grant: Grant) -> None:
        """Gives the first mock that is not spent and not in another state, and moves its machine on."""
        tally = self._simulator.tally
        mocks = {one.name: one for one in self._simulator.settings.mocks} if claims.mocks else {}
        for name in claims.mocks:
            mock: Mock | None = mocks.get(name)
            if mock is None or tally.closed(mock, given.ask):
                continue
            place = tally.place(mock, given.ask)
            if mock.state is not None:
                given.state = (mock.state.machine, tally.states.get(mock.state.machine))
            tally.count(Taken(mock, mock.answers[place], Subject(given.ask)))
            given.mock = grant.mock = name
            grant.answer = place
            return

    def came(self, outcome: Outcome) -> None:
        """Told what came of a grant: what was not made use of is given back."""
        given = self._given.pop(outcome.number, None)
        if given is None:
            return
        tally = self._simulator.tally
        for id in given.chances.keys() if outcome.spared is None else outcome.spared & given.chances.keys():
            tally.spare(_spoiler(given.chances[id]), given.ask)
        mock = next((one for one in self._simulator.settings.mocks if one.name == given.mock), None)
        if outcome.withheld and mock is not None:
            tally.uncount(mock, given.ask)
            if given.state is not None:
                machine, before = given.state
                if before is None:
                    tally.states.pop(machine, None)
                else:
                    tally.states[machine] = before
        self._burn()

    def _burn(self) -> None:
        """Lifts the faults that have done what they were armed for, once every strike is known to have been one."""
        simulator = self._simulator
        pending = {id for given in self._given.values() for id in given.chances}
        for armed in simulator.settings.faults:
            if armed.id not in pending and simulator.tally.spent(armed):
                simulator.lift(armed.id, who=FUSE, why="used up:")

    def settle(self, number: int, tokens_in: int, tokens_out: int, worker: Any = None) -> None:
        """Told what a request has really used."""
        self._open.get(worker, set()).discard(number)
        self._simulator.limiter.settle(number, tokens_in, tokens_out)

    def lost(self, worker: Any) -> None:
        """Told that a worker is gone, and all its replies with it."""
        for number in self._open.pop(worker, ()):
            self._given.pop(number, None)
            self._simulator.limiter.settle(number, 0, 0)
        self._burn()


def _spoiler(armed: Any) -> Spoiler:
    return Spoiler(armed.id, armed.id, armed, armed)
