"""Cuts short ASCII texts into tokens straight from the file of a vocabulary, as soon as it has been read.

tiktoken cuts any text, and faster, but needs a fifth of a second to set up its tables, during which no other thread
runs. Here the tokens are searched where they lie, and the merging of byte pairs is written out in Python.

The file holds numbers of 4 bytes, little-endian: for each length from 1 to 128 bytes, how many tokens have it, and the
ranks of all tokens, ordered by their length and then by their bytes; behind them the tokens themselves in that order.
It is not compressed, as every start of a server would have to wait for that.
"""

from __future__ import annotations

import re
import sys
from array import array
from bisect import bisect_left
from functools import lru_cache
from itertools import accumulate, pairwise
from struct import unpack_from

LONGEST = 128
"""Bytes of the longest token; longer words are not cut here, as the time it takes grows with their square."""

_ENOUGH = 5_000
"""Words cut into several tokens after which tiktoken's tables would have cost less."""

# tiktoken's patterns, as they stand in llmsim/tokens.py, with the classes of ASCII in place of Unicode's.
_PATTERN = {
    "o200k_base": "|".join(
        [
            r"[^\r\nA-Za-z0-9]?[A-Z]*[a-z]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"[^\r\nA-Za-z0-9]?[A-Z]+[a-z]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"[0-9]{1,3}",
            r" ?[^\sA-Za-z0-9]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
    ),
    "cl100k_base": "|".join(
        [
            r"'(?i:[sdmt]|ll|ve|re)",
            r"[^\r\nA-Za-z0-9]?+[A-Za-z]++",
            r"[0-9]{1,3}+",
            r" ?[^\sA-Za-z0-9]++[\r\n]*+",
            r"\s++\Z",
            r"\s*[\r\n]",
            r"\s+(?!\S)",
            r"\s",
        ]
    ),
}


class BytePairs:
    """One vocabulary as its file has it."""

    def __init__(self, encoding: str, data: bytes) -> None:
        self._data = data
        self._counts = unpack_from(f"<{LONGEST}I", data)
        self._before = [*accumulate(self._counts, initial=0)]
        at = 4 * LONGEST + 4 * self._before[-1]
        self._ranks = array("I", data[4 * LONGEST : at])
        if sys.byteorder == "big":
            self._ranks.byteswap()
        sizes = (length * count for length, count in enumerate(self._counts, 1))
        self._places = [*accumulate(sizes, initial=at)]
        self._words = re.compile(_PATTERN[encoding], re.ASCII).findall
        self._left = _ENOUGH
        self._rank = lru_cache(maxsize=1 << 14)(self._search)
        self._cut = lru_cache(maxsize=1 << 12)(self._merged)

    def cut(self, text: str) -> list[bytes] | None:
        """The tokens of an ASCII text; None where a word is too long to be cut here, or so much was cut already."""
        words = self._words(text)
        if self._left <= 0 or max(map(len, words), default=0) > LONGEST:
            return None
        return [token for word in words for token in self._cut(word)]

    def _merged(self, word: str) -> tuple[bytes, ...]:
        """Merges the two neighbours that make the token of the lowest rank, until no two of them make one."""
        raw = word.encode()
        if self._rank(raw) is not None:
            return (raw,)
        self._left -= 1
        parts = [raw[at : at + 1] for at in range(len(raw))]
        while True:
            ranks = [self._rank(first + second) for first, second in pairwise(parts)]
            lowest = min((rank for rank in ranks if rank is not None), default=None)
            if lowest is None:
                return tuple(parts)
            at = ranks.index(lowest)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]

    def _search(self, token: bytes) -> int | None:
        """The rank of a token; None where it is none."""
        length = len(token)
        if length > LONGEST:
            return None
        data, start, count = self._data, self._places[length - 1], self._counts[length - 1]
        at = bisect_left(
            range(start, start + count * length, length), token, key=lambda place: data[place : place + length]
        )
        place = start + at * length
        found = at < count and data[place : place + length] == token
        return self._ranks[self._before[length - 1] + at] if found else None

    def tokens(self) -> list[bytes]:
        """All tokens, each at its rank."""
        ranked = [b""] * len(self._ranks)
        ranks = iter(self._ranks)
        for length, (place, count) in enumerate(zip(self._places, self._counts, strict=False), 1):
            for token in unpack_from(f"{length}s" * count, self._data, place):
                ranked[next(ranks)] = token
        return ranked
