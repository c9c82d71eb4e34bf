"""Counts the tokens of a text and cuts it at their borders, exactly as OpenAI's models do and without a network.

The vocabularies lie in llmsim/data (3.2 MB for both; scripts/pack_vocabulary.py makes them). Short ASCII texts are cut
straight from there (bytepairs.py), at once; all others by tiktoken, which has to set up its tables first: some 0.3 s of
CPU and 70 MB for o200k_base, at the first use or by `preload`, and best before it is busy.

Counts are exact for OpenAI's models (`is_exact`); gpt-6, which OpenAI's tiktoken does not name yet, is taken to have
kept the vocabulary of gpt-5. For other models they are estimates, since neither Anthropic nor Google publish a
tokenizer of the models they serve. Claude counts with cl100k_base: real counts are usually 10 to 20 % higher in
English and 20 to 30 % in code, and since Opus 4.7 another 0 to 45 % (Anthropic: "1.0 to 1.35 times as many"; most in
English, none in Chinese or Russian). Gemini and everything unknown count with o200k_base: for Gemini usually within
15 % in English, more in scripts that its larger vocabulary knows better.
"""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, cast

from llmsim.bytepairs import BytePairs

if TYPE_CHECKING:
    import tiktoken

Pieces = tuple[tuple[str, int], ...]

DEFAULT_ENCODING = "o200k_base"
CACHE_BYTES = 16 * 1024 * 1024

_SPECIAL = {
    "o200k_base": {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    "cl100k_base": {
        "<|endoftext|>": 100257,
        "<|fim_prefix|>": 100258,
        "<|fim_middle|>": 100259,
        "<|fim_suffix|>": 100260,
        "<|endofprompt|>": 100276,
    },
}
# How a text is cut into words before they are cut into tokens: tiktoken_ext/openai_public.py (tiktoken 0.14.0).
_PATTERN = {
    "o200k_base": "|".join(
        [
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
    ),
    "cl100k_base": "|".join(
        [
            r"'(?i:[sdmt]|ll|ve|re)",
            r"[^\r\n\p{L}\p{N}]?+\p{L}++",
            r"\p{N}{1,3}+",
            r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
            r"\s++$",
            r"\s*[\r\n]",
            r"\s+(?!\S)",
            r"\s",
        ]
    ),
}
ENCODINGS = tuple(_PATTERN)

# OpenAI's models by the vocabulary they use: tiktoken/model.py (0.14.0); families it does not name (gpt-6, gpt-audio,
# gpt-realtime, codex-mini, computer-use) by the family they come from. Compiled when asked, to keep the import short.
_CL100K = r"gpt-3\.5|gpt-35-turbo|gpt-4(?=-|$)|text-embedding-(?:3-|ada-002)|(?:davinci|babbage)-002"
_O200K = r"(?:chat)?gpt-(?:4o|4\.[15]|[56]|oss|audio|realtime)|o[134](?=-|$)|codex-mini|computer-use"


# Names come from clients: no more of them is looked at, and kept, than the longest names of models have.
_LONGEST = 200


def encoding_for(model: str) -> str:
    """The name of the encoding that counts for a model: "o200k_base" or "cl100k_base"; never raises.

    Takes dated names, fine-tuned ones ("ft:gpt-4o:acme::id") and names behind a provider ("openai/gpt-4").
    """
    return _lookup(model[:_LONGEST])[0]


def is_exact(model: str) -> bool:
    """Whether counts for a model are exact, or only an estimate (see the module's first lines)."""
    return _lookup(model[:_LONGEST])[1]


@lru_cache(maxsize=1024)
def _lookup(model: str) -> tuple[str, bool]:
    name = model.strip().lower().removeprefix("ft:").rsplit("/", 1)[-1].partition(":")[0]
    if re.match(_O200K, name):
        return "o200k_base", True
    if re.match(_CL100K, name):
        return "cl100k_base", True
    return ("cl100k_base" if "claude" in name else DEFAULT_ENCODING), False


def unpack(encoding: str) -> list[bytes]:
    """All tokens of a vocabulary, each at its rank; raises ValueError for an unknown encoding."""
    return prime(encoding).tokens()


@cache
def prime(encoding: str) -> BytePairs:
    """Reads a vocabulary, so that short ASCII texts can be cut; raises ValueError for an unknown encoding."""
    if encoding not in _PATTERN:
        raise ValueError(f"unknown encoding {encoding!r}; there are: {', '.join(ENCODINGS)}")
    with open(os.path.join(os.path.dirname(__file__), "data", f"{encoding}.bin"), "rb") as file:
        return BytePairs(encoding, file.read())


_SHORT = 2_000
"""Characters of a text that is not worth waiting for tiktoken, and bytes of a request that has no others."""


def _shortly(text: str, encoding: str) -> list[bytes] | None:
    """The tokens of a text where they are to be had without tiktoken and it is not there yet."""
    if encoding in _vocabularies or len(text) > _SHORT or not text.isascii():
        return None
    return prime(encoding).cut(text)


def quick(body: bytes, encoding: str = DEFAULT_ENCODING) -> bool:
    """Whether the texts in a request's body can be counted at once, without setting up tiktoken first."""
    return encoding in _vocabularies or (len(body) <= _SHORT and body.isascii())


# tiktoken gives up (a Rust panic) on some hundred thousand blanks in a row, and takes more than linear time for one
# letter repeated or of letters without a blank, so longer texts are counted in parts.
_PART = 16_384
_SEARCHED = 8_192
_ALIKE = 16
"""Parts whose counts are remembered while a text is counted: one letter, or a few, over and over takes no time."""
# Where no token ever crosses, in both patterns: before a blank that ends a word, after a line's end.
_BORDER = r"(?<=\S)(?=[ \t])|(?<=\n)(?=[^\s/])"


def _parts(text: str) -> Iterator[str]:
    border_before = re.compile(_BORDER).search
    start = 0
    while len(text) - start > _PART:
        end = start + _PART
        border = border_before(text, end - _SEARCHED, end)
        cut = border.start() if border else end
        yield text[start:cut]
        start = cut
    yield text[start:]


class _Words(dict[int, tuple[str, int] | None]):
    """Token ids and the text each stands for, filled as they are met; None for a part of a character."""

    def __init__(self, tokens: list[bytes]) -> None:
        super().__init__()
        self.tokens = tokens

    def __missing__(self, token: int) -> tuple[str, int] | None:
        word: tuple[str, int] | None = None
        with suppress(UnicodeDecodeError):
            word = (self.tokens[token].decode(), 1)
        self[token] = word
        return word


class NoToken(ValueError):
    """A number that stands for no token: `token`; the `highest` that does is one of the special tokens."""

    def __init__(self, token: int, highest: int, encoding: str) -> None:
        super().__init__(f"{token} is no token of {encoding}, whose tokens are 0 to {highest}")
        self.token = token
        self.highest = highest


class _Vocabulary:
    """One loaded encoding."""

    def __init__(self, name: str) -> None:
        import tiktoken

        self.tokens = unpack(name)
        self.words = _Words(self.tokens)
        self._encoding: tiktoken.Encoding = tiktoken.Encoding(
            name,
            pat_str=_PATTERN[name],
            mergeable_ranks=dict(zip(self.tokens, range(len(self.tokens)), strict=True)),
            special_tokens=_SPECIAL[name],
        )

    def ids(self, text: str) -> list[int]:
        if len(text) <= _PART:
            return self._encoding.encode_ordinary(text)
        return list(chain.from_iterable(map(self._encoding.encode_ordinary, _parts(text))))

    def count(self, text: str) -> int:
        if len(text) <= _PART:
            return len(self._encoding.encode_ordinary(text))
        total, known = 0, dict[str, int]()
        for part in _parts(text):
            found = known.get(part)
            if found is None:
                found = len(self._encoding.encode_ordinary(part))
                if len(known) < _ALIKE:
                    known[part] = found
            total += found
        return total


_vocabularies: dict[str, _Vocabulary] = {}
_loading = threading.Lock()


def _vocabulary(name: str) -> _Vocabulary:
    found = _vocabularies.get(name)
    if found is None:
        with _loading:
            found = _vocabularies.get(name)
            if found is None:
                found = _vocabularies[name] = _Vocabulary(name)
    return found


def preload(encoding: str = DEFAULT_ENCODING) -> None:
    """Loads all of an encoding if it is not loaded yet; safe in any thread; raises ValueError for an unknown one."""
    _vocabulary(encoding)


def loaded(encoding: str = DEFAULT_ENCODING) -> bool:
    """Whether all of an encoding is loaded, so that counting any text with it starts at once."""
    return encoding in _vocabularies


class CountCache:
    """The counts of the texts met last, bounded by the bytes they take; safe in any thread.

    Long texts are kept by their digest, so a conversation of a megabyte takes no more room than a sentence.
    """

    # A dict entry, its key tuple and the list node, as measured; the text comes on top.
    OVERHEAD = 350
    LONG = 2_048

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self.limit = limit
        self.size = 0
        self._counts: OrderedDict[tuple[str, str | bytes], int] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, text: str, encoding: str) -> int:
        """The number of tokens in a text, from the cache or counted."""
        key = (encoding, text if len(text) <= self.LONG else _digest(text))
        with self._lock:
            known = self._counts.get(key)
            if known is not None:
                self._counts.move_to_end(key)
                return known
        short = _shortly(text, encoding)
        counted = _vocabulary(encoding).count(text) if short is None else len(short)
        with self._lock:
            if key not in self._counts:
                self._counts[key] = counted
                self.size += self._cost(key)
                self._shrink()
        return counted

    def _shrink(self) -> None:
        while self.size > self.limit:
            oldest, _ = self._counts.popitem(last=False)
            self.size -= self._cost(oldest)

    def _cost(self, key: tuple[str, str | bytes]) -> int:
        return self.OVERHEAD + key[1].__sizeof__()


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


_cache = CountCache()


def count_tokens(text: str, model: str = "gpt-4o") -> int:
    """The number of tokens in a text for a model; names of special tokens ("<|endoftext|>") count as the text they are.

    Exact where `is_exact(model)`, with one exception: texts of more than 16,384 characters are counted in parts, cut
    where no token crosses; a stretch of 8,192 characters without such a place is cut anywhere, which can add a token or
    two for each part. A lone surrogate counts as U+FFFD.
    """
    return _cache.count(text, encoding_for(model))


def count(text: str, encoding: str = DEFAULT_ENCODING) -> int:
    """The number of tokens in a text under an encoding; raises ValueError for an unknown encoding."""
    return _cache.count(text, encoding)


def pieces(text: str, encoding: str = DEFAULT_ENCODING) -> Pieces:
    """The text cut at token borders: strings that join to it, each with the number of tokens in it.

    That is one token a string, except where tokens are parts of one character (rare CJK, emoji): those stay together.
    The numbers add up to `count`. Raises ValueError for an unknown encoding.
    """
    short = _shortly(text, encoding)
    if short is not None:
        return tuple([(token.decode(), 1) for token in short])
    vocabulary = _vocabulary(encoding)
    ids = vocabulary.ids(text)
    words = tuple(map(vocabulary.words.__getitem__, ids))
    return _merged(ids, words, vocabulary.tokens) if None in words else cast(Pieces, words)


def _merged(ids: list[int], words: tuple[tuple[str, int] | None, ...], tokens: list[bytes]) -> Pieces:
    out: list[tuple[str, int]] = []
    pending, held = b"", 0
    for token, word in zip(ids, words, strict=True):
        if word is not None and not held:
            out.append(word)
            continue
        pending, held = pending + tokens[token], held + 1
        try:
            out.append((pending.decode(), held))
        except UnicodeDecodeError:
            continue
        pending, held = b"", 0
    return tuple(out)


def token_bytes(text: str, encoding: str = DEFAULT_ENCODING) -> list[bytes]:
    """The bytes of each token of a text, as `logprobs` lists them; raises ValueError for an unknown encoding."""
    short = _shortly(text, encoding)
    if short is not None:
        return short
    vocabulary = _vocabulary(encoding)
    return [vocabulary.tokens[token] for token in vocabulary.ids(text)]


def encode(text: str, encoding: str = DEFAULT_ENCODING) -> list[int]:
    """The numbers of a text's tokens; raises ValueError for an unknown encoding."""
    return _vocabulary(encoding).ids(text)


def decode(ids: Sequence[int], encoding: str = DEFAULT_ENCODING) -> str:
    """The text that tokens stand for, special ones by their names; what is no whole character becomes U+FFFD.

    Raises NoToken for a number that stands for none, and ValueError for an unknown encoding.
    """
    known = _vocabulary(encoding).tokens
    if ids and min(ids) >= 0 and max(ids) < len(known):
        return b"".join(map(known.__getitem__, ids)).decode("utf-8", "replace")
    special = {token: name.encode() for name, token in _SPECIAL[encoding].items()}
    told = []
    for token in ids:
        found = known[token] if 0 <= token < len(known) else special.get(token)
        if found is None:
            raise NoToken(token, max(special), encoding)
        told.append(found)
    return b"".join(told).decode("utf-8", "replace")
