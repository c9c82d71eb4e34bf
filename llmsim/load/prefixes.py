"""A cache of prompts' beginnings, as servers of models keep them: what was read before needs no prefill.

A prompt is cut into chunks of characters, message by message, each known by a digest of all that is before it; tokens
are told by the share of characters, as counting each chunk would cost more than the cache saves. Every key has its own
prefixes, as with the providers. A prompt with images, sound or files is not kept, since only their kinds are known.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

import orjson

from llmsim.clock import Clock
from llmsim.conversation import Ask
from llmsim.latency import Profile

CHUNK = 256
"""Characters of a chunk, some 64 tokens; the last one of a message is shorter."""

MOST_CHUNKS = 8192
"""Chunks of a prompt that are looked at: some 500,000 tokens; what comes after them is not kept."""

_LEAST = 16
"""Tokens that a chunk counts for at least, so that many short messages cannot fill the memory."""


class Chain(NamedTuple):
    """A prompt's prefixes: their digests and how many characters each has; `total` is the whole prompt's."""

    digests: list[bytes]
    ends: list[int]
    total: int


class Entry(NamedTuple):
    """A prefix's last chunk: its tokens, when it was last used, and when it is read."""

    tokens: int
    used: float
    read: float


class Prefixes:
    """The prefixes that were read, the one unused for longest goes first."""

    def __init__(self, profile: Profile, clock: Clock) -> None:
        self.profile = profile
        self.tokens = 0
        self._clock = clock
        self._kept: OrderedDict[bytes, Entry] = OrderedDict()
        self._newest: tuple[Ask, Chain] | None = None

    def look(self, ask: Ask) -> int:
        """Tokens of the ask's prompt that are kept: whole blocks, and never the last token, which is always read."""
        chain = self._chain(ask)
        if chain is None:
            return 0
        profile, found, now = self.profile, 0, self._clock.now()
        oldest = now - profile.cache_s if profile.cache_s is not None else float("-inf")
        for digest, end in zip(chain.digests, chain.ends, strict=True):
            entry = self._kept.get(digest)
            if entry is None or entry.used < oldest or entry.read > now:
                break
            found = end
        tokens = min(ask.prompt_tokens * found // chain.total, ask.prompt_tokens - 1)
        tokens -= tokens % profile.cache_block
        return tokens if tokens >= max(1, profile.cache_least) else 0

    def keep(self, ask: Ask, seconds: float = 0.0) -> None:
        """Keeps the ask's prompt, which will have been read in so many seconds."""
        chain = self._chain(ask) if self.profile.cache_tokens else None
        self._newest = None
        if chain is None or ask.prompt_tokens < self.profile.cache_least:
            return
        now, ends = self._clock.now(), chain.ends
        # From the end, so that a prefix outlives what goes on from it.
        for at in range(len(ends) - 1, -1, -1):
            chars = ends[at] - (ends[at - 1] if at else 0)
            tokens = max(_LEAST, ask.prompt_tokens * chars // chain.total)
            old = self._kept.pop(chain.digests[at], None)
            read = now + seconds if old is None else min(old.read, now + seconds)
            self._kept[chain.digests[at]] = Entry(tokens, now, read)
            self.tokens += tokens - (old.tokens if old else 0)
        while self.tokens > self.profile.cache_tokens:
            self.tokens -= self._kept.popitem(last=False)[1].tokens

    def clear(self) -> None:
        """Forgets everything."""
        self._kept.clear()
        self.tokens = 0

    def _chain(self, ask: Ask) -> Chain | None:
        """The chain of a prompt, made once for looking and keeping; None for one that cannot be kept."""
        if self._newest is not None and self._newest[0] is ask:
            return self._newest[1]
        if not ask.messages or ask.prompt_tokens < 2 or any(message.media for message in ask.messages):
            return None
        chain = chain_of(ask)
        self._newest = (ask, chain)
        return chain


def chain_of(ask: Ask) -> Chain:
    """The prefixes of an ask's prompt: its tools, then its messages, in chunks."""
    running = blake2b(f"{ask.key}\n{ask.model}".encode("utf-8", "replace"), digest_size=16)
    digests: list[bytes] = []
    ends: list[int] = []
    end = 0
    for head, text in _texts(ask):
        running.update(head.encode("utf-8", "replace"))
        for start in range(0, max(1, len(text)), CHUNK):
            chunk = text[start : start + CHUNK]
            running.update(chunk.encode("utf-8", "replace"))
            end += max(1, len(chunk))
            if len(ends) < MOST_CHUNKS:
                digests.append(running.digest())
                ends.append(end)
    return Chain(digests, ends, max(1, end))


def _texts(ask: Ask) -> list[tuple[str, str]]:
    """What the prompt consists of, in its order: what stands for a part, and its text."""
    parts = [
        (f"\ttool {tool.name}", tool.description + orjson.dumps(tool.schema, default=str).decode())
        for tool in islice(ask.tools, 1000)
    ]
    for message in ask.messages:
        calls = "".join(f"\n{call.name}{call.arguments}" for call in message.calls)
        parts.append((f"\t{message.role} {message.name or ''} {message.call_id or ''}", message.text + calls))
    return parts
