"""A chat request becomes an ask that says the same; what is no JSON object is refused."""

from typing import Any

import orjson
import pytest
from openai_bodies import CALL, HI, LEGACY, PIXEL, STRICT, WEATHER, body, form, read, refused, said, tool

from llmsim.conversation import AUTO, Format, Message, Tool, ToolCall, ToolChoice
from llmsim.dialects._openai_refusals import NOT_JSON


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"hello",
        b"[]",
        b'"text"',
        b"null",
        b'{"model": "gpt-4o", "messages": [}',
        b'{"model": "gpt-4o", "temperature": NaN}',
        b'{"model": "gpt-4o\xff"}',
        b'\xef\xbb\xbf{"model": "gpt-4o"}',
        b'{"model": "\\ud800", "messages": [{"role": "user", "content": "Hi"}]}',
        b'{"model": ' * 5000,
        b'{"model": "gpt-4o", "messages": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=lambda value: repr(value[:24]),
)
def test_what_is_no_json_object_is_refused_as_such(sent: bytes) -> None:
    assert refused(sent) is NOT_JSON


@pytest.mark.parametrize("depth", [260, 900])
@pytest.mark.parametrize("strict", [True, False])
def test_a_schema_nested_deeper_than_any_real_one_is_refused_and_does_no_harm(depth: int, strict: bool) -> None:
    schema = b'{"type":"array","items":' * depth + b"{}" + b"}" * depth
    made = orjson.dumps(tool(strict=strict, parameters={"type": "object", "properties": {"a": "HERE"}}))
    assert refused(made.replace(b'"HERE"', schema)).kind == "invalid"


def test_of_equal_names_in_a_body_the_last_counts() -> None:
    assert read(b'{"model":"gpt-4o","n":1,"n":2,"messages":[{"role":"user","content":"Hi"}]}').n == 2


def test_texts_may_hold_any_character() -> None:
    assert read(body({"role": "user", "content": "a\x00b😀"})).messages[0].text == "a\x00b😀"


def test_system_and_developer_are_one_role_and_function_is_a_tool() -> None:
    ask = read(
        body(
            {"role": "system", "content": "a"},
            {"role": "developer", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]},
            HI,
            {"role": "function", "name": "f", "content": "d"},
        )
    )
    assert ask.messages == (
        Message("system", "a"),
        Message("system", "b\nc"),
        Message("user", "Hi"),
        Message("tool", "d", name="f"),
    )


def test_media_are_named_by_kind() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    paper = {"type": "file", "file": {"file_id": "file-1"}}
    picture = {"type": "image_url", "image_url": {"url": PIXEL}}
    [message] = read(said({"type": "text", "text": "Look"}, picture, sound, paper)).messages
    assert (message.text, message.media) == ("Look", ("image", "audio", "file"))


def test_calls_are_read_in_each_of_their_forms() -> None:
    custom = {"id": "call_2", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}
    answers = [{"role": "tool", "tool_call_id": each, "content": "x"} for each in ("call_1", "call_2")]
    legacy = {"role": "assistant", "function_call": {"name": "f", "arguments": "[]"}}
    ask = read(body({"role": "assistant", "tool_calls": [CALL, custom]}, *answers, legacy))
    assert ask.messages[0].calls == (
        ToolCall("call_1", "get_weather", "{}"),
        ToolCall("call_2", "sql", "SELECT 1", custom=True),
    )
    assert ask.messages[1].call_id == "call_1"
    assert ask.messages[3].calls == (ToolCall("", "f", "[]"),)


def test_tools_are_read_in_each_of_their_forms() -> None:
    strict = {"type": "function", "function": {"name": "s", "strict": True, "parameters": STRICT}}
    custom = {"type": "custom", "custom": {"name": "sql", "description": "runs"}}
    assert read(body(tools=[strict, custom])).tools == (
        Tool("s", schema=STRICT, strict=True),
        Tool("sql", "runs", schema=None),
    )
    assert read(body(functions=[LEGACY])).tools == (Tool("get_weather", schema=LEGACY["parameters"]),)


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, AUTO),
        ({"tools": [WEATHER]}, AUTO),
        ({"tools": [WEATHER], "parallel_tool_calls": False}, ToolChoice(parallel=False)),
        ({"tools": [WEATHER], "tool_choice": "none"}, ToolChoice("none")),
        ({"tools": [WEATHER], "tool_choice": "required"}, ToolChoice("required")),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
            ToolChoice("named", ("get_weather",)),
        ),
        (
            {
                "tools": [WEATHER],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]},
                },
            },
            ToolChoice("auto", ("get_weather",)),
        ),
        ({"functions": [LEGACY], "function_call": {"name": "get_weather"}}, ToolChoice("named", ("get_weather",))),
        ({"functions": [LEGACY], "function_call": "none"}, ToolChoice("none")),
    ],
)
def test_tool_choice_is_read_in_each_of_its_forms(fields: dict[str, Any], choice: ToolChoice) -> None:
    ask = read(body(**fields))
    assert ask.tool_choice == choice
    assert ask.extra["named"] is (choice.mode == "named")
    assert ask.extra["legacy_functions"] is ("functions" in fields)


def test_the_form_of_the_reply_is_read() -> None:
    assert read(form(STRICT)).format == Format("schema", STRICT, "answer")
    asked = body({"role": "user", "content": "Some JSON"}, response_format={"type": "json_object"})
    assert read(asked).format == Format("json")
    assert read(body(response_format={"type": "text"})).format == Format()


def test_limits_stops_seeds_and_streams_are_read() -> None:
    ask = read(body(max_tokens=7, stop="END", seed=5, n=3, stream=True, stream_options={"include_usage": True}))
    assert (ask.max_tokens, ask.stop, ask.seed, ask.n, ask.stream) == (7, ("END",), 5, 3, True)
    assert ask.extra["include_usage"] is True
    assert ask.extra["obfuscate"] is True
    assert read(body(max_completion_tokens=9, stop=["a", "b"])).stop == ("a", "b")
    assert read(body(max_completion_tokens=9)).max_tokens == 9


def test_padding_is_for_streams_that_do_not_forbid_it() -> None:
    assert read(body()).extra["obfuscate"] is False
    assert read(body(stream=True, stream_options={"include_obfuscation": False})).extra["obfuscate"] is False
    assert read(body(stream=True, stream_options={"include_obfuscation": None})).extra["obfuscate"] is True


@pytest.mark.parametrize(
    ("model", "effort", "tokens"),
    [
        ("gpt-5", "none", 0),
        ("gpt-5", "minimal", 16),
        ("gpt-5", "low", 64),
        ("gpt-5", "medium", None),
        ("gpt-5", None, None),
        ("gpt-5", "high", 512),
        ("gpt-5", "xhigh", 1024),
        ("gpt-5", "max", 1024),
        ("gpt-4o", None, None),
        ("some-model", "high", None),
    ],
)
def test_effort_says_how_long_a_reasoning_model_thinks(model: str, effort: str | None, tokens: int | None) -> None:
    assert read(body(model=model, reasoning_effort=effort)).thinking == tokens


@pytest.mark.parametrize(
    ("asked", "served"), [(None, None), ("auto", "default"), ("fast", "priority"), ("flex", "flex")]
)
def test_the_tier_told_is_the_one_that_serves(asked: str | None, served: str | None) -> None:
    assert read(body(service_tier=asked)).extra["service_tier"] == served


def test_a_digest_stands_for_the_whole_body() -> None:
    assert read(body()).digest == read(body()).digest
    assert read(body()).digest != read(body(user="u")).digest
    assert len(read(body()).digest) == 16
    assert (read(body()).dialect, read(body()).endpoint) == ("openai_chat", "/v1/chat/completions")


def test_a_body_of_a_hundred_thousand_faults_is_told_of_the_first() -> None:
    assert refused({"model": "gpt-4o", "messages": [7] * 100_000}).param == "messages[0]"
