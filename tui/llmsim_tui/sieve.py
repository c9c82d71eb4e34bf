"""The filter of the request list: a few words that an exchange must match, and the numbers of those that do."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from llmsim.errors import SettingsError
from llmsim_tui.backend import Row

FIELDS: Final[dict[str, Callable[[Row], str]]] = {
    "model": lambda row: row.model,
    "client": lambda row: row.client,
    "status": lambda row: f"{row.status or ''} {row.outcome}",
    "fault": lambda row: " ".join(row.faults),
    "profile": lambda row: row.profile,
}
"""What `name:word` looks into; a word alone looks into all of them and the endpoint."""

_CHUNK: Final = 4_000
"""Exchanges looked at in one tick, so that a filter over a long history never holds up the picture."""


@dataclass(frozen=True)
class Term:
    """One word of a filter."""

    field: str
    word: str
    negated: bool

    def holds(self, row: Row) -> bool:
        """Whether the row has the word where it is looked for."""
        if self.field == "status" and self.word[1:] == "xx":
            found = str(row.status or "").startswith(self.word[0])
        elif self.field:
            found = self.word in FIELDS[self.field](row).lower()
        else:
            found = self.word in " ".join((row.endpoint, *(look(row) for look in FIELDS.values()))).lower()
        return found != self.negated


def parse(text: str) -> tuple[Term, ...]:
    """The terms of a filter, all of which must hold; raises SettingsError for a field that is none."""
    terms = []
    for part in text.lower().split():
        bare = part.removeprefix("!")
        name, colon, word = bare.partition(":")
        if colon and name not in FIELDS:
            raise SettingsError(f"{name}: there is no such field; there are {', '.join(FIELDS)}")
        if word or not colon:
            terms.append(Term(name if colon else "", word if colon else bare, part != bare))
    return tuple(term for term in terms if term.word)


@dataclass
class Sieve:
    """The numbers of the exchanges that match, kept up to date tick by tick."""

    text: str
    terms: tuple[Term, ...]
    matches: list[int] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    low: int = 0
    high: int = -1

    @classmethod
    def of(cls, text: str) -> Sieve:
        """A filter that has seen nothing yet; raises SettingsError as `parse` does."""
        return cls(text, parse(text))

    def update(self, first: int, last: int, row: Callable[[int], Row | None]) -> Sequence[int]:
        """Looks at what is new, at what was still under way, and at one more stretch of the past."""
        if self.high < self.low:
            self.low, self.high = last + 1, last
        del self.matches[: bisect_left(self.matches, first)]
        for number in sorted(self.open):
            self._look(number, row)
        for number in range(max(first, self.high + 1), last + 1):
            self._look(number, row)
        self.high = max(self.high, last)
        past = range(self.low - 1, max(first - 1, self.low - 1 - _CHUNK), -1)
        for number in past:
            self._look(number, row)
        self.low -= len(past)
        return self.matches

    def _look(self, number: int, row: Callable[[int], Row | None]) -> None:
        found = row(number)
        self.open.discard(number)
        if found is None:
            return
        if found.outcome == "live":
            self.open.add(number)
        place = bisect_left(self.matches, number)
        there = place < len(self.matches) and self.matches[place] == number
        if all(term.holds(found) for term in self.terms):
            if not there:
                insort(self.matches, number)
        elif there:
            del self.matches[place]
