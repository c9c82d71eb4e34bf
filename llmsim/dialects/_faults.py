"""The faults of a body that is not valid, few of them however many there are.

A body of 4 MB can have half a million unknown fields. pydantic notes each in half a microsecond; telling of all of them
takes seconds and a quarter of a gigabyte, for the one sentence that a client gets. Where there are many, the body is
validated once more in a way that stops at the first fault of a list and looks at a few of an object's unknown fields.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

MANY = 200
"""Faults above which only the first of each list and object are told."""

_UNKNOWN = 8
"""Unknown fields of an object that are looked at then."""

_LISTS = frozenset({"list", "set", "frozenset", "tuple", "dict"})
_OBJECTS = frozenset({"typed-dict", "model-fields"})
_WORDS = frozenset({"metadata", "serialization", "default", "config"})
_LABEL = re.compile(r"function-before\[few\(\), ([^\[\]]*)\]")


class Few(dict[str, Any]):
    """An object with a few of its unknown fields; `whole` is the one that came."""

    __slots__ = ("whole",)

    whole: dict[str, Any]


def faults(error: ValidationError, adapter: TypeAdapter[Any], body: Any) -> list[Any]:
    """The details of an error that `adapter` raised for the body, the foremost among them where there are many."""
    if error.error_count() <= MANY:
        return error.errors(include_url=False)
    try:
        _lean(adapter).validate_python(body)
    except ValidationError as few:
        return [_as_it_came(detail) for detail in few.errors(include_url=False)]
    return error.errors(include_url=False)


def _as_it_came(detail: Any) -> Any:
    """A detail as if the object had not been cut, and nobody had looked at it before."""
    given = detail["input"]
    loc = tuple(_LABEL.sub(r"\1", step) if isinstance(step, str) else step for step in detail["loc"])
    return {**detail, "loc": loc, "input": given.whole if isinstance(given, Few) else given}


@lru_cache(maxsize=32)
def _lean(adapter: TypeAdapter[Any]) -> SchemaValidator:
    return SchemaValidator(_leaner(adapter.core_schema))


def _leaner(schema: Any) -> Any:
    """A schema of pydantic's, and all in it, that comes to an end soon."""
    if isinstance(schema, list):
        return [_leaner(one) for one in schema]
    if isinstance(schema, tuple):
        return tuple(_leaner(one) for one in schema)
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if not isinstance(kind, str):  # a table of fields, which may be called anything
        return {name: _leaner(inner) for name, inner in schema.items()}
    made = {name: inner if name in _WORDS else _leaner(inner) for name, inner in schema.items()}
    if kind in _LISTS:
        made["fail_fast"] = True
    return _with_few(made) if kind in _OBJECTS and schema.get("extra_behavior") == "forbid" else made


def _with_few(schema: dict[str, Any]) -> dict[str, Any]:
    """An object's schema behind a look at how many fields there are that it does not know."""
    known = frozenset(schema["fields"])

    def few(value: Any) -> Any:
        if type(value) is not dict or len(value) <= len(known) + _UNKNOWN:
            return value
        cut = Few({name: value[name] for name in known if name in value})
        cut.whole = value
        for name in value:
            if name not in known:
                cut[name] = value[name]
                if len(cut) > len(known) + _UNKNOWN:
                    break
        return cut

    made = {"type": "function-before", "function": {"type": "no-info", "function": few}, "schema": schema}
    if "ref" in schema:
        made["ref"] = schema.pop("ref")
    return made
