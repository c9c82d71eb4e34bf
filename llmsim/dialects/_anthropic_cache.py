"""The prompt cache: which prefix of a prompt was seen before, what is written now, and what that costs.

Source: Anthropic's guide "Prompt caching": at most four breakpoints, entries that live for five minutes or an hour from
their last use, a look back over twenty blocks from each breakpoint, and a least length by model. An entry is written
when the reply begins, so that a request that is refused, or fails before it has an answer, warms nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from llmsim.dialects import Desk
from llmsim.dialects._anthropic_facts import Facts
from llmsim.dialects._anthropic_prompt_cost import Piece
from llmsim.dialects._anthropic_wire import invalid

Json = dict[str, Any]

KIND = "anthropic.cache"
LIVES = {"5m": 300.0, "1h": 3600.0}
MOST_BREAKPOINTS = 4
_LOOK_BACK = 20


class Mark(NamedTuple):
    """A prefix that is to be kept: what stands for it, and for how long."""

    digest: str
    ttl: str


@dataclass(slots=True, frozen=True)
class Cached:
    """What the prompt's tokens are: read from the cache, written to it for each time to live, or neither."""

    input: int
    read: int = 0
    short: int = 0
    long: int = 0
    marks: tuple[Mark, ...] = ()

    @property
    def written(self) -> int:
        """Tokens written, for whatever time."""
        return self.short + self.long


@dataclass(slots=True)
class _Place:
    """A block's end: the prefix up to it, its tokens, and its breakpoint's time to live."""

    digest: str
    tokens: int
    ttl: str | None


class PromptCache:
    """The prefixes that clients have sent, kept among all that they leave."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look(self, request: Json, pieces: Sequence[Piece], base: int, facts: Facts) -> Cached:
        """What of this prompt is in the cache and what is to be; raises Refused for breakpoints that cannot be."""
        marked = breakpoints(request, pieces)
        total = base + sum(piece.tokens for piece in pieces)
        if not marked:
            return Cached(total)
        places = list(_places(request, pieces, marked, facts))
        ends = [at for at in marked if places[at].tokens >= facts.cache_minimum]
        hit = self._hit(places, ends)
        read = places[hit].tokens if hit is not None else 0
        marks = [Mark(places[at].digest, places[at].ttl or "5m") for at in ends]
        if hit is not None and hit not in ends:
            marks.append(Mark(places[hit].digest, ""))
        last = places[ends[-1]].tokens if ends else 0
        hours = [places[at].tokens for at in ends if places[at].ttl == "1h"]
        long = max(0, hours[-1] - read) if hours else 0
        return Cached(total - max(last, read), read, max(0, last - read - long), long, tuple(marks))

    def _hit(self, places: Sequence[_Place], ends: Sequence[int]) -> int | None:
        """The longest prefix that is kept, among those at and shortly before the breakpoints."""
        now = self._desk.clock.now()
        for end in reversed(ends):
            for at in range(end, max(-1, end - _LOOK_BACK), -1):
                entry = self._desk.store.get(KIND, places[at].digest)
                if entry is not None and entry[0] > now:
                    return at
        return None

    def keep(self, cached: Cached) -> None:
        """Writes what was to be written, and gives what was read its time again."""
        store, now = self._desk.store, self._desk.clock.now()
        for digest, ttl in cached.marks:
            entry = store.get(KIND, digest)
            life = max(LIVES.get(ttl, 0.0), entry[1] if entry is not None else 0.0)
            store.put(KIND, digest, (now + life, life), 32)


def breakpoints(request: Json, pieces: Sequence[Piece]) -> dict[int, str]:
    """The places of the breakpoints, each with its time to live; raises Refused where they cannot be so."""
    told = {at: control for at, piece in enumerate(pieces) if (control := _control(piece.block)) is not None}
    automatic = request.get("cache_control")
    if automatic is not None and pieces:
        last = next(
            (at for at in reversed(range(len(pieces))) if "thinking" not in pieces[at].block.get("type", "")), 0
        )
        told.setdefault(last, automatic)
    if len(told) > MOST_BREAKPOINTS:
        raise invalid(f"A maximum of {MOST_BREAKPOINTS} blocks with cache_control may be provided. Found {len(told)}.")
    marked = {at: told[at].get("ttl") or "5m" for at in sorted(told)}
    short = False
    for at, ttl in marked.items():
        if ttl == "1h" and short:
            raise invalid(
                f"{pieces[at].path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
                "cache_control block. Note that blocks are processed in the following order: `tools`, `system`, "
                "`messages`."
            )
        short = short or ttl == "5m"
    return marked


def _control(block: Json) -> Json | None:
    """A block's breakpoint, or that of the last block in a tool's result."""
    told: Json | None = block.get("cache_control")
    content = block.get("content")
    if told is None and block.get("type") == "tool_result" and isinstance(content, list):
        return next((part["cache_control"] for part in reversed(content) if part.get("cache_control")), None)
    return told


def _places(request: Json, pieces: Sequence[Piece], marked: dict[int, str], facts: Facts) -> Iterator[_Place]:
    """The end of each block; what only the conversation depends on comes into the prefix where that begins."""
    digest = blake2b(facts.id.encode(), digest_size=16)
    tokens, said = 0, False
    for at, piece in enumerate(pieces):
        if piece.role and not said:
            digest.update(orjson.dumps([request.get(field) for field in ("tool_choice", "thinking")]))
            said = True
        plain = {key: value for key, value in piece.block.items() if key != "cache_control"}
        digest.update(f"{piece.path} {piece.role} ".encode() + orjson.dumps(plain))
        tokens += piece.tokens
        yield _Place(digest.hexdigest(), tokens, marked.get(at))
