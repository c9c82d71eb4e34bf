"""Every answer of the chat dialect is valid by OpenAI's own document and by the types of its SDK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from inprocess import Told, ask
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openapi import assert_fits, assert_known_keys
from running import application, written_by
from transcript import assert_golden

from llmsim.conversation import Reply, Stop
from llmsim.dialects._openai_logprobs import _worded
from llmsim.server.handlers import Application

PATH = "/v1/chat/completions"
USER: Any = {"role": "user", "content": "What is the weather in Oslo and what time is it there?"}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Any = {"name": "get_weather", "description": "The weather in a city", "parameters": CITY}
TIME: Any = {"name": "get_time", "description": "The time in a city", "parameters": CITY}
TOOLS: Any = [{"type": "function", "function": WEATHER}, {"type": "function", "function": TIME}]
CUSTOM: Any = [{"type": "custom", "custom": {"name": "tell_joke"}}]
CALLED: Any = [
    USER,
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "noon"},
]
NAMED: Any = {"type": "function", "function": {"name": "get_time"}}

ASKS: dict[str, Any] = {
    "text": {},
    "limit": {"max_tokens": 3},
    "stop": {"stop": ["a", "e"]},
    "several": {"n": 3},
    "logprobs": {"logprobs": True, "top_logprobs": 5},
    "bare logprobs": {"logprobs": True, "n": 2},
    "most logprobs": {"logprobs": True, "top_logprobs": 20},
    "tools": {"tools": TOOLS},
    "tools and several": {"tools": TOOLS, "n": 2},
    "tools and logprobs": {"tools": TOOLS, "logprobs": True},
    "cut tools": {"tools": TOOLS, "max_tokens": 8},
    "named tool": {"tools": TOOLS, "tool_choice": NAMED},
    "custom tool": {"tools": CUSTOM},
    "functions": {"functions": [WEATHER]},
    "tool result": {"tools": TOOLS, "messages": CALLED},
    "schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}},
    "json": {"response_format": {"type": "json_object"}, "messages": [{"role": "user", "content": "json, please"}]},
    "reasoning": {"model": "gpt-5", "reasoning_effort": "low"},
    "reasoning, cut": {"model": "o3", "max_completion_tokens": 5},
    "priority": {"service_tier": "priority"},
    "unknown model": {"model": "nobody/knows"},
}

# Neither the document nor the SDK has words for the fragments of a custom tool's call.
STREAMED = {name: fields for name, fields in ASKS.items() if name != "custom tool"}

WRITERS = {
    "refusal": lambda ask, dice: Reply(("I cannot ", "help."), refusal=True),
    "filtered": lambda ask, dice: Reply(("Well, ",), stop=Stop.FILTER),
    "nothing": lambda ask, dice: Reply(()),
}


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="lorem")


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> Iterator[str]:
    with written_by(WRITERS[request.param]) as own:
        yield own


async def complete(app: Application, **fields: Any) -> Told:
    return await ask(app, PATH, {"model": "gpt-4o", "messages": [USER], **fields})


def assert_completion(answer: Told) -> ChatCompletion:
    """Judges a whole reply by the document, and by the SDK's types without any leniency."""
    assert answer.status == 200
    told = answer.json
    assert_fits("CreateChatCompletionResponse", told)
    reply = ChatCompletion.model_validate_json(answer.body, strict=True)
    assert_known_keys(reply)
    for choice in told["choices"]:
        assert {"finish_reason", "index", "message", "logprobs"} == set(choice)
        assert {"content", "refusal", "role"} <= set(choice["message"])
        assert choice["message"].get("tool_calls", ["some"])
    usage = told["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    return reply


def assert_stream(answer: Told, usage: bool = False) -> list[ChatCompletionChunk]:
    """Judges every chunk of a stream likewise, and that they belong together."""
    assert answer.status == 200
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert not re.search(rb"^event:", answer.body, re.MULTILINE)
    chunks = []
    for told in answer.events:
        assert_fits("CreateChatCompletionStreamResponse", told)
        chunks.append(ChatCompletionChunk.model_validate_json(orjson.dumps(told), strict=True))
        assert_known_keys(chunks[-1])
        assert ("usage" in told) is usage
        for choice in told["choices"]:
            assert {"index", "delta", "logprobs", "finish_reason"} == set(choice)
    assert len({(chunk.id, chunk.created, chunk.model, chunk.system_fingerprint) for chunk in chunks}) == 1
    return chunks


@pytest.mark.parametrize("fields", ASKS.values(), ids=ASKS)
async def test_a_whole_reply_is_valid(app: Application, fields: Any) -> None:
    assert_completion(await complete(app, **fields))


@pytest.mark.parametrize("fields", STREAMED.values(), ids=STREAMED)
async def test_every_chunk_is_valid(app: Application, fields: Any) -> None:
    chunks = assert_stream(await complete(app, **fields, stream=True))
    per_choice = [choice for chunk in chunks for choice in chunk.choices]
    for index in range(fields.get("n", 1)):
        own = [choice for choice in per_choice if choice.index == index]
        assert own[0].delta.role == "assistant"
        assert [bool(choice.delta.role) for choice in own].count(True) == 1
        assert [choice.finish_reason is None for choice in own].index(False) == len(own) - 1


@pytest.mark.parametrize("fields", STREAMED.values(), ids=STREAMED)
async def test_a_stream_with_usage_is_valid(app: Application, fields: Any) -> None:
    answer = await complete(app, **fields, stream=True, stream_options={"include_usage": True})
    *chunks, last = assert_stream(answer, usage=True)
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert last.choices == []
    assert last.usage


async def test_other_ends_are_valid(app: Application, writer: str) -> None:
    app.simulator.change(generator=writer)
    try:
        for more in ({}, {"logprobs": True, "top_logprobs": 2}, {"n": 2}):
            assert_completion(await complete(app, **more))
            assert_stream(await complete(app, **more, stream=True))
    finally:
        app.simulator.change(generator="lorem")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529])
async def test_every_error_is_valid(app: Application, status: int, streamed: bool) -> None:
    app.simulator.arm({"kind": "refuse", "status": status, "id": "no", "retry_after": 2})
    try:
        answer = await complete(app, stream=streamed)
    finally:
        app.simulator.lift("no")
    assert answer.status == status
    assert_error(answer)


def assert_error(answer: Told) -> None:
    assert_fits("ErrorResponse", answer.json)
    assert set(answer.json) == {"error"}
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert (b"content-type", b"application/json") in answer.headers
    assert {b"x-request-id", b"openai-processing-ms", b"x-ratelimit-limit-requests"} <= {
        name for name, _ in answer.headers
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"model": 5}', b'{"model": "gpt-4o"}', b"[" * 100_000],
    ids=["empty", "open", "list", "null", "text", "no utf-8", "model", "no messages", "deep"],
)
async def test_a_body_that_makes_no_sense_is_refused_in_shape(app: Application, body: bytes) -> None:
    answer = await ask(app, PATH, body)
    assert answer.status == 400
    assert_error(answer)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "BREW"])
async def test_a_wrong_method_is_told_the_right_ones(app: Application, method: str) -> None:
    answer = await ask(app, PATH, b"", method)
    assert answer.status == 405
    assert answer.json["error"]["code"] == "method_not_supported"
    assert dict(answer.headers)[b"allow"] == b"GET, POST"
    assert_error(answer)


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1", "/v1/chat/completions/", "/v1//chat/completions", "/%00"])
async def test_an_unknown_path_is_told_so(app: Application, path: str) -> None:
    answer = await ask(app, path, b"{}")
    assert answer.status == 404
    assert answer.json["error"]["message"].startswith("Invalid URL (POST /")
    assert_error(answer)


async def test_an_error_in_mid_stream_is_valid(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 429, "after_tokens": 2, "id": "no"})
    try:
        answer = await complete(app, stream=True)
    finally:
        app.simulator.lift("no")
    assert answer.status == 200
    assert_fits("ErrorResponse", answer.events[-1])
    assert not answer.body.endswith(b"[DONE]\n\n")


async def test_every_mount_gives_the_same_answer(app: Application) -> None:
    asked = {"model": "gpt-4o", "messages": [USER], "seed": 1}
    roots = [await ask(app, root + PATH, asked) for root in ("", "/openai")]
    told = [{**answer.json, "id": "", "created": 0} for answer in roots]
    assert told[0] == told[1]


async def test_the_same_reply_twice_has_an_id_of_its_own_each_time(app: Application) -> None:
    """A client's own seed repeats the reply, but what is stored under one id must not take the place of another's."""
    one, two = [(await complete(app, seed=5)).json for _ in range(2)]
    assert one["choices"] == two["choices"]
    assert one["id"] != two["id"]


# -- the wire, byte by byte


def test_the_bytes_of_half_a_character_are_told_as_openai_tells_them() -> None:
    told = _worded(b" \xf0\x9f\x91", 0.5)
    assert (told["token"], told["bytes"]) == (r"bytes: \xf0\x9f\x91", [32, 240, 159, 145])


@pytest.fixture
def golden_app() -> Application:
    """A simulator of its own for each transcript: its exchange is number 1."""
    return application(generator="fixed:Hello, wörld! 👩‍🚀", seed=7)


GOLDEN: dict[str, Any] = {
    "text_with_usage": {"stream_options": {"include_usage": True}},
    "tool_calls": {"tools": TOOLS, "stream_options": {"include_obfuscation": False}},
    "two_choices": {"n": 2, "stream_options": {"include_obfuscation": False}},
    "logprobs": {"logprobs": True, "top_logprobs": 2, "stream_options": {"include_obfuscation": False}},
    "length": {"max_tokens": 2},
}


@pytest.mark.parametrize("name", GOLDEN)
async def test_a_stream_is_as_reviewed(golden_app: Application, name: str) -> None:
    answer = await complete(golden_app, stream=True, **GOLDEN[name])
    assert_golden(f"openai_chat_{name}", answer.status, answer.headers, answer.body)


async def test_an_error_in_mid_stream_is_as_reviewed(golden_app: Application) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2})
    answer = await complete(golden_app, stream=True)
    assert_golden("openai_chat_error_in_mid_stream", answer.status, answer.headers, answer.body)


async def test_a_whole_reply_is_as_reviewed(golden_app: Application) -> None:
    answer = await complete(golden_app)
    assert_golden("openai_chat_whole", answer.status, answer.headers, answer.body)


async def test_a_refused_request_is_as_reviewed(golden_app: Application) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 429, "retry_after": 1.5})
    answer = await complete(golden_app)
    assert_golden("openai_chat_rate_limit", answer.status, answer.headers, answer.body)
