"""Words what a reply to a Gemini request cost, as it stands after any number of its tokens.

Source: Google's API reference, UsageMetadata: the total is the prompt, the candidates and the thoughts.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import orjson

from llmsim.dialects._gemini_prompt_cost import details
from llmsim.exchange import Exchange

Counts = tuple[tuple[str, int], ...]

MIDDLE = b',"totalTokenCount":'


class UsageMetadata:
    """The tokens of one exchange, of which `prompt` went in.

    `head`, MIDDLE and `tail` stand around the numbers of candidates' and of all tokens, for who words many at once.
    """

    __slots__ = ("_about", "head", "prompt")

    def __init__(self, exchange: Exchange) -> None:
        ask = exchange.ask
        self.prompt = prompt = exchange.plan.usage.prompt
        spent, cached = ask.extra.get("spent"), ask.extra.get("cached")
        if not cached and exchange.plan.usage.cached:
            cached = {"TEXT": exchange.plan.usage.cached}
        counts = tuple(spent.items()) if spent else (("TEXT", prompt),)
        more = _EMPTY if ask.parts is None else tuple(ask.extra.get("made", {}).items())
        self.head = b'"usageMetadata":{"promptTokenCount":%d,"candidatesTokenCount":' % prompt
        self._about = _about(counts, tuple(cached.items()) if cached else _EMPTY, more, ask.dialect == "vertex")

    def tail(self, thoughts: int) -> bytes:
        """What follows the total."""
        return b'%b,"thoughtsTokenCount":%d}' % (self._about, thoughts) if thoughts else b"%b}" % self._about

    def worded(self, candidates: int, thoughts: int) -> bytes:
        """`"usageMetadata":{…}` after so many tokens of words and of thoughts."""
        total, tail = self.prompt + candidates + thoughts, self.tail(thoughts)
        if candidates:
            return b"%b%d%b%d%b" % (self.head, candidates, MIDDLE, total, tail)
        return b'"usageMetadata":{"promptTokenCount":%d%b%d%b' % (self.prompt, MIDDLE, total, tail)


_EMPTY: Counts = ()


@lru_cache(maxsize=1024)
def _about(spent: Counts, cached: Counts, made: Counts, on_demand: bool) -> bytes:
    """What the prompt was made of, with what of it came from a cache, and what was made, where it is no text."""
    told = b',"promptTokensDetails":%b' % orjson.dumps(details(dict(spent)))
    if cached:
        total = sum(count for _, count in cached)
        told += b',"cachedContentTokenCount":%d,"cacheTokensDetails":%b' % (total, orjson.dumps(details(dict(cached))))
    if made:
        told += b',"candidatesTokensDetails":%b' % orjson.dumps(details(dict(made)))
    return told + (b',"trafficType":"ON_DEMAND"' if on_demand else b"")


# -- numbers as bytes, many at once

_MOST_NUMBERS = 1 << 15
_numbers: list[bytes] = []


def numbers(start: int, stop: int) -> Iterable[bytes]:
    """The whole numbers from `start` up to `stop` in digits; small ones from a table."""
    if stop > _MOST_NUMBERS:
        return [b"%d" % number for number in range(start, stop)]
    if stop > len(_numbers):
        _numbers.extend(b"%d" % number for number in range(len(_numbers), min(_MOST_NUMBERS, 2 * stop + 1024)))
    return _numbers[start:stop]
