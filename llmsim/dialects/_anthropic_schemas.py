"""What Claude's structured outputs refuse in a JSON Schema, and what they still follow of what they do not enforce.

Source: Anthropic's guide "Structured outputs", section "JSON Schema limitations"; the texts are the live API's, as
users quote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_REFUSED = frozenset(
    "contains dependentRequired dependentSchemas exclusiveMaximum exclusiveMinimum maxContains maxItems maxLength"
    " maxProperties maximum minContains minLength minProperties minimum multipleOf patternProperties propertyNames"
    " unevaluatedItems unevaluatedProperties uniqueItems".split()
)

# Constraints as the SDKs put them into a description where the API does not enforce them: `{minimum: 1, maxItems: 3}`.
_NOTED = re.compile(r"\{((?:[A-Za-z]+: [^{}]+)(?:, [A-Za-z]+: [^{}]+)*)\}$")
_NOTE = re.compile(r"([A-Za-z]+): (.+?)(?=, [A-Za-z]+: |$)")
_NUMBERS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
)


def strict_fault(schema: Any) -> str | None:
    """What is refused first in a schema; None where it is taken."""
    for part in _parts(schema):
        fault = _fault(part)
        if fault is not None:
            return fault
    return None


def _parts(schema: Any) -> Iterator[Json]:
    """The schema and all schemas in it, outer ones first."""
    if not isinstance(schema, dict):
        return
    yield schema
    for name in ("properties", "$defs", "definitions"):
        inner = schema.get(name)
        for part in inner.values() if isinstance(inner, dict) else ():
            yield from _parts(part)
    yield from _parts(schema.get("items"))
    for name in ("anyOf", "allOf"):
        ways = schema.get(name)
        for part in ways if isinstance(ways, list) else ():
            yield from _parts(part)


def _fault(schema: Json) -> str | None:
    kinds = schema.get("type")
    kind = kinds if isinstance(kinds, str) else next((one for one in kinds or () if one != "null"), None)
    if kind == "object" and schema.get("additionalProperties") is not False:
        return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    if kind == "array" and schema.get("minItems", 0) not in (0, 1):
        return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    if "oneOf" in schema:
        return "Schema type 'oneOf' is not supported"
    refused = sorted(_REFUSED & schema.keys()) if kind else []
    if len(refused) > 1:
        return f"For '{kind}' type, properties {', '.join(refused)} are not supported"
    return f"For '{kind}' type, property '{refused[0]}' is not supported" if refused else None


def as_meant(schema: Any) -> Any:
    """The schema with the constraints in its descriptions, which a model heeds though the API does not enforce them."""
    if isinstance(schema, list):
        return [as_meant(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    meant = {key: as_meant(part) if key not in ("enum", "const", "default") else part for key, part in schema.items()}
    description = schema.get("description")
    noted = _NOTED.search(description[-400:]) if isinstance(description, str) else None
    for name, value in _NOTE.findall(noted[1]) if noted else ():
        if name in _NUMBERS and re.fullmatch(r"-?\d+(?:\.\d+)?", value):
            meant.setdefault(name, float(value) if "." in value else int(value))
        elif name in ("pattern", "format") and isinstance(schema.get("type"), str):
            meant.setdefault(name, value)
    return meant
