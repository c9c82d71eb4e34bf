"""Makes a value for a schema: finds a way that works, then chooses between types, listed values and samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from llmsim.dice import Dice
from llmsim.schema.arrays import make_array
from llmsim.schema.check import Check
from llmsim.schema.document import KINDS, Document, Json, Schema, UnsatisfiableSchema, kinds_to_try
from llmsim.schema.height import ENDLESS, Heights
from llmsim.schema.hints import Hints
from llmsim.schema.numbers import number
from llmsim.schema.objects import make_object
from llmsim.schema.strings import string
from llmsim.schema.ways import COMPLEX, WITHOUT, Way, Ways

# A model nests a recursive thing two or three deep, and anything else not much deeper.
_ROUNDS = 3
_DEEP = 8
_DEEPEST = 80
_WAYS = 128
_TRIES = 8
_FAILURES = 200
_TEXT = 500
"""Steps that writing a text for a pattern counts as."""
# Keywords that list values to choose from; a schema of one type without them needs no choice.
_CHOICE = frozenset(("enum", "const", "examples", "example", "default"))


class Maker:
    """Makes values for one document; the public attributes are for the makers of objects and arrays."""

    __slots__ = (
        "_document",
        "_failures",
        "_heights",
        "_looping",
        "_open",
        "_ways",
        "budget",
        "check",
        "depth",
        "dice",
        "hints",
        "wild",
    )

    def __init__(self, root: Schema, dice: Dice, hint: str, budget: int) -> None:
        self._document = document = Document(root)
        self.dice = dice
        self.hints = Hints(hint)
        self.budget = budget
        self.check = Check(document)
        self.depth = 0
        self.wild = False
        self._heights = Heights(document)
        self._ways = Ways(document, self._ranked)
        self._open: dict[str, int] = {}
        self._looping = 0
        self._failures = 0

    @property
    def shallow(self) -> bool:
        """Whether it is time to come to an end: the budget is spent or the value nests deep already."""
        return self.budget <= 0 or self._looping > 0 or self.depth > _DEEP

    def is_flat(self, schemas: Sequence[Schema]) -> bool:
        """Whether a value needs no nesting and so may be made even at the end."""
        return self.budget > 0 and all(self._heights.of(schema) == 0 for schema in schemas)

    def make(self, schemas: Sequence[Schema], name: str = "") -> Any:
        """A value that is valid for all the schemas; raises UnsatisfiableSchema where none is found."""
        self.budget -= 1
        self._document.spend(2)
        if self.depth > _DEEP:
            self._refuse_endless(schemas)
        if len(schemas) == 1:
            schema = schemas[0]
            if not isinstance(schema, bool) and COMPLEX.isdisjoint(schema):
                return self._plain(schemas, name)  # type: ignore[arg-type]
        return self._search(schemas, name)

    def _refuse_endless(self, schemas: Sequence[Schema]) -> None:
        if self.depth > _DEEPEST or any(self._heights.of(schema) == ENDLESS for schema in schemas):
            raise UnsatisfiableSchema("The schema nests without end: it requires itself.")

    def _search(self, schemas: Sequence[Schema], name: str) -> Any:
        wild, reason = self.wild, ""
        try:
            for attempt in range(_TRIES):
                self.wild = wild or attempt > 0
                unlucky = False
                for way in islice(self._ways.together(schemas), _WAYS):
                    try:
                        found = self._follow(way, name)
                    except UnsatisfiableSchema as problem:
                        self._count_failure(problem)
                        reason = str(problem)
                        continue
                    if not way.doubtful or all(self.check.holds(schema, found) for schema in schemas):
                        return found
                    unlucky = True
                if not unlucky:
                    break
        finally:
            self.wild = wild
        raise UnsatisfiableSchema(reason or self._ways.reason or "No value satisfies every part of the schema.")

    def _count_failure(self, problem: UnsatisfiableSchema) -> None:
        """Gives up for good after many dead ends, which nest and would multiply."""
        self._failures += 1
        if self._failures > _FAILURES:
            raise problem

    def _follow(self, way: Way, name: str) -> Any:
        for ref in way.refs:
            self._open[ref] = self._open.get(ref, 0) + 1
            self._looping += self._open[ref] >= _ROUNDS
        try:
            return self._plain(way.parts, name)
        finally:
            for ref in way.refs:
                self._looping -= self._open[ref] >= _ROUNDS
                self._open[ref] -= 1

    def _ranked(self, options: Sequence[Schema]) -> list[Schema]:
        """The branches of a union by preference: at random, null mostly last, the shallowest first at the end."""
        order = self.shuffled(options)
        if any(map(_is_null, order)):
            order.sort(key=_is_null, reverse=self.dice.below(8) == 0)
        elif {"type": "string"} in order:
            # Beside a number it is how pydantic words a Decimal, which not every string is.
            order.sort(key=lambda option: not isinstance(option, dict) or option.get("type") != "number")
        return sorted(order, key=self._heights.of) if self.shallow else order

    def shuffled(self, items: Sequence[Any]) -> list[Any]:
        """The items in an order of chance."""
        order = list(items)
        for at in range(len(order) - 1, 0, -1):
            other = self.dice.below(at + 1)
            order[at], order[other] = order[other], order[at]
        return order

    def _plain(self, parts: Sequence[Json], name: str) -> Any:
        if len(parts) == 1 and _CHOICE.isdisjoint(parts[0]) and isinstance(kind := parts[0].get("type"), str):
            return self._of_kind(kind if kind in KINDS else kind.lower(), parts, name)
        for part in parts:
            if "enum" in part or "const" in part:
                return self._listed(parts)
        for part in parts:
            if not self.wild and ("examples" in part or "example" in part or "default" in part):
                for sample in self._samples(parts):
                    if all(self.check.holds(part, sample) for part in parts):
                        return sample
        kinds = kinds_to_try(parts)
        if len(kinds) == 1:
            return self._of_kind(kinds[0], parts, name)
        reason: UnsatisfiableSchema | None = None
        for kind in self._by_liking(parts, kinds):
            try:
                return self._of_kind(kind, parts, name)
            except UnsatisfiableSchema as problem:
                reason = reason or problem
        raise reason or UnsatisfiableSchema("The schema allows no type.")

    def _by_liking(self, parts: Sequence[Json], kinds: Sequence[str]) -> Sequence[str]:
        if not any("type" in part for part in parts):
            return kinds
        branches: list[Schema] = [{"type": kind} for kind in kinds]
        return [branch["type"] for branch in self._ranked(branches) if not isinstance(branch, bool)]

    def _listed(self, parts: Sequence[Json]) -> Any:
        at = next(at for at, part in enumerate(parts) if "const" in part or "enum" in part)
        first, rest = parts[at], list(parts)
        listed = [first["const"]] if "const" in first else first["enum"]
        if "const" not in first:
            # That each of the values is one of them needs no look at all of them again.
            rest[at] = {key: value for key, value in first.items() if key != "enum"}
        allowed = [value for value in listed if all(self.check.holds(part, value) for part in rest)]
        allowed = [value for value in allowed if not any(_rules_out(part, value) for part in parts)]
        if not allowed:
            raise UnsatisfiableSchema(f"None of the listed values {str(listed[:8])[:80]} fits the schema.")
        if len(allowed) > 1:
            for value in allowed:
                if self.hints.mentions(value):
                    return value
        return self.dice.choice(allowed)

    def _samples(self, parts: Sequence[Json]) -> Iterator[Any]:
        for part in parts:
            given = part.get("examples", [part["example"]] if "example" in part else [])
            yield from self.shuffled(list(given.values()) if isinstance(given, dict) else given)
            if part.get("default") is not None and self.dice.below(3) == 0:
                yield part["default"]

    def _of_kind(self, kind: str, parts: Sequence[Json], name: str) -> Any:
        match kind:
            case "string":
                self._document.spend(_TEXT if any("pattern" in part for part in parts) else 1)
                return string(parts, name, self.dice, self.hints, wild=self.wild)
            case "integer" | "number":
                return number(parts, name, self.dice, self.hints, whole=kind == "integer", wild=self.wild)
            case "object":
                return make_object(self, parts)
            case "array":
                return make_array(self, parts, name)
            case "boolean":
                return self.dice.below(2) == 0
            case "null":
                return None
        raise UnsatisfiableSchema(f"There is no type {kind!r} in JSON Schema.")


def _rules_out(part: Json, value: Any) -> bool:
    return WITHOUT in part and value in part[WITHOUT]


def _is_null(schema: Schema) -> bool:
    return not isinstance(schema, bool) and schema.get("type") in ("null", "NULL")
