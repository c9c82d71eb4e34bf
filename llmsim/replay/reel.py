"""A reel: the takes of tapes, found by what was asked; it knows which were played, and the ids that were told."""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Literal, NamedTuple

from llmsim.errors import TapeError
from llmsim.replay.cue import Cue, Hit, Miss
from llmsim.replay.normal import Normal, differences, distance

Mode = Literal["once", "new_episodes", "none", "all"]
"""As VCR has them: `once` and `none` answer from the tape alone, `new_episodes` asks the API for what is new, and
`all` asks it for everything."""

_NEAREST = 200
_IDS = 10_000
_MISSES = 100
_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.-]{11,199}")


class Asked(NamedTuple):
    """A request as a tape looks at it."""

    exact: bytes
    normal: Normal | None
    dialect: str
    stream: bool
    line: str
    """Method and path, for people."""


class Reel:
    """Takes in the order in which they were recorded; at most `limit` bytes of them, else TapeError.

    Of several that answer a request each is played once, in order, and then the last one again, if it `repeats`.
    """

    def __init__(self, limit: int = 256 << 20) -> None:
        self.cues: list[Cue] = []
        self.notes: list[str] = []
        self.hits = 0
        self.missed = 0
        self.misses: deque[tuple[str, Miss]] = deque(maxlen=_MISSES)
        self.size = 0
        self._limit = limit
        self._tables: tuple[dict[bytes, list[Cue]], ...] = ({}, {}, {})
        self._old: OrderedDict[str, str] = OrderedDict()
        self._new: OrderedDict[str, str] = OrderedDict()

    def add(self, cue: Cue) -> None:
        """Puts a take behind the others; raises TapeError when it no longer fits."""
        self.size += cue.size
        if self.size > self._limit:
            raise TapeError(
                f"{cue.place}: a tape that is replayed is held in memory, at most {self._limit >> 20} MiB of it"
            )
        self.cues.append(cue)
        exact, full, talk = self._tables
        exact.setdefault(cue.exact, []).append(cue)
        if cue.normal is not None:
            full.setdefault(cue.normal.key, []).append(cue)
            talk.setdefault(cue.normal.talk, []).append(cue)

    def extend(self, cues: Iterable[Cue]) -> None:
        """Adds several."""
        for cue in cues:
            self.add(cue)

    # -- which answers

    def find(self, asked: Asked, repeats: bool = True) -> Hit | Miss:
        """The take that answers: one of the very same request, else of the same words, else of another API's.

        The same API, asked in the same way, is answered byte by byte; any other in its own words, where that can be.
        """
        refused: list[str] = []
        for cues in self._tiers(asked):
            own = [cue for cue in cues if cue.dialect in (asked.dialect, "") and cue.stream == asked.stream]
            verbatim = bool(own)
            if not own:
                own = [cue for cue in cues if not cue.cannot()]
                refused += [
                    f"{cue.place} has the answer of {cue.dialect}, but {cue.cannot()}." for cue in cues if cue.cannot()
                ][:3]
            if not own:
                continue
            cue = next((cue for cue in own if not cue.played), None)
            if cue is not None or repeats:
                return Hit(cue or own[-1], verbatim)
            refused.append(f"All {len(own)} takes that answer it have been played, and takes do not repeat.")
        return Miss(tuple(dict.fromkeys(refused)) or self._near(asked))

    def _tiers(self, asked: Asked) -> Iterable[list[Cue]]:
        exact, full, talk = self._tables
        yield [cue for cue in exact.get(asked.exact, ()) if cue.dialect in (asked.dialect, "")]
        if asked.normal is not None:
            yield full.get(asked.normal.key, [])
            others = [cue for cue in talk.get(asked.normal.talk, ()) if cue.dialect != asked.dialect]
            yield others

    def knows(self, exact: bytes) -> bool:
        """Whether the very same request is on a tape."""
        return exact in self._tables[0]

    def _near(self, asked: Asked) -> tuple[str, ...]:
        """The take that came nearest, and what keeps it from answering."""
        first = f"No take answers {asked.line}."
        normal = asked.normal
        if normal is None:
            there = sorted({f"{cue.take.method} {cue.take.path}" for cue in self.cues})
            return first, f"The tape has {', '.join(there[:8]) or 'none'}{' and more' if len(there) > 8 else ''}."
        known = [cue for cue in self.cues if cue.normal is not None]
        if not known:
            return first, "No request on the tape is asked in words."
        own = [cue for cue in known if cue.dialect == asked.dialect] or known
        best = min(own[:_NEAREST], key=lambda cue: distance(normal.parts, cue.normal.parts if cue.normal else ()))
        why = differences(normal.parts, best.normal.parts if best.normal else ())
        return first, f"Nearest: {best.place}, but for {'; '.join(why)}."

    # -- what became of it

    def played(self, hit: Hit) -> None:
        """Counts a take that has answered, and keeps the ids that its client was told."""
        hit.cue.played += 1
        self.hits += 1
        for old, new in hit.made.items():
            self._old[new], self._new[old] = old, new
        while len(self._old) > _IDS:
            self._old.popitem(last=False)
        while len(self._new) > _IDS:
            self._new.popitem(last=False)

    def miss(self, line: str, miss: Miss) -> None:
        """Notes a request that no take has answered."""
        self.missed += 1
        self.misses.append((line, miss))

    def rewind(self) -> None:
        """Lets every take be played again from the first one."""
        for cue in self.cues:
            cue.played = 0

    # -- ids

    @property
    def new_ids(self) -> dict[str, str]:
        """The newest id that stands for each on the tape."""
        return self._new

    def recalled(self, data: bytes) -> bytes:
        """A request with the ids that clients were told turned back into those on the tape."""
        if not self._old:
            return data
        return _ID.sub(lambda found: self._old.get(found[0].decode(), "").encode() or found[0], data)
