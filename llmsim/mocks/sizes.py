"""How much a step of a template would make, told before it is made, and how much a template may make in all."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

LONGEST = 4 << 20
"""Characters that a template may write, and that any step of it may make."""
ALLOWED = 8 * LONGEST
"""Characters that all steps of a template may make together, an item of a list counting as some."""

_ITEM = 32
_ITSELF = 4
"""Characters that a number or an empty list takes, with the comma and the blank behind it."""
_LINES = 2
_DIGITS = 300
_PIECES = 1 << 19
_LOOKED_AT = 1 << 31
_NUMBERS = re.compile(r"\d{1,18}")
_FIELDS = {"%": re.compile(r"%[-+ #0.*\d]*"), "format": re.compile(r"\{[^{}]*\{?")}
_ANY_NUMBER = frozenset({"default", "d", "int", "float", "sum", "abs"})
"""Filters to which a large number does nothing."""


def refuse(name: str) -> OverflowError:
    """What is raised for a step that comes to too much."""
    return OverflowError(f"what {name} comes to is too large")


class Purse(threading.local):
    """What the template that is being written may still make."""

    left = ALLOWED

    def fill(self) -> None:
        """At the beginning of a template."""
        self.left = ALLOWED

    def spend(self, name: str, made: Any) -> Any:
        """What was made; raises OverflowError where it is too large, or the last of too much."""
        size = _size(made)
        self.left -= size
        if self.left < 0 or (size > LONGEST and isinstance(made, (str, bytes))):
            raise refuse(name)
        return made


def _size(made: Any) -> int:
    if isinstance(made, (str, bytes)):
        return len(made)
    # The texts in a list have been counted when they were made, or were there before.
    return _ITEM * len(made) if isinstance(made, (Sequence, Set, Mapping)) else 0


def weight(value: Any) -> int:
    """How many characters a value has where it is written as a text; more than are allowed are not counted on."""
    if isinstance(value, (str, bytes)):
        return len(value)
    total, waiting = 0, [iter((value,))]
    while waiting and total <= LONGEST:
        one = next(waiting[-1], waiting)
        if one is waiting:
            waiting.pop()
            continue
        total += len(one) if isinstance(one, (str, bytes)) else _ITSELF
        if isinstance(one, Mapping):
            waiting.append(_pairs(one))
        elif isinstance(one, (list, tuple, Set)):
            waiting.append(iter(one))
    return total


def _pairs(one: Mapping[Any, Any]) -> Iterator[Any]:
    for pair in one.items():
        yield from pair


def operated(operator: str, left: Any, right: Any) -> None:
    """Raises OverflowError for an operation on texts, lists or numbers that comes to too much."""
    if operator == "%":
        if isinstance(left, (str, bytes)):
            _formatted("%", _text(left), right if isinstance(right, tuple) else (right,))
    elif (operator != "+" or hasattr(left, "__len__")) and _too_large(operator, left, right):
        raise refuse(operator)


def _too_large(operator: str, left: Any, right: Any) -> bool:
    """Whether a power or a product has more bits than anybody needs, or is a text that may not be written anyway."""
    sized = [hasattr(one, "__len__") for one in (left, right)]
    sizes = [len(one) if has else abs(one) for one, has in zip((left, right), sized, strict=True)]
    bits = [math.log2(max(2, size)) for size in sizes]
    if operator == "+":
        return all(sized) and sum(sizes) > LONGEST
    if operator == "**":
        return bool(bits[0] * sizes[1] > 4096)
    return sum(bits) > (math.log2(LONGEST) + 1 if any(sized) else 4096)


def stepped(name: str, value: Any, args: tuple[Any, ...]) -> None:
    """Raises OverflowError for a filter or a method that would come to too much; `value` is what it is used on."""
    if name not in _ANY_NUMBER and any(isinstance(one, int) and abs(one) > LONGEST for one in args):
        raise refuse(name)
    expected = _EXPECTED.get(name)
    if expected is not None and expected(value, args) > LONGEST:
        raise refuse(name)


def joined(name: str, between: Any, items: Sequence[Any]) -> None:
    """Raises OverflowError where the items in one are too long."""
    total = weight(between) * len(items)
    for one in items:
        total += weight(one)
        if total > LONGEST:
            raise refuse(name)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value) if weight(value) <= LONGEST else ""


def _formatted(name: str, form: str, given: Sequence[Any]) -> None:
    """Raises OverflowError where the widths in a format, or what is put into it, come to too much."""
    fields = _FIELDS[name].findall(form)
    open_ones = sum("*" in field or field[1:].endswith("{") for field in fields)
    widths = sum(int(number) for field in fields for number in _NUMBERS.findall(field))
    most = max((weight(one) for one in given), default=0)
    told = max((abs(one) for one in given if isinstance(one, int)), default=0)
    # A name of a mapping may stand in each field, so that what it holds comes as often as there are fields.
    if len(form) + widths + len(fields) * most + open_ones * told > LONGEST:
        raise refuse(name)


def _replaced(value: Any, args: tuple[Any, ...]) -> int:
    if len(args) < 2 or max(weight(value), weight(args[0]), weight(args[1])) > LONGEST:
        return weight(value)
    text, old, new = map(_text, (value, *args[:2]))
    found = text.count(old)
    if len(args) > 2 and isinstance(args[2], int) and args[2] >= 0:
        found = min(found, args[2])
    return len(text) + found * len(new)


def _translated(value: Any, args: tuple[Any, ...]) -> int:
    table = args[0] if args and isinstance(args[0], Mapping) else {}
    return weight(value) * max((weight(one) for one in table.values()), default=1)


def _indented(value: Any, args: tuple[Any, ...]) -> int:
    width = args[0] if args else 4
    return weight(value) + (_lines(value, "\n") + _LINES) * (len(width) if isinstance(width, str) else abs(width))


def _wrapped(value: Any, args: tuple[Any, ...]) -> int:
    width = next((one for one in args if isinstance(one, int) and not isinstance(one, bool)), 79)
    longest = max((len(one) for one in args if isinstance(one, str)), default=1)
    breaks = weight(value) // max(1, width) + _lines(value, "\n") + _lines(value, " ") + _LINES
    return weight(value) + breaks * longest


def _linked(value: Any, args: tuple[Any, ...]) -> int:
    added = 60 + sum(weight(one) for one in args)
    return 6 * weight(value) + (_lines(value, " ") + _lines(value, "\n") + 1) * added


def _told_as_json(value: Any, args: tuple[Any, ...]) -> int:
    return weight(value) * (1 + max((abs(one) for one in args if isinstance(one, int)), default=0))


def _summed(value: Any, args: tuple[Any, ...]) -> int:
    if not any(hasattr(one, "__len__") and not isinstance(one, str) for one in args):
        return 0
    sizes = [len(one) for one in value if hasattr(one, "__len__")] if hasattr(value, "__len__") else [LONGEST]
    return sum(sizes) * len(sizes)


def _cut(value: Any, args: tuple[Any, ...]) -> int:
    # Each piece is an object of its own; of what only ever is one character long there are few.
    sign = args[0] if args and isinstance(args[0], (str, bytes)) and args[0] else None
    text = _text(value)
    pieces = text.count(_text(sign)) if sign is not None else sum(map(text.count, " \n\t\r"))
    return LONGEST + 1 if pieces > _PIECES else 0


def _stripped(value: Any, args: tuple[Any, ...]) -> int:
    # markupsafe copies the whole text for each comment and each tag.
    return LONGEST + 1 if _lines(value, "<") * weight(value) > _LOOKED_AT else weight(value)


def _rounded(value: Any, args: tuple[Any, ...]) -> int:
    return LONGEST + 1 if any(isinstance(one, int) and abs(one) > _DIGITS for one in args) else 0


def _lines(value: Any, sign: str) -> int:
    return _text(value).count(sign)


def _times(factor: int) -> Callable[[Any, tuple[Any, ...]], int]:
    return lambda value, args: factor * weight(value) + sum(weight(one) for one in args)


def _form(name: str) -> Callable[[Any, tuple[Any, ...]], int]:
    def expected(value: Any, args: tuple[Any, ...]) -> int:
        _formatted(name, _text(value), args)
        return 0

    return expected


_EXPECTED: dict[str, Callable[[Any, tuple[Any, ...]], int]] = {
    "replace": _replaced,
    "translate": _translated,
    "indent": _indented,
    "wordwrap": _wrapped,
    "urlize": _linked,
    "tojson": _told_as_json,
    "sum": _summed,
    "split": _cut,
    "rsplit": _cut,
    "splitlines": _cut,
    "striptags": _stripped,
    "round": _rounded,
    "format": _form("format"),
    "format_map": _form("format"),
    "filter format": _form("%"),
    **dict.fromkeys(("escape", "e", "forceescape", "xmlattr"), _times(5)),
    **dict.fromkeys(("urlencode", "pprint"), _times(3)),
    **dict.fromkeys("string upper lower capitalize title trim center wordcount truncate safe".split(), _times(1)),
}
