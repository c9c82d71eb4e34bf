"""When each piece really went out, of the few replies that somebody looks at; all others cost nothing for it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final

from llmsim.exchange import Exchange
from llmsim.plan import Piece

MOST: Final = 64
"""Replies that are remembered; of those that have ended the oldest goes first."""
BATCHES: Final = 2000
"""Moments of each that are remembered: 12 bytes each, so that all together take 1.5 MB at most."""


class Watched:
    """One reply: up to which piece it had gone when it was first looked at, then each batch's end and its moment."""

    __slots__ = ("ends", "exchange", "moments", "since")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.since = exchange.cursor
        self.ends = array("I")
        self.moments = array("d")


class Moments:
    """The replies that are looked at.

    Nothing asks on the way of a reply whether it is watched: one that is becomes an exchange of a kind of its own,
    which differs in its `take` alone, and has no shorter way.
    """

    def __init__(self) -> None:
        self._kept: dict[int, Watched] = {}
        self._kinds: dict[type[Exchange], type[Exchange]] = {}

    def watch(self, exchange: Exchange, wanted: bool = False) -> None:
        """Notes its moments from now on, if there is room for it; one that is `wanted` makes room for itself."""
        if exchange.state != "live" or exchange.number in self._kept or not exchange.ask.stream or exchange.over:
            return
        if len(self._kept) >= MOST and not self._room(wanted):
            return
        self._kept[exchange.number] = Watched(exchange)
        kind = type(exchange)
        if kind not in self._kinds.values():
            exchange.__class__ = self._kinds.get(kind) or self._kind(kind)

    def _room(self, wanted: bool) -> bool:
        """Forgets one that has ended; one under way only for one that is wanted."""
        gone = next((number for number, one in self._kept.items() if one.exchange.state != "live"), None)
        if gone is None and wanted:
            gone = next(iter(self._kept))
        if gone is None:
            return False
        del self._kept[gone]
        return True

    def _kind(self, kind: type[Exchange]) -> type[Exchange]:
        kept = self._kept

        def take(self: Exchange, now: float, whole: bool = False) -> Sequence[Piece]:
            pieces = kind.take(self, now, whole)
            watched = kept.get(self.number) if pieces else None
            if watched is not None and len(watched.ends) < BATCHES:
                watched.ends.append(self.cursor)
                watched.moments.append(now)
            return pieces

        def advance(self: Exchange, now: float) -> float:
            return 0.0

        fields: dict[str, Any] = {"__slots__": (), "__doc__": kind.__doc__, "take": take, "advance": advance}
        made = self._kinds[kind] = type(kind.__name__, (kind,), fields)
        return made

    def went(self, exchange: Exchange, most: int) -> list[float | None]:
        """Seconds from the start at which each of the first pieces went out; None where nobody looked."""
        watched = self._kept.get(exchange.number)
        if watched is None or watched.exchange is not exchange:
            return []
        found: list[float | None] = [None] * min(most, watched.since)
        for end, moment in zip(watched.ends, watched.moments, strict=True):
            found += [moment - exchange.started] * (min(most, end) - len(found))
        return found
