"""Google's schemas: an OpenAPI subset with types in capitals, turned into JSON Schema, and what the API refuses in one.

Source: Google's API reference, Schema; the texts are those of the live API as users quote them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_INNER = {"items", "additionalProperties"}


def json_schema(schema: Any) -> Any:
    """The JSON Schema that a message `Schema` stands for; properties come in the order that it asks for."""
    if not isinstance(schema, dict):
        return schema
    told: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type":
            if value != "TYPE_UNSPECIFIED":
                told["type"] = value.lower()
        elif key == "properties":
            told["properties"] = {name: json_schema(value[name]) for name in _ordered(schema)}
        elif key == "defs":
            told["$defs"] = {name: json_schema(one) for name, one in value.items()}
        elif key == "ref":
            told["$ref"] = value.replace("#/defs/", "#/$defs/")
        elif key in _INNER:
            told[key] = json_schema(value)
        elif key == "anyOf":
            told[key] = [json_schema(one) for one in value]
        elif key != "propertyOrdering" and (key, value) != ("format", "enum"):
            told[key] = value
    return told


def _ordered(schema: dict[str, Any]) -> list[str]:
    properties = schema["properties"]
    first = [name for name in schema.get("propertyOrdering", ()) if name in properties]
    return list(dict.fromkeys([*first, *properties]))


def faults(schema: dict[str, Any], where: str) -> Iterator[str]:
    """What the API refuses in a message `Schema`, each with its place."""
    kind, properties = schema.get("type"), schema.get("properties", {})
    if kind == "OBJECT" and not properties and not schema.get("additionalProperties"):
        yield f"{where}.properties: should be non-empty for OBJECT type"
    if kind == "ARRAY" and "items" not in schema:
        yield f"{where}.items: missing field."
    if "enum" in schema:
        yield from _enum_faults(schema, where)
    if properties:
        for index, name in enumerate(schema.get("required", ())):
            if name not in properties:
                yield f"{where}.required[{index}]: property is not defined"
    for name, part in properties.items():
        yield from faults(part, f"{where}.properties[{name}]")
    if "items" in schema:
        yield from faults(schema["items"], f"{where}.items")
    for index, part in enumerate(schema.get("anyOf", ())):
        yield from faults(part, f"{where}.any_of[{index}]")


def _enum_faults(schema: dict[str, Any], where: str) -> Iterator[str]:
    if schema.get("type") not in (None, "STRING", "TYPE_UNSPECIFIED"):
        yield f"{where}.enum: only allowed for STRING type"
    for index, value in enumerate(schema["enum"]):
        if not value:
            yield f"{where}.enum[{index}]: cannot be empty"
