"""A journal whose exchanges come in any order and with gaps: a worker has only its own, the hub learns of them late."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from llmsim.exchange import Exchange
from llmsim.journal import Journal

SHARE = 1_000_000_000
"""Exchange numbers that each machine has for itself."""

_CHUNK = 1024
"""Numbers that have gone before the list of them is cut."""


class SparseJournal(Journal):
    """Exchanges in order of their numbers; at either limit the oldest one goes."""

    def __init__(self, count: int = 10_000, size: int = 64 << 20) -> None:
        super().__init__(count, size)
        self._kept: dict[int, Exchange] = {}
        self._order: list[int] = []
        self._gone = 0
        self._forgotten: dict[int, int] = {}  # the greatest numbers that have gone, by machine

    def __len__(self) -> int:
        """How many exchanges are kept."""
        return len(self._kept)

    def __iter__(self) -> Iterator[Exchange]:
        """Oldest first."""
        return iter(self.between())

    @property
    def first(self) -> int:
        """The number of the oldest exchange kept, 0 while there is none."""
        return self._order[self._gone] if self._kept else 0

    @property
    def last(self) -> int:
        """The number of the newest exchange, -1 while there is none."""
        return self._order[-1] if self._kept else -1

    def add(self, exchange: Exchange) -> None:
        """Takes an exchange in, or in the place of an earlier look at it."""
        number = exchange.number
        exchange.weight = 1500 + 2 * len(exchange.request) + 12 * len(exchange.plan.pieces)
        earlier = self._kept.get(number)
        if earlier is not None:
            self.size -= earlier.weight
        elif number <= self._forgotten.get(number // SHARE, 0):
            return
        elif not self._order or number > self._order[-1]:
            self._order.append(number)
        else:
            insort(self._order, number, lo=self._gone)
        self._kept[number] = exchange
        self.size += exchange.weight
        while len(self._kept) > self.count_limit or (self.size > self.size_limit and len(self._kept) > 1):
            self._forget()

    def _forget(self) -> None:
        number = self._order[self._gone]
        self._forgotten[number // SHARE] = number
        self.size -= self._kept.pop(number).weight
        self._gone += 1
        if self._gone >= _CHUNK:
            del self._order[: self._gone]
            self._gone = 0

    def get(self, number: int) -> Exchange | None:
        """The exchange of that number, or None when it is no longer kept."""
        return self._kept.get(number)

    def newest(self, limit: int) -> list[Exchange]:
        """The newest exchanges, oldest of them first."""
        start = max(self._gone, len(self._order) - limit)
        return [self._kept[number] for number in self._order[start:]]

    def clear(self) -> None:
        """Forgets everything; what is older than that and comes later is not taken in."""
        for number in self._kept:
            self._forgotten[number // SHARE] = max(number, self._forgotten.get(number // SHARE, 0))
        self._kept.clear()
        self._order.clear()
        self._gone = self.size = 0

    def between(self, after: int = 0, before: int | None = None, newest_first: bool = False) -> list[Exchange]:
        """The exchanges with numbers above `after` and below `before`, as they are at this moment."""
        start = bisect_right(self._order, after, lo=self._gone)
        stop = len(self._order) if before is None else bisect_left(self._order, before, lo=self._gone)
        kept = [self._kept[number] for number in self._order[start : max(start, stop)]]
        return kept[::-1] if newest_first else kept
