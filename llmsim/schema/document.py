"""A JSON Schema as a client sends it: where its references point, which types it names, how its numbers are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urljoin

Json = Mapping[str, Any]
Schema = Json | bool

KINDS = ("string", "number", "integer", "boolean", "object", "array", "null")

_INDEX = re.compile("0|[1-9][0-9]{0,8}")
"""A place in a list, in a JSON pointer (RFC 6901, 4)."""

# No model writes a reply of more than some hundred thousand tokens.
_GREATEST = 100_000

# What a schema without a type is about: the first type that one of its keywords speaks of.
_SPEAKS_OF = {
    "object": "properties required additionalProperties patternProperties minProperties propertyNames",
    "array": "items prefixItems contains minItems maxItems uniqueItems",
    "string": "minLength maxLength pattern format",
    "number": "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
}
_KIND_OF_KEYWORD = {word: kind for kind, words in _SPEAKS_OF.items() for word in words.split()}


class UnsatisfiableSchema(ValueError):
    """No value is valid for a schema; the message says why in one sentence."""


STEPS = 60_000
"""Steps that may be spent on one value: some tenths of a second. Real schemas take some hundreds."""


class Document:
    """One whole schema, everything that the references in it can point at, and the work that may be put into it."""

    __slots__ = ("_left", "_named", "root")

    def __init__(self, root: Schema) -> None:
        self.root = root
        self._left = STEPS
        self._named: dict[str, Schema] | None = None

    def spend(self, steps: int = 1) -> None:
        """Counts work; raises UnsatisfiableSchema once there has been too much, and from then on whenever it is asked.

        Schemas come from clients. Counted in steps and not in seconds, the same schema always ends the same way.
        """
        self._left -= steps
        if self._left < 0:
            raise UnsatisfiableSchema("The schema is too complex: no value was found in reasonable time.")

    def resolve(self, ref: str) -> Schema | None:
        """What a reference points at: a JSON pointer, an anchor or an `$id` of this document, else None."""
        base, _, fragment = ref.partition("#")
        if not base and (not fragment or fragment.startswith("/")):
            found = _pointed(self.root, fragment)
            if found is not None:
                return found
            self.spend(len(self._by_name()))
            # A pointer inside an embedded resource starts at that resource, which is one of those with an id.
            inside = (_pointed(one, fragment) for one in self._by_name().values())
            return next((one for one in inside if one is not None), None)
        anchored = self._found(ref)
        return _pointed(self._found(base), fragment) if anchored is None and base else anchored

    def _found(self, name: str) -> Schema | None:
        named = self._by_name()
        return named.get(name, named.get(_absolute(self.root, name)))

    def _by_name(self) -> dict[str, Schema]:
        if self._named is None:
            self._named = dict(_names(self.root, ""))
        return self._named


def _absolute(root: Schema, ref: str) -> str:
    return ref if isinstance(root, bool) else urljoin(str(root.get("$id", "")), ref)


def _pointed(node: Any, pointer: str) -> Schema | None:
    for raw in pointer.split("/")[1:]:
        step = unquote(raw).replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping) and step in node:
            node = node[step]
        elif isinstance(node, list) and _INDEX.fullmatch(step) and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node if isinstance(node, (bool, Mapping)) else None


def _names(node: Any, base: str) -> Iterator[tuple[str, Schema]]:
    """The anchors and ids below a node, as references would write them."""
    if isinstance(node, Mapping):
        if isinstance(node.get("$id"), str):
            base = urljoin(base, node["$id"])
            yield base, node
        for key in ("$anchor", "$dynamicAnchor"):
            if isinstance(node.get(key), str):
                yield "#" + node[key], node
                yield f"{base}#{node[key]}", node
        for child in node.values():
            yield from _names(child, base)
    elif isinstance(node, list):
        for child in node:
            yield from _names(child, base)


def kinds_of(schema: Json) -> Sequence[str] | None:
    """The types a schema names, in small letters (Google's API writes "STRING"), or None where it names none."""
    kind = schema.get("type")
    if isinstance(kind, str):
        if kind in KINDS:
            return (kind,)
        kind = [kind]
    if not isinstance(kind, list):
        return None
    kinds = [str(one).lower() for one in kind]
    return None if "type_unspecified" in kinds else kinds


def common_kinds(parts: Sequence[Json]) -> Sequence[str] | None:
    """The types that all the schemas allow, in the order of the first that names any; None where none names any."""
    common: Sequence[str] | None = None
    for part in parts:
        kinds = kinds_of(part)
        if kinds is None:
            continue
        common = kinds if common is None else [both for one in common if (both := _narrower(one, kinds))]
    return common


def _narrower(kind: str, others: Sequence[str]) -> str:
    if kind in others:
        return kind
    if "integer" in (kind, *others) and (kind == "number" or (kind == "integer" and "number" in others)):
        return "integer"
    return ""


def kinds_to_try(parts: Sequence[Json]) -> Sequence[str]:
    """The types to try in turn: those named, else what the keywords speak of first and then every other."""
    named = common_kinds(parts)
    if named is not None:
        return named
    likely = [_KIND_OF_KEYWORD[key] for part in parts for key in part if key in _KIND_OF_KEYWORD]
    return list(dict.fromkeys([*likely, *KINDS]))


def limit(schema: Json, key: str) -> int | None:
    """A whole-number keyword; Google's API writes them as strings ("maxItems": "3")."""
    found = schema.get(key)
    if found is None or isinstance(found, bool):
        return None
    return int(found)


def limits(parts: Sequence[Json], least: str, most: str) -> tuple[int, int | None]:
    """The tightest pair of whole-number limits that the schemas set together."""
    low, high = 0, None
    for part in parts:
        if least in part:
            low = max(low, limit(part, least) or 0)
        if most in part and (top := limit(part, most)) is not None:
            high = top if high is None else min(high, top)
    if high is not None and high < low:
        raise UnsatisfiableSchema(f"{least} {low} is greater than {most} {high}.")
    if low > _GREATEST:
        raise UnsatisfiableSchema(f"{least} {low} is more than a reply can hold.")
    return low, high


def prefix_of(schema: Json) -> Sequence[Schema]:
    """The schemas of an array's first items: `prefixItems`, or draft 7's list of `items`."""
    items = schema.get("items")
    prefix: Sequence[Schema] = items if isinstance(items, list) else schema.get("prefixItems", ())
    return prefix


def rest_of(schema: Json) -> Schema:
    """The schema of an array's items after the first ones."""
    items = schema.get("items", True)
    rest: Schema = schema.get("additionalItems", True) if isinstance(items, list) else items
    return rest
