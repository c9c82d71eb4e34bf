"""Objects: which properties are there, in the schema's order, and a value for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from llmsim.dice import Dice
from llmsim.schema.check import Check
from llmsim.schema.document import Json, Schema, UnsatisfiableSchema, limits
from llmsim.schema.formats import ADJECTIVES, NOUNS
from llmsim.schema.patterns import matching

# An optional property is there four times of five, as in a model's replies.
_KEPT_OF_TEN = 8
_NAMING_TRIES = 12


class Making(Protocol):
    """What the maker of a container asks of the maker of values."""

    dice: Dice
    check: Check
    depth: int
    wild: bool
    budget: int

    @property
    def shallow(self) -> bool:
        """Whether to add nothing that need not be."""

    def is_flat(self, schemas: Sequence[Schema]) -> bool:
        """Whether a value for the schemas needs no nesting."""

    def make(self, schemas: Sequence[Schema], name: str = "") -> Any:
        """A value for all the schemas."""

    def shuffled(self, items: Sequence[Any]) -> list[Any]:
        """The items in an order of chance."""


def make_object(maker: Making, parts: Sequence[Json]) -> dict[str, Any]:
    """An object that fits all the schemas; raises UnsatisfiableSchema where none is found."""
    maker.depth += 1
    try:
        return _Object(maker, parts).made()
    finally:
        maker.depth -= 1


class _Object:
    """One object in the making."""

    __slots__ = ("_found", "_least", "_maker", "_most", "_needs", "_parts", "_required")

    def __init__(self, maker: Making, parts: Sequence[Json]) -> None:
        self._maker = maker
        self._parts = parts
        self._found: dict[str, Any] = {}
        self._least, self._most = limits(parts, "minProperties", "maxProperties")
        self._needs = {name: need for part in parts for name, need in part.get("dependentRequired", {}).items()}
        self._required = self._with_needed([name for part in parts for name in part.get("required", ())])

    def made(self) -> dict[str, Any]:
        known = dict.fromkeys(name for part in self._parts for name in part.get("properties", ()))
        if self._most is not None and len(self._required) > self._most:
            raise UnsatisfiableSchema(
                f"{len(self._required)} properties are required, but maxProperties is {self._most}."
            )
        wanted = self._wanted(known)
        # A model fills a form from top to bottom: the schema's order first, then the names it does not describe.
        for name in (*known, *(name for name in wanted if name not in known)):
            if name in self._required or (name in wanted and self._is_affordable(name)):
                self._add(name)
        if not known:
            self._invent()
        self._fill(list(known))
        self._drop_lonely()
        return self._found

    def _with_needed(self, names: Sequence[str]) -> dict[str, None]:
        """The names and all that their presence asks for."""
        closed = dict.fromkeys(names)
        if self._needs:
            waiting = list(closed)
            while waiting:
                new = [name for name in self._needs.get(waiting.pop(), ()) if name not in closed]
                closed.update(dict.fromkeys(new))
                waiting += new
        return closed

    def _wanted(self, known: dict[str, None]) -> dict[str, None]:
        wanted = dict(self._required)
        dice = self._maker.dice
        for name in known:
            if name in wanted or dice.below(10) >= _KEPT_OF_TEN:
                continue
            group = self._with_needed([name]) if self._needs else {name: None}
            if self._most is None or len(wanted | group) <= self._most:
                wanted |= group
        # A model says something where it may: a wrapper around one optional list is not left empty.
        first = self._with_needed(list(known)[:1])
        return wanted or (first if self._most is None or len(first) <= self._most else {})

    def _is_affordable(self, name: str) -> bool:
        return not self._maker.shallow or self._maker.is_flat(self._children(name))

    def _children(self, name: str) -> list[Schema]:
        found: list[Schema] = []
        for part in self._parts:
            found += self._maker.check.children(part, name)
        return [child for child in found if child is not True] if len(found) > 1 else found

    def _add(self, name: str) -> bool:
        """Gives the property a value; an optional one that can have none stays away."""
        try:
            for part in self._parts:
                if "propertyNames" in part and not self._maker.check.holds(part["propertyNames"], name):
                    raise UnsatisfiableSchema(f"The schema's propertyNames does not allow the name {name!r}.")
            self._found[name] = self._maker.make(self._children(name) or [{}], name)
        except UnsatisfiableSchema as problem:
            if name in self._required:
                raise UnsatisfiableSchema(f"{name}: {problem}") from None
            return False
        return True

    def _invent(self) -> None:
        """Adds a few entries to a map: an object whose schema names no property, but says what values are like."""
        mapped = any(isinstance(part.get("additionalProperties"), dict) for part in self._parts)
        if not self._maker.shallow and (mapped or any("patternProperties" in part for part in self._parts)):
            for _ in range(self._maker.dice.between(1, 3)):
                if self._most is None or len(self._found) < self._most:
                    self._add_new()

    def _fill(self, known: list[str]) -> None:
        missing = [name for name in known if name not in self._found]
        while len(self._found) < self._least:
            if missing:
                name = missing.pop(0)
                group = [one for one in self._with_needed([name]) if one not in self._found]
                if self._most is None or len(self._found) + len(group) <= self._most:
                    for one in group:
                        self._add(one)
            elif not self._add_new():
                raise UnsatisfiableSchema(f"No {self._least} properties were found, which minProperties asks for.")

    def _add_new(self) -> bool:
        """Adds a property under a new name; tells whether it could."""
        for attempt in range(_NAMING_TRIES):
            try:
                name = self._new_name(attempt)
            except UnsatisfiableSchema:
                continue
            if name not in self._found and self._add(name):
                return True
        return False

    def _new_name(self, attempt: int) -> str:
        dice = self._maker.dice
        patterns = [pattern for part in self._parts for pattern in part.get("patternProperties", ())]
        ruled = [part["propertyNames"] for part in self._parts if "propertyNames" in part]
        if ruled and (attempt % 2 == 0 or not patterns):
            name = self._maker.make([{"type": "string"}, *ruled], "key")
            return str(name)
        if patterns and attempt % 3 < 2:
            return matching(dice.choice(patterns), dice)
        return dice.choice(NOUNS) if attempt < 2 else f"{dice.choice(ADJECTIVES)}_{dice.choice(NOUNS)}"

    def _drop_lonely(self) -> None:
        """Takes away what asks for another property that could not be made."""
        while lonely := self._lonely():
            for name in lonely:
                if name in self._required or len(self._found) <= self._least:
                    raise UnsatisfiableSchema(f"{name}: it asks for properties that can have no value.")
                del self._found[name]

    def _lonely(self) -> list[str]:
        needs = [(name, need) for name, need in self._needs.items() if name in self._found]
        return [name for name, need in needs if any(other not in self._found for other in need)]
