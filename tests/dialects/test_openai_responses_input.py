"""Input items of every kind are read as what they say in a conversation, and cost what they weigh."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai_bodies import PIXEL

from llmsim.conversation import Ask, Message, ToolCall, ToolChoice
from llmsim.dialects._openai_responses_ids import response_of
from llmsim.dialects._openai_responses_input import read_turn, sealed, unsealed
from llmsim.dialects._openai_responses_request import read_create
from llmsim.tokens import count_tokens

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Any = {"type": "function", "name": "get_weather", "parameters": CITY}


def read(**fields: Any) -> Ask:
    return read_create(orjson.dumps({"model": "gpt-4o", "input": "Hi", **fields}))


def heard(*items: Any) -> tuple[Message, ...]:
    return read_turn(items, "gpt-4o").messages


USER = {"role": "user", "content": "Hi"}
OUTPUT = {"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "a", "stderr": "b", "outcome": {}}]}

READ: list[tuple[Any, Message]] = [
    (USER, Message("user", "Hi")),
    ({"type": "message", **USER}, Message("user", "Hi")),
    ({"role": "developer", "content": "Hi"}, Message("system", "Hi")),
    ({"role": "system", "content": "Hi"}, Message("system", "Hi")),
    ({"role": "assistant", "content": "Hi"}, Message("assistant", "Hi")),
    (
        {"role": "assistant", "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}]},
        Message("assistant", "a\nb"),
    ),
    (
        {"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": PIXEL}]},
        Message("user", "a", media=("image",)),
    ),
    (
        {"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]},
        Message("user", "", media=("file",)),
    ),
    (
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        Message("assistant", calls=(ToolCall("c", "f", "{}"),)),
    ),
    (
        {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"},
        Message("assistant", calls=(ToolCall("c", "f", "x", custom=True),)),
    ),
    ({"type": "function_call_output", "call_id": "c", "output": "x"}, Message("tool", "x", call_id="c")),
    (
        {"type": "function_call_output", "call_id": "c", "name": "f", "output": [{"type": "input_text", "text": "x"}]},
        Message("tool", "x", call_id="c", name="f"),
    ),
    ({"type": "custom_tool_call_output", "call_id": "c", "output": "x"}, Message("tool", "x", call_id="c")),
    (OUTPUT, Message("tool", "a\nb", call_id="c")),
    ({"type": "local_shell_call_output", "id": "c", "output": "x"}, Message("tool", "x", call_id="c")),
    ({"type": "apply_patch_call_output", "call_id": "c", "status": "failed"}, Message("tool", "failed", call_id="c")),
    (
        {"type": "mcp_approval_response", "approval_request_id": "m", "approve": True},
        Message("tool", "approved", call_id="m", name="mcp"),
    ),
    ({"type": "web_search_call", "id": "ws_1", "action": {"query": "x"}}, Message("assistant")),
]


@pytest.mark.parametrize(("item", "expected"), READ)
def test_an_item_is_read_as_what_it_says(item: Any, expected: Message) -> None:
    assert heard(item) == (expected,)


@pytest.mark.parametrize("kind", ["reasoning", "configuration_update", "compaction_trigger"])
def test_what_says_nothing_is_passed_over(kind: str) -> None:
    assert heard({"type": kind, "summary": []}) == ()


def cost(*items: Any) -> int:
    return read(input=list(items)).prompt_tokens


def test_an_item_costs_what_it_weighs() -> None:
    assert cost(USER) == 8
    assert cost(USER, USER) == 13
    image = {"role": "user", "content": [{"type": "input_image", "image_url": PIXEL, "detail": "low"}]}
    assert cost(image) == 3 + 4 + 85
    file = {"role": "user", "content": [{"type": "input_file", "filename": "a.txt", "file_data": "YWFhYWFhYWE="}]}
    assert cost(file) == 3 + 4 + 2
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAA"}
    said = {"role": "assistant", "content": "Hi"}
    assert cost(USER, thought, said) == cost(USER, said)


def test_a_custom_tool_costs_its_grammar() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: WORD+ " * 10}
    tool = {"type": "custom", "name": "parse"}
    with_it, without = [read(tools=[{**tool, **more}]).prompt_tokens for more in ({"format": grammar}, {})]
    assert with_it - without == count_tokens(grammar["definition"], "gpt-4o")


def test_a_sealed_text_is_read_again() -> None:
    assert unsealed(sealed("é漢字 👩‍🚀")) == "é漢字 👩‍🚀"
    assert unsealed("gAAAAABo_not-ours" + "x" * 80).startswith("word word ")
    compaction = {"type": "compaction", "encrypted_content": sealed("one two three")}
    assert cost(USER, compaction) == cost(USER) + 3


def test_an_id_says_which_response_it_belongs_to() -> None:
    assert response_of("msg_nobody") is None
    assert response_of("") is None
    assert response_of("msg_" + "z" * 50) is None


# -- what the engine is told


def test_limits_and_forms_are_handed_on() -> None:
    form = {"type": "json_schema", "name": "city", "schema": CITY}
    ask = read(max_output_tokens=50, text={"format": form}, instructions="Be brief.", stream=True, background=True)
    assert (ask.max_tokens, ask.format.kind, ask.format.name, ask.format.schema) == (50, "schema", "city", CITY)
    assert ask.messages == (Message("system", "Be brief."), Message("user", "Hi"))
    assert (ask.stream, ask.detached, ask.endpoint) == (True, True, "/v1/responses")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice("auto")),
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "get_weather"}, ToolChoice("named", ("get_weather",))),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]},
            ToolChoice("auto", ("get_weather",)),
        ),
    ],
)
def test_a_choice_is_handed_on(choice: Any, expected: ToolChoice) -> None:
    assert read(tools=[WEATHER], tool_choice=choice).tool_choice == expected


def test_one_call_at_a_time_is_handed_on() -> None:
    assert not read(tools=[WEATHER], parallel_tool_calls=False).tool_choice.parallel


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [("gpt-5", None, None), ("gpt-5", "none", 0), ("gpt-5", "high", 512), ("gpt-5", "medium", None)],
)
def test_an_effort_is_a_number_of_tokens(model: str, effort: str | None, thinking: int | None) -> None:
    assert read(model=model, reasoning={"effort": effort}).thinking == thinking


@pytest.mark.parametrize("name", ["summary", "generate_summary"])
def test_thoughts_are_shown_to_who_wants_a_summary(name: str) -> None:
    assert read(model="gpt-5", reasoning={name: "auto"}).shows_thinking
    assert not read(model="gpt-5").shows_thinking


def test_the_same_body_is_read_once_and_never_shared() -> None:
    first, second = read(input="twice"), read(input="twice")
    assert first is not second
    assert first.digest == second.digest
    assert first.extra["wanted"] is second.extra["wanted"]


def test_a_template_stands_in_for_model_and_input() -> None:
    ask = read(model=None, input=None, prompt={"id": "pmpt_1", "variables": {"name": "Ada"}})
    assert (ask.model, ask.last_user_text) == ("gpt-5", "Ada")
