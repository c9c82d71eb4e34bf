"""The check of values agrees with the jsonschema package."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from llmsim.schema.check import Check, distinct, same
from llmsim.schema.document import Document

VALUES: list[Any] = [
    *(None, True, False, 0, 1, 1.0, 2, 2.5, -3, 10**20, 0.07),
    *("", "a", "abc", "ABC123", "héé"),
    *([], [1], [1, 1], [1, 1.0], [True, 1], ["a", 2], [[1], [1]], [1, 2, 3]),
    *({}, {"a": 1}, {"a": "x"}, {"b": None}, {"a": 1, "b": 2}, {"ab": 1}, {"a": {"a": {}}}),
]
SCHEMAS: list[Any] = [
    *(True, False, {}),
    *({"type": kind} for kind in ("null", "boolean", "integer", "number", "string", "array", "object")),
    *({"type": ["integer", "string"]}, {"enum": [1, "a", [True, 1]]}, {"const": 1}, {"const": {"a": 1.0}}),
    *({"minimum": 1}, {"maximum": 1}, {"exclusiveMinimum": 1}, {"exclusiveMaximum": 1}),
    *({"multipleOf": 2}, {"multipleOf": 0.5}, {"multipleOf": 0.01}),
    *({"minLength": 2}, {"maxLength": 2}, {"pattern": "^[a-c]+$"}, {"pattern": r"\d"}),
    *({"minItems": 2}, {"maxItems": 1}, {"uniqueItems": True}, {"items": {"type": "integer"}}),
    {"prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
    *({"contains": {"const": 1}}, {"contains": {"const": 1}, "minContains": 2}, {"contains": {}, "maxContains": 1}),
    *({"minProperties": 1}, {"maxProperties": 1}, {"required": ["a"]}, {"propertyNames": {"maxLength": 1}}),
    *({"properties": {"a": {"type": "integer"}}}, {"properties": {"a": True}, "additionalProperties": False}),
    {"patternProperties": {"^a": {"type": "integer"}}, "additionalProperties": {"type": "null"}},
    *({"dependentRequired": {"a": ["b"]}}, {"dependentSchemas": {"a": {"maxProperties": 1}}}),
    *({"allOf": [{"minimum": 1}, {"maximum": 2}]}, {"anyOf": [{"type": "string"}, {"minimum": 2}]}),
    *({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, {"not": {"type": "integer"}}),
    *({"if": {"type": "integer"}, "then": {"minimum": 1}, "else": {"type": "string"}},),
    {"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": {"$ref": "#/$defs/x"}}, "type": "object"}}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_the_check_agrees_with_jsonschema(schema: Any) -> None:
    check, judge = Check(Document(schema)), Draft202012Validator(schema)
    told = [check.holds(schema, value) for value in VALUES]
    assert told == [judge.is_valid(value) for value in VALUES]


def test_true_is_not_one_but_one_is_one_point_zero() -> None:
    assert same(1, 1.0)
    assert not same(True, 1)
    assert same({"a": [1]}, {"a": [1.0]})
    assert distinct([1, True, "1"])


def test_older_dialects_are_read() -> None:
    exclusive = {"minimum": 1, "exclusiveMinimum": True}
    assert [Check(Document(exclusive)).holds(exclusive, value) for value in (1, 2)] == [False, True]
    nullable = {"type": "STRING", "nullable": True}
    assert [Check(Document(nullable)).holds(nullable, value) for value in (None, "a", 1)] == [True, True, False]
