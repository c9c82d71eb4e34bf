"""A JSON object for a client that asks for JSON without a schema: with the fields that its prompt speaks of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from llmsim.conversation import Ask
from llmsim.dice import Dice
from llmsim.generators import structured
from llmsim.schema.document import UnsatisfiableSchema
from llmsim.schema.samples import MOST, Sample, Schema, kind, of, remark

_ENDS = 12_000
"""Characters that are read at either end of a text; what lies between is not looked at, however long it is."""

_TRIES = 48
"""Braces in a text at which a sample may begin, those nearest its end."""

_BACK = 8
"""Earlier texts of the user that are read where the newest and the system's name no field."""

_KEYS = r"\b(?:keys?|fields?|properties|property|attributes?)\b"
_MARK = r"[`\"'*]"
_WORD = r"[A-Za-z_][\w-]{0,60}"
_MARKED = rf"{_MARK}+({_WORD}){_MARK}+"
_EITHER = rf"(?:{_MARK}*{_WORD}{_MARK}*)(?:\s*\([^()\n]{{0,300}}\))?"
_JOIN = r"\s*(?:,\s*(?:and\s+|then\s+)?|;\s*|\band\s+|\bor\s+)"
_LISTED = re.compile(rf"{_KEYS}[^.\n:]{{0,60}}:[ \t]*({_EITHER}(?:{_JOIN}{_EITHER}){{0,{MOST}}})", re.IGNORECASE)
_SAID = re.compile(rf"{_KEYS}\s+((?:named |called )?{_EITHER}(?:{_JOIN}{_EITHER}){{1,{MOST}}})", re.IGNORECASE)
_QUOTED = re.compile(rf"{_KEYS}[^.\n:`\"']{{0,40}}({_MARKED}(?:{_JOIN}{_MARKED}){{0,{MOST}}})", re.IGNORECASE)
_BELOW = re.compile(
    rf"(?:{_KEYS}|\bjson\b)[^\n]{{0,80}}:[ \t]*\n((?:\s*(?:[-*•]|\d{{1,2}}[.)])\s+[^\n]{{1,400}}\n?){{1,{MOST}}})",
    re.IGNORECASE,
)
_ITEM = re.compile(rf"(?:[-*•]|\d{{1,2}}[.)])\s+{_MARK}*({_WORD}){_MARK}*([^\n]*)")
_NAMED = re.compile(rf"{_MARK}*({_WORD}){_MARK}*(?:\s*\(([^()\n]{{0,300}})\))?")
_BEFORE_COLON = re.compile(rf"[\"']({_WORD})[\"']\s*:[ \t]*([^\n]{{0,80}})")
_SECTION = re.compile(rf"\[\[ ## ({_WORD}) ## \]\]")
_TICKED = re.compile(rf"`({_WORD})`")
_CUE = re.compile(
    r"json|format|schema|respon[ds]|return|output|answer|example|structure|following|like this", re.IGNORECASE
)
_SKETCH = re.compile(r"\{(?:[^{}]|\{[^{}]{0,200}\}){0,600}\}")
_NO_NAMES = frozenset(
    "and or the a an in of to as is are be should must with for json null true false none string int float bool"
    " completed then value values name's that this these those from when only exactly if not it its".split()
)


def text(ask: Ask, dice: Dice) -> str:
    """The object as JSON text, never empty; the same for the same conversation and dice."""
    hint = _SKETCH.sub(" ", ask.last_user_text[:_ENDS])  # what the sketch itself says is no word to answer with
    for told in (_newest(ask), *_earlier(ask)):
        for schema in chain(_schemas(told), filter(None, [_named(told)])):
            try:
                found = structured.text(schema, dice, hint=hint)
            except UnsatisfiableSchema:
                continue  # a schema in a prompt may be anything
            if found.startswith("{") and found != "{}":
                return found
    return structured.text(of({"response": {"type": "string"}}), dice, hint=hint)


def _newest(ask: Ask) -> list[str]:
    """The texts that most likely describe the object: the system's and the user's newest."""
    systems = [_ended(one.text) for one in ask.messages if one.role == "system"]
    return [*systems[-_BACK:], _ended(ask.last_user_text)]


def _earlier(ask: Ask) -> Iterator[list[str]]:
    users = [one.text for one in ask.messages if one.role == "user"]
    return ([_ended(one)] for one in reversed(users[-_BACK - 1 : -1]))


def _ended(told: str) -> str:
    return told if len(told) <= 2 * _ENDS else f"{told[:_ENDS]}\n{told[-_ENDS:]}"


def _schemas(texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """JSON Schemas of objects that stand in the texts, the last one first: those before it are often examples."""
    decoder = json.JSONDecoder()
    for told in reversed(texts):
        at, found = 0, list[dict[str, Any]]()
        if '"properties"' not in told:
            continue
        for _ in range(_TRIES):
            at = told.find("{", at)
            if at < 0:
                break
            try:
                value, at = decoder.raw_decode(told, at)
            except (ValueError, RecursionError):
                at += 1
                continue
            value = value.get("schema", value)
            if isinstance(value, dict) and isinstance(value.get("properties"), dict) and value["properties"]:
                found.append({"type": "object", **value, "required": [*value["properties"]]})
        yield from reversed(found)


def _named(texts: Sequence[str]) -> Schema | None:
    """The schema of the fields that the texts name: in sentences and samples, else by their marks alone."""
    samples: dict[str, Schema] = {}
    said: dict[str, Schema] = {}
    for told in texts:
        samples |= _sampled(told)
        said |= _spoken(told)
    fields = {**said, **samples}  # a sample shows the kind of a value better than words do
    for marks in (_BEFORE_COLON, _SECTION, _TICKED):
        if not fields:
            found = [one for told in texts for one in marks.finditer(told)]
            fields = {one[1]: kind(one[2] if marks is _BEFORE_COLON else "") for one in found if _is_name(one[1])}
    return of(dict(list(fields.items())[:MOST])) if fields else None


def _sampled(told: str) -> dict[str, Schema]:
    """The fields of the samples in a text; of those that words announce, where some are."""
    announced: dict[str, Schema] = {}
    others: dict[str, Schema] = {}
    reader, after = Sample(told), 0
    for at in [one.start() for one in re.finditer(r"\{", told)][-_TRIES:]:
        found = reader.read(at) if at >= after else None
        if found is not None:
            cued = _CUE.search(told, max(after, at - 300), at)
            (announced if cued else others).update(found[0])
            after = found[1]
    return announced or others


def _spoken(told: str) -> dict[str, Schema]:
    """The fields that sentences name, as in "the keys `a` and `b`", and those that a list below one has."""
    fields: dict[str, Schema] = {}
    for phrase in (_LISTED, _SAID, _QUOTED):
        for found in phrase.finditer(told):
            names = _NAMED.findall(found[1])
            for name, words in names:
                if _is_name(name) or (len(name) == 1 and len(names) > 1):
                    fields.setdefault(name, remark(words))
    for found in _BELOW.finditer(told):
        for name, words in _ITEM.findall(found[1]):
            if _is_name(name):
                fields.setdefault(name, remark(words))
    return fields


def _is_name(word: str) -> bool:
    return word.lower() not in _NO_NAMES
