"""Links the tries of one call: the same request of the same client that came again because something went wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from llmsim.exchange import Exchange
from llmsim.journal import Journal
from llmsim.journal.search import turn
from llmsim.metrics import outcome
from llmsim.plan import Fail

WRONG = frozenset(("limited", "failed", "cut", "abandoned"))
"""Outcomes after which the same request, coming again, is taken for a retry."""

AGAIN_S = 600.0
"""Seconds after which the same request is a new call and no retry, if the client does not say otherwise."""


@dataclass(slots=True, frozen=True)
class Client:
    """Who asks, as the server can tell: a key and a name."""

    key: str
    name: str


def client_of(exchange: Exchange) -> Client:
    """Whose exchange it is."""
    return Client(exchange.ask.key, exchange.ask.client)


def told_wait(exchange: Exchange) -> float | None:
    """The seconds that the client was told to wait before it asks again; None where it was told none.

    As planned: an API that tells whole seconds rounds them up, and Gemini tells them in the body alone.
    """
    last = exchange.plan.pieces[-1] if exchange.plan.pieces else None
    over = exchange.cursor >= len(exchange.plan.pieces)
    return last.failure.retry_after if over and isinstance(last, Fail) else None


STEP = 100
"""Exchanges looked at between two pauses."""

Name = tuple[str, str, str, bytes]


class Linker:
    """Finds the earlier try of each exchange.

    Two exchanges are tries of one call when the same client sent the same request to the same path, and either the
    client counts its tries (`x-stainless-retry-count`) and the later one comes next, or the earlier one had gone wrong
    and ended before the later one began, at most ten minutes ago. Each exchange is the earlier try of one other at
    most. Who sends the same request several times at once may be linked wrongly: a server cannot see which is which.

    `earlier` holds what was found: the number of each retry, with the try before it.
    """

    def __init__(self) -> None:
        self.earlier: dict[int, Exchange] = {}

    def link(self, exchanges: Iterable[Exchange]) -> Iterator[None]:
        """Links them all, in whatever order they come; pauses now and then for others to have their turn."""
        groups: dict[Name, list[Exchange]] = {}
        for count, exchange in enumerate(sorted(exchanges, key=attrgetter("number")), 1):
            ask = exchange.ask
            if ask.follows is None:  # else it tells of another exchange that goes on by itself
                name = (ask.key, ask.client, ask.endpoint, ask.digest or exchange.request)
                groups.setdefault(name, []).append(exchange)
            if not count % STEP:
                yield
        for group in groups.values():
            if len(group) > 1:
                yield from self._declared(group)
                yield from self._apparent(group)

    def _declared(self, group: list[Exchange]) -> Iterator[None]:
        """By the client's own count; of several calls at once, the one that went wrong first is tried again first."""
        if not any(exchange.ask.attempt for exchange in group):
            return
        wrong: dict[int, deque[Exchange]] = {}
        others: dict[int, deque[Exchange]] = {}
        for count, exchange in enumerate(group, 1):
            attempt = exchange.ask.attempt
            found = attempt and (wrong.get(attempt - 1) or others.get(attempt - 1))
            if found:
                self.earlier[exchange.number] = found.popleft()
            (wrong if outcome(exchange) in WRONG else others).setdefault(attempt, deque(maxlen=1000)).append(exchange)
            if not count % STEP:
                yield

    def _apparent(self, group: list[Exchange]) -> Iterator[None]:
        """By its coming again once it had gone wrong: whatever the client's count leaves, the first one first."""
        taken = {one.number for exchange in group if (one := self.earlier.get(exchange.number))}
        wrong: deque[Exchange] = deque()
        for count, exchange in enumerate(group, 1):
            began = exchange.started
            while wrong and _since(wrong[0], began) > AGAIN_S:
                wrong.popleft()
            if not exchange.ask.attempt:
                before = next((one for one in wrong if _since(one, began) >= 0), None)
                if before is not None:
                    wrong.remove(before)
                    self.earlier[exchange.number] = before
            if exchange.number not in taken and outcome(exchange) in WRONG:
                wrong.append(exchange)
            if not count % STEP:
                yield


def _since(exchange: Exchange, moment: float) -> float:
    """Seconds from its end to that moment; less than none before it."""
    return moment - exchange.ended if exchange.ended is not None else -1.0


NEAR = 2000
"""Exchanges before and after one among which the tries of its call are looked for."""


async def tries_of(journal: Journal, number: int) -> list[int]:
    """The numbers of all tries of the call that this exchange is one of, itself among them, oldest first."""
    linker = Linker()
    for _ in linker.link(journal.between(number - NEAR, number + NEAR)):
        await turn()
    later = {one.number: new for new, one in linker.earlier.items()}
    found, at = [number], number
    while (one := linker.earlier.get(at)) is not None:
        at = one.number
        found.insert(0, at)
    at = number
    while (new := later.get(at)) is not None:
        at = new
        found.append(at)
    return found


def retries(exchanges: Iterable[Exchange]) -> dict[int, int]:
    """The number of each exchange that is a retry -> the number of the try before it; both are to be among these."""
    linker = Linker()
    for _ in linker.link(exchanges):
        pass
    return {number: earlier.number for number, earlier in linker.earlier.items()}
