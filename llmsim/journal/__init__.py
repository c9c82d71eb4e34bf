"""The journal: the newest exchanges, bounded in their number and in bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from llmsim.exchange import Exchange
from llmsim.journal.search import Preview, Reread, search
from llmsim.match import Match

# Measured: an ended exchange with a small request, its ask and its share of the plan.
_OWN_BYTES = 1500


class Journal:
    """Exchanges in order of their numbers, without gaps; at either limit the oldest one goes."""

    def __init__(self, count: int = 10_000, size: int = 64 << 20) -> None:
        self.count_limit = count
        self.size_limit = size
        self.size = 0
        self._ring: deque[Exchange] = deque()

    def __len__(self) -> int:
        """How many exchanges are kept."""
        return len(self._ring)

    def __iter__(self) -> Iterator[Exchange]:
        """Oldest first."""
        return iter(self._ring)

    @property
    def first(self) -> int:
        """The number of the oldest exchange kept, 0 while there is none."""
        return self._ring[0].number if self._ring else 0

    @property
    def last(self) -> int:
        """The number of the newest exchange, -1 while there is none."""
        return self._ring[-1].number if self._ring else -1

    def add(self, exchange: Exchange) -> None:
        """Takes an exchange in, weighed by its request, whose texts the ask holds once more, and by its plan."""
        weight = _OWN_BYTES + 2 * len(exchange.request) + 12 * len(exchange.plan.pieces)
        exchange.weight = weight
        self.size += weight
        ring = self._ring
        ring.append(exchange)
        while len(ring) > self.count_limit or (self.size > self.size_limit and len(ring) > 1):
            self.size -= ring.popleft().weight

    def get(self, number: int) -> Exchange | None:
        """The exchange of that number, or None when it is no longer kept."""
        index = number - self.first
        return self._ring[index] if self._ring and 0 <= index < len(self._ring) else None

    def newest(self, limit: int) -> list[Exchange]:
        """The newest exchanges, oldest of them first."""
        return list(islice(reversed(self._ring), max(0, limit)))[::-1]  # from the end: the rest is not even passed over

    def clear(self) -> None:
        """Forgets everything."""
        self._ring.clear()
        self.size = 0

    # -- queries

    def between(self, after: int = 0, before: int | None = None, newest_first: bool = False) -> list[Exchange]:
        """The exchanges with numbers above `after` and below `before`, as they are at this moment."""
        first = self.first
        start = max(0, after + 1 - first)
        stop = len(self._ring) if before is None else max(0, before - first)
        kept = list(islice(self._ring, start, max(start, stop)))
        return kept[::-1] if newest_first else kept

    def search(
        self,
        match: Match,
        *,
        reread: Reread | None = None,
        after: int = 0,
        before: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Exchange | None]:
        """The exchanges that are meant, one by one; each None is a moment to let others have their turn.

        What comes or goes meanwhile changes nothing: it looks at what was there when it began. Texts of ended
        exchanges are in `reread`'s asks; without it they are searched in the body as it came.
        """
        return search(self.between(after, before, newest_first), match, reread)

    def find(
        self,
        match: Match,
        *,
        reread: Reread | None = None,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[Exchange]:
        """The first `limit` exchanges that are meant, without a pause."""
        steps = self.search(match, reread=reread, after=after, before=before, newest_first=newest_first)
        return list(islice((one for one in steps if one is not None), max(0, limit)))

    def count(self, match: Match, *, reread: Reread | None = None, after: int = 0, before: int | None = None) -> int:
        """How many exchanges are meant."""
        return sum(one is not None for one in self.search(match, reread=reread, after=after, before=before))

    def preview(self, match: Match, last: int = 100, *, reread: Reread | None = None) -> Preview:
        """How many of the last exchanges a rule would have meant."""
        newest = self.newest(last)
        numbers = tuple(one.number for one in search(newest, match, reread) if one is not None)
        return Preview(len(numbers), len(newest), numbers)
