"""Says whether a value is one that JSON can tell, before it is kept: files in YAML have more kinds of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import repeat
from typing import Any

DEEPEST = 100
"""Levels of lists and mappings within each other."""
MOST = 100_000
"""Values within a value that a mock has, or a body."""


def plain(value: Any, most: int = MOST) -> Any:
    """The value as JSON has it: names of mappings and dates become texts; raises ValueError for what JSON cannot tell.

    Whole numbers have 64 bits at most; what is nested more than 100 levels deep, or has more than so many values in it,
    is refused.
    """
    return _plain(value, 0, repeat(None, most))


def _plain(value: Any, depth: int, left: Iterator[None]) -> Any:
    if depth > DEEPEST:
        raise ValueError(f"the value is nested more than {DEEPEST} levels deep")
    if next(left, 0) is not None:
        raise ValueError("the value has too many values in it")
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {_name(name): _plain(one, depth + 1, left) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, depth + 1, left) for one in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value!r} is no number of JSON")
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        raise ValueError(f"{str(value)[:40]} is too large: a whole number has 64 bits at most")
    if isinstance(value, date):  # a time of day with it or not
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float):
        return value
    raise ValueError(f"a {type(value).__name__} is no value of JSON")


def text(value: str) -> str:
    """The text; raises ValueError where half of a character stands in it, which cannot be sent."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"character {error.start + 1} is half of a surrogate pair") from None
    return value


def _name(name: Any) -> str:
    """A field's name as JSON has it: `1` and `true` are what YAML reads without quotation marks."""
    if isinstance(name, str):
        return text(name)
    if isinstance(name, bool) or name is None:
        return {True: "true", False: "false", None: "null"}[name]
    if isinstance(name, int | float | date):
        return str(_scalar(name))
    raise ValueError(f"a {type(name).__name__} is no name of a field")
