"""Reads a JSON object as people sketch it in a prompt, such as `{"name": "...", "age": <int>}`, as a JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

Schema = dict[str, Any]

DEEPEST = 5
"""Objects and lists within each other."""

MOST = 60
"""Fields of one object."""

_GAP = re.compile(r"(?:[\s,]|\.\.\.|…|//[^\n]*|#[^\n]*)*")
_STRING = re.compile(r"\"((?:[^\"\\\n]|\\.){0,2000})\"|'((?:[^'\\\n]|\\.){0,2000})'")
_NAME = re.compile(r"[A-Za-z_][\w-]{0,60}")
_COLON = re.compile(r"\??\s*:\s*")
_BARE = re.compile(r"<[^<>\n]{0,200}>|[^\s,{}\[\]\"'](?:[^,{}\[\]\n]|\[[\w, ]{0,60}\]){0,200}")
_OR = re.compile(r"\s*(?:\||/|\bor\b)\s*")
_REST = re.compile(r"[^,{}\[\]\n\"']*")
_INTEGER = re.compile(r"-?\d{1,15}")
_NUMBER = re.compile(r"-?\d{1,15}\.\d{1,15}")
_CHOICE = re.compile(r"[\w .-]{1,40}(?:\s*[|/]\s*[\w .-]{1,40}){1,20}")
_SCHEMA = re.compile(r"\bJSON schema:\s*(\{[^\n]{1,2000})")
_ONE_OF = re.compile(r"\bone of:?\s*([^\n]{1,400})")

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("array", re.compile(r"\b(?:list|array|lists|arrays)\b|\w\[\]", re.IGNORECASE)),
    ("boolean", re.compile(r"\bbool(?:ean)?\b|\btrue\s*(?:/|\||,|or)\s*false\b", re.IGNORECASE)),
    ("integer", re.compile(r"\b(?:int|integer|whole number|count)\b", re.IGNORECASE)),
    ("number", re.compile(r"\b(?:number|float|double|decimal|numeric)\b", re.IGNORECASE)),
    ("object", re.compile(r"\b(?:object|dict|dictionary|mapping)\b", re.IGNORECASE)),
)


def kind(words: str) -> Schema:
    """The schema of a value that is told of in words, such as "a list of ints"; a string where they say nothing."""
    found = next((name for name, sign in _KINDS if sign.search(words)), "string")
    mapping = _KINDS[-1][1].search(words)
    if mapping and not any(sign.search(words, 0, mapping.start()) for _, sign in _KINDS):
        found = "object"  # as in dict[str, list[int]]
    if found == "array":
        inner = next((name for name, sign in _KINDS[1:] if sign.search(words)), "string")
        return {"type": "array", "items": {"type": inner}, "minItems": 1, "maxItems": 3}
    return {"type": found}


def of(fields: dict[str, Schema]) -> Schema:
    """The schema of an object with these fields and no others."""
    return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}


class Sample:
    """Reads one sample after the other from a text; none takes more than `longest` characters."""

    def __init__(self, text: str, longest: int = 4000) -> None:
        self._text = text
        self._longest = longest
        self._end = 0

    def read(self, at: int) -> tuple[dict[str, Schema], int] | None:
        """The fields of the object whose brace stands at this place, and where it ends; None where it is no sample."""
        self._end = min(len(self._text), at + self._longest)
        try:
            schema, end = self._object(at, 0)
        except _NoSample:
            return None
        fields: dict[str, Schema] = schema["properties"]
        return (fields, end) if fields else None

    def _value(self, at: int, depth: int) -> tuple[Schema, int]:
        if at >= self._end or depth > DEEPEST:
            raise _NoSample
        sign = self._text[at]
        if sign == "{":
            return self._object(at, depth)
        if sign == "[":
            return self._list(at, depth)
        if sign in "\"'":
            return self._quoted(at)
        found = _BARE.match(self._text, at, self._end)
        if found is None:
            raise _NoSample
        return _bare(found[0].strip()), found.end()

    def _object(self, at: int, depth: int) -> tuple[Schema, int]:
        fields: dict[str, Schema] = {}
        at = self._gap(at + 1)
        while self._text[at : at + 1] != "}":
            quoted = _STRING.match(self._text, at, self._end)
            name = quoted or _NAME.match(self._text, at, self._end)
            colon = _COLON.match(self._text, name.end(), self._end) if name else None
            if name is None or colon is None or len(fields) > MOST:
                raise _NoSample
            schema, at = self._value(colon.end(), depth + 1)
            key = (quoted[1] or quoted[2]) if quoted else name[0]
            if key:
                fields[key] = schema
            at = self._gap(self._rest(at))
        return of(fields), at + 1

    def _list(self, at: int, depth: int) -> tuple[Schema, int]:
        items: list[Schema] = []
        at = self._gap(at + 1)
        while self._text[at : at + 1] != "]":
            schema, at = self._value(at, depth + 1)
            items.append(schema)
            at = self._gap(self._rest(at))
        inner = items[0] if items else {"type": "string"}
        return {"type": "array", "items": inner, "minItems": 1, "maxItems": 3}, at + 1

    def _quoted(self, at: int) -> tuple[Schema, int]:
        """A text; several of them with a stroke between are the values that there are."""
        told: list[str] = []
        while found := _STRING.match(self._text, at, self._end):
            told.append(found[1] if found[1] is not None else found[2])
            at = found.end()
            stroke = _OR.match(self._text, at, self._end)
            if stroke is None or self._text[stroke.end() : stroke.end() + 1] not in ('"', "'"):
                break
            at = stroke.end()
        if not told:
            raise _NoSample
        return ({"type": "string", "enum": [*dict.fromkeys(told)]} if len(told) > 1 else _spoken(told[0])), at

    def _rest(self, at: int) -> int:
        """Past what stands behind a value, such as a remark."""
        found = _REST.match(self._text, at, self._end)
        return found.end() if found else at

    def _gap(self, at: int) -> int:
        found = _GAP.match(self._text, at, self._end)
        at = found.end() if found else at
        if at >= self._end:
            raise _NoSample
        return at


class _NoSample(Exception):
    """What stands there is no sample of an object."""


def _bare(told: str) -> Schema:
    """A value without quotation marks: itself, or the name of its kind."""
    if _INTEGER.fullmatch(told):
        return {"type": "integer"}
    if _NUMBER.fullmatch(told):
        return {"type": "number"}
    if re.match(r"(?:true|false)\b", told, re.IGNORECASE):
        return {"type": "boolean"}
    return kind(told)


def _spoken(told: str) -> Schema:
    """A text in quotation marks: what is to stand there, its kind, or the values that there are."""
    inner = told.strip().strip("<>{}[]() ")
    if _CHOICE.fullmatch(inner) and "://" not in inner and not re.fullmatch(r"[\d/ .-]+", inner):
        values = [one.strip() for one in re.split(r"[|/]", inner)]
        return kind(inner) if _typed(values) else {"type": "string", "enum": [*dict.fromkeys(filter(None, values))]}
    if "must" in told:
        return remark(told)
    return kind(inner) if len(inner) <= 24 and (inner != told.strip() or _typed([inner])) else {"type": "string"}


def remark(told: str) -> Schema:
    """The schema of a value of which a remark says what it must be, as in "must be one of: a; b"."""
    if found := _SCHEMA.search(told):
        with suppress(ValueError, RecursionError):
            schema = json.JSONDecoder().raw_decode(found[1].replace('\\"', '"'))[0]
            return schema if "type" in schema else {"type": "object", **schema}
    if found := _ONE_OF.search(told):
        values = [one.strip(" `\"'.)") for one in re.split(r"[;,]|\bor\b", found[1].split(")")[0])]
        if kept := [*dict.fromkeys(filter(None, values))]:
            return {"type": "string", "enum": kept}
    return kind(told)


def _typed(words: Sequence[str]) -> bool:
    """Whether these are names of kinds and not values."""
    known = {"string", "str", "text", "int", "integer", "number", "float", "bool", "boolean", "list", "array", "null"}
    return all(word.strip().lower() in known | {"true", "false", "none"} for word in words)
