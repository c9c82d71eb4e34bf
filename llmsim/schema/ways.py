"""The ways to satisfy a schema: references, unions and conditions resolved into plain schemas to satisfy at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llmsim.schema.check import dependents
from llmsim.schema.document import KINDS, Document, Json, Schema, common_kinds

# Keywords that say "and", "or", "not" or "see there"; a schema without them is plain.
COMPLEX = frozenset(("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "nullable")) | {
    "dependentSchemas",
    "dependencies",
    "unevaluatedProperties",
    "unevaluatedItems",
}
# Two keywords of our own: the values to stay away from, and that a schema came of a "not" and so evaluates nothing.
WITHOUT = "x-without"
UNSEEN = "x-unseen"


_BRANCHES = 100
"""Branches of a `oneOf` whose opposites are listed, which are as many squared."""


@dataclass(slots=True, frozen=True)
class Way:
    """Plain schemas that a value must fit all at once.

    `refs` are the references followed to get here. `doubtful` says that fitting the parts is likely, but not certain,
    to satisfy the whole.
    """

    parts: tuple[Json, ...] = ()
    refs: tuple[str, ...] = ()
    doubtful: bool = False

    def joined(self, other: Way) -> Way | None:
        """Both ways at once, or None where their types already contradict each other."""
        parts = self.parts + other.parts
        if self.parts and other.parts and common_kinds(parts) == []:
            return None
        return Way(parts, self.refs + other.refs, self.doubtful or other.doubtful)


@dataclass(slots=True, frozen=True)
class _Option:
    """One schema that would meet a need; `ref` names the reference it came by, `opposite` says it came of a "not"."""

    schema: Schema
    ref: str = ""
    doubtful: bool = False
    opposite: bool = False


_Need = Sequence[_Option]


class Ways:
    """Lists the ways lazily; `rank` orders the branches of a union by preference; `reason` tells of a dead end."""

    __slots__ = ("_document", "_rank", "reason")

    def __init__(self, document: Document, rank: Callable[[Sequence[Schema]], list[Schema]]) -> None:
        self._document = document
        self._rank = rank
        self.reason = ""

    def together(self, schemas: Iterable[Schema]) -> Iterator[Way]:
        """The ways to satisfy all the schemas at once."""
        return self._meet([[_Option(schema)] for schema in schemas], frozenset())

    def _of(self, schema: Schema, seen: frozenset[str]) -> Iterator[Way]:
        if isinstance(schema, bool):
            if schema:
                yield Way()
            return
        if COMPLEX.isdisjoint(schema):
            yield Way((schema,))
            return
        if schema.get("nullable") is True:
            bare: Schema = {key: value for key, value in schema.items() if key != "nullable"}
            for one in self._rank([bare, {"type": "null"}]):
                yield from self._of(one, seen)
            return
        rest = {key: value for key, value in schema.items() if key not in COMPLEX}
        own = Way((rest,)) if rest else Way()
        needs = list(self._needs(schema))
        self._document.spend(10 * len(needs))
        for way in self._meet(needs, seen):
            joined = own.joined(way)
            if joined is not None:
                yield _closed(schema, joined)

    def _meet(self, needs: Sequence[_Need], seen: frozenset[str]) -> Iterator[Way]:
        if not needs:
            yield Way()
            return
        for option in needs[0]:
            for way in self._through(option, seen):
                for other in self._meet(needs[1:], seen):
                    self._document.spend(4 + len(other.parts))
                    joined = way.joined(other)
                    if joined is not None:
                        yield joined

    def _through(self, option: _Option, seen: frozenset[str]) -> Iterator[Way]:
        if option.ref:
            if option.ref in seen:
                self.reason = f"The reference {option.ref!r} leads only back to itself."
                return
            seen |= {option.ref}
        for way in self._of(option.schema, seen):
            refs = (option.ref, *way.refs) if option.ref else way.refs
            parts = tuple({**part, UNSEEN: True} for part in way.parts) if option.opposite else way.parts
            yield Way(parts, refs, way.doubtful or option.doubtful)

    def _needs(self, schema: Json) -> Iterator[_Need]:
        for key in ("$ref", "$dynamicRef"):
            if key in schema:
                yield self._target(str(schema[key]))
        for one in schema.get("allOf", ()):
            yield [_Option(one)]
        if "anyOf" in schema:
            self._document.spend(len(schema["anyOf"]))
            yield [_Option(one) for one in self._rank(schema["anyOf"])]
        if "oneOf" in schema:
            yield self._exactly_one(schema["oneOf"])
        if "not" in schema:
            yield [_Option(one, ref, True, True) for one, ref in self._negated(schema["not"])]
        if "if" in schema and ("then" in schema or "else" in schema):
            holds: Schema = {"allOf": [schema["if"], schema.get("then", True)]}
            fails: Schema = {"allOf": [{"not": schema["if"]}, schema.get("else", True)]}
            yield [_Option(one, "", True) for one in self._rank([holds, fails])]
        for name, need in dependents({key: schema[key] for key in schema if key != "dependentRequired"}):
            whole: Schema = {"dependentRequired": {name: need}}
            if not isinstance(need, list):
                present: Json = {"type": "object", "required": [name]}
                whole = {"anyOf": [{"allOf": [present, need]}, {"not": present}]}
            yield [_Option(whole, "", True)]

    def _target(self, ref: str) -> _Need:
        target = self._document.resolve(ref)
        if target is None:
            self.reason = f"The reference {ref!r} points at nothing in the schema."
            return []
        return [_Option(target, ref)]

    def _exactly_one(self, branches: Sequence[Schema]) -> list[_Option]:
        # A branch by itself mostly excludes the others already; where it does not, their opposites are asked for too.
        self._document.spend(len(branches))
        ranked = self._rank(branches)
        alone = [_Option(one, "", len(ranked) > 1) for one in ranked]
        if len(ranked) > _BRANCHES:
            return alone
        others = [[{"not": other} for other in ranked if other is not one] for one in ranked]
        return alone + [
            _Option({"allOf": [one, *rest]}, "", True) for one, rest in zip(ranked, others, strict=True) if rest
        ]

    def _negated(self, schema: Schema) -> Iterator[tuple[Schema, str]]:
        """Schemas that each contradict the given one, likeliest first, beside the reference that led there."""
        if isinstance(schema, bool):
            if not schema:
                yield True, ""
            return
        if isinstance(schema.get("$ref"), str) and (target := self._document.resolve(schema["$ref"])) is not None:
            yield {"not": target}, "not " + schema["$ref"]
        for key in schema:
            for opposite in _opposites(schema, key):
                yield opposite, ""
        if schema:
            # Where no keyword has a ready opposite, any value is tried and checked.
            yield True, ""


def _opposites(schema: Json, key: str) -> list[Schema]:
    """Schemas whose every value breaks one keyword."""
    value = schema[key]
    match key:
        case "type":
            named = {str(kind).lower() for kind in ([value] if isinstance(value, str) else value)}
            named |= {"number", "integer"} if named & {"number", "integer"} else set()
            return [{"type": [kind for kind in KINDS if kind not in named]}]
        case "const" | "enum":
            return [{WITHOUT: [value] if key == "const" else value}]
        case "required":
            return [{"type": "object", "properties": {name: False}} for name in value]
        case "properties":
            present = [(name, child) for name, child in value.items() if child is not True]
            return [{"type": "object", "required": [n], "properties": {n: {"not": child}}} for n, child in present]
        case "items" if isinstance(value, dict):
            return [{"type": "array", "contains": {"not": value}}]
        case "contains":
            return [{"type": "array", "items": {"not": value}}]
    return _opposite_branches(schema, key) if key in COMPLEX else _beyond(key, value)


def _opposite_branches(schema: Json, key: str) -> list[Schema]:
    value = schema[key]
    match key:
        case "anyOf":
            return [{"allOf": [{"not": one} for one in value]}]
        case "allOf":
            return [{"not": one} for one in value]
        case "oneOf":
            return [{"not": {"anyOf": value}}, {"allOf": value[:2]}]
        case "if":
            holds: Schema = {"allOf": [value, {"not": schema.get("then", True)}]}
            return [holds, {"allOf": [{"not": value}, {"not": schema.get("else", True)}]}]
        case "not":
            return [value]
    return []


# The limit that begins where another ends, the type it is about, and the step from the one to the other.
_BEYOND = {
    "minimum": ("exclusiveMaximum", "number", 0),
    "maximum": ("exclusiveMinimum", "number", 0),
    "exclusiveMinimum": ("maximum", "number", 0),
    "exclusiveMaximum": ("minimum", "number", 0),
    "minLength": ("maxLength", "string", -1),
    "maxLength": ("minLength", "string", 1),
    "minItems": ("maxItems", "array", -1),
    "maxItems": ("minItems", "array", 1),
    "minProperties": ("maxProperties", "object", -1),
    "maxProperties": ("minProperties", "object", 1),
}


def _beyond(key: str, value: Any) -> list[Schema]:
    if key not in _BEYOND or isinstance(value, bool):
        return []
    opposite, kind, step = _BEYOND[key]
    beyond = value + step if step == 0 else int(value) + step
    return [{"type": kind, opposite: beyond}] if step >= 0 or beyond >= 0 else []


def _closed(schema: Json, way: Way) -> Way:
    """The way with `unevaluated*` put as what it comes to once the branches are chosen."""
    parts = list(way.parts)
    seen = [part for part in parts if UNSEEN not in part]
    if "unevaluatedProperties" in schema and not any("additionalProperties" in part for part in seen):
        known = dict.fromkeys((name for part in seen for name in part.get("properties", ())), True)
        patterns = dict.fromkeys((name for part in seen for name in part.get("patternProperties", ())), True)
        other = schema["unevaluatedProperties"]
        parts.append({"properties": known, "patternProperties": patterns, "additionalProperties": other})
    if "unevaluatedItems" in schema and not any(isinstance(part.get("items"), (dict, bool)) for part in seen):
        longest = max((len(part.get("prefixItems", ())) for part in seen), default=0)
        found = [part["contains"] for part in seen if "contains" in part]
        rest = {"anyOf": [*found, schema["unevaluatedItems"]]} if found else schema["unevaluatedItems"]
        parts.append({"prefixItems": [True] * longest, "items": rest})
    return Way(tuple(parts), way.refs, way.doubtful)
