"""What real clients send is read; whatever else they might send is read or refused, and does no harm."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_bodies import CALL, HI, LEGACY, PIXEL, STRICT, WEATHER, body, form, read, said, tool

from llmsim.errors import Refused

# Bodies that real clients send: all of them are read.
ACCEPTED: dict[str, dict[str, Any]] = {
    "reference: default": body({"role": "developer", "content": "You are a helpful assistant."}, HI),
    "reference: image": said(
        {"type": "text", "text": "What is in this image?"},
        {"type": "image_url", "image_url": {"url": "https://upload.wikimedia.org/a.jpg"}},
    ),
    "reference: image as a data URL": said({"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}),
    "reference: functions": body(tools=[WEATHER], tool_choice="auto"),
    "reference: logprobs": body(logprobs=True, top_logprobs=2),
    "reference: stream": body(stream=True, stream_options={"include_usage": True, "include_obfuscation": False}),
    "reference: audio": body(
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}]},
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "wav"},
    ),
    "reference: own voice": body(modalities=["audio"], audio={"voice": {"id": "v"}, "format": "mp3"}),
    "reference: file": said({"type": "file", "file": {"file_id": "file-1"}}, {"type": "text", "text": "Sum it up"}),
    "reference: file inside": said({"type": "file", "file": {"filename": "a.pdf", "file_data": "JVBERi0="}}),
    "reference: prediction": body(prediction={"type": "content", "content": [{"type": "text", "text": "x = 1"}]}),
    "reference: web search": body(
        web_search_options={
            "search_context_size": "low",
            "user_location": {"type": "approximate", "approximate": {"country": "GB", "city": "London"}},
        }
    ),
    "reference: custom tool": body(
        tools=[
            {
                "type": "custom",
                "custom": {
                    "name": "sql",
                    "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: WORD"}},
                },
            }
        ],
        tool_choice={"type": "custom", "custom": {"name": "sql"}},
    ),
    "reference: allowed tools": body(
        tools=[WEATHER],
        tool_choice={
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [{"type": "function", "function": {"name": "get_weather"}}],
            },
        },
    ),
    "reference: everything else": body(
        frequency_penalty=0,
        presence_penalty=0.5,
        logit_bias={"50256": -100},
        max_completion_tokens=16,
        metadata={"team": "a"},
        moderation={"model": "omni-moderation-latest", "policy": {"input": {"mode": "score"}, "output": None}},
        n=2,
        prompt_cache_key="k",
        prompt_cache_options={"mode": "implicit", "ttl": "30m"},
        prompt_cache_retention="24h",
        safety_identifier="s",
        seed=-5,
        service_tier="flex",
        stop=["\n"],
        store=True,
        temperature=2,
        top_p=0,
        user="u",
        verbosity="low",
    ),
    "every optional field as null": body(
        **dict.fromkeys(
            "temperature top_p n stop stream stream_options tools tool_choice parallel_tool_calls response_format user "
            "seed metadata logit_bias max_tokens max_completion_tokens reasoning_effort service_tier store".split()
        )
    ),
    "SDK: parse()": form(
        {
            "$defs": {
                "Day": {
                    "properties": {
                        "n": {"title": "N", "type": "integer"},
                        "kind": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Kind"},
                    },
                    "required": ["n", "kind"],
                    "title": "Day",
                    "type": "object",
                    "additionalProperties": False,
                }
            },
            "properties": {
                "city": {"title": "City", "type": "string"},
                "days": {"items": {"$ref": "#/$defs/Day"}, "title": "Days", "type": "array"},
            },
            "required": ["city", "days"],
            "title": "Weather",
            "type": "object",
            "additionalProperties": False,
        }
    )
    | {"stream": False},
    "SDK: a parsed message sent back": body(
        HI,
        {"content": "{}", "refusal": None, "role": "assistant", "tool_calls": None, "parsed": {"city": "x"}},
        HI,
    ),
    "SDK: a message dumped and sent back": body(
        {
            "content": "Hello!",
            "refusal": None,
            "role": "assistant",
            "annotations": [],
            "audio": None,
            "function_call": None,
            "tool_calls": None,
        },
        HI,
    ),
    "cookbook: a tool's answer with its name": body(
        HI,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "name": "get_weather", "content": "12"},
    ),
    "collected from a stream": body(
        {"role": "assistant", "content": "", "tool_calls": [CALL | {"index": 0}]},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "12"}]},
    ),
    "LangChain: bind_tools": body(
        {"content": "You are", "role": "system"},
        {"content": "Hi", "role": "user"},
        {"content": None, "role": "assistant", "tool_calls": [CALL]},
        {"content": "12", "role": "tool", "tool_call_id": "call_1"},
        tools=[WEATHER],
        stream=False,
        parallel_tool_calls=False,
        temperature=0.7,
    ),
    "LangChain: with_structured_output": form(STRICT | {"title": "city", "description": "d"}) | {"stream": False},
    "LangChain: content blocks": body(
        {"role": "assistant", "content": [{"type": "text", "text": "Hello", "annotations": [], "id": "x"}]}, HI
    ),
    "instructor: forced tool": body(
        tools=[
            {
                "type": "function",
                "function": {
                    "name": "User",
                    "description": "Correctly extracted `User` with all the required parameters with correct types",
                    "parameters": {
                        "properties": {"name": {"title": "Name", "type": "string"}},
                        "required": ["name"],
                        "type": "object",
                    },
                },
            }
        ],
        tool_choice={"type": "function", "function": {"name": "User"}},
    ),
    "instructor: JSON mode": body(
        {"role": "system", "content": "Understand the content and provide the parsed objects in json"},
        HI,
        response_format={"type": "json_object"},
    ),
    "agents: several answers": body(
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "tool_calls": [CALL, CALL | {"id": "call_2"}]},
        {"role": "tool", "tool_call_id": "call_2", "content": "a"},
        {"role": "tool", "tool_call_id": "call_1", "content": "b"},
        tools=[WEATHER],
        tool_choice="required",
        store=False,
    ),
    "LiteLLM: reasoning sent back": body(
        {
            "role": "assistant",
            "content": "Hello",
            "reasoning_content": "hm",
            "provider_specific_fields": {"refusal": None},
            "thinking_blocks": [],
        },
        HI,
    ),
    "legacy functions": body(
        HI,
        {"role": "assistant", "content": None, "function_call": {"name": "get_weather", "arguments": "{}"}},
        {"role": "function", "name": "get_weather", "content": "12"},
        functions=[LEGACY],
        function_call={"name": "get_weather"},
    ),
    "a name": body({"role": "user", "name": "alice", "content": "Hi"}),
    "tool without parameters": tool(description=None, parameters=None, strict=None),
    "no tools, as an empty list": body(tools=[]),
    "old model with temperature": body(model="gpt-3.5-turbo", temperature=0, max_tokens=1),
    "reasoning model at its defaults": body(model="gpt-5", temperature=1, top_p=1.0, reasoning_effort="low"),
    "reasoning model told not to reason": body(model="gpt-5.6-terra", temperature=0, reasoning_effort="none"),
    "ChatGPT's own model with temperature": body(model="gpt-5.2-chat-latest", temperature=0.2),
    "model of someone else": body(model="my-own-model", temperature=0, max_tokens=5),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_real_clients_send_is_read(name: str) -> None:
    ask = read(ACCEPTED[name])
    assert len(ask.messages) == len(ACCEPTED[name]["messages"])
    assert ask.prompt_tokens >= 3 + 4 * len(ask.messages)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "role", "text", "name", "function", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(name=st.sampled_from(list(ACCEPTED)), junk=JUNK, data=st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_a_field_it_is_read_or_refused(name: str, junk: Any, data: st.DataObject) -> None:
    sent = at = deepcopy(ACCEPTED[name])
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not at[key] or not isinstance(at[key], dict | list) or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = junk
    with suppress(Refused):
        read(sent)
