"""Counts that all workers of one machine share in memory: the exchanges, and how often each request came before."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator
from typing import Any

from llmsim.conversation import Ask
from llmsim.errors import LlmsimError
from llmsim.repeats import Repeats

_WAYS = 16
_SETS = 4096
_DIGESTS = 8 * _WAYS
_SET = 2 * _DIGESTS
_HEAD = 64
SIZE = _HEAD + _SETS * _SET
"""Bytes of the memory: room for 65,536 different requests; in each of its sets the one unseen for longest goes."""

_FREE = bytes(8)
_PLACES = 10_000
"""Requests of which a process remembers where they are counted; with more of them it looks for all of them again."""

_PATIENCE = 0.05
"""Seconds after which a process that holds the lock is taken for dead: it is held for a few microseconds."""


class Lock:
    """A lock between processes; one that died with it holds up the next for a moment, and nobody for good."""

    def __init__(self, name: str = "", *, new: bool = False) -> None:
        try:
            from _multiprocessing import SemLock  # type: ignore[import-not-found]
        except ImportError:
            raise LlmsimError("workers: this Python has no locks between processes") from None
        self.name = name
        lock: Any = SemLock(1, 1, 1, name, False) if new else SemLock._rebuild(0, 1, 1, name)
        self._acquire, self._release = lock.acquire, lock.release

    def acquire(self) -> None:
        """Takes it, from one that died if need be."""
        self._acquire(True, _PATIENCE)

    def release(self) -> None:
        """Gives it back."""
        try:  # noqa: SIM105  # a fifth of what suppress() costs, and each request comes by
            self._release()
        except ValueError:  # given back twice, after one was taken for dead
            pass

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def forget(self) -> None:
        """Takes its name away; who has it keeps it."""
        from _multiprocessing import sem_unlink

        with contextlib.suppress(FileNotFoundError):
            sem_unlink(self.name)


class Memory:
    """The shared memory, and what is in it: the newest number, then sets of digests with a count and a moment each."""

    def __init__(self, descriptor: int, lock: Lock) -> None:
        self._map = mmap.mmap(descriptor, SIZE)
        self._long, self._short = memoryview(self._map).cast("Q"), memoryview(self._map).cast("I")
        self._lock = lock
        self._places: dict[bytes, tuple[int, int, int]] = {}

    def number(self) -> int:
        """The next number."""
        with self._lock:
            number = self._long[0] = self._long[0] + 1
        return number

    def number_from(self, least: int) -> None:
        """Lets the next number be above that."""
        with self._lock:
            self._long[0] = max(self._long[0], least)

    def take(self, digest: bytes) -> tuple[int, int]:
        """The next number, and how often the same request came before, which is counted; both under one lock."""
        long, short, place = self._long, self._short, self._places.get(digest)
        self._lock.acquire()
        try:
            number = long[0] = long[0] + 1
            if place is None or long[place[0]] != place[1]:
                place = self._found(digest, number) if len(digest) >= 10 else None
                if place is None:
                    return number, 0
            seen = short[place[2]]
            short[place[2]], short[place[2] + 1] = seen + 1, number & 0xFFFFFFFF
        finally:
            self._lock.release()
        return number, seen

    def _found(self, digest: bytes, now: int) -> tuple[int, int, int] | None:
        """Where a digest is counted: the places of its key, the key, and its count; None where that has only begun."""
        key = digest[:8]
        start = _HEAD + (int.from_bytes(digest[8:10], "little") % _SETS) * _SET
        at = self._key(start, key)
        known = at >= 0
        if not known:
            at = self._key(start, _FREE)
            at = at if at >= 0 else self._oldest(start)
            self._map[at : at + 8] = key
        if len(self._places) >= _PLACES:
            self._places.clear()
        place = self._places[digest] = (at // 8, self._long[at // 8], (at + _DIGESTS) // 4)
        if known:
            return place
        self._short[place[2]], self._short[place[2] + 1] = 1, now & 0xFFFFFFFF
        return None

    def _key(self, start: int, key: bytes) -> int:
        """Where a key stands in the set that begins there, -1 where it does not."""
        at = self._map.find(key, start, start + _DIGESTS)
        while at >= 0 and (at - start) % 8:
            at = self._map.find(key, at + 1, start + _DIGESTS)
        return at

    def _oldest(self, start: int) -> int:
        """Where the key stands that was seen the longest ago."""
        moments = self._short[(start + _DIGESTS) // 4 + 1 : (start + _SET) // 4 : 2].tolist()
        return start + 8 * moments.index(min(moments))

    def clear(self) -> None:
        """Forgets all requests; the numbers go on."""
        with self._lock:
            self._map[_HEAD:] = bytes(SIZE - _HEAD)


class Numbers(Iterator[int]):
    """Numbers of exchanges: the next one of all workers, or the one that was taken before."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.taken = 0

    def __next__(self) -> int:
        taken, self.taken = self.taken, 0
        return taken or self._memory.number()


class SharedRepeats(Repeats):
    """Counts requests together with all other workers; a request is counted as it is given its number."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self.taken = 0
        """How often the request about to begin came before."""

    def count(self, ask: Ask) -> int:
        """How often the same request came before."""
        return self.taken

    def clear(self) -> None:
        """Counts from nought."""
        self._memory.clear()
