"""Counts that all workers of one machine share in memory: the exchanges, and how often each request came before."""

from __future__ import annotations

import contextlib
import mmap
import struct
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

_NUMBER = struct.Struct("=Q")
_SEEN = struct.Struct("=II")
_ALL_SEEN = struct.Struct(f"={2 * _WAYS}I")

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
        self._lock: Any = SemLock(1, 1, 1, name, False) if new else SemLock._rebuild(0, 1, 1, name)

    def __enter__(self) -> None:
        self._lock.acquire(True, _PATIENCE)

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ValueError):  # given back twice, after one was taken for dead
            self._lock.release()

    def forget(self) -> None:
        """Takes its name away; who has it keeps it."""
        from _multiprocessing import sem_unlink

        with contextlib.suppress(FileNotFoundError):
            sem_unlink(self.name)


class Memory:
    """The shared memory, and what is in it."""

    def __init__(self, descriptor: int, lock: Lock) -> None:
        self._map = mmap.mmap(descriptor, SIZE)
        self._lock = lock

    def number(self) -> int:
        """The next number."""
        with self._lock:
            (last,) = _NUMBER.unpack_from(self._map, 0)
            _NUMBER.pack_into(self._map, 0, last + 1)
        return int(last) + 1

    def number_from(self, least: int) -> None:
        """Lets the next number be above that."""
        with self._lock:
            (last,) = _NUMBER.unpack_from(self._map, 0)
            _NUMBER.pack_into(self._map, 0, max(last, least))

    def seen(self, digest: bytes) -> int:
        """Counts a request, and gives how often the same came before."""
        start = _HEAD + (int.from_bytes(digest[8:10], "little") % _SETS) * _SET
        key = digest[:8]
        with self._lock:
            (now,) = _NUMBER.unpack_from(self._map, 0)
            at = self._place(start, key)
            if at < 0:
                at = self._oldest(start)
                self._map[start + 8 * at : start + 8 * at + 8] = key
                _SEEN.pack_into(self._map, start + _DIGESTS + 8 * at, 1, now & 0xFFFFFFFF)
                return 0
            count, _ = _SEEN.unpack_from(self._map, start + _DIGESTS + 8 * at)
            _SEEN.pack_into(self._map, start + _DIGESTS + 8 * at, count + 1, now & 0xFFFFFFFF)
        return int(count)

    def _place(self, start: int, key: bytes) -> int:
        at = self._map.find(key, start, start + _DIGESTS)
        while at >= 0 and (at - start) % 8:
            at = self._map.find(key, at + 1, start + _DIGESTS)
        return -1 if at < 0 else (at - start) // 8

    def _oldest(self, start: int) -> int:
        """A place that is free, else the one that was seen the longest ago."""
        told = _ALL_SEEN.unpack_from(self._map, start + _DIGESTS)
        counts, moments = told[::2], told[1::2]
        return min(range(_WAYS), key=lambda at: (counts[at] > 0, moments[at]))

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
    """Counts requests together with all other workers."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self.taken: int | None = None
        """How often the request about to begin came before, where it was counted already."""

    def count(self, ask: Ask) -> int:
        """Counts the request, and gives how often the same one came before."""
        seen, self.taken = self.taken, None
        if seen is None:
            seen = self._memory.seen(ask.digest) if len(ask.digest) >= 10 else 0
        return seen

    def clear(self) -> None:
        """Counts from nought."""
        self._memory.clear()
