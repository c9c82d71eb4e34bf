"""The verdict on clients, from the journal alone: how they took errors, waits, broken replies, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from llmsim import masks
from llmsim.exchange import Exchange
from llmsim.metrics import outcome
from llmsim.verdict import parts
from llmsim.verdict.calls import Call, Wait
from llmsim.verdict.costs import Cost
from llmsim.verdict.parts import Partial
from llmsim.verdict.storms import Storm, Watch
from llmsim.verdict.tries import STEP, Client, Linker, client_of, retries
from llmsim.verdict.words import findings, many, sentence

__all__ = [
    "Call",
    "Client",
    "ClientVerdict",
    "Cost",
    "Partial",
    "Storm",
    "Verdict",
    "Wait",
    "judge",
    "judging",
    "retries",
]

SHOWN = 100
"""Calls that a client's verdict tells in full, the newest ones."""


@dataclass(slots=True)
class ClientVerdict:
    """What one client did; `key` is masked. `calls` are those that were tried again or did not succeed.

    `left` is the cost of replies that the client did not wait for, `broken` of those that broke off, `cost` of all.
    `again` says how often the client asked again after all, `endings` how its calls came out.
    """

    key: str
    name: str
    requests: int = 0
    again: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    calls: list[Call] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    hopeless: Counter[int] = field(default_factory=Counter)
    storms: list[Storm] = field(default_factory=list)
    partials: list[Partial] = field(default_factory=list)
    left: Cost = field(default_factory=Cost)
    broken: Cost = field(default_factory=Cost)
    cost: Cost = field(default_factory=Cost)

    @property
    def findings(self) -> list[str]:
        """What is to be known about it, the worst first, one line each."""
        return findings(self)

    @property
    def sentence(self) -> str:
        """The client in one line."""
        calls = sum(self.endings.values())
        name = self.name or "a client without a name"
        who = f"{name} ({self.key})" if self.key else name
        told = f"{who}: {many(calls, 'call')} in {many(self.requests, 'request')}"
        return f"{told}, {many(self.again, 'retry', 'retries')}, {self.endings['succeeded']} succeeded"

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {
            "client": self.name,
            "key": self.key,
            "sentence": self.sentence,
            "findings": self.findings,
            "requests": self.requests,
            "retries": self.again,
            "calls": {"total": sum(self.endings.values()), **self.endings},
            "outcomes": dict(self.outcomes),
            "waits": Counter(wait.kept for wait in self.waits),
            "storms": [one.json() for one in self.storms],
            "partials": [one.json() for one in self.partials[-SHOWN:]],
            "abandoned": self.left.json(),
            "broken": self.broken.json(),
            "cost": self.cost.json(),
            "told": [{**call.json(), "sentence": sentence(call)} for call in self.calls[-SHOWN:]],
        }


@dataclass(slots=True)
class Verdict:
    """The verdict on every client, those with the most requests first, and on all of them together."""

    clients: list[ClientVerdict]

    @property
    def requests(self) -> int:
        """How many there were."""
        return sum(one.requests for one in self.clients)

    @property
    def again(self) -> int:
        """How many of them were retries."""
        return sum(one.again for one in self.clients)

    @property
    def cost(self) -> Cost:
        """What all of it cost."""
        return _sum(one.cost for one in self.clients)

    @property
    def left(self) -> Cost:
        """What was written for clients that had left."""
        return _sum(one.left for one in self.clients)

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        storms = sum(len(one.storms) for one in self.clients)
        told = f"{many(len(self.clients), 'client')}, {many(self.requests, 'request')}, "
        told += f"{many(self.again, 'retry', 'retries')}, {many(storms, 'retry storm')}, cost {self.cost.told}"
        return told + (f", of which {self.left.told} was left" if self.left.replies else "")

    def client(self, name: str) -> ClientVerdict:
        """The verdict on the client of that name, the busiest one where there are several; KeyError for none."""
        for one in self.clients:
            if one.name == name:
                return one
        raise KeyError(name)

    def lines(self) -> list[str]:
        """The whole verdict as people read it."""
        lines = [self.sentence]
        for one in self.clients:
            lines += [one.sentence, *(f"  {finding}" for finding in one.findings)]
            lines += [f"  #{call.numbers[0]}: {sentence(call)}" for call in one.calls[-SHOWN:]]
        return lines

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {
            "sentence": self.sentence,
            "requests": self.requests,
            "retries": self.again,
            "abandoned": self.left.json(),
            "cost": self.cost.json(),
            "clients": [one.json() for one in self.clients],
        }


def _sum(costs: Iterable[Cost]) -> Cost:
    total = Cost()
    for one in costs:
        total.replies += one.replies
        total.prompt += one.prompt
        total.completion += one.completion
        total.dollars += one.dollars
        total.unpriced += one.unpriced
    return total


def judge(exchanges: Iterable[Exchange], now: float | None = None) -> Verdict:
    """The verdict on all clients; `now` is the moment on the simulator's clock, None when all is over.

    With `now`, a call that went wrong a moment ago is `open`: its client may still ask again.
    """
    return next(step for step in judging(exchanges, now) if step is not None)


def judging(exchanges: Iterable[Exchange], now: float | None = None) -> Iterator[Verdict | None]:
    """The same with pauses: each None before the verdict is a moment to let others have their turn."""
    kept = sorted(exchanges, key=attrgetter("number"))
    linker = Linker()
    yield from linker.link(kept)
    judges: dict[Client, _Judge] = {}
    for count, exchange in enumerate(kept, 1):
        client = client_of(exchange)
        judge = judges.get(client)
        if judge is None:
            judge = judges[client] = _Judge(client, now)
        judge.add(exchange, linker.earlier.get(exchange.number))
        if not count % STEP:
            yield None
    for judge in judges.values():
        yield from judge.finish()
    yield Verdict(sorted((one.verdict for one in judges.values()), key=lambda one: -one.requests))


class _Judge:
    """Takes in the exchanges of one client, in order."""

    def __init__(self, client: Client, now: float | None) -> None:
        self.verdict = ClientVerdict(masks.key(client.key), masks.text(client.name, client.key))
        self._now = now
        self._watch = Watch()
        self._calls: dict[int, list[Exchange]] = {}
        self._exchanges: list[Exchange] = []
        self._broken: list[tuple[int, parts.How]] = []
        self._again: dict[int, int] = {}

    def add(self, exchange: Exchange, earlier: Exchange | None) -> None:
        verdict = self.verdict
        if exchange.ask.follows is not None:
            return
        verdict.requests += 1
        verdict.outcomes[outcome(exchange)] += 1
        self._watch.add(exchange, earlier)
        tries = self._calls.pop(earlier.number, []) if earlier is not None else []
        tries.append(exchange)
        self._calls[exchange.number] = tries
        if earlier is not None or exchange.ask.attempt:
            verdict.again += 1
        if earlier is not None:
            self._again[earlier.number] = exchange.number
        kind = parts.how(exchange)
        if kind is not None:
            self._broken.append((len(self._exchanges), kind))
        self._exchanges.append(exchange)
        verdict.cost.add(exchange)
        if exchange.state == "abandoned":
            verdict.left.add(exchange)
        elif exchange.state in ("dropped", "failed"):
            verdict.broken.add(exchange)

    def finish(self) -> Iterator[None]:
        """Looks back at what went wrong, once all is known."""
        verdict = self.verdict
        verdict.storms = self._watch.storms
        for count, tries in enumerate(self._calls.values(), 1):
            call = Call(tries, self._now)
            ending = call.ending
            verdict.endings[ending] += 1
            if len(tries) > 1 or ending != "succeeded":
                verdict.calls.append(call)
                verdict.waits += call.waits
                verdict.hopeless.update(call.hopeless)
            if not count % STEP:
                yield
        for at, kind in self._broken:
            exchange = self._exchanges[at]
            again = self._again.get(exchange.number)
            verdict.partials.append(parts.partial(exchange, kind, again, self._exchanges[at + 1 : at + 51]))
            yield
