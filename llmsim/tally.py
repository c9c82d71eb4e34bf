"""What has come of the rules so far: how often each fault met and struck, how often each mock answered, and states."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from llmsim.conversation import Ask
from llmsim.match import Subject
from llmsim.mocks import Answer, Mock
from llmsim.mocks.index import Near
from llmsim.plan import Drop, Fail, Plan
from llmsim.settings import Armed, Settings, Spoiler

GROUPS = 100_000
"""Keys, clients and requests that are counted apart; beyond it the one unseen for longest starts again."""

BROUGHT = "x-llmsim-fault"
"""How the ids of faults begin that requests bring along: clients make them up, so that their counts are bounded."""

_NAMED = 20
"""Faults that a sentence tells by their names."""

START = "start"
"""The state in which every machine of mocks begins."""


@dataclass(slots=True, frozen=True)
class Taken:
    """The mock that is to answer a request, which of its answers it is, and the request as the mock saw it."""

    mock: Mock
    answer: Answer
    subject: Subject

    def withheld(self, plan: Plan) -> bool:
        """Whether a fault keeps all of the answer back in this plan, so that the client's next try is to have it."""
        return bool(plan.struck) and self.answer.error is None and isinstance(plan.pieces[0], Fail | Drop)


class Tally:
    """Counts of rules by their ids and names; they live on when settings change, and go with the rule."""

    def __init__(self) -> None:
        self.hits: dict[str, int] = {}
        self.answered: dict[str, int] = {}
        self.states: dict[str, str] = {}
        self._met: dict[str, int] = {}
        self._groups: OrderedDict[tuple[str, str], int] = OrderedDict()

    def counts(self) -> dict[str, dict[Any, Any]]:
        """All there is to it, for one who keeps it elsewhere, too."""
        return {
            "hits": self.hits,
            "answered": self.answered,
            "states": self.states,
            "met": self._met,
            "groups": self._groups,
        }

    def clear(self) -> None:
        """Counts from nought, all machines at their start."""
        for counts in self.counts().values():
            counts.clear()

    # -- faults

    def in_force(self, settings: Settings, subject: Subject, now: float) -> list[Spoiler]:
        """The faults that may strike a request, in their order; counts those that it meets."""
        found = []
        for spoiler in settings.spoilers:
            armed = spoiler.armed
            if armed is None or (armed.on(now) and self._meets(armed, subject)):
                found.append(spoiler)
        return found

    def _meets(self, armed: Armed, subject: Subject) -> bool:
        return (armed.scope.always or armed.scope.holds(subject)) and self.may(armed, subject.ask)

    def may(self, armed: Armed, ask: Ask) -> bool:
        """Whether a fault that is about a request may strike it, by what has come of it; counts the request."""
        if armed.for_requests is not None:
            met = self._met[armed.id] = self._met.get(armed.id, 0) + 1
            if met > armed.for_requests:
                return False
        if armed.count is None:
            return True
        apart = armed.per != "all" or armed.id.startswith(BROUGHT)
        return (self._group(armed.id, armed.per, ask) if apart else self.hits.get(armed.id, 0)) < armed.count

    def struck(self, spoiler: Spoiler, ask: Ask) -> None:
        """Counts a strike."""
        armed, brought = spoiler.armed, spoiler.id.startswith(BROUGHT)
        if not brought:
            self.hits[spoiler.id] = self.hits.get(spoiler.id, 0) + 1
        if armed is not None and armed.count is not None and (brought or armed.per != "all"):
            self._raise(armed.id, armed.per, ask)

    def spare(self, spoiler: Spoiler, ask: Ask) -> None:
        """Takes back a strike that was counted and did not come."""
        armed, own = spoiler.armed, not spoiler.id.startswith(BROUGHT)
        if own:
            self.hits[spoiler.id] = max(0, self.hits.get(spoiler.id, 0) - 1)
        if armed is not None and armed.count is not None and (not own or armed.per != "all"):
            self._raise(armed.id, armed.per, ask, -1)

    def spent(self, armed: Armed) -> bool:
        """Whether a fault has done all that it was armed for."""
        if armed.for_requests is not None and self._met.get(armed.id, 0) >= armed.for_requests:
            return True
        return armed.count is not None and armed.per == "all" and self.hits.get(armed.id, 0) >= armed.count

    def left(self, armed: Armed) -> int | None:
        """Strikes, or requests to be met, until a fault is used up; None for one that never is."""
        if armed.for_requests is not None:
            return max(0, armed.for_requests - self._met.get(armed.id, 0))
        if armed.count is None or armed.per != "all":
            return None
        return max(0, armed.count - self.hits.get(armed.id, 0))

    def told(self, faults: Sequence[Armed]) -> str:
        """Faults by their names, with how often each has struck; of very many the first ones."""
        some = [f"{one.label or one.fault.summary()} ({self.hits.get(one.id, 0)} hits)" for one in faults[:_NAMED]]
        return ", ".join(some) + (f" and {len(faults) - _NAMED} more" if len(faults) > _NAMED else "")

    def forget(self, ids: Collection[str]) -> None:
        """Counts faults that are newly armed from nought."""
        for id in ids:
            self.hits[id] = 0
            self._met.pop(id, None)
        self._ungroup(ids)

    # -- mocks

    def find(self, settings: Settings, subject: Subject) -> Taken | None:
        """The mock that answers the request, and which of its answers it gives; None where there is none."""
        index = settings.mock_index
        mock = index.find(subject, lambda mock: not self.closed(mock, subject.ask)) if index is not None else None
        if mock is None:
            return None
        return Taken(mock, mock.answers[self.place(mock, subject.ask)], subject)

    def place(self, mock: Mock, ask: Ask) -> int:
        """Which of its answers a mock gives next."""
        given, there = self._answered(mock, ask), len(mock.answers)
        return given % there if mock.then == "loop" else min(given, there - 1)

    def count(self, taken: Taken) -> None:
        """Counts a mock that has answered, and moves its machine on."""
        mock, ask = taken.mock, taken.subject.ask
        self.answered[mock.name] = self.answered.get(mock.name, 0) + 1
        if mock.per != "all":
            self._raise(f"mock {mock.name}", mock.per, ask)
        if mock.state is not None and mock.state.to is not None:
            self.states[mock.state.machine] = mock.state.to

    def uncount(self, mock: Mock, ask: Ask) -> None:
        """Takes back that a mock has answered; its machine is not moved back."""
        self.answered[mock.name] = max(0, self.answered.get(mock.name, 0) - 1)
        if mock.per != "all":
            self._raise(f"mock {mock.name}", mock.per, ask, -1)

    def renewed(self, before: Iterable[Mock], after: Iterable[Mock]) -> None:
        """Counts mocks that are new, or not what they were, from nought; machines that no mock has are forgotten."""
        old = {one.name: one for one in before}
        new = [one.name for one in after if (was := old.get(one.name)) is not one and was != one]
        for name in new:
            self.answered.pop(name, None)
        self._ungroup({f"mock {name}" for name in new})
        machines = {one.state.machine for one in after if one.state is not None}
        for machine in [machine for machine in self.states if machine not in machines]:
            del self.states[machine]

    def closed(self, mock: Mock, ask: Ask) -> str:
        """Why a mock answers no more, or not in this state; empty where it does."""
        state = mock.state
        if state is not None and state.when:
            here = self.states.get(state.machine, START)
            if here not in state.when:
                return f"the machine {state.machine} is in {here}, not in {' or '.join(state.when)}"
        place = self._answered(mock, ask)
        if mock.times is not None and place >= mock.times:
            return f"it has answered {mock.times} times"
        return "it has given all its replies" if mock.then == "pass" and place >= len(mock.answers) else ""

    def nearest(self, settings: Settings, subject: Subject) -> Near | None:
        """The mock that came nearest to a request that none took."""
        index = settings.mock_index
        return None if index is None else index.nearest(subject, lambda mock: self.closed(mock, subject.ask))

    def _answered(self, mock: Mock, ask: Ask) -> int:
        if mock.per == "all":
            return self.answered.get(mock.name, 0)
        return self._group(f"mock {mock.name}", mock.per, ask)

    # -- counting apart

    def _ungroup(self, rules: Collection[str]) -> None:
        for name in [name for name in self._groups if name[0] in rules] if rules else ():
            del self._groups[name]

    def _group(self, rule: str, per: str, ask: Ask) -> int:
        return self._groups.get((rule, _of(per, ask)), 0)

    def _raise(self, rule: str, per: str, ask: Ask, by: int = 1) -> None:
        name = (rule, _of(per, ask))
        self._groups[name] = max(0, self._groups.pop(name, 0) + by)
        if len(self._groups) > GROUPS:
            self._groups.popitem(last=False)


def _of(per: str, ask: Ask) -> str:
    if per == "request":
        return ask.digest.hex()
    return "" if per == "all" else ask.key if per == "key" else ask.client
