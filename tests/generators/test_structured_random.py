"""Whatever schema chance puts together, its value is valid; the jsonschema package is the judge."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from llmsim.dice import Dice
from llmsim.generators import structured
from llmsim.generators.structured import UnsatisfiableSchema


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def scalars() -> st.SearchStrategy[dict[str, Any]]:
    low, size = st.integers(-50, 50), st.integers(0, 12)
    return st.one_of(
        st.sampled_from([{}, {"type": "null"}, {"type": "boolean"}, {"const": None}, {"enum": ["x", 2, True]}]),
        st.builds(
            lambda kind, a, b, step: {"type": kind, "minimum": a, "maximum": a + b + 2, **step},
            st.sampled_from(["integer", "number"]),
            low,
            size,
            st.sampled_from([{}, {"multipleOf": 2}, {"multipleOf": 0.5}]),
        ),
        st.builds(lambda a, b: {"type": "string", "minLength": a, "maxLength": a + b}, size, size),
        st.builds(lambda p: {"type": "string", "pattern": p}, st.sampled_from(["^[a-f]{2,5}$", r"\d+", "^(x|yz)+$"])),
        st.builds(lambda f: {"type": "string", "format": f}, st.sampled_from(["date", "email", "uuid", "ipv6"])),
    )


def containers(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(["a", "b", "name", "age", "city"])
    properties = st.dictionaries(names, inner, max_size=4)
    return st.one_of(
        st.builds(
            lambda props, need, more: {"type": "object", "properties": props, "required": list(need), **more},
            properties,
            st.sets(names, max_size=3),
            st.sampled_from([{}, {"minProperties": 2}, {"additionalProperties": {"type": "integer"}}]),
        ),
        st.builds(lambda props: obj(**props), properties),
        st.builds(lambda item, n: {"type": "array", "items": item, "minItems": n}, inner, st.integers(0, 3)),
        st.builds(lambda first, rest: {"type": "array", "prefixItems": [first], "items": rest}, inner, inner),
        st.builds(lambda item: {"type": "array", "contains": item}, inner),
        st.builds(lambda *branches: {"anyOf": list(branches)}, inner, inner),
        st.builds(lambda *branches: {"oneOf": list(branches)}, inner, inner, inner),
        st.builds(lambda one, two: {"allOf": [one, {"anyOf": [one, two]}]}, inner, inner),
        st.builds(lambda one: {"not": one}, inner),
        st.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, inner, inner, inner),
    )


@settings(max_examples=400, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.recursive(scalars(), containers, max_leaves=8), st.integers(0, 2**32))
def test_random_schemas_get_valid_values(schema: dict[str, Any], seed: int) -> None:
    try:
        found = structured.value(schema, Dice(seed))
    except UnsatisfiableSchema:
        return
    # Without the formats: beside a pattern of another form they can only be a wish.
    Draft202012Validator(schema).validate(found)
