"""Figures of the traffic: totals, half-second buckets by outcome, and what was asked and achieved in time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from llmsim.clock import Clock
from llmsim.exchange import Exchange
from llmsim.figures import Tallies

BUCKET = 0.5
"""Seconds in a bucket."""

_KEPT = 1200
_SPREAD = 12
"""Buckets that tokens of a time without a look are spread over at most: those that a pace is taken from."""


def outcome(exchange: Exchange) -> str:
    """How an exchange went: live, ok, limited, failed, cut or abandoned."""
    if exchange.state == "live":
        return "live"
    if exchange.state == "abandoned":
        return "abandoned"
    if exchange.status == 429:
        return "limited"
    if exchange.status >= 400 or exchange.state == "failed":
        return "failed"
    return "cut" if exchange.state == "dropped" else "ok"


@dataclass(slots=True)
class Slot:
    """One bucket: its number in half-seconds since the epoch, exchanges ended in it by outcome, pieces sent in it."""

    number: int
    counts: Counter[str] = field(default_factory=Counter)
    tokens: int = 0


class Meter:
    """Counts exchanges as they begin and end; what is under way is read from the exchanges themselves."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.begun = 0
        self.outcomes: Counter[str] = Counter()
        self.tokens = 0
        self.prompt_tokens = 0
        self.live: dict[int, Exchange] = {}
        self.slots: deque[Slot] = deque(maxlen=_KEPT)
        self.ttfts: deque[tuple[float, float]] = deque(maxlen=512)
        self.models: Counter[str] = Counter()
        self.tallies = Tallies()
        self._full = 0.0
        """When the newest bucket is, in seconds since the epoch."""
        self._seen = 0
        self._sampled = int(clock.wall() / BUCKET)

    def began(self, exchange: Exchange) -> None:
        """One more under way."""
        self.begun += 1
        self.live[exchange.number] = exchange
        plan = exchange.plan
        if plan.struck or plan.mock or exchange.standing.refused:
            self.tallies.began(exchange)

    def finished(self, exchange: Exchange) -> None:
        """One fewer under way; counted by how it went."""
        self.live.pop(exchange.number, None)
        ask, done, first = exchange.ask, exchange.state == "done", exchange.first
        kind = "ok" if done and exchange.status < 400 else outcome(exchange)
        self.outcomes[kind] += 1
        self._slot().counts[kind] += 1
        self.tallies.ended(exchange, kind)
        if ask.follows is None:
            usage = exchange.plan.usage
            self.tokens += usage.completion if done else exchange.tokens
            self.prompt_tokens += usage.prompt
            if ask.stream and first is not None and exchange.status == 200:
                asked, started = exchange.first_due, exchange.started
                self.ttfts.append(((first if asked is None else asked) - started, first - started))
        model, models = ask.model, self.models
        if model in models or (model and len(models) < 500):
            models[model] += 1

    def sample(self) -> None:
        """Books the pieces sent since the last sample into the newest bucket; called regularly by who shows rates.

        After a while in which nobody looked they are spread evenly over it: all at once would be a pace that never was.
        """
        total = self.tokens + sum(exchange.cursor for exchange in self.live.values())
        fresh, self._seen = max(0, total - self._seen), total
        newest = self._slot()
        gap, self._sampled = newest.number - self._sampled, newest.number
        if gap <= 2:
            newest.tokens += fresh
            return
        known = {slot.number: slot for slot in self.slots}
        for number in range(newest.number - min(gap, _SPREAD) + 1, newest.number + 1):
            known.setdefault(number, Slot(number)).tokens += fresh // gap
        self.slots.clear()
        self.slots.extend(sorted(known.values(), key=lambda slot: slot.number))

    def _slot(self) -> Slot:
        wall = self._clock.wall()
        if wall >= self._full:
            number = int(wall / BUCKET)
            if not self.slots or self.slots[-1].number < number:
                self.slots.append(Slot(number))
            self._full = (number + 1) * BUCKET
        return self.slots[-1]

    def window(self, count: int) -> list[Slot]:
        """The newest buckets, oldest first, empty ones included; the last is still filling."""
        now = int(self._clock.wall() / BUCKET)
        known = {slot.number: slot for slot in self.slots if slot.number > now - count}
        return [known.get(number) or Slot(number) for number in range(now - count + 1, now + 1)]
