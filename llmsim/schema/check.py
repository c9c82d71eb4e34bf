"""Tells whether a value is valid for a JSON Schema: what the makers ask where they cannot be sure by construction.

It follows JSON Schema draft 2020-12 (core and validation vocabularies) except that `format` and `unevaluated*` are not
judged, and that a type may be in capitals, `nullable` allows null and `items` may be a list, as older dialects have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmsim.schema.document import Document, Json, Schema, kinds_of, limit, prefix_of, rest_of
from llmsim.schema.patterns import finds

_KINDS: dict[type, str] = {str: "string", dict: "object", list: "array", bool: "boolean", type(None): "null"}
_NOUNS: dict[type, str] = {str: "Length", list: "Items", dict: "Properties"}


_SEARCH = 100
"""Steps that a search for a pattern counts as, as its expression may have to be compiled."""


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0, but true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def is_kind(value: Any, kind: str) -> bool:
    """Whether a value is of a JSON Schema type; 1.0 is an integer too."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return kind == "number" or (kind == "integer" and value == int(value))
    return kind == _KINDS.get(type(value), "")


def divides(step: float, value: float) -> bool:
    """Whether a number is a multiple of a step, by the arithmetic that validators use on floats."""
    if isinstance(step, int):
        return value % step == 0
    quotient = value / step
    return int(quotient) == quotient


_LOOKED_UP = 4
"""Values that are looked at for a step."""


class Check:
    """Judges values by the schemas of one document."""

    __slots__ = ("_document",)

    def __init__(self, document: Document) -> None:
        self._document = document

    def key(self, value: Any) -> Any:
        """A value to look up, as `frozen` makes it; the work is counted by the value's size."""
        waiting = [value]
        while waiting:
            inner = waiting.pop()
            if isinstance(inner, (list, Mapping)):
                self._document.spend(len(inner) // _LOOKED_UP)
                waiting += inner.values() if isinstance(inner, Mapping) else inner
        return frozen(value)

    def holds(self, schema: Schema, value: Any) -> bool:
        """Whether the value is valid for the schema."""
        if isinstance(schema, bool):
            return schema
        self._document.spend()
        if value is None and schema.get("nullable") is True:
            return True
        return all(_RULES[key](self, schema, value) for key in schema if key in _RULES)

    def _type(self, schema: Json, value: Any) -> bool:
        kinds = kinds_of(schema)
        return kinds is None or any(is_kind(value, kind) for kind in kinds)

    def _enum(self, schema: Json, value: Any) -> bool:
        listed = schema["enum"]
        if isinstance(value, str):
            return value in listed if isinstance(listed, list) else any(same(one, value) for one in listed)
        self._document.spend(len(listed))
        return any(same(one, value) for one in listed)

    def _const(self, schema: Json, value: Any) -> bool:
        return same(schema["const"], value)

    def _ref(self, schema: Json, value: Any) -> bool:
        target = self._document.resolve(str(schema.get("$ref", schema.get("$dynamicRef"))))
        return target is not None and self.holds(target, value)

    def _all(self, schema: Json, value: Any) -> bool:
        return all(self.holds(one, value) for one in schema["allOf"])

    def _any(self, schema: Json, value: Any) -> bool:
        return any(self.holds(one, value) for one in schema["anyOf"])

    def _one(self, schema: Json, value: Any) -> bool:
        return sum(self.holds(one, value) for one in schema["oneOf"]) == 1

    def _not(self, schema: Json, value: Any) -> bool:
        return not self.holds(schema["not"], value)

    def _if(self, schema: Json, value: Any) -> bool:
        branch = "then" if self.holds(schema["if"], value) else "else"
        return self.holds(schema.get(branch, True), value)

    def _number(self, schema: Json, value: Any) -> bool:
        if not is_kind(value, "number"):
            return True
        low, high, step = (schema.get(key) for key in ("minimum", "maximum", "multipleOf"))
        over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        # Draft 4 and OpenAPI 3.0 say with true that the minimum beside it is exclusive.
        over, under = low if over is True else over, high if under is True else under
        return (
            (low is None or value >= low)
            and (high is None or value <= high)
            and (over is None or over is False or value > over)
            and (under is None or under is False or value < under)
            and (step is None or divides(step, value))
        )

    def _size(self, schema: Json, value: Any) -> bool:
        noun = _NOUNS.get(type(value))
        if noun is None:
            return True
        least, most = limit(schema, "min" + noun), limit(schema, "max" + noun)
        return (least is None or len(value) >= least) and (most is None or len(value) <= most)

    def _pattern(self, schema: Json, value: Any) -> bool:
        return not isinstance(value, str) or finds(schema["pattern"], value)

    def _items(self, schema: Json, value: Any) -> bool:
        if not isinstance(value, list):
            return True
        prefix, rest = prefix_of(schema), rest_of(schema)
        return all(self.holds(prefix[at] if at < len(prefix) else rest, item) for at, item in enumerate(value))

    def _contains(self, schema: Json, value: Any) -> bool:
        if not isinstance(value, list):
            return True
        count = sum(self.holds(schema["contains"], item) for item in value)
        least, most = limit(schema, "minContains"), limit(schema, "maxContains")
        return count >= (1 if least is None else least) and (most is None or count <= most)

    def _unique(self, schema: Json, value: Any) -> bool:
        return not isinstance(value, list) or schema["uniqueItems"] is not True or distinct(value)

    def _required(self, schema: Json, value: Any) -> bool:
        return not isinstance(value, dict) or all(name in value for name in schema["required"])

    def _properties(self, schema: Json, value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        return all(self.holds(child, item) for name, item in value.items() for child in self.children(schema, name))

    def children(self, schema: Json, name: str) -> list[Schema]:
        """The schemas that a property of this name must fit, by one schema's own object keywords."""
        found: list[Schema] = []
        properties = schema.get("properties")
        if properties and name in properties:
            found.append(properties[name])
        if "patternProperties" in schema:
            patterns = schema["patternProperties"]
            self._document.spend(_SEARCH * len(patterns))
            found += [child for pattern, child in patterns.items() if finds(pattern, name)]
        if not found and "additionalProperties" in schema:
            found.append(schema["additionalProperties"])
        return found

    def _names(self, schema: Json, value: Any) -> bool:
        return not isinstance(value, dict) or all(self.holds(schema["propertyNames"], name) for name in value)

    def _dependent(self, schema: Json, value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        return all(
            all(other in value for other in need) if isinstance(need, list) else self.holds(need, value)
            for name, need in dependents(schema)
            if name in value
        )


def frozen(value: Any) -> Any:
    """A value to look up: two of them are equal where the JSON values are."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list):
        return ("list", *map(frozen, value))
    if isinstance(value, Mapping):
        return ("dict", frozenset((key, frozen(item)) for key, item in value.items()))
    return value


def distinct(items: Sequence[Any]) -> bool:
    """Whether no two items are equal."""
    return len(set(map(frozen, items))) == len(items)


def dependents(schema: Json) -> list[tuple[str, Any]]:
    """What the presence of a property asks for: names or a schema; draft 7 wrote both as `dependencies`."""
    keys = ("dependentRequired", "dependentSchemas", "dependencies")
    return [pair for key in keys for pair in schema.get(key, {}).items()]


_Rule = Callable[[Check, Json, Any], bool]
_RULES: dict[str, _Rule] = {
    "type": Check._type,
    "enum": Check._enum,
    "const": Check._const,
    "$ref": Check._ref,
    "$dynamicRef": Check._ref,
    "allOf": Check._all,
    "anyOf": Check._any,
    "oneOf": Check._one,
    "not": Check._not,
    "if": Check._if,
    "pattern": Check._pattern,
    "contains": Check._contains,
    "uniqueItems": Check._unique,
    "required": Check._required,
    "propertyNames": Check._names,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), Check._number),
    **dict.fromkeys(("minLength", "minItems", "minProperties", "maxLength"), Check._size),
    **dict.fromkeys(("maxItems", "maxProperties"), Check._size),
    **dict.fromkeys(("items", "prefixItems"), Check._items),
    **dict.fromkeys(("properties", "patternProperties", "additionalProperties"), Check._properties),
    **dict.fromkeys(("dependentRequired", "dependentSchemas", "dependencies"), Check._dependent),
}
