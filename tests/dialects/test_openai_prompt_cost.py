"""A prompt costs what OpenAI's cookbook says it costs; media cost what they are."""

from base64 import b64encode
from typing import Any

import pytest
from openai_bodies import CALL, HI, PIXEL, STRICT, WEATHER, body, form, read, said

from llmsim import media
from llmsim.tokens import count_tokens

# OpenAI's cookbook, "How to count tokens with tiktoken", sections 6 and 7, with the numbers the API reported.
JARGON = [
    {
        "role": "system",
        "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain "
        "English.",
    },
    {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
    {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
    {
        "role": "system",
        "name": "example_user",
        "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased "
        "leverage.",
    },
    {
        "role": "system",
        "name": "example_assistant",
        "content": "Let's talk later when we're less busy about how to do better.",
    },
    {
        "role": "user",
        "content": "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
]
FRANCISCO = [
    {"role": "system", "content": "You are a helpful assistant that can answer to questions about the weather."},
    {"role": "user", "content": "What's the weather like in San Francisco?"},
]
FORECAST = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {
                    "type": "string",
                    "description": "The unit of temperature to return",
                    "enum": ["celsius", "fahrenheit"],
                },
            },
            "required": ["location"],
        },
    },
}


def cost(sent: dict[str, Any]) -> int:
    return read(sent).prompt_tokens


@pytest.mark.parametrize(("model", "tokens"), [("gpt-4o", 124), ("gpt-4o-mini", 124), ("gpt-4", 129)])
def test_messages_cost_what_the_cookbook_says(model: str, tokens: int) -> None:
    assert cost(body(*JARGON, model=model)) == tokens


@pytest.mark.parametrize(("model", "tokens"), [("gpt-4o", 101), ("gpt-4", 105), ("gpt-3.5-turbo", 105)])
def test_functions_cost_what_the_cookbook_says(model: str, tokens: int) -> None:
    assert cost(body(*FRANCISCO, model=model, tools=[FORECAST])) == tokens


def test_every_role_is_one_token() -> None:
    for role in ("system", "developer", "user", "assistant", "tool", "function"):
        assert count_tokens(role, "gpt-4o") == count_tokens(role, "gpt-4") == 1


def test_parts_cost_what_their_texts_cost() -> None:
    parts = said({"type": "text", "text": "Hello"}, {"type": "text", "text": "world"})
    assert cost(parts) == cost(body({"role": "user", "content": "Hello"})) + count_tokens("world")


def test_calls_and_refusals_cost_something() -> None:
    plain = [{"role": "assistant", "content": ""}, HI]
    called = [
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": ""},
        HI,
    ]
    assert cost(body(*called)) > cost(body(*plain)) + 4
    assert cost(body({"role": "assistant", "refusal": "No, I can not"}, HI)) > cost(body(*plain))
    legacy = {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}
    assert cost(body(legacy, HI)) > cost(body(*plain))


def test_nested_parameters_cost_more_than_flat_ones() -> None:
    inner = {"type": "object", "properties": {"zip": {"type": "string", "description": "The postal code"}}}

    def with_parameters(properties: dict[str, Any]) -> int:
        function = {"name": "f", "parameters": {"type": "object", "properties": properties}}
        return cost(body(tools=[{"type": "function", "function": function}]))

    flat = with_parameters({"where": {"type": "object"}})
    assert with_parameters({"where": inner}) > flat + 6
    assert with_parameters({"where": {"type": "array", "items": inner}}) > flat + 6
    assert with_parameters({"where": {"anyOf": [{"type": "null"}, inner]}}) > flat + 6


@pytest.mark.parametrize(
    "parameters",
    [
        {"properties": {"a": True}},
        {"properties": {"a": {"enum": [], "type": ["string", "null"], "description": 7}}},
        {"properties": {"a": {"anyOf": [], "items": [], "$defs": {}}}},
    ],
)
def test_schemas_that_say_nothing_cost_something_all_the_same(parameters: dict[str, Any]) -> None:
    assert cost(body(tools=[{"type": "function", "function": {"name": "f", "parameters": parameters}}])) > 20


def test_a_custom_tool_costs_its_grammar() -> None:
    plain = {"type": "custom", "custom": {"name": "sql"}}
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: WORD+ NUMBER"}}
    bound = {"type": "custom", "custom": {"name": "sql", "format": grammar}}
    free = {"type": "custom", "custom": {"name": "sql", "format": {"type": "text"}}}
    assert cost(body(tools=[bound])) > cost(body(tools=[plain])) == cost(body(tools=[free]))


def test_the_schema_of_the_reply_is_part_of_the_prompt() -> None:
    assert cost(form(STRICT)) > cost(body()) + 20


def test_the_same_tools_cost_the_same_twice() -> None:
    assert cost(body(tools=[WEATHER])) == cost(body(tools=[WEATHER]))


def test_an_image_costs_by_its_size_and_detail() -> None:
    def seen(url: str, **detail: str) -> int:
        return cost(said({"type": "image_url", "image_url": {"url": url, **detail}})) - cost(said(EMPTY))

    assert seen(PIXEL) == media.image_tokens("gpt-4o", 1, 1)
    assert seen(PIXEL, detail="low") == 85
    assert seen("https://example.com/a.png") == media.image_tokens("gpt-4o", *media.UNKNOWN_SIZE)


EMPTY = {"type": "text", "text": ""}


def test_a_sound_costs_by_its_length() -> None:
    def heard(seconds: int) -> int:
        data = b64encode(b"\x00" * 8_000 * seconds).decode()
        return cost(said({"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}})) - cost(said(EMPTY))

    assert heard(20) == 2 * heard(10) > 0


def test_a_file_costs_by_its_size_or_its_pages() -> None:
    def held(**file: str) -> int:
        return cost(said({"type": "file", "file": file})) - cost(said(EMPTY))

    text = b64encode(b"x" * 400).decode()
    assert held(file_data=text) == held(file_data=f"data:text/plain;base64,{text}") == 100
    assert held(file_data=b64encode(b"%PDF-1.4 /Type /Page /Type /Page").decode()) == 2 * media.PAGE_TOKENS
    assert held(file_id="file-1") == media.PAGE_TOKENS
