"""Says whether a value is one that JSON can tell, before it is kept: files in YAML have more kinds of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

DEEPEST = 100
"""Levels of lists and mappings within each other."""


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON has it: names of mappings and dates become texts; raises ValueError for what JSON cannot tell.

    Whole numbers have 64 bits at most; what is nested more than 100 levels deep is refused.
    """
    if depth > DEEPEST:
        raise ValueError(f"the value is nested more than {DEEPEST} levels deep")
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {_name(name): plain(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, depth + 1) for one in value]
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
        return str(plain(name))
    raise ValueError(f"a {type(name).__name__} is no name of a field")
