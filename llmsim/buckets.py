"""Histograms: how many values fell into each bucket, as monitoring systems want them, at next to no cost a value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

TTFT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0)
TBT = (
    *(0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 10.0),
)
TOTAL = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5),
    *(10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
LATE = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
TOKENS = tuple(float(digit * 10**power) for power in range(6) for digit in (1, 2, 5))
"""Upper bounds of buckets, each of which holds what is at most that: seconds, and tokens."""


class Histogram:
    """How many values fell into each bucket, the last without a bound, and their sum.

    `add` takes a value in. It goes onto a heap that is sorted into buckets at times: that costs a tenth of finding the
    bucket of each.
    """

    __slots__ = ("_counts", "_heap", "_sum", "add", "bounds")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._heap: list[float] = []
        self.add = self._heap.append

    @property
    def counts(self) -> list[int]:
        """Values in each bucket."""
        self.sort()
        return self._counts

    @property
    def sum(self) -> float:
        """All values together."""
        self.sort()
        return self._sum

    def sort(self) -> None:
        """Puts what is on the heap into buckets."""
        heap = self._heap
        if heap:
            heap.sort()
            self._sum += sum(heap)
            self._fill(heap, range(len(heap) + 1))
            heap.clear()

    def weigh(self, pairs: Sequence[tuple[float, int]]) -> None:
        """Takes values in, in their order, each so many times."""
        self._sum += sum(value * times for value, times in pairs)
        self._fill([value for value, _ in pairs], list(accumulate((times for _, times in pairs), initial=0)))

    def _fill(self, ordered: Sequence[float], before: Sequence[int]) -> None:
        """Counts values in their order; `before` says how many there are before each."""
        at = 0
        for place, bound in enumerate(self.bounds):
            end = bisect_right(ordered, bound, at)
            self._counts[place] += before[end] - before[at]
            at = end
        self._counts[-1] += before[-1] - before[at]

    def join(self, other: Histogram) -> None:
        """Takes in all that another one of the same bounds holds."""
        self._counts = [own + theirs for own, theirs in zip(self.counts, other.counts, strict=True)]
        self._sum += other.sum

    def copy(self) -> Histogram:
        """One of its own with the same values."""
        other = Histogram(self.bounds)
        other._counts, other._sum = self.counts.copy(), self._sum
        return other
