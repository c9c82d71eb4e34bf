"""Values suit the names of their properties and take up the user's own words."""

from __future__ import annotations

from typing import Any

import pytest

from llmsim.dice import Dice
from llmsim.generators import structured

SEEDS = range(12)
STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


@pytest.mark.parametrize(
    ("name", "hint", "found"),
    [
        ("city", "What's the weather in Paris?", "Paris"),
        ("location", "Forecast for San Francisco tomorrow", "San Francisco"),
        ("destination", "Fly me from Oslo to Rome", "Rome"),
        ("origin", "Fly me to Rome from Oslo", "Oslo"),
        ("query", "  how do tides\nwork?", "how do tides work?"),
        ("email", "write to jo@example.org please", "jo@example.org"),
        ("url", "read https://example.com/a?b=1", "https://example.com/a?b=1"),
        ("start_date", "from 2026-05-01 on", "2026-05-01"),
    ],
)
def test_a_property_takes_the_users_own_words(name: str, hint: str, found: str) -> None:
    assert structured.value(obj(**{name: STRING}), Dice(1), hint=hint) == {name: found}


def test_an_array_takes_the_users_words_one_after_the_other() -> None:
    names = obj(participants={"type": "array", "items": STRING, "minItems": 3, "maxItems": 3})
    found = structured.value(names, Dice(1), hint="Alice and Bob go to a science fair.")["participants"]
    assert found[:2] == ["Alice", "Bob"]
    assert found[2] not in found[:2]


def test_numbers_of_the_user_are_used_one_after_the_other() -> None:
    assert structured.value(obj(a={"type": "number"}, b=INTEGER), Dice(1), hint="add 2.5 and 7") == {"a": 2.5, "b": 7}


def test_a_listed_value_that_the_user_names_is_taken() -> None:
    unit = {"type": "string", "enum": ["celsius", "fahrenheit", "kelvin"]}
    assert {structured.value(unit, Dice(seed), hint="in Kelvin please") for seed in SEEDS} == {"kelvin"}


def test_a_long_question_is_shortened_at_a_word() -> None:
    found = structured.value(obj(query=STRING), Dice(1), hint="word " * 100)["query"]
    assert len(found) <= 80
    assert found.endswith("word")


def test_a_description_gives_an_example() -> None:
    schema = obj(location={"type": "string", "description": "City and state, e.g. San Francisco, CA."})
    assert structured.value(schema, Dice(1)) == {"location": "San Francisco, CA"}


def test_names_suggest_sizes() -> None:
    found = structured.value(obj(age=INTEGER, year=INTEGER, latitude={"type": "number"}), Dice(4))
    assert 18 <= found["age"] <= 80
    assert 2020 <= found["year"] <= 2026
    assert -90 <= found["latitude"] <= 90


def test_the_properties_come_in_the_order_of_the_schema() -> None:
    assert list(structured.value(obj(z=STRING, a=STRING, m=STRING), Dice(1))) == ["z", "a", "m"]


def test_an_object_is_not_left_empty_where_it_may_hold_something() -> None:
    """Clients that ask for a list of things wrap it in an object that need not have it."""
    wrapper = {"type": "object", "properties": {"tasks": {"type": "array", "items": {"type": "string"}}}}
    assert all("tasks" in structured.value(wrapper, Dice(seed)) for seed in range(50))
    assert structured.value({**wrapper, "maxProperties": 0}, Dice(1)) == {}


def test_optional_properties_are_mostly_there() -> None:
    schema = {"type": "object", "properties": dict.fromkeys("abcdefghij", STRING)}
    kept = sum(len(structured.value(schema, Dice(seed))) for seed in range(100))
    assert 700 < kept < 900
