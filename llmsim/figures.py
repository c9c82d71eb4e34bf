"""Counts for monitoring: requests, tokens, dollars, times and what rules did, in sets of labels that cannot grow on.

An exchange is counted in a microsecond or so, into plain numbers; what a monitoring system wants of them is worked out
when it asks (llmsim/server/metrics.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from llmsim import catalogue
from llmsim.buckets import LATE, TBT, TOKENS, TOTAL, TTFT, Histogram
from llmsim.conversation import Stop
from llmsim.exchange import Exchange
from llmsim.plan import End, Script
from llmsim.spent import spent

MOST_MODELS = 200
MOST_ENDPOINTS = 200
MOST_NAMES = 200
"""Models, endpoints, and names of faults, of mocks and of limits that are counted apart; all others are `OTHER`."""

MOST_SERIES = 300
"""Combinations of provider, endpoint, model and streaming that are counted apart."""

OTHER = "other"
UNNAMED = "unnamed"
NONE = "none"
"""What stands for a limit without a name, and for a model or an endpoint where there is none."""

_MOST_KNOWN = 4096
_HEAP = 512
"""Exchanges whose times and tokens wait to be sorted."""

_LONGEST = 100
_LENGTH = Stop.LENGTH


class Labels(NamedTuple):
    """What a series is about: whose API, the path of its route, the model, whether the reply was streamed."""

    provider: str
    endpoint: str
    model: str
    streaming: bool


class Price(NamedTuple):
    """US dollars for a token in, for one of those that came from a cache, and for one out."""

    prompt: float
    cached: float
    completion: float

    def of(self, prompt: float, cached: int, completion: float) -> float:
        """US dollars for so many tokens; those that were cached are among those of the prompt."""
        return (prompt - cached) * self.prompt + cached * self.cached + completion * self.completion


class Cell:
    """Requests of a series that ended alike."""

    __slots__ = ("count", "series")

    def __init__(self, series: Series) -> None:
        self.series = series
        self.count = 0


_TIMES = ("ttft", "between", "each", "total", "prompts", "completions")


class Series:
    """All that is counted under the same labels.

    `cells` have requests by status (0 where none was told) and outcome, `lengths` those cut by a limit of tokens.
    `prompts`, `cached` (part of them) and `completions` are tokens as a provider charges them. `between` has the time
    between tokens once for each gap, `each` once for each reply.
    """

    __slots__ = (*_TIMES, "cached", "cells", "extra", "gaps", "labels", "lengths", "price")

    def __init__(self, labels: Labels, price: Price | None = None) -> None:
        self.labels = labels
        self.price = price
        self.extra = 0.0
        self.cells: dict[tuple[int, str], Cell] = {}
        self.lengths = 0
        self.cached = 0
        self.gaps: list[tuple[float, int]] = []
        self.ttft = Histogram(TTFT)
        self.between = Histogram(TBT)
        self.each = Histogram(TBT)
        self.total = Histogram(TOTAL)
        self.prompts = Histogram(TOKENS)
        self.completions = Histogram(TOKENS)

    @property
    def dollars(self) -> float:
        """What the catalogue's prices make of the tokens; nothing where it knows none."""
        own = self.price.of(self.prompts.sum, self.cached, self.completions.sum) if self.price else 0.0
        return own + self.extra

    def sort(self) -> None:
        """Puts all that waits into buckets."""
        if self.gaps:
            self.gaps.sort()
            self.between.weigh(self.gaps)
            self.each.weigh([(gap, 1) for gap, _ in self.gaps])
            self.gaps.clear()
        for name in _TIMES:
            getattr(self, name).sort()

    def join(self, other: Series) -> None:
        """Takes in all that another one of the same labels has counted."""
        for key, cell in other.cells.items():
            self.cells.setdefault(key, Cell(self)).count += cell.count
        self.extra, self.lengths = self.extra + other.extra, self.lengths + other.lengths
        self.cached += other.cached
        self.sort()
        other.sort()
        for name in _TIMES:
            getattr(self, name).join(getattr(other, name))

    def copy(self) -> Series:
        """One of its own with the same counts."""
        self.sort()
        other = Series(self.labels, self.price)
        other.extra, other.lengths, other.cached = self.extra, self.lengths, self.cached
        for key, cell in self.cells.items():
            other.cells[key] = Cell(other)
            other.cells[key].count = cell.count
        for name in _TIMES:
            setattr(other, name, getattr(self, name).copy())
        return other


class Counts(dict[tuple[str, ...], int]):
    """Counts by labels, of which at most `MOST_NAMES` are told apart by the last; the others are `OTHER`."""

    def add(self, *labels: str) -> None:
        """Counts one more."""
        labels = (*labels[:-1], labels[-1][:_LONGEST])
        if labels not in self and len(self) >= MOST_NAMES:
            labels = (*labels[:-1], OTHER)
        self[labels] = self.get(labels, 0) + 1


class Tallies:
    """Counts exchanges as they begin and as they end.

    `place` says which endpoint an exchange is of, `kind_of` of which kind a fault is that struck it, by the fault's id;
    `configured` are models to be counted apart beside those of the catalogue.
    """

    def __init__(self) -> None:
        self.place: Callable[[Exchange], str] = _endpoint
        self.kind_of: Callable[[Exchange, str], str] = _unknown
        self.series: dict[Labels, Series] = {}
        self.late = Histogram(LATE)
        self.faults = Counts()
        self.mocks = Counts()
        self.limits = Counts()
        self._waiting = 0
        self._configured: Collection[str] = ()
        self._models: set[str] = set()
        self._endpoints: set[str] = set()
        self._cells: dict[tuple[str, str, str, bool, int, str], Cell] = {}

    @property
    def configured(self) -> Collection[str]:
        """Models that people have named in the settings."""
        return self._configured

    @configured.setter
    def configured(self, names: Collection[str]) -> None:
        if names is not self._configured:
            self._configured = names
            self._cells.clear()

    def began(self, exchange: Exchange) -> None:
        """Counts what rules have done to an exchange, at its beginning: later they may be gone."""
        plan, refused = exchange.plan, exchange.standing.refused
        if exchange.ask.follows is None:
            for id, name in zip(plan.struck, plan.faults, strict=False):
                self.faults.add(self.kind_of(exchange, id), name)
            if plan.mock:
                self.mocks.add(plan.mock)
            if refused:
                self.limits.add(refused, exchange.standing.rule or exchange.standing.tier or UNNAMED)

    def ended(self, exchange: Exchange, outcome: str) -> None:
        """Counts how an exchange went.

        A reply that goes on without its client is told to it by an exchange that follows: that one is the request, and
        the reply itself is what took tokens.
        """
        ask, end = exchange.ask, exchange.ended
        key = (ask.provider, ask.endpoint, ask.model, ask.stream, exchange.status, outcome)
        cell = self._cells.get(key) or self._cell(exchange, outcome)
        series = cell.series
        self._waiting += 1
        if self._waiting >= _HEAP:
            self.sort()
        if not ask.detached or exchange.plan.failure is not None:
            cell.count += 1
            if end is not None:
                series.total.add(end - exchange.started)
        if ask.follows is None:
            self._played(series, exchange, end)

    def _played(self, series: Series, exchange: Exchange, end: float | None) -> None:
        """Counts what an exchange's own plan took."""
        plan, first = exchange.plan, exchange.first
        if exchange.state == "done":
            usage, last = plan.usage, plan.pieces[-1]
            tokens = usage.completion
            if tokens or usage.prompt:
                _spend(series, exchange.ask.model, usage.prompt, usage.cached, tokens)
            if type(last) is End and last.stop is _LENGTH:
                series.lengths += 1
        else:
            tokens = _broken_off(series, exchange)
        if series.labels.streaming:
            if not exchange.hindered:
                self.late.add(exchange.late)
            if first is not None and exchange.status == 200:
                series.ttft.add(first - exchange.started)
                if tokens > 1 and end is not None:
                    series.gaps.append(((end - first) / (tokens - 1), tokens - 1))
        elif not plan.drip and exchange.state != "abandoned" and (due := exchange.moment(-1)) is not None:
            self.late.add(max(0.0, (end or due) - due))  # all of a whole reply is due with its last piece

    def sort(self) -> None:
        """Puts all that waits into buckets."""
        self._waiting = 0
        self.late.sort()
        for series in self.series.values():
            series.sort()

    def of(self, exchange: Exchange) -> Series:
        """Where an exchange is counted."""
        ask = exchange.ask
        endpoint = _among(self._endpoints, self.place(exchange)[:_LONGEST] or NONE, MOST_ENDPOINTS)
        labels = Labels(ask.provider or NONE, endpoint, self._model(ask.model), ask.stream)
        found = self.series.get(labels)
        if found is None and len(self.series) >= MOST_SERIES:
            labels = Labels(OTHER, OTHER, OTHER, ask.stream)
            found = self.series.get(labels)
        if found is None:
            price = None if labels.model == OTHER else _price(ask.model)
            found = self.series[labels] = Series(labels, price)
        return found

    def _cell(self, exchange: Exchange, outcome: str) -> Cell:
        """Where what has not been seen before, or not for long, is counted."""
        ask, key = exchange.ask, (exchange.status, outcome)
        series = self.of(exchange)
        cell = series.cells.get(key)
        if cell is None:
            cell = series.cells[key] = Cell(series)
        if len(self._cells) >= _MOST_KNOWN:
            self._cells.clear()
        self._cells[ask.provider, ask.endpoint, ask.model, ask.stream, *key] = cell
        return cell

    def _model(self, name: str) -> str:
        """The name as it was asked for where it is known; what is only another writing of one is that one."""
        if not name:
            return NONE
        if name in self._configured and len(name) <= _LONGEST:
            return _among(self._models, name, MOST_MODELS)
        model = catalogue.find(name)
        if model is None:
            return OTHER
        if name != model.id and name not in model.aliases:
            name = f"ft:{model.id}" if name.strip().lower().startswith("ft:") else model.id
        return _among(self._models, name, MOST_MODELS)


def sent(exchange: Exchange) -> int:
    """Tokens that one under way has handed out so far; 0 where counting them would take long."""
    pieces = exchange.plan.pieces
    return pieces.spent[exchange.cursor] if type(pieces) is Script and exchange.ask.parts is None else 0


def _spend(series: Series, model: str, prompt: int, cached: int, completion: int) -> None:
    series.prompts.add(prompt)
    series.completions.add(completion)
    series.cached += cached
    if series.price is None and series.labels.model == OTHER and (price := _price(model)) is not None:
        series.extra += price.of(prompt, cached, completion)


def _broken_off(series: Series, exchange: Exchange) -> int:
    """Counts what a reply took that did not come to its end, and gives the tokens of it that were sent."""
    prompt, completion = spent(exchange)
    if prompt or completion:
        _spend(series, exchange.ask.model, prompt, min(exchange.plan.usage.cached, prompt), completion)
    return exchange.tokens


def _price(name: str) -> Price | None:
    """The catalogue's price; a model that was fine-tuned has one of its own, which nobody knows."""
    model = None if name.startswith("ft:") else catalogue.find(name)
    if model is None or model.price_input is None:
        return None
    cached = model.price_input if model.price_cached_input is None else model.price_cached_input
    return Price(model.price_input / 1e6, cached / 1e6, (model.price_output or 0.0) / 1e6)


def _among(known: set[str], name: str, most: int) -> str:
    """The name, if it is known or may become so."""
    if name not in known:
        if len(known) >= most:
            return OTHER
        known.add(name)
    return name


def _endpoint(exchange: Exchange) -> str:
    return exchange.ask.endpoint[:_LONGEST]


def _unknown(exchange: Exchange, id: str) -> str:
    return NONE
