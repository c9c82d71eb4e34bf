"""Turns texts into vectors in which nearness means shared words: made by hashing, with no model behind them.

Each word, the beginning of a long word, each run of three letters in a word and each pair of neighbouring words is a
feature. A feature goes to a few places of the vector, with a sign, all chosen by a hash of it that is the same in every
process ("feature hashing": Weinberger and others, ICML 2009; signed sparse projections keep angles: Li, Hastie and
Church, KDD 2006). So the cosine of two texts says how many features they share:

- two texts about the same things in the same words are near (0.4 to 0.9), and nearer the more they share; forms of one
  word ("planet", "planets") are near each other; words that nearly all texts have ("the", "of") hardly count;
- texts without a word in common have a cosine of about 0.1, not of 0: as with real models, all vectors lean one way;
- what texts mean is not known: synonyms and translations are no nearer than other words.

A vector is dense, has the length 1, and keeps its meaning when only its first numbers are taken, since every feature
has places near the front.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from math import hypot, log, sqrt
from operator import mul
from zlib import crc32

from llmsim.dice import Dice, mix

LEAN = 0.3
"""The length of the part that all vectors have in common; its square is the cosine of texts that share nothing."""

# How much of a feature's energy goes where: the word itself, its first letters, runs of letters, pairs of words.
_WORD, _STEM, _RUNS, _PAIR = 1.0, 0.6, 0.4, 0.3
# What tells texts apart that have the same words: case, blanks, punctuation.
_EXACT = 0.15
_COMMON = 0.15

_LONGEST_WORD = 64
_KEPT_TEXT = 2_048

# Scripts that put no blanks between words are taken letter by letter.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PICTURES = "\u2600-\u27bf\U0001f000-\U0001faff"
_SPLIT = re.compile(rf"[{_UNSPACED}{_PICTURES}]|[^\W_{_UNSPACED}]+")

_STOP_WORDS = frozenset(
    """a about after all also am an and any are as at be because been but by can could did do does for from had has have
    he her here him his how i if in into is it its just like me my of on one or our out she should so some than
    that the their them then there these they this to too up us very was we were what when where which who why will with
    would you your de der die das la le les el en et il in un una und que y zu""".split()
)

# By how much each of a feature's places is nearer to the front than anywhere, for as many places as it has.
_SPREAD = {1: (2,), 2: (1, 4), 4: (1, 2, 4, 8), 8: (1, 1, 2, 2, 4, 4, 8, 8)}


def embed(text: str, size: int) -> array[float]:
    """The vector of a text: `size` numbers (float32) of the length 1 together; the same for the same text for ever."""
    return (_kept(text, size) if len(text) <= _KEPT_TEXT else _embed(text, size))[:]


def shortened(vector: array[float], size: int) -> array[float]:
    """The first numbers of a vector, made as long as 1 again."""
    front = vector[:size]
    length = hypot(*front) or 1.0
    return array("f", [number / length for number in front])


def _embed(text: str, size: int) -> array[float]:
    """The common lean and, added to it, what is the text's own, so long that all together are as long as 1."""
    own = _features(text, size)
    lean = _lean(size)
    places, numbers = own.keys(), own.values()
    square = sum(map(mul, numbers, numbers))
    along = sum(map(mul, numbers, map(lean.__getitem__, places)))
    # A vector of very few numbers can come to nothing.
    scale = (sqrt(along * along + square * (1 - LEAN * LEAN)) - along) / square if square else 0.0
    vector = lean[:]
    for place, number in own.items():
        vector[place] += scale * number
    return array("f", vector) if square else shortened(array("f", vector), size)


_kept = lru_cache(maxsize=512)(_embed)


@lru_cache(maxsize=16)
def _lean(size: int) -> list[float]:
    """The part that all vectors of this size have in common."""
    dice = Dice(mix("lean", size))
    numbers = [dice.random() + dice.random() + dice.random() - 1.5 for _ in range(size)]
    length = hypot(*numbers) / LEAN
    return [number / length for number in numbers]


def _features(text: str, size: int) -> dict[int, float]:
    """All features of a text, at their places."""
    folded = text.casefold()
    words = _SPLIT.findall(folded) or folded.split() or [folded]
    counts = Counter(words)
    own: dict[int, float] = {}
    for word, count in counts.items():
        weight = 1.0 + log(count)
        places, numbers = _word(word, size) if len(word) <= _LONGEST_WORD else _made(word, size)
        for place, number in zip(places, numbers, strict=True):
            own[place] = own.get(place, 0.0) + weight * number
    weight = sqrt(_PAIR)
    # In the order of the text, since sums of floats depend on theirs.
    for pair in dict.fromkeys(pairwise([word for word in words if word not in _STOP_WORDS])):
        _add(own, _quick_hash(" ".join(pair)), 2, weight, size)
    # Long texts have to be told apart by as much as short ones.
    _add(own, _hash(text), 8, _EXACT * sqrt(len(counts)), size)
    return own


def _made(word: str, size: int) -> tuple[array[int], array[float]]:
    """A word, its beginning and its runs of letters."""
    own: dict[int, float] = {}
    weight = _COMMON if word in _STOP_WORDS else 1.0
    _add(own, _hash(word), 8, weight * sqrt(_WORD), size)
    _add(own, _hash(f"{word[:5]}-"), 4, weight * sqrt(_STEM), size)
    told = f"<{word[:_LONGEST_WORD]}>"
    runs = [told[at : at + 3] for at in range(len(told) - 2)]
    for run in runs:
        _add(own, _run(run), 1, weight * sqrt(_RUNS / len(runs)), size)
    return array("H" if size <= 1 << 16 else "L", own.keys()), array("f", own.values())


_word = lru_cache(maxsize=1 << 13)(_made)


def _add(own: dict[int, float], code: int, places: int, weight: float, size: int) -> None:
    """Adds a feature: `weight` is the length that it comes to, all its places together."""
    weight /= sqrt(places)
    for front in _SPREAD[places]:
        place = ((code & 0x7FFF) * (size // front or 1)) >> 15
        own[place] = own.get(place, 0.0) + (weight if code & 0x8000 else -weight)
        code >>= 16


def _hash(feature: str) -> int:
    """128 bits that stand for a feature."""
    return int.from_bytes(blake2b(feature.encode("utf-8", "replace"), digest_size=16).digest(), "little")


def _quick_hash(feature: str) -> int:
    """64 bits that stand for a feature that is met too often for the better hash and too rarely for a cache."""
    return (crc32(feature.encode("utf-8", "replace")) * 0x9E3779B97F4A7C15) >> 16


_run = lru_cache(maxsize=1 << 14)(_hash)
