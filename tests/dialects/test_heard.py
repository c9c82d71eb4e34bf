"""What a recorded reply says is heard again by the API's own dialect: whole and streamed alike."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replaying import SETTINGS, chat, content, message, response
from taped import post, recorded

from llmsim.conversation import Stop
from llmsim.dialects import Dialect, kinds
from llmsim.replay.heard import Heard, events, listen
from llmsim.tapes import Take

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PLAIN: dict[str, Any] = {
    "openai_chat": chat,
    "openai_responses": response,
    "anthropic_messages": message,
    "gemini": content,
    "openai_completions": lambda stream=False: post(
        "/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi", "stream": stream}
    ),
    "azure_openai": lambda stream=False: post(
        "/openai/deployments/gpt-4o/chat/completions",
        {"messages": [{"role": "user", "content": "Hi"}], "stream": stream},
        "api-version=2024-10-21",
    ),
    "gemini_openai": lambda stream=False: post(
        "/v1beta/openai/chat/completions",
        {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "Hi"}], "stream": stream},
    ),
    "ollama": lambda stream=False: post(
        "/api/chat", {"model": "llama3.2", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    ),
}
FIXED = SETTINGS.changed(generator="fixed:It is what it is.")


def heard(take: Take) -> Heard:
    told = kinds()[take.dialect]().hear(take.body)
    assert told is not None
    return told


def both(request_of: Any, **fields: Any) -> list[Heard]:
    return [heard(take) for take in recorded(FIXED, request_of(**fields), request_of(stream=True, **fields))]


@pytest.mark.parametrize("kind", PLAIN)
def test_the_words_are_heard_whole_and_streamed(kind: str) -> None:
    for told in both(PLAIN[kind]):
        reply = told.reply("tape")
        assert reply is not None
        assert (reply.text, reply.stop, told.failure) == ("It is what it is.", Stop.END, None)


@pytest.mark.parametrize("kind", ["openai_chat", "openai_responses", "anthropic_messages", "gemini"])
def test_what_it_cost_is_heard(kind: str) -> None:
    for told in both(PLAIN[kind]):
        if told.usage is None:  # chat tells it in a stream only where it is asked for
            assert kind == "openai_chat"
            continue
        assert told.usage.prompt > 0
        assert told.usage.completion - told.usage.thinking == 6


TOOLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "openai_chat": (
        chat,
        {"tools": [{"type": "function", "function": {"name": "w", "parameters": CITY}}], "tool_choice": "required"},
    ),
    "openai_responses": (
        response,
        {
            "tools": [{"type": "function", "name": "w", "parameters": CITY, "strict": False}],
            "tool_choice": "required",
        },
    ),
    "anthropic_messages": (
        message,
        {"tools": [{"name": "w", "input_schema": CITY}], "tool_choice": {"type": "any"}},
    ),
    "gemini": (
        content,
        {
            "tools": [{"functionDeclarations": [{"name": "w", "parameters": CITY}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        },
    ),
}


@pytest.mark.parametrize("kind", TOOLS)
def test_calls_are_heard_whole_and_streamed(kind: str) -> None:
    request_of, fields = TOOLS[kind]
    for told in both(request_of, text="Weather in Paris?", **fields):
        reply = told.reply("tape")
        assert reply is not None
        (call,) = reply.calls
        assert (call.name, call.arguments[:9]) == ("w", '{"city":"')
        assert reply.text == ""


def test_thoughts_are_heard_before_the_words() -> None:
    for told in both(message, thinking={"type": "enabled", "budget_tokens": 1024}):
        reply = told.reply("tape")
        assert reply is not None
        assert [block.kind for block in reply.blocks] == ["thought", "text"]


def test_an_end_by_the_limit_is_heard() -> None:
    for told in both(chat, max_tokens=2):
        assert told.stop is Stop.LENGTH


def test_an_error_is_heard() -> None:
    broken = SETTINGS.changed(faults=[{"kind": "refuse", "status": 500, "message": "not today"}])
    for request in (chat(), message(), content(), response()):
        (take,) = recorded(broken, request)
        told = heard(take)
        assert told.failure is not None
        assert told.failure.message == "not today"
        assert told.reply("tape") is None


def test_several_alternatives_are_no_reply_for_another_api() -> None:
    for told in both(chat, n=2):
        assert told.choices == 2
        assert told.reply("tape") is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'data: {"a":1}\n\ndata: {"b":2}\n\n', [(15, {"a": 1}), (30, {"b": 2})]),
        (b'event: x\r\ndata: {"a":1}\r\n\r\n: note\r\n\r\n', [(27, {"a": 1})]),
        (b'data: {"a":1}\n\ndata: {"b', [(15, {"a": 1})]),
        (b'data: {"a":\ndata: 1}\n\n', [(22, {"a": 1})]),
        (b"data: [DONE]\n\n", []),
        (b'{"a":1}', [(7, {"a": 1})]),
        (b'{"a":1}\n{"b":2}\n', [(8, {"a": 1}), (16, {"b": 2})]),
        ('[{"a":"ü"}\r\n,\r\n{"b":2}]'.encode(), [(11, {"a": "ü"}), (23, {"b": 2})]),
        (b'[{"a":1},{"b"', [(8, {"a": 1})]),
        (b"", []),
        (b"\xff\xfe", []),
    ],
)
def test_events_are_taken_apart_with_their_places(body: bytes, told: list[tuple[int, Any]]) -> None:
    assert list(events(body)) == told


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "choices delta message content tool_calls function usage error type index candidates parts "
                "functionCall response output item content_block item_id model stop_reason finish_reason".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("kind", [kind for kind, made in kinds().items() if made.hear is not Dialect.hear])
@given(value=ANYTHING, cut=st.integers(0, 40))
@settings(max_examples=25, deadline=None)
def test_whatever_came_nothing_is_raised(kind: str, value: Any, cut: int) -> None:
    hear = kinds()[kind]().hear
    for body in (orjson.dumps(value), b"data: " + orjson.dumps(value) + b"\n\n", b"[" * 5000, b'{"a":' * 5000):
        told = listen(hear, body[: len(body) - cut])
        if told is not None:
            told.reply("tape")
