"""Finds what OpenAI's structured outputs refuse in a JSON Schema.

Source: OpenAI's guide "Structured model outputs", section "Supported schemas"; the texts are the live API's, as users
quote them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Context = tuple[str, ...]

_NOT_PERMITTED = ("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas")
_HOLDS_SCHEMAS = ("items", "anyOf")
_SAYS_WHAT_IT_IS = ("type", "$ref", "anyOf", "enum", "const")

# Keywords by what they hold: a schema, several, several by name, anything in a list.
_ONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs", "definitions")
_LISTS = ("required", "enum", *_SEVERAL)
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_KINDS = {"string", "number", "integer", "boolean", "object", "array", "null"}

_SHOWN = 200
"""Characters of a wrong value that are told."""


def strict_fault(schema: dict[str, Any]) -> str | None:
    """What strict mode refuses first in a schema, as OpenAI says it; None where it takes the schema."""
    root = root_fault(schema)
    if root is not None:
        return root
    for context, part in _parts((), schema):
        fault = _fault(part, root=not context) or _dangling(part, schema)
        if fault is not None:
            return f"In context={context!r}, {fault}"
    return None


def strict_form(schema: Any) -> Any:
    """The schema as strict mode would have it: no other properties, and all there are required."""
    if isinstance(schema, list):
        return [strict_form(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: strict_form(part) if key in _HOLDS_SCHEMAS else part for key, part in schema.items()}
    for name in ("properties", "$defs", "definitions"):
        if isinstance(inner.get(name), dict):
            inner[name] = {key: strict_form(part) for key, part in inner[name].items()}
    if schema.get("type") == "object" or "properties" in schema:
        declared = schema.get("properties")
        inner["required"] = list(declared) if isinstance(declared, dict) else []
        inner.setdefault("additionalProperties", False)
    return inner


def root_fault(schema: dict[str, Any]) -> str | None:
    """What is refused of every schema, strict or not: that it describes no object, or is none of JSON Schema."""
    kind = schema.get("type", "object")
    if kind != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
    return shape_fault(schema)


def shape_fault(schema: Any) -> str | None:
    """What makes it no JSON Schema at all, in the words of the validator that OpenAI uses; None where it is one."""
    waiting: list[tuple[Context, Any]] = [((), schema)]
    while waiting:
        context, part = waiting.pop()
        fault = _misshapen(part)
        if fault is not None:
            return f"In context={context!r}, {fault}" if context else fault
        waiting += reversed(list(_inner(context, part)))
    return None


def _misshapen(part: Any) -> str | None:
    """What is wrong with the keywords of one schema, whatever the schemas in it say."""
    if not isinstance(part, dict):
        return None if isinstance(part, bool) else f"{_shown(part)} is not of type 'object', 'boolean'."
    if not part:
        return None
    for name in _NAMED:
        if not isinstance(part.get(name, {}), dict):
            return f"{_shown(part[name])} is not of type 'object'."
    for name in _LISTS:
        if not isinstance(part.get(name, []), list):
            return f"{_shown(part[name])} is not of type 'array'."
    for name in part.get("required", ()):
        if not isinstance(name, str):
            return f"{_shown(name)} is not of type 'string'."
    for name in (*_NUMBERS, *_COUNTS):
        if not isinstance(part.get(name, 0), int | float):
            return f"{_shown(part[name])} is not of type '{'integer' if name in _COUNTS else 'number'}'."
    if not isinstance(part.get("$ref", ""), str):
        return f"{_shown(part['$ref'])} is not of type 'string'."
    kind = part.get("type", "object")
    kinds = kind if isinstance(kind, list) else [kind]
    known = all(isinstance(one, str) and one.lower() in _KINDS for one in kinds)
    return None if known else f"{_shown(kind)} is not valid under any of the given schemas."


def _inner(context: Context, part: Any) -> Iterator[tuple[Context, Any]]:
    """The schemas that a well-shaped one holds itself, each with the way to it."""
    if not isinstance(part, dict):
        return
    for name in _NAMED:
        for key, inner in part.get(name, {}).items():
            yield (*context, name, key), inner
    for name in (*_ONE, *_SEVERAL):
        if name not in part:
            continue
        inner = part[name]
        if isinstance(inner, list):  # tuples of draft 7 are lists under `items`
            yield from (((*context, name, str(index)), one) for index, one in enumerate(inner))
        else:
            yield (*context, name), inner


def _shown(value: Any) -> str:
    return repr(value)[:_SHOWN]


def _parts(context: Context, schema: Any) -> Iterator[tuple[Context, dict[str, Any]]]:
    """The schema and all schemas in it, outer ones first, each with the way to it."""
    if not isinstance(schema, dict):
        return
    yield context, schema
    for name in ("properties", "$defs", "definitions"):
        inner = schema.get(name)
        for key, part in inner.items() if isinstance(inner, dict) else ():
            yield from _parts((*context, name, key), part)
    yield from _parts((*context, "items"), schema.get("items"))
    ways = schema.get("anyOf")
    for index, part in enumerate(ways if isinstance(ways, list) else ()):
        yield from _parts((*context, "anyOf", str(index)), part)


def _fault(schema: dict[str, Any], root: bool) -> str | None:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "object" in kinds or "properties" in schema or root:
        return _object_fault(schema)
    if "$ref" in schema and (beside := sorted(set(schema) - {"$ref", "$defs", "definitions"})):
        return f"$ref cannot have keywords {{{', '.join(map(repr, beside))}}}."
    for word in _NOT_PERMITTED:
        if word in schema:
            return f"'{word}' is not permitted."
    if not any(word in schema for word in _SAYS_WHAT_IT_IS):
        return "schema must have a 'type' key."
    return "array schema missing items." if "array" in kinds and "items" not in schema else None


def _dangling(part: dict[str, Any], schema: dict[str, Any]) -> str | None:
    """What is wrong with a reference that leads nowhere in the whole schema."""
    reference = part.get("$ref", "#")
    first, *steps = reference.split("/")
    found: Any = schema if first == "#" else None
    for step in steps:
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    told = repr(reference[:_SHOWN])
    return f"reference to component {told} which was not found in the schema." if found is None else None


def _object_fault(schema: dict[str, Any]) -> str | None:
    if schema.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    declared = schema.get("properties")
    properties = declared if isinstance(declared, dict) else {}
    required = schema.get("required")
    listed = required if isinstance(required, list) else []
    rule = "'required' is required to be supplied and to be an array including every key in properties."
    for name in properties:
        if name not in listed:
            return f"{rule} Missing '{name}'."
    for name in listed:
        if name not in properties:
            return f"{rule} Extra required key '{name}' supplied."
    return None
