"""Finds what OpenAI's structured outputs refuse in a JSON Schema.

Source: OpenAI's guide "Structured model outputs", section "Supported schemas"; the texts are the live API's, as users
quote them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Context = tuple[str, ...]

_NOT_PERMITTED = ("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas")
_SAYS_WHAT_IT_IS = ("type", "$ref", "anyOf", "enum", "const")


def strict_fault(schema: dict[str, Any]) -> str | None:
    """What strict mode refuses first in a schema, as OpenAI says it; None where it takes the schema."""
    root = root_fault(schema)
    if root is not None:
        return root
    for context, part in _parts((), schema):
        fault = _fault(part, root=not context)
        if fault is not None:
            return f"In context={context!r}, {fault}"
    return None


def root_fault(schema: dict[str, Any]) -> str | None:
    """What is refused of every schema, strict or not: that it describes something that is no object."""
    kind = schema.get("type", "object")
    return None if kind == "object" else f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."


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
