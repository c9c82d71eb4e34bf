"""What clients leave with a provider - files, responses, threads - bounded in count, bytes and age."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import orjson

from llmsim.clock import Clock

_OWN_BYTES = 600
"""What an entry costs beside its value: names, numbers, slots in two dictionaries."""


@dataclass(slots=True)
class Kept:
    """One entry: its `value` belongs to who put it there; `size` is what it counts for in bytes."""

    kind: str
    id: str
    value: Any
    created: float
    size: int


class Store:
    """Entries by kind and id, in one budget for all: beyond it, or past their age, the oldest ones go.

    At most `count` entries and `size` bytes, each for `age` seconds of the clock; what is larger than the whole budget
    is not kept at all. A kind begins with its provider's name, as in `openai.file`. Safe to use from several threads,
    since long requests are read in one of their own.
    """

    def __init__(self, clock: Clock, count: int = 10_000, size: int = 256 << 20, age: float = 86_400.0) -> None:
        self.count_limit = count
        self.size_limit = size
        self.age_limit = age
        self.size = 0
        self._clock = clock
        self._lock = threading.RLock()
        self._order: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self._kinds: dict[str, dict[str, Kept]] = {}

    def __len__(self) -> int:
        """How many entries are kept."""
        with self._lock:
            self._expire()
            return len(self._order)

    def get(self, kind: str, id: str) -> Any:
        """The value of that id, or None."""
        with self._lock:
            self._expire()
            kept = self._order.get((kind, id))
            return None if kept is None else kept.value

    def values(self, kind: str) -> list[Any]:
        """All values of a kind, oldest first."""
        with self._lock:
            self._expire()
            return [kept.value for kept in self._kinds.get(kind, {}).values()]

    def put(self, kind: str, id: str, value: Any, size: int | None = None) -> None:
        """Keeps a value, in place of an earlier one of the same id, whose age and place in the order it takes over.

        `size` is what it counts for in bytes; without it bytes count for their length, anything else for its JSON. A
        value that grows has to be put again, so that it counts for what it is.
        """
        weight = _OWN_BYTES + (_size(value) if size is None else size)
        with self._lock:
            kept = self._order.get((kind, id))
            if kept is None:
                kept = Kept(kind, id, value, self._clock.now(), 0)
                self._order[kind, id] = self._kinds.setdefault(kind, {})[id] = kept
            self.size += weight - kept.size
            kept.value, kept.size = value, weight
            self._expire()
            while len(self._order) > self.count_limit or self.size > self.size_limit:
                self._forget(next(iter(self._order.values())))

    def pop(self, kind: str, id: str) -> Any:
        """Takes an entry out; gives its value, or None."""
        with self._lock:
            self._expire()
            kept = self._order.get((kind, id))
            if kept is None:
                return None
            self._forget(kept)
            return kept.value

    def clear(self) -> int:
        """Forgets everything; gives how many entries there were."""
        with self._lock:
            count = len(self._order)
            self._order.clear()
            self._kinds.clear()
            self.size = 0
            return count

    def _expire(self) -> None:
        oldest = self._clock.now() - self.age_limit
        while self._order:
            kept = next(iter(self._order.values()))
            if kept.created > oldest:
                return
            self._forget(kept)

    def _forget(self, kept: Kept) -> None:
        del self._order[kept.kind, kept.id]
        del self._kinds[kept.kind][kept.id]
        self.size -= kept.size


def _size(value: Any) -> int:
    return len(value) if isinstance(value, bytes) else len(orjson.dumps(value, default=str))
