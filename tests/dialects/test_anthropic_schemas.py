"""What structured outputs refuse in a schema, and what of it is still meant."""

from __future__ import annotations

from typing import Any

import pytest

from llmsim.dialects._anthropic_schemas import as_meant, strict_fault

OBJECT = {"type": "object", "additionalProperties": False}

FAULTS: list[tuple[Any, str | None]] = [
    (OBJECT, None),
    ({"type": "object"}, "For 'object' type, 'additionalProperties' must be explicitly set to false"),
    (
        {**OBJECT, "properties": {"a": {"type": "object", "additionalProperties": True}}},
        "For 'object' type, 'additionalProperties' must be explicitly set to false",
    ),
    ({"type": "string", "minLength": 2}, "For 'string' type, property 'minLength' is not supported"),
    (
        {"type": ["integer", "null"], "minimum": 1, "multipleOf": 2},
        "For 'integer' type, properties minimum, multipleOf are not supported",
    ),
    ({"type": "array", "items": {"type": "string"}, "minItems": 1}, None),
    ({"type": "array", "minItems": 2}, "For 'array' type, 'minItems' values other than 0 or 1 are not supported"),
    ({"type": "array", "maxItems": 2}, "For 'array' type, property 'maxItems' is not supported"),
    ({"oneOf": [{"type": "string"}]}, "Schema type 'oneOf' is not supported"),
    (
        {"anyOf": [{"type": "string"}, {"type": "object"}]},
        "For 'object' type, 'additionalProperties' must be explicitly",
    ),
    ({"$defs": {"A": {"type": "object"}}, "$ref": "#/$defs/A"}, "For 'object' type, 'additionalProperties' must be"),
    ({"enum": ["a", 1]}, None),
    (
        {"$defs": {"Node": {**OBJECT, "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/Node"}}}}}},
        "Circular reference detected in schema definitions: Node -> Node. Self-referencing or mutually-referencing "
        "definitions are not supported.",
    ),
    (
        {"definitions": {"A": {"$ref": "#/definitions/B"}, "B": {"anyOf": [{"$ref": "#/definitions/A"}]}}},
        "Circular reference detected in schema definitions: A -> B -> A.",
    ),
    ({**OBJECT, "properties": {"a": {"$ref": "#"}}}, "Circular reference detected in schema definitions: # -> #."),
    ({"$defs": {"A": {"type": "string"}}, "anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}]}, None),
    ({"$defs": [], "type": "string"}, None),
    ({"$ref": "https://example.com/a.json"}, "External $ref 'https://example.com/a.json' is not supported"),
    ({"allOf": [{"$ref": "#/$defs/A"}]}, "Schema type 'allOf' with '$ref' is not supported"),
    (True, None),
    (
        {"type": "array", "items": {"type": "number", "maximum": 1}},
        "For 'number' type, property 'maximum' is not supported",
    ),
]


@pytest.mark.parametrize(("schema", "fault"), FAULTS)
def test_a_schema_is_taken_or_its_first_fault_told(schema: Any, fault: str | None) -> None:
    told = strict_fault(schema)
    assert told == fault if fault is None else told is not None and told.startswith(fault)


@pytest.mark.parametrize(
    ("schema", "meant"),
    [
        ({"type": "integer", "description": "{minimum: 1, maximum: 10}"}, {"minimum": 1, "maximum": 10}),
        ({"type": "number", "description": "A share\n\n{exclusiveMinimum: 0.5}"}, {"exclusiveMinimum": 0.5}),
        ({"type": "string", "description": "{minLength: 2, format: text}"}, {"minLength": 2, "format": "text"}),
        (
            {"type": "string", "description": "{pattern: ^[a-z]+$, maxLength: 5}"},
            {"pattern": "^[a-z]+$", "maxLength": 5},
        ),
        ({"type": "integer", "description": "{minimum: many}"}, {}),
        ({"type": "integer", "description": "In {braces: 5} before its end"}, {}),
        ({"type": "integer", "minimum": 3, "description": "{minimum: 1}"}, {"minimum": 3}),
    ],
)
def test_constraints_in_a_description_are_heeded(schema: Any, meant: dict[str, Any]) -> None:
    """The SDKs write into descriptions what the API does not enforce."""
    assert as_meant(schema) == {**schema, **meant}


def test_schemas_inside_schemas_are_meant_too() -> None:
    inner = {"type": "integer", "description": "{minimum: 1}"}
    meant = as_meant(
        {**OBJECT, "properties": {"a": inner}, "anyOf": [inner], "enum": [{"description": "{minimum: 1}"}]}
    )
    assert meant["properties"]["a"]["minimum"] == meant["anyOf"][0]["minimum"] == 1
    assert meant["enum"] == [{"description": "{minimum: 1}"}]
