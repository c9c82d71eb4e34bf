"""Numbers within a schema's limits, of a size that fits the property's name."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache, reduce
from typing import NamedTuple

from llmsim.dice import Dice
from llmsim.schema.check import divides
from llmsim.schema.document import Json, UnsatisfiableSchema
from llmsim.schema.hints import Hints

# The usual range and the decimals of a quantity, by a word in the property's name.
_RANGES: dict[str, tuple[float, float, int]] = {
    "age": (18, 80, 0),
    "count quantity number amount limit total top size length n k max min": (1, 10, 0),
    "day days nights": (1, 14, 0),
    "year": (2020, 2026, 0),
    "month": (1, 12, 0),
    "hour hours": (0, 23, 0),
    "minute minutes": (5, 55, 0),
    "page index offset rank order step position level": (1, 5, 0),
    "guest guests people adults passengers children party servings seats": (1, 6, 0),
    "temperature temp": (-5, 35, 1),
    "price cost fee revenue balance salary tax": (5, 200, 2),
    "rating stars": (1, 5, 1),
    "score confidence probability likelihood ratio weight relevance": (0.5, 1, 2),
    "percent percentage humidity": (0, 100, 0),
    "latitude lat": (-60, 60, 4),
    "longitude lon lng long": (-180, 180, 4),
    "id": (1000, 9999, 0),
    "timestamp epoch": (1_700_000_000, 1_780_000_000, 0),
    "port": (1024, 49151, 0),
    "width height": (200, 1600, 0),
    "calories": (80, 700, 0),
    "population": (10_000, 9_000_000, 0),
    "duration": (5, 120, 0),
    "distance": (1, 500, 1),
    "speed": (5, 120, 1),
}
_BY_WORD = {word: sizes for words, sizes in _RANGES.items() for word in words.split()}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_TRIES = 60
_SPAN = 100


@lru_cache(maxsize=4096)
def _usual(name: str) -> tuple[float, float, int]:
    for word in reversed(_WORDS.findall(name)):
        if (found := _BY_WORD.get(word.lower())) is not None:
            return found
    return (1, 100, 2)


class _Limits(NamedTuple):
    low: float
    high: float
    above: bool
    below: bool
    steps: tuple[float, ...]

    def allow(self, value: float) -> bool:
        return (
            (value > self.low if self.above else value >= self.low)
            and (value < self.high if self.below else value <= self.high)
            and all(divides(step, value) for step in self.steps)
        )


_NO_LIMITS = _Limits(-math.inf, math.inf, False, False, ())
_LIMITING = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))


def _limits(parts: Sequence[Json]) -> _Limits:
    if all(map(_LIMITING.isdisjoint, parts)):
        return _NO_LIMITS
    low, high, above, below = -math.inf, math.inf, False, False
    steps: list[float] = []
    for part in parts:
        bottom, top = part.get("minimum"), part.get("maximum")
        over, under = part.get("exclusiveMinimum"), part.get("exclusiveMaximum")
        # Draft 4 and OpenAPI 3.0 say with true that the minimum beside it is exclusive.
        for value, strict in ((bottom, over is True), (None if isinstance(over, bool) else over, True)):
            if value is not None and (value > low or (value == low and strict)):
                low, above = value, strict
        for value, strict in ((top, under is True), (None if isinstance(under, bool) else under, True)):
            if value is not None and (value < high or (value == high and strict)):
                high, below = value, strict
        if "multipleOf" in part:
            steps.append(part["multipleOf"])
    if low > high or (low == high and (above or below)):
        raise UnsatisfiableSchema(f"No number lies between the minimum {low} and the maximum {high}.")
    return _Limits(low, high, above, below, tuple(steps))


def number(parts: Sequence[Json], name: str, dice: Dice, hints: Hints, *, whole: bool, wild: bool) -> float:
    """A number, or a whole one, that fits all the schemas; `wild` draws from a wider range than the name suggests."""
    limits = _limits(parts)
    told = None if wild else hints.number()
    if told is not None and (isinstance(told, int) or not whole) and limits.allow(told):
        hints.used_number()
        return told
    low, high, decimals = (-1e6, 1e6, 2) if wild else _usual(name)
    if whole and high - low < 1:
        low, high = 1, 10
    low, high = _window(limits, low, high)
    if limits.steps:
        return _stepped(limits, low, high, dice, whole)
    if whole:
        return _whole(limits, low, high, dice)
    for places in (decimals, 6):
        value = round(dice.uniform(low, high), places)
        if limits.allow(value):
            return value
    value = dice.uniform(low, high)
    return value if limits.allow(value) else (low + high) / 2


def _window(limits: _Limits, low: float, high: float) -> tuple[float, float]:
    """The part of the usual range that the limits allow, or a range near the limits where they allow none of it."""
    bottom, top = max(low, limits.low), min(high, limits.high)
    if bottom < top or (bottom == top and limits.allow(bottom)):
        return bottom, top
    if limits.low > -math.inf:
        return limits.low, min(limits.high, limits.low + max(_SPAN, high - low))
    return limits.high - max(_SPAN, high - low), limits.high


def _whole(limits: _Limits, low: float, high: float, dice: Dice) -> int:
    for bottom, top in ((low, high), (limits.low, min(limits.high, limits.low + _SPAN))):
        if bottom == -math.inf:
            continue
        first = math.floor(bottom) + 1 if limits.above and bottom == limits.low else math.ceil(bottom)
        last = math.ceil(top) - 1 if limits.below and top == limits.high else math.floor(top)
        if first <= last:
            return dice.between(first, last)
    raise UnsatisfiableSchema(f"No whole number lies between {limits.low} and {limits.high}.")


def _stepped(limits: _Limits, low: float, high: float, dice: Dice, whole: bool) -> float:
    wanted = [Fraction(str(step)) for step in limits.steps] + [Fraction(1)] * whole
    step = reduce(_common, wanted)
    # The usual range may hold no multiple of a great step: widen it by one step on either side, within the limits.
    bottom, top = max(Fraction(low) - step, _exact(limits.low)), min(Fraction(high) + step, _exact(limits.high))
    first, last = math.ceil(bottom / step), math.floor(top / step)
    tried = range(first, last + 1) if last - first < _TRIES else [dice.between(first, last) for _ in range(_TRIES)]
    start = dice.below(max(1, len(tried)))
    for at in range(len(tried)):
        exact = tried[(start + at) % len(tried)] * step
        value: float = exact.numerator if exact.denominator == 1 else float(exact)
        if limits.allow(value):
            return value
    raise UnsatisfiableSchema(f"No multiple of {float(step):g} lies between {limits.low} and {limits.high}.")


def _exact(value: float) -> Fraction:
    """The limit as a fraction; an open end lies farther than any property's number."""
    return Fraction(value) if math.isfinite(value) else Fraction(10**30 if value > 0 else -(10**30))


def _common(one: Fraction, other: Fraction) -> Fraction:
    """The least number that both divide."""
    return Fraction(
        math.lcm(one.numerator * other.denominator, other.numerator * one.denominator),
        one.denominator * other.denominator,
    )
