"""The rules of a simulator in the console's own event loop: mocks, scopes, scenarios, limits, the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from llmsim import masks
from llmsim.exchange import Exchange
from llmsim.journal.search import Query, in_turns, search, with_texts
from llmsim.limits import Limit
from llmsim.match import Match, Subject
from llmsim.mocks import Mock, named
from llmsim.mocks.index import Index, Near
from llmsim.scenarios import Scenario
from llmsim.scenarios.record import recorded
from llmsim.server.control import Control
from llmsim.simulator import Simulator
from llmsim.verdict import judging
from llmsim_tui.rules import Gauge, Play, Sift, Tried

_LONGEST: Final = 200
"""Characters of a user's text that a mock made from a request asks for."""


class LocalRules:
    """The part of the local backend that is about rules."""

    def __init__(self, simulator: Simulator, control: Control) -> None:
        self._simulator = simulator
        self._control = control
        self._nearest: tuple[Any, Near | None] = (None, None)

    # -- mocks

    def answered(self) -> Mapping[str, int]:
        """How often each mock has answered."""
        return self._simulator.tally.answered

    def _near(self, exchange: Exchange) -> Near | None:
        """The nearest mock; remembered, as the inspector asks at every tick and a request is read again for it."""
        key = (exchange.number, exchange.state, self._simulator.settings.revision)
        if self._nearest[0] != key:
            self._nearest = (key, self._simulator.near(exchange))
        return self._nearest[1]

    def draft(self, number: int) -> Mapping[str, Any] | None:
        """A mock's fields from one exchange: its model and last user text, and what was replied."""
        exchange = self._simulator.journal.get(number)
        if exchange is None:
            return None
        return draft(exchange, with_texts(exchange, self._simulator.reread).last_user_text)

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

    def playing(self) -> Play | None:
        """The scenario that was begun last."""
        playing = self._control.playing
        if playing is None:
            return None
        name, lasts = playing.scenario.name, playing.scenario.length
        return Play(name, playing.state, playing.phase, playing.elapsed, lasts, playing.problem)

    async def begin_scenario(self, path: str) -> None:
        """Begins the scenario in a file."""
        self._control.begin_scenario(_scenario(path))

    async def stop_scenario(self) -> bool:
        """Stops the scenario."""
        return self._control.stop_scenario()

    def recorded(self) -> Mapping[str, Any]:
        """What was changed by hand."""
        return recorded(self._simulator.history)

    # -- limits and clients

    def gauges(self) -> Sequence[Gauge]:
        """Every bucket in use."""
        limits = self._simulator.settings.limits
        return [
            Gauge(
                name=str(one.rule),
                whose=_whose(one.rule, one.per),
                kind=one.kind,
                limit=one.limit,
                level=one.level,
                reset=one.reset,
                busy=one.busy,
                place=_place(one.rule, limits),
            )
            for one in self._simulator.limiter.buckets()
        ]

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


def _whose(rule: Limit, values: Sequence[str]) -> str:
    """Whose a bucket is; keys are masked."""
    told = [masks.key(value) if what == "key" else value for what, value in zip(rule.per, values, strict=False)]
    return " ".join(told) or "everybody"


def _place(rule: Limit, limits: Iterable[Limit]) -> int | None:
    """Where the rule is; a bucket keeps an edited one until the next request comes."""
    return next(
        (place for place, one in enumerate(limits) if one == rule or (rule.name and one.name == rule.name)), None
    )


def draft(exchange: Exchange, asked: str) -> dict[str, Any]:
    """The fields of a mock: such a request, and the reply as it was."""
    ask, plan = exchange.ask, exchange.plan
    when: dict[str, Any] = {}
    if ask.model:
        when["model"] = ask.model
    if words := asked.strip()[:_LONGEST]:
        # A text that begins with a sign of the grammar would be read as something else.
        when["text"] = f"={asked}" if words[0] in "=/*" and len(asked) <= _LONGEST else words.lstrip("=/*") or "*"
    if not when:
        when["endpoint"] = ask.endpoint
    failure = plan.failure
    if failure is not None:
        error: dict[str, Any] = {"status": exchange.status or 500}
        error |= {"message": failure.message} if failure.message else {}
        reply: Any = {"error": error}
    else:
        reply = {"text": exchange.text() or "write the reply here"}
    return {"name": f"like-{exchange.number}", "when": when, "reply": reply}
