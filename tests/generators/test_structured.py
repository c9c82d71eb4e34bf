"""Whatever schema a client sends, the value made for it is valid; the jsonschema package is the judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter

from llmsim.dice import Dice
from llmsim.generators import structured
from llmsim.generators.structured import UnsatisfiableSchema

SEEDS = range(12)


def obj(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    """A strict object, as OpenAI asks for: every property required unless some are named, and no others."""
    names = list(properties) if required is None else required
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}

TREE = {
    "$ref": "#/$defs/Tree",
    "$defs": {"Tree": obj(value=INTEGER, children={"type": "array", "items": {"$ref": "#/$defs/Tree"}})},
}
LINKED_LIST = {
    "$ref": "#/$defs/Node",
    "$defs": {"Node": obj(value=STRING, next={"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]})},
}
JSON_VALUE = {
    "$ref": "#/$defs/Json",
    "$defs": {
        "Json": {
            "oneOf": [
                {"type": ["string", "number", "boolean", "null"]},
                {"type": "array", "items": {"$ref": "#/$defs/Json"}},
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/Json"}},
            ]
        }
    },
}
EXPRESSION = {
    "$ref": "#/$defs/Expr",
    "$defs": {
        "Number": obj(kind={"const": "number"}, value={"type": "number"}),
        "Binary": obj(
            kind={"const": "binary"},
            op={"enum": ["+", "-", "*"]},
            left={"$ref": "#/$defs/Expr"},
            right={"$ref": "#/$defs/Expr"},
        ),
        "Expr": {"oneOf": [{"$ref": "#/$defs/Binary"}, {"$ref": "#/$defs/Number"}]},
    },
}
ADDRESS_BY_COUNTRY = {
    "type": "object",
    "properties": {"country": {"enum": ["US", "NL", "CA"]}, "postal_code": STRING},
    "required": ["country", "postal_code"],
    "if": {"properties": {"country": {"const": "US"}}},
    "then": {"properties": {"postal_code": {"pattern": r"^\d{5}(-\d{4})?$"}}},
    "else": {"properties": {"postal_code": {"pattern": r"^[A-Z]\d[A-Z] \d[A-Z]\d$"}}},
}
ZOD_EMAIL = r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$"

SCHEMAS: dict[str, Mapping[str, Any] | bool] = {
    "anything at all": True,
    "an empty schema": {},
    "a null": {"type": "null"},
    "a boolean": {"type": "boolean"},
    "an object without properties": {"type": "object"},
    "several types": {"type": ["string", "integer", "null"]},
    "an enum of mixed types": {"enum": ["a", 1, None, {"b": [2]}]},
    "an enum that its type narrows": {"type": "string", "enum": [1, "one", None]},
    "a constant object": {"const": {"a": [1, {"b": None}]}},
    "a whole number with limits": {"type": "integer", "minimum": 3, "maximum": 5},
    "a whole number with exclusive limits": {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
    "a whole number between fractions": {"type": "integer", "minimum": 0.5, "maximum": 1.5},
    "a whole number of zod's": {"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991},
    "a number far away": {"type": "number", "minimum": 1e9},
    "a number far below": {"type": "integer", "maximum": -1_000_000},
    "a number in a narrow gap": {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 1.001},
    "cents": {"type": "number", "multipleOf": 0.01, "minimum": 0.05, "maximum": 99},
    "multiples of two numbers": {"allOf": [{"type": "integer", "multipleOf": 4}, {"multipleOf": 6}]},
    "great multiples": {"type": "integer", "multipleOf": 1_000_000},
    "a string of one length": {"type": "string", "minLength": 7, "maxLength": 7},
    "a long string": {"type": "string", "minLength": 400},
    "an empty string": {"type": "string", "maxLength": 0},
    "a pattern of a phone number": {"type": "string", "pattern": r"^\+?[1-9]\d{1,14}$"},
    "a pattern with branches": {"type": "string", "pattern": "^(GET|POST|DELETE) /[a-z]+(/[0-9]{1,4})*$"},
    "a pattern with a back reference": {"type": "string", "pattern": r"^(['\"])[a-z]+\1$"},
    "a pattern without anchors": {"type": "string", "pattern": "[0-9]{3}", "minLength": 12},
    "a pattern and a length": {"type": "string", "pattern": "^[a-z]+(-[a-z]+)*$", "minLength": 30, "maxLength": 32},
    "a password's lookaheads": {"type": "string", "pattern": r"^(?=.*[A-Z])(?=.*\d)(?=.*[!@#]).{8,16}$"},
    "a negated class": {"type": "string", "pattern": r"^[^\s/]{4,9}$"},
    "a named group of ECMAScript's": {"type": "string", "pattern": r"^#(?:[0-9a-fA-F]{3}){1,2}$"},
    "zod's e-mail": {"type": "string", "format": "email", "pattern": ZOD_EMAIL},
    "two patterns at once": {"allOf": [{"type": "string", "pattern": "^[a-z]+$"}, {"pattern": "^.{9}$"}]},
    "an array with limits": {"type": "array", "items": INTEGER, "minItems": 4, "maxItems": 6},
    "a set": {"type": "array", "items": {"enum": list("abcd")}, "uniqueItems": True, "minItems": 4},
    "a set of many cities": obj(city={"type": "array", "items": STRING, "uniqueItems": True, "minItems": 40}),
    "both booleans": {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 2},
    "a tuple": {"type": "array", "prefixItems": [STRING, INTEGER], "items": False, "minItems": 2},
    "an open tuple": {"type": "array", "prefixItems": [STRING], "items": INTEGER, "minItems": 3},
    "an array that contains": {"type": "array", "contains": {"const": 7}, "minContains": 2, "maxContains": 3},
    "a tuple that contains": {
        "type": "array",
        "prefixItems": [STRING, {"type": ["integer", "string"]}],
        "items": False,
        "contains": {"type": "integer"},
    },
    "a flat object": obj(name=STRING, age=INTEGER, email={"type": "string", "format": "email"}),
    "optional properties": obj(["a"], a=STRING, b=STRING, c=INTEGER, d={"type": "array", "items": STRING}),
    "a required property without a schema": {"type": "object", "required": ["x", "y"]},
    "a map": {"type": "object", "additionalProperties": INTEGER, "minProperties": 3},
    "a map with named keys": {"type": "object", "propertyNames": {"pattern": "^k_[a-z]{3}$"}, "minProperties": 2},
    "a record of zod's": {
        "type": "object",
        "propertyNames": {"type": "string", "enum": ["a", "b"]},
        "additionalProperties": {"type": "number"},
        "required": ["a", "b"],
    },
    "pattern properties": {
        "type": "object",
        "patternProperties": {"^s_": STRING, "^i_": INTEGER},
        "additionalProperties": False,
        "minProperties": 2,
    },
    "few properties of many": {
        "type": "object",
        "properties": dict.fromkeys("abcdefgh", STRING),
        "minProperties": 2,
        "maxProperties": 3,
    },
    "properties that need others": {
        "type": "object",
        "properties": {"card": STRING, "address": STRING, "zip": STRING},
        "dependentRequired": {"card": ["address"], "address": ["zip"]},
    },
    "a schema that depends on a property": {
        "type": "object",
        "properties": {"card": STRING},
        "dependentSchemas": {"card": {"required": ["cvc"], "properties": {"cvc": {"pattern": r"^\d{3}$"}}}},
    },
    "all of several objects": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]},
            {"properties": {"a": {"minimum": 10, "maximum": 20}, "b": STRING}, "required": ["b"]},
        ]
    },
    "nothing unevaluated": {
        "allOf": [{"properties": {"a": STRING}, "required": ["a"]}],
        "type": "object",
        "properties": {"b": INTEGER},
        "unevaluatedProperties": False,
    },
    "no unevaluated items": {"type": "array", "prefixItems": [STRING, INTEGER], "unevaluatedItems": False},
    "one of two overlapping branches": {
        "type": "object",
        "properties": {"a": STRING, "b": STRING},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "one of two ranges": {"type": "integer", "oneOf": [{"maximum": 20}, {"minimum": 10}]},
    "any of, one branch being impossible": {"anyOf": [False, {"type": "string", "enum": []}, INTEGER]},
    "not a constant": {"type": "boolean", "not": {"const": True}},
    "not a type": {"not": {"type": ["string", "null"]}},
    "not some words": {"type": "string", "not": {"enum": ["quiet river", "amber river"]}},
    "not a condition": {"not": {"if": {"const": None}, "then": {"type": "boolean"}, "else": STRING}},
    "not exactly one": {"type": "integer", "not": {"oneOf": [{"minimum": 5}, {"maximum": 9}]}},
    "no forbidden property": {**obj([], a=STRING, b=STRING), "not": {"required": ["a"]}},
    "a condition": ADDRESS_BY_COUNTRY,
    "a tree": TREE,
    "a linked list": LINKED_LIST,
    "any JSON": JSON_VALUE,
    "an expression": EXPRESSION,
    "a schema that is its own child": {**obj(["name"], name=STRING, child={"$ref": "#"})},
    "definitions and an escaped pointer": {"$ref": "#/definitions/a~1b", "definitions": {"a/b": INTEGER}},
    "an anchor": {"$ref": "#here", "$defs": {"x": {"$anchor": "here", "type": "integer"}}},
    "an embedded resource": {
        "$id": "https://example.com/root.json",
        "$ref": "item.json",
        "$defs": {"x": {"$id": "item.json", "type": "object", "properties": {"n": INTEGER}, "required": ["n"]}},
    },
    "a reference with siblings": {"$ref": "#/$defs/p", "maximum": 3, "$defs": {"p": {"type": "integer", "minimum": 3}}},
    "examples, one of them wrong": {"type": "string", "minLength": 3, "examples": ["no", "yes"]},
    "a default that does not fit": {"type": "integer", "default": "none"},
    "defaults of a tool": obj(
        limit={"type": "integer", "default": 10}, sort={"type": ["string", "null"], "default": None}
    ),
}

FORMATS = (
    "date-time date time duration email idn-email uri uri-reference iri iri-reference uri-template uuid ipv4 ipv6 "
    "hostname idn-hostname regex json-pointer relative-json-pointer byte unheard-of"
)


def judge(schema: Mapping[str, Any] | bool, found: Any) -> None:
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    validator.validate(found)


def values(schema: Mapping[str, Any] | bool, **options: Any) -> list[Any]:
    return [structured.value(schema, Dice(seed), **options) for seed in SEEDS]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_value_is_valid_for_its_schema(name: str) -> None:
    for found in values(SCHEMAS[name]):
        judge(SCHEMAS[name], found)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_value_stays_valid_with_a_hint_and_without_a_budget(name: str) -> None:
    for found in values(SCHEMAS[name], hint="Book 3 seats from Oslo to Rome on 2026-05-01 for a@b.co", budget=0):
        judge(SCHEMAS[name], found)


@pytest.mark.parametrize("name", FORMATS.split())
@pytest.mark.parametrize("size", [{}, {"minLength": 24}, {"maxLength": 10}])
def test_every_format_is_kept(name: str, size: dict[str, int]) -> None:
    schema = {"type": "string", "format": name, **size}
    try:
        made = values(schema)
    except UnsatisfiableSchema:
        assert size
        return
    for found in made:
        judge(schema, found)


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool = True
    friends: list[Cat | Dog] = []


class Owner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: UUID
    name: Annotated[str, Field(min_length=2, max_length=40)]
    website: HttpUrl | None = None
    born: date
    seen: datetime
    balance: Decimal
    favourite: Color = Color.RED
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = Field(min_length=1, max_length=3)
    scores: dict[str, float]
    tags: set[Literal["a", "b", "c"]]
    position: tuple[float, float, int]
    boss: Owner | None = None
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{4}$")]
    anything: Any = None


def test_pydantic_reads_what_is_made_for_its_own_schema() -> None:
    schema = Owner.model_json_schema()
    for found in values(schema):
        judge(schema, found)
        Owner.model_validate_json(json.dumps(found))


def test_pydantic_reads_a_list_of_a_discriminated_union() -> None:
    pets = TypeAdapter(list[Annotated[Cat | Dog, Field(discriminator="kind")]])
    for found in values(pets.json_schema()):
        pets.validate_python(found)


def test_a_dialect_of_draft_7_is_understood() -> None:
    schema = {
        "type": "object",
        "properties": {"pair": {"type": "array", "items": [STRING, INTEGER], "additionalItems": False, "minItems": 2}},
        "required": ["pair", "card"],
        "dependencies": {"card": ["cvc"], "cvc": {"properties": {"cvc": {"type": "integer", "minimum": 100}}}},
    }
    for found in values(schema):
        Draft7Validator(schema).validate(found)
        assert found["cvc"] >= 100


def test_googles_types_in_capitals_and_numbers_in_strings_are_understood() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "names": {"type": "ARRAY", "items": {"type": "STRING"}, "minItems": "2", "maxItems": "2"},
            "count": {"type": "INTEGER", "format": "int32", "nullable": True},
            "mode": {"type": "STRING", "format": "enum", "enum": ["on", "off"]},
            "ratio": {"type": "NUMBER", "format": "double"},
        },
        "required": ["names", "count", "mode", "ratio"],
    }
    made = [structured.value(schema, Dice(seed)) for seed in range(60)]
    assert all(len(found["names"]) == 2 and isinstance(found["names"][0], str) for found in made)
    assert {type(found["count"]) for found in made} == {int, type(None)}
    assert {found["mode"] for found in made} == {"on", "off"}
    assert all(isinstance(found["ratio"], float) for found in made)


def test_the_same_seed_makes_the_same_value() -> None:
    for schema in SCHEMAS.values():
        assert values(schema) == values(schema)


def test_other_seeds_make_other_values() -> None:
    assert len({structured.text(SCHEMAS["a flat object"], Dice(seed)) for seed in SEEDS}) > 8


def test_text_is_compact_json_that_keeps_its_letters() -> None:
    schema = obj(city={"const": "Zürich"}, n={"const": 1})
    assert structured.text(schema, Dice(1)) == '{"city":"Zürich","n":1}'


def depth(found: Any) -> int:
    if isinstance(found, dict):
        found = list(found.values())
    return 1 + max(map(depth, found), default=0) if isinstance(found, list) else 0


@pytest.mark.parametrize("schema", [TREE, LINKED_LIST, JSON_VALUE, EXPRESSION])
def test_recursive_schemas_come_to_an_end_soon(schema: Mapping[str, Any]) -> None:
    for seed in range(100):
        found = structured.value(schema, Dice(seed))
        assert depth(found) < 12
        assert len(json.dumps(found)) < 20_000


def test_a_huge_schema_keeps_to_its_budget_but_has_all_that_is_required() -> None:
    schema = obj(["p900", "p999"], **{f"p{n}": obj(a=STRING, b=STRING) for n in range(1000)})
    found = structured.value(schema, Dice(1), budget=50)
    judge(schema, found)
    assert 2 <= len(found) < 60


def test_deep_requirements_are_met() -> None:
    schema: dict[str, Any] = obj(end=INTEGER)
    for _ in range(30):
        schema = obj(down=schema)
    judge(schema, structured.value(schema, Dice(1)))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (False, "No value"),
        ({"enum": []}, "listed values"),
        ({"type": "string", "enum": [1, 2]}, "listed values"),
        ({"$ref": "#/$defs/nowhere"}, "points at nothing"),
        ({"$ref": "https://example.com/other.json"}, "points at nothing"),
        ({"$ref": "#"}, "back to itself"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "minimum 5"),
        ({"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 5}, "whole number"),
        ({"type": "integer", "multipleOf": 10, "minimum": 1, "maximum": 9}, "multiple of 10"),
        ({"type": "string", "minLength": 5, "maxLength": 4}, "minLength 5"),
        ({"type": "string", "pattern": "^a{5}$", "maxLength": 3}, "longer"),
        ({"type": "string", "pattern": "(["}, "cannot be read"),
        ({"type": "array", "minItems": 1, "items": False}, "No value"),
        ({"type": "array", "items": {"const": 1}, "uniqueItems": True, "minItems": 2}, "different items"),
        ({"type": "array", "contains": {"const": 1}, "items": {"const": 2}}, "listed values"),
        ({"type": "object", "required": ["a"], "properties": {"a": False}}, "a: "),
        ({"type": "object", "required": ["a", "b"], "maxProperties": 1}, "maxProperties is 1"),
        ({"type": "object", "minProperties": 1, "additionalProperties": False}, "minProperties"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "No value"),
        ({"type": "integer", "not": {"type": "number"}}, "No value"),
        ({"type": "array", "minItems": 10**9}, "more than a reply"),
        ({"type": "nonsense"}, "no type 'nonsense'"),
        ({"type": "object", "properties": 5}, "no valid JSON Schema"),
        ({**obj(child={"$ref": "#"})}, "without end"),
    ],
)
def test_where_no_value_can_be_the_error_says_why(schema: Any, words: str) -> None:
    with pytest.raises(UnsatisfiableSchema, match=words):
        structured.value(schema, Dice(1))
