"""An object for JSON mode without a schema: the fields that the prompt names, plausible, the same for the same seed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmsim.conversation import Ask, Format, Message
from llmsim.decide import compose
from llmsim.dice import Dice, mix
from llmsim.generators import _objects
from llmsim.settings import Settings


def made(user: str, system: str = "", seed: int = 3) -> Any:
    messages = ([Message("system", system)] if system else []) + [Message("user", user)]
    return json.loads(_objects.text(Ask("m", tuple(messages)), Dice(mix(seed))))


# What frameworks and people write, and the kinds of the values that come of it.
PROMPTS: dict[str, tuple[str, dict[str, type]]] = {
    "nothing": ("Give me JSON.", {"response": str}),
    "dspy": (
        "Outputs will be a JSON object with the following fields.\n\n{\n"
        '  "reasoning": "{reasoning}",\n'
        '  "answer": "{answer}        # note: the value you produce must be a single int value"\n}\n'
        "[[ ## question ## ]]\nHow many?\n\n"
        "Respond with a JSON object in the following order of fields: `reasoning`, then `answer` "
        "(must be formatted as a valid Python int).",
        {"reasoning": str, "answer": int},
    ),
    "dspy's mappings": (
        'Fields: {"counts": "{counts}  # note: the value you produce must adhere to the JSON schema: '
        '{\\"type\\": \\"object\\", \\"additionalProperties\\": {\\"type\\": \\"integer\\"}}"}\n'
        "Respond with the fields: `counts` (must be formatted as a valid Python dict[str, int]), `parts` "
        "(must be formatted as a valid Python list[dict[str, int]]).",
        {"counts": dict, "parts": list},
    ),
    "sections": ("Fill these as JSON.\n[[ ## answer ## ]]\n{answer}\n[[ ## completed ## ]]", {"answer": str}),
    "keys after a colon": (
        "Return JSON with keys: name, age (integer), and tags (list of strings).",
        {"name": str, "age": int, "tags": list},
    ),
    "fields in a sentence": ("Return a JSON object with fields title and summary.", {"title": str, "summary": str}),
    "one key in quotes": ("Answer as JSON with a single key 'verdict' whose value is yes or no", {"verdict": str}),
    "a sample": (
        'Reply as {"score": 0.5, "count": 3, "ok": true, "tags": ["a"], "inner": {"x": 1}}',
        {"score": float, "count": int, "ok": bool, "tags": list, "inner": dict},
    ),
    "a sketch": (
        "Reply in JSON: {answer: string, n: number, ok: bool, parts: string[]}",
        {"answer": str, "n": float, "ok": bool, "parts": list},
    ),
    "placeholders": (
        'Use this format:\n```json\n{\n  "city": "<string>", // where\n  "degrees": <number>,\n  ...\n}\n```',
        {"city": str, "degrees": float},
    ),
    "a list": (
        "JSON with the following fields:\n- title: the title\n- year (int)\n- **authors**: list of names\n",
        {"title": str, "year": int, "authors": list},
    ),
    "before a colon": ('Put the reply under "answer": and nothing else', {"answer": str}),
    "backticks": ("Produce JSON. Use `city` and `population`.", {"city": str, "population": str}),
    "a schema": (
        'For the schema {"properties": {"foo": {"type": "string"}}} the object {"foo": "bar"} is fine.\n'
        'The schema: {"properties": {"setup": {"type": "string"}, "n": {"type": "integer"}}, "required": ["n"]}',
        {"setup": str, "n": int},
    ),
}


@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize("place", ["user", "system"])
def test_the_fields_that_the_prompt_names(name: str, place: str) -> None:
    prompt, kinds = PROMPTS[name]
    found = made(prompt) if place == "user" else made("Now.", prompt)
    assert {key: type(value) for key, value in found.items()} == {
        key: type(found[key]) if kind is float and isinstance(found.get(key), int) else kind
        for key, kind in kinds.items()
    }


@pytest.mark.parametrize(
    "prompt",
    [
        'Reply as {"mood": "good" | "bad"}',
        'Reply as {"mood": "good|bad"}',
        'Fields: {"mood": "{mood}  # note: the value you produce must exactly match (no extra) one of: good; bad"}',
    ],
)
def test_of_values_that_are_named_it_takes_one(prompt: str) -> None:
    assert {made(prompt, seed=seed)["mood"] for seed in range(20)} == {"good", "bad"}


def test_an_announced_sample_counts_and_not_the_data() -> None:
    told = 'Extract as JSON like {"name": "..."}. ' + "It was a long day. " * 30 + 'Data follows: {"raw_id": 1}'
    assert list(made(told)) == ["name"]


def test_an_earlier_turn_counts_where_the_newest_names_nothing() -> None:
    told = (Message("user", "JSON with keys: a, b"), Message("assistant", "{}"), Message("user", "Again, please."))
    assert list(json.loads(_objects.text(Ask("m", told), Dice(1)))) == ["a", "b"]


def test_the_same_seed_gives_the_same_object() -> None:
    assert made("keys: name, city", seed=5) == made("keys: name, city", seed=5)
    assert len({json.dumps(made("keys: name, city", seed=seed)) for seed in range(10)}) > 1


def test_a_schema_that_nothing_fits_is_passed_by() -> None:
    told = 'JSON {"properties": {"n": {"type": "integer", "minimum": 5, "maximum": 1}}} with keys: a, b'
    assert {"a", "b"} <= made(told).keys()


def test_composed_for_json_mode_alone() -> None:
    ask = Ask("m", (Message("user", "JSON with keys: a, b"),), format=Format("json"))
    assert set(json.loads(compose(ask, Settings(), Dice(1)).segments[0])) == {"a", "b"}
    ask.format = Format("json", {"type": "object"})
    assert compose(ask, Settings(), Dice(1)).segments == ("{}",)


HUGE = [
    "{" * 200_000, '{"a":' * 50_000, "keys: " + "a, " * 200_000, "keys " * 50_000, '"' * 100_000, "{'" * 30_000,
    "`" * 100_000 + "keys:\n" + "- a\n" * 40_000, "key" + " (a" * 40_000, "fields: " + "'" * 50_000, "[" * 100_000,
    '{"properties":' * 20_000, "{a:" + "a" * 3000 + "{" * 3000 + " ," * 4000, "fields" + "a" * 50_000,
    "{a:b " * 40_000, '{"a": "b", ' * 20_000, "key `a` " * 30_000, "one of " * 50_000,
]  # fmt: skip


@pytest.mark.parametrize("told", HUGE, ids=lambda told: told[:12])
def test_a_huge_prompt_is_read_at_its_ends_alone(told: str) -> None:
    assert made(told, told)
