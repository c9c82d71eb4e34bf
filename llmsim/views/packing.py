"""What is shown, as JSON: a list of like things is a table with its columns named once, read again by any release."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from math import inf
from typing import Any, TypeVar

Shown = TypeVar("Shown")

_Read = Callable[[Any], Any]


def packed(things: Sequence[Any]) -> dict[str, Any]:
    """A table of things of one kind; columns are named once, as the names would be most of it."""
    if not things:
        return {"fields": [], "rows": []}
    names = [one.name for one in fields(things[0])]
    return {"fields": names, "rows": [[getattr(one, name) for name in names] for one in things]}


def unpacked(kind: type[Shown], table: Any) -> list[Shown]:
    """The things of a table; columns that this release does not know are left out, those that lack are empty."""
    if not isinstance(table, Mapping) or not isinstance(table.get("rows"), list):
        return []
    names = table.get("fields") or []
    return [made(kind, dict(zip(names, row, strict=False))) for row in table["rows"]]


def made(kind: type[Shown], told: Mapping[str, Any]) -> Shown:
    """One thing of its fields; a value of another type than the field's is read as well as can be."""
    return kind(**{name: read(told[name]) if name in told else nothing() for name, read, nothing in _columns(kind)})


_KNOWN: dict[Any, list[tuple[str, _Read, Callable[[], Any]]]] = {}


def _columns(kind: Any) -> list[tuple[str, _Read, Callable[[], Any]]]:
    """The fields of a kind: the name, how it is read, and what it is where it lacks."""
    if kind in _KNOWN:
        return _KNOWN[kind]
    found = _KNOWN[kind] = []
    for one in fields(kind):
        read, empty = _reader(str(one.type))
        if one.default is not MISSING:
            empty = one.default
        nothing = one.default_factory if one.default_factory is not MISSING else _always(empty)
        found.append((one.name, read, nothing))
    return found


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _reader(type_: str) -> tuple[_Read, Any]:
    """How a field of this type is read, and what it is where it lacks."""
    base, _, optional = type_.partition(" | ")
    read, empty = _READERS.get(base.partition("[")[0], (str, ""))
    if optional:
        return lambda value: None if value is None else read(value), None
    return read, empty


def _number(value: Any) -> float:
    """JSON has no infinity: a number that is always there is infinite where it is null."""
    return float(value) if isinstance(value, int | float) else inf


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else ()


def _counts(value: Any) -> dict[str, int]:
    return {str(name): _whole(count) for name, count in value.items()} if isinstance(value, Mapping) else {}


_READERS: Mapping[str, tuple[_Read, Any]] = {
    "str": (str, ""),
    "int": (_whole, 0),
    "float": (_number, 0.0),
    "bool": (bool, False),
    "tuple": (_texts, ()),
    "Mapping": (_counts, {}),
}
