"""A filter over exchanges that are elsewhere: the server judges them, a stretch at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from llmsim.match import Match

_ONCE: Final = 2_000
"""Exchanges that are asked for at once."""


class Numbered(Protocol):
    """Where the exchanges are."""

    def numbers(self) -> tuple[int, int]:
        """The oldest and the newest."""
        ...


class RemoteSift:
    """What the server has said of each exchange; what it has not been asked yet counts as under way."""

    def __init__(self, there: Numbered, match: Match) -> None:
        self.match = match
        self.work = 0
        self._there = there
        self._known: dict[int, tuple[bool, bool]] = {}
        self._asked: set[int] = set()

    def look(self, number: int) -> tuple[bool, bool] | None:
        """Whether it is under way or not judged yet, and whether it is meant."""
        self.work += 1
        first, last = self._there.numbers()
        if not first <= number <= last:
            self._known.pop(number, None)
            return None
        known = self._known.get(number, (True, False))
        if known[0]:
            self._asked.add(number)
        return known

    def asked(self) -> list[int]:
        """What to ask of the server next: the newest of those that were looked at in vain, unknown ones first."""
        wanted = sorted(self._asked, key=lambda number: (number in self._known, -number))
        self._asked.clear()
        return wanted[:_ONCE]

    def learn(self, told: Mapping[str, Any]) -> None:
        """Takes in what the server says."""
        meant, live = set(told["meant"]), set(told["live"])
        self._known |= {number: (number in live, number in meant) for number in told["judged"]}
