"""How often the very same request came before, and the seed of the dice that follows from it."""

from __future__ import annotations

from collections import OrderedDict

from llmsim.conversation import Ask
from llmsim.dice import blend, mix
from llmsim.settings import Settings

DIFFERENT = 10_000
"""Different requests whose repetitions are counted; beyond it the one unseen for longest is forgotten."""


class Repeats:
    """Counts requests by their digests."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def count(self, ask: Ask) -> int:
        """Counts the request, and gives how often the same one came before."""
        digest, counts = ask.digest or b"number %d" % ask.number, self._seen
        seen = counts.pop(digest, 0)
        counts[digest] = seen + 1
        if len(counts) > DIFFERENT:
            counts.popitem(last=False)
        return seen

    def clear(self) -> None:
        """Counts from nought."""
        self._seen.clear()


def seed(ask: Ask, settings: Settings, seen: int) -> int:
    """The same for the same request, whatever runs beside it; each repetition of a request, by `seen`, gets its own.

    A client's own seed makes repetitions alike too; only a retry, which says so itself, rolls again.
    """
    if ask.overrides is not None and ask.overrides.seed is not None and settings.overrides:
        return mix(ask.overrides.seed, ask.digest)
    if ask.seed is not None:
        return mix(settings.seed, ask.digest, ask.seed, ask.attempt)
    digest = ask.digest or b"number %d" % ask.number
    return blend(int.from_bytes(digest[:8], "little"), settings.seed, seen)
