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

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")

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
    return _dangling(schema) or _circle(schema)


def is_schema(schema: Any) -> bool:
    """Whether it has the shape of a JSON Schema: every type is one, and what holds schemas holds nothing else."""
    return all(_is_shaped(part) for part in _parts(schema))


def _is_shaped(part: Json) -> bool:
    kinds = part.get("type", [])
    if not all(isinstance(kind, str) and kind in _TYPES for kind in (kinds if isinstance(kinds, list) else [kinds])):
        return False
    properties = part.get("properties", {})
    if not isinstance(properties, dict) or not all(isinstance(inner, dict | bool) for inner in properties.values()):
        return False
    required = part.get("required", [])
    return isinstance(required, list) and isinstance(part.get("items", {}), dict | bool | list)


def _dangling(schema: Any) -> str | None:
    """What is told of a reference that leads nowhere."""
    for ref in _refs(schema):
        target: Any = schema
        for step in ref.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            target = target.get(name) if isinstance(target, dict) else None
        if target is None:
            return f"Reference '{ref[:200]}' cannot be resolved in the schema"
    return None


def _circle(schema: Any) -> str | None:
    """What is told where a definition leads back to itself."""
    if not isinstance(schema, dict):
        return None
    places = [name for name in ("$defs", "definitions") if isinstance(schema.get(name), dict)]
    definitions: Json = {f"#/{place}/{name}": part for place in places for name, part in schema[place].items()}
    definitions["#"] = {key: part for key, part in schema.items() if key not in places}
    leads = {name: [ref for ref in _refs(part) if ref in definitions] for name, part in definitions.items()}
    for name in definitions:
        path = _way_back(name, leads)
        if path:
            told = " -> ".join(step.rpartition("/")[2] for step in path)
            return (
                f"Circular reference detected in schema definitions: {told}. Self-referencing or mutually-referencing "
                "definitions are not supported."
            )
    return None


def _refs(schema: Any) -> list[str]:
    return [part["$ref"] for part in _parts(schema) if isinstance(part.get("$ref"), str)]


def _way_back(start: str, leads: dict[str, list[str]]) -> list[str]:
    """The shortest way from a definition back to itself; empty where there is none."""
    ways, seen = [[start]], set()
    for way in ways:
        for to in leads[way[-1]]:
            if to == start:
                return [*way, to]
            if to not in seen:
                seen.add(to)
                ways.append([*way, to])
    return []


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
    reference = schema.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        return f"External $ref '{reference[:200]}' is not supported"
    if any(isinstance(way, dict) and "$ref" in way for way in schema.get("allOf") or ()):
        return "Schema type 'allOf' with '$ref' is not supported"
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
