"""The filter of the request list: a match in its one-line form, and the numbers of the exchanges that it means."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from llmsim.match import Match
from llmsim_tui.rules import Sift

HINT: Final = "words · model:gpt-4o* client: key: status:4xx outcome: fault: text:/re/ stream:true · ! is not, or"

_WORK: Final = 6_000
"""What one tick may cost for what is new, and as much for the past, so that a filter over a long history never holds
up the picture: about 12 ms, which is 750 exchanges by model, or 50 whose requests are read again for their texts."""
_OPEN: Final = 3_000
"""What looking again at replies under way may cost in one tick."""


@dataclass
class Sieve:
    """The numbers of the exchanges that are meant, kept up to date tick by tick."""

    text: str
    sift: Sift
    matches: list[int] = field(default_factory=list)
    open: deque[int] = field(default_factory=deque)
    low: int = 0
    high: int = -1

    @classmethod
    def of(cls, text: str, sift: Callable[[Match], Sift]) -> Sieve:
        """A filter that has seen nothing yet; raises SettingsError for a line that is no match."""
        return cls(text, sift(Match(text)))

    def update(self, first: int, last: int) -> Sequence[int]:
        """Looks at what is new, at what was still under way, and at one more stretch of the past."""
        if self.high < self.low:
            self.low, self.high = last + 1, last
        del self.matches[: bisect_left(self.matches, first)]
        self._again()
        self._new(first, last)
        self._past(first)
        return self.matches

    def _again(self) -> None:
        """Looks at replies under way, those that were looked at longest ago first."""
        self.sift.work = 0
        for _ in range(len(self.open)):
            if self.sift.work >= _OPEN:
                return
            self._look(self.open.popleft())

    def _new(self, first: int, last: int) -> None:
        self.sift.work = 0
        self.high = max(self.high, first - 1)
        while self.high < last and self.sift.work < _WORK:
            self.high += 1
            self._look(self.high)

    def _past(self, first: int) -> None:
        self.sift.work = 0
        while self.low > first and self.sift.work < _WORK:
            self.low -= 1
            self._look(self.low)

    def _look(self, number: int) -> None:
        found = self.sift.look(number)
        if found is None:
            self._take_out(number)
            return
        live, meant = found
        if live:
            self.open.append(number)
        if not meant:
            self._take_out(number)
        elif not self._there(number):
            insort(self.matches, number)

    def _there(self, number: int) -> bool:
        place = bisect_left(self.matches, number)
        return place < len(self.matches) and self.matches[place] == number

    def _take_out(self, number: int) -> None:
        if self._there(number):
            del self.matches[bisect_left(self.matches, number)]
