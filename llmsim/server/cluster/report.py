"""What a worker tells the hub of its traffic when somebody asks, and how the hub puts all of it together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from llmsim.clock import Clock
from llmsim.exchange import Exchange
from llmsim.figures import Labels, Series
from llmsim.metrics import Meter, Slot
from llmsim.server.cluster.codec import Unreadable, dumps
from llmsim.server.snapshot import Snapshot
from llmsim.simulator import Simulator

_PIECES = 8_000
"""Pieces of replies in one part of a report, so that the streams beside it keep their pace."""

_SHARES = (0.5, 0.95, 1.0)
_MOST = 400
"""Exchanges in one part of a report."""


@dataclass(slots=True)
class Report:
    """A part of what a worker has to tell; with `more` there is another."""

    exchanges: list[Exchange] = field(default_factory=list)
    went_on: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    more: bool = False
    hits: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    begun: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    prompt_tokens: int = 0
    slots: list[tuple[int, dict[str, int], int]] = field(default_factory=list)
    ttfts: list[tuple[float, float]] = field(default_factory=list)
    models: Counter[str] = field(default_factory=Counter)
    lag: tuple[float, ...] = (0.0, 0.0, 0.0)
    load: list[dict[str, Any]] = field(default_factory=list)
    store: tuple[int, int] = (0, 0)

    def join(self, other: Report) -> None:
        """Takes in what another worker tells."""
        self.exchanges += other.exchanges
        self.went_on += other.went_on
        self.more = self.more or other.more
        for mine, theirs in ((self.hits, other.hits), (self.answered, other.answered)):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
        self.begun, self.tokens = self.begun + other.begun, self.tokens + other.tokens
        self.prompt_tokens += other.prompt_tokens
        self.outcomes.update(other.outcomes)
        self.models.update(other.models)
        self.slots += other.slots
        self.ttfts += other.ttfts
        self.load += other.load
        self.lag = tuple(max(pair) for pair in zip(self.lag, other.lag, strict=True))
        self.store = (self.store[0] + other.store[0], self.store[1] + other.store[1])


class Reporter:
    """A worker's side: what it has not told yet, and what has gone on since."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._told = 0
        self._live: dict[int, tuple[Exchange, Any]] = {}
        self._slot = 0

    def report(self, fresh: bool) -> Report:
        """The next part; `fresh` is the first one of a look, which brings those that went on, too."""
        simulator, told = self._simulator, Report()
        if fresh:
            self._figures(told)
            self._went_on(told)
        pieces = sum(len(one.plan.pieces) for one in told.exchanges)
        for exchange in simulator.journal.between(self._told):
            if pieces > _PIECES or len(told.exchanges) >= _MOST:
                told.more = True
                break
            told.exchanges.append(exchange)
            pieces += len(exchange.plan.pieces)
            self._told = exchange.number
            if exchange.state == "live":
                self._live[exchange.number] = (exchange, exchange.plan.pieces)
        told.exchanges = [_sendable(one) for one in told.exchanges]
        return told

    def _went_on(self, told: Report) -> None:
        """Tells of those that were under way at the last look: how far they are, and all of it where that changed."""
        for number, (exchange, pieces) in list(self._live.items()):
            if exchange.plan.pieces is not pieces:
                told.exchanges.append(exchange)
            else:
                told.went_on.append((number, {name: getattr(exchange, name) for name in exchange.MOVES}))
            if exchange.state == "live":
                self._live[number] = (exchange, exchange.plan.pieces)
            else:
                del self._live[number]

    def _figures(self, told: Report) -> None:
        simulator, meter = self._simulator, self._simulator.meter
        meter.sample()
        told.begun, told.outcomes, told.models = meter.begun, meter.outcomes.copy(), meter.models.copy()
        told.tokens, told.prompt_tokens = meter.tokens, meter.prompt_tokens
        told.slots = [(one.number, dict(one.counts), one.tokens) for one in meter.slots if one.number >= self._slot]
        self._slot = told.slots[-1][0] if told.slots else self._slot
        told.ttfts = list(meter.ttfts)
        told.lag = tuple(simulator.pacer.lag.quantile(share) for share in _SHARES)
        told.load = [station.json() for station in islice(simulator.stations, _MOST)]
        told.store = (len(simulator.store), simulator.store.size)
        told.hits, told.answered = dict(simulator.tally.hits), dict(simulator.tally.answered)
        simulator.tally.hits.clear()
        simulator.tally.answered.clear()


def _sendable(exchange: Exchange) -> Exchange:
    """The exchange, without what its dialect keeps in it where that cannot be sent."""
    if exchange.ask.extra or exchange.ask.overrides is not None:
        try:
            dumps(exchange.ask.extra)
        except Unreadable:
            bare = exchange.beside(exchange.number, exchange.ask.again(), exchange.wall)
            for name in Exchange.__slots__:
                if name != "ask":
                    setattr(bare, name, getattr(exchange, name))
            bare.ask.extra = {}
            return bare
    return exchange


class HubMeter(Meter):
    """The figures of all workers together, as of their last reports; of those that are gone, too."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._reports: dict[Any, Report] = {}
        self._slots: dict[Any, dict[int, tuple[dict[str, int], int]]] = {}

    def sample(self) -> None:
        """Done by the workers."""

    def take(self, worker: Any, report: Report) -> None:
        """Takes a worker's figures in place of its earlier ones."""
        self._reports[worker] = report
        own = self._slots.setdefault(worker, {})
        fresh: dict[int, Slot] = {}
        for number, counts, tokens in report.slots:  # of a replica there are several for the same half second
            slot = fresh.setdefault(number, Slot(number))
            slot.counts.update(counts)
            slot.tokens += tokens
        own.update({number: (dict(slot.counts), slot.tokens) for number, slot in fresh.items()})
        for number in sorted(own)[: max(0, len(own) - 1200)]:
            del own[number]
        reports = self._reports.values()
        self.begun = sum(one.begun for one in reports)
        self.tokens = sum(one.tokens for one in reports)
        self.prompt_tokens = sum(one.prompt_tokens for one in reports)
        self.outcomes = _sum(one.outcomes for one in reports)
        self.models = _sum(one.models for one in reports)
        self.ttfts.clear()
        self.ttfts.extend(one for told in reports for one in told.ttfts)
        self._join_slots()

    def _join_slots(self) -> None:
        joined: dict[int, Slot] = {}
        for own in self._slots.values():
            for number, (counts, tokens) in own.items():
                slot = joined.setdefault(number, Slot(number))
                slot.counts.update(counts)
                slot.tokens += tokens
        self.slots.clear()
        self.slots.extend(joined[number] for number in sorted(joined))

    def lag(self, share: float) -> float:
        """The greatest lag of any worker, in seconds, that this share of its ticks stayed below."""
        at = next((place for place, known in enumerate(_SHARES) if share <= known), -1)
        return max((one.lag[at] for one in self._reports.values()), default=0.0)

    @property
    def load(self) -> list[dict[str, Any]]:
        """What the stations of all workers tell."""
        return [told for one in self._reports.values() for told in one.load]

    @property
    def store(self) -> tuple[int, int]:
        """Entries and bytes that all workers keep."""
        kept = [one.store for one in self._reports.values()]
        return sum(count for count, _ in kept), sum(size for _, size in kept)

    def of(self, worker: Any) -> Report:
        """The last report of a worker."""
        return self._reports.get(worker) or Report()


def _sum(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total


def together(snapshots: Iterable[Snapshot]) -> Snapshot:
    """The figures of several workers as one."""
    made = Snapshot()
    found: dict[Labels, Series] = {}
    for told in snapshots:
        for series in told.series:
            own = found.get(series.labels)
            if own is None:
                found[series.labels] = series.copy()
            else:
                own.join(series)
        made.late = [a + b for a, b in zip(made.late or [0] * len(told.late), told.late, strict=True)]
        made.late_sum += told.late_sum
        for mine, theirs in ((made.faults, told.faults), (made.mocks, told.mocks), (made.limits, told.limits)):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
        for total, more in ((made.sent, told.sent), (made.running, told.running), (made.waiting, told.waiting)):
            total.update(more)  # type: ignore[arg-type]
        _gauges(made.gauges, told.gauges)
        made.build = told.build
        made.load += told.load
    made.series = list(found.values())
    return made


def _gauges(mine: dict[str, float], theirs: Mapping[str, float]) -> None:
    for name, value in theirs.items():
        if name == "start":
            mine[name] = min(mine.get(name, value), value)
        else:
            mine[name] = max(mine.get(name, 0.0), value) if name == "lag" else mine.get(name, 0.0) + value
