"""A schema that would take minutes, or all the memory there is, is refused after a bounded number of steps."""

from __future__ import annotations

from typing import Any

import pytest

from llmsim.dialects._openai_schemas import _inner, shape_fault
from llmsim.dice import Dice
from llmsim.generators.structured import UnsatisfiableSchema, value
from llmsim.schema.document import STEPS, Document
from llmsim.schema.patterns import finds

PAIR: list[Any] = [{"type": "string", "minLength": 1}, {"type": "string", "maxLength": 9}]
BOMBS: dict[str, Any] = {
    "all combinations of contradictions": {"allOf": [*([{"anyOf": PAIR}] * 30), {"type": ["number"]}]},
    "exactly one of many that all hold": {"oneOf": [{"type": "integer", "minimum": at} for at in range(20_000)]},
    "listed values to stay away from": {"enum": [{"a": at} for at in range(20_000)], "not": {"const": 1}},
    "patterns of properties": {
        "type": "object",
        "patternProperties": {f"^p{at}": {} for at in range(20_000)},
        "minProperties": 5,
    },
    "properties that need others": {
        "dependentSchemas": {f"p{at}": {"required": [f"p{at + 1}"]} for at in range(20_000)}
    },
    "different items": {"type": "array", "minItems": 20_000, "uniqueItems": True, "items": {"type": "integer"}},
    "long values of which one comes again": {
        "type": "array",
        "minItems": 9,
        "uniqueItems": True,
        "items": {"enum": ["a", [[]] * 60_000]},
    },
    "any of very many": {"anyOf": [{}] * 70_000},
    "letters in a row": {"type": "string", "pattern": "x" * 2_000},
    "a pattern without end": {"type": "string", "pattern": "ab|" * 100_000},
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name: str) -> None:
    with pytest.raises(UnsatisfiableSchema):
        value({"type": "object", "properties": {"a": BOMBS[name]}, "required": ["a"]}, Dice(1))


def test_large_schemas_of_the_usual_kind_are_no_bombs() -> None:
    names = [f"name{at}" for at in range(3_000)]
    assert value({"enum": names}, Dice(1)) in names
    assert value({"enum": list(range(3_000))}, Dice(1)) in range(3_000)
    made = value(
        {"type": "object", "properties": {name: {"type": "integer"} for name in names}, "required": names}, Dice(1)
    )
    assert list(made) == names
    cases = [{"type": "object", "properties": {"kind": {"const": at}}, "required": ["kind"]} for at in range(200)]
    assert value({"oneOf": cases}, Dice(1))["kind"] in range(200)


def test_work_is_counted_in_steps_and_not_in_seconds() -> None:
    document = Document({})
    document.spend(STEPS)
    with pytest.raises(UnsatisfiableSchema, match="too complex"):
        document.spend()


def test_a_search_for_letters_in_a_row_is_refused_and_one_for_fewer_is_not() -> None:
    assert finds("x" * 200, "x" * 300)
    with pytest.raises(UnsatisfiableSchema, match="in a row"):
        finds("x" * 2_000, "x" * 3_000)


def test_only_schemas_that_are_there_are_looked_at() -> None:
    assert list(_inner((), {})) == []
    assert [way for way, _ in _inner((), {"anyOf": [{}, {}], "items": True})] == [
        ("items",),
        ("anyOf", "0"),
        ("anyOf", "1"),
    ]
    assert shape_fault({"type": "array", "items": 5}) == "In context=('items',), 5 is not of type 'object', 'boolean'."
