"""Finds exchanges by a match, a few at a time, so that a long history never holds up the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from llmsim.conversation import Ask, Message
from llmsim.exchange import Exchange
from llmsim.match import Condition, Match, Outcome, Subject
from llmsim.match.tree import Node, Not
from llmsim.metrics import outcome

Reread = Callable[[Exchange], Ask | None]
"""Gives the ask of an ended exchange again, with its messages and tools; None for a request that is none."""

T = TypeVar("T")

TURN = 1000
"""Work between two pauses, about 2 ms: a condition that is at hand is 6, to read a request again more than 40."""

LONGEST = 256 << 10
"""Bytes of a request that is read again for its texts; a longer one is searched as it came, its first bytes alone."""

# What an ask lets go of when its exchange ends; `has` looks at the newest text, too.
_SHED = frozenset(("tools", "tool", "tool_result", "turn", "text", "system", "any", "has"))


class Query:
    """A match as the journal asks it: what is at hand is looked at first, requests are read again only where need be.

    `work` counts what was done since somebody set it to 0.
    """

    def __init__(self, match: Match, reread: Reread | None = None) -> None:
        parts = sorted(match.required, key=lambda part: part.cost)
        self.parts = parts
        self._at_hand = [part for part in parts if not _asks(part, _SHED)]
        self._deep = [part for part in parts if _asks(part, _SHED)]
        self._of_body = any(_asks(part, ("json",)) for part in parts)
        self._late = any(_asks(part, ("status", "outcome", "fault", "mock", "has")) for part in parts)
        self._reread = reread
        self.work = 0

    def holds(self, exchange: Exchange) -> bool:
        """Whether the exchange is one of those that are meant."""
        self.work += 2 + 6 * len(self._at_hand) + (40 + (len(exchange.request) >> 6) if self._of_body else 0)
        subject = self._subject(exchange, exchange.ask)
        for part in self._at_hand:
            if not part.holds(subject):
                return False
        if not self._deep:
            return True
        whole = self.whole(exchange)
        return all(part.holds(whole) for part in self._deep)

    def failing(self, exchange: Exchange, deep: bool = True) -> list[Node]:
        """The parts that do not hold for it; without `deep` only of those that need no reading."""
        subject = self._subject(exchange, exchange.ask)
        found = [part for part in self._at_hand if not part.holds(subject)]
        if deep and self._deep:
            whole = self.whole(exchange)
            found += [part for part in self._deep if not part.holds(whole)]
        return found

    def whole(self, exchange: Exchange) -> Subject:
        """The exchange with its conversation."""
        if exchange.state == "live":
            return self._subject(exchange, exchange.ask)
        self.work += 40 + (len(exchange.request) >> 4)
        return self._subject(exchange, with_texts(exchange, self._reread))

    def _subject(self, exchange: Exchange, ask: Ask) -> Subject:
        return Subject(ask, exchange.request, getattr(exchange, "seen", 0), fate(exchange) if self._late else None)


def _asks(part: Node, names: Iterable[str]) -> bool:
    return any(one.name in names for one in part.conditions())


def fate(exchange: Exchange) -> Outcome:
    """What became of the exchange, as conditions ask it; faults go by the names that people gave them and by ids."""
    plan = exchange.plan
    faults = tuple(dict.fromkeys((*plan.faults, *plan.struck)))
    return Outcome(exchange.status, outcome(exchange), faults, plan.mock)


def with_texts(exchange: Exchange, reread: Reread | None) -> Ask:
    """The ask with its conversation: as it is read again, or for what cannot be read all texts of the body as one."""
    if exchange.state == "live":
        return exchange.ask
    short = len(exchange.request) <= LONGEST
    read = reread(exchange) if reread is not None and short else None
    ask = exchange.ask.again()
    if read is None:
        told = "\n".join(_texts(exchange.request[:LONGEST]))
        ask.messages = (Message("system", told), Message("user", told)) if told else ()
    else:
        ask.messages, ask.tools, ask.tool_choice = read.messages, read.tools, read.tool_choice
        ask.format, ask.prompts, ask.extra = read.format, read.prompts, read.extra
    return ask


def _texts(body: bytes) -> list[str]:
    """Every text in the body, where it is JSON, else the body."""
    import orjson

    try:
        pending: list[Any] = [orjson.loads(body)]
    except orjson.JSONDecodeError:
        return [body.decode("utf-8", "replace")]
    found: list[str] = []
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict | list):
            pending.extend(reversed(value.values() if isinstance(value, dict) else value))
    return found


def search(exchanges: Iterable[Exchange], match: Match, reread: Reread | None = None) -> Iterator[Exchange | None]:
    """The exchanges that are meant, in the order given; None is a moment to let others have their turn."""
    query = Query(match, reread)
    for exchange in exchanges:
        if query.work >= TURN:
            query.work = 0
            yield None
        if query.holds(exchange):
            yield exchange


async def in_turns(steps: Iterator[T | None]) -> list[T]:
    """All that the steps come to, with everything else in the loop having its turn at each pause."""
    found = []
    for step in steps:
        if step is None:
            await turn()
        else:
            found.append(step)
    return found


async def turn() -> None:
    """Lets everything that is due in the loop have its turn."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_soon(_taken, over)
    await over


def _taken(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


@dataclass(frozen=True, slots=True)
class Preview:
    """How many of the newest exchanges a rule would have meant, and which."""

    matched: int
    looked_at: int
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        """In words."""
        return f"{self.matched} of the last {self.looked_at} requests"


def value_of(part: Node, subject: Subject) -> list[str] | None:
    """What stands in the request where a single condition looks; None for conditions that are joined."""
    inner = part.part if isinstance(part, Not) else part
    if not isinstance(inner, Condition):
        return None
    return [str(found) for found in inner.field.find(subject, inner.key)]
