"""Every response and every event is right by OpenAI's own document, by the types of its SDK and by Open Responses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from inprocess import Told, ask
from openapi import assert_fits
from responses_judges import assert_events, assert_response, kinds_of
from running import application, until, written_by
from transcript import assert_golden

from llmsim.conversation import Reply, Stop, ToolCall
from llmsim.server.handlers import Application

PATH = "/v1/responses"
QUESTION = "What is the weather in Oslo and what time is it there?"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Any = {"type": "function", "name": "get_weather", "description": "The weather in a city", "parameters": CITY}
TIME: Any = {"type": "function", "name": "get_time", "description": "The time in a city", "parameters": CITY}
JOKE: Any = {"type": "custom", "name": "tell_joke", "description": "Tells a joke"}
STRICT = {**CITY, "additionalProperties": False}
SCHEMA = {"format": {"type": "json_schema", "name": "city", "schema": STRICT, "strict": True}}
CALLED: Any = [
    {"role": "user", "content": QUESTION},
    {"type": "function_call", "call_id": "call_1", "name": "get_time", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "noon"},
]
LOGPROBS = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
SUMMARY = {"model": "gpt-5", "reasoning": {"effort": "low", "summary": "auto"}}
SEALED = {"model": "o3", "include": ["reasoning.encrypted_content"], "store": False}

ASKS: dict[str, Any] = {
    "text": {},
    "limit": {"max_output_tokens": 16},
    "instructions": {"instructions": "Be brief.", "metadata": {"a": "b"}, "user": "u", "prompt_cache_key": "k"},
    "messages": {"input": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hello"}]},
    "typed message": {
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]
    },
    "logprobs": LOGPROBS,
    "bare logprobs": {"include": ["message.output_text.logprobs"]},
    "tools": {"tools": [WEATHER, TIME]},
    "one call at a time": {"tools": [WEATHER, TIME], "parallel_tool_calls": False},
    "cut call": {
        "tools": [{**WEATHER, "parameters": {**CITY, "properties": {"city": {"enum": ["x" * 99]}}}}],
        "max_output_tokens": 16,
    },
    "named tool": {"tools": [WEATHER, TIME], "tool_choice": {"type": "function", "name": "get_time"}},
    "required tool": {"tools": [WEATHER], "tool_choice": "required"},
    "no tool": {"tools": [WEATHER], "tool_choice": "none"},
    "allowed tools": {
        "tools": [WEATHER, TIME],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "get_time"}],
        },
    },
    "custom tool": {"tools": [JOKE]},
    "namespace": {"tools": [{"type": "namespace", "name": "geo", "description": "Places", "tools": [WEATHER]}]},
    "strict tool": {"tools": [{**WEATHER, "parameters": STRICT, "strict": True}]},
    "loose tool": {"tools": [{**WEATHER, "strict": False}]},
    "tool result": {"tools": [WEATHER], "input": CALLED},
    "schema": {"text": SCHEMA},
    "json": {"text": {"format": {"type": "json_object"}}, "input": 'json like {"ok": true}'},
    "reasoning": {"model": "gpt-5"},
    "no reasoning": {"model": "gpt-5", "reasoning": {"effort": "none"}, "temperature": 0.5},
    "summary": SUMMARY,
    "sealed reasoning": SEALED,
    "sealed summary": {**SUMMARY, "include": ["reasoning.encrypted_content"]},
    "cut reasoning": {**SUMMARY, "max_output_tokens": 16},
    "cut hidden reasoning": {"model": "o3", "max_output_tokens": 16},
    "reasoning and tools": {**SUMMARY, "tools": [WEATHER]},
    "priority": {"service_tier": "priority"},
    "everything": {
        "temperature": 0,
        "top_p": 1,
        "truncation": "auto",
        "safety_identifier": "s",
        "prompt_cache_retention": "24h",
        "prompt_cache_options": {"mode": "explicit"},
        "max_tool_calls": 3,
        "text": {"verbosity": "low"},
        "store": False,
        "presence_penalty": 1,
    },
    "moderation": {"moderation": {"model": "omni-moderation-latest"}},
    "template": {"model": None, "input": None, "prompt": {"id": "pmpt_1", "variables": {"name": "Ada"}}},
    "unknown model": {"model": "nobody/knows"},
    "compaction": {"input": [{"role": "user", "content": "Hello"}, {"type": "compaction_trigger"}]},
    "context management": {
        "input": "word " * 1100,
        "context_management": [{"type": "compaction", "compact_threshold": 1000}],
    },
}

WRITERS = {
    "refusal": lambda ask, dice: Reply(("I cannot ", "help."), refusal=True),
    "filtered": lambda ask, dice: Reply(("Well, ",), stop=Stop.FILTER),
    "nothing": lambda ask, dice: Reply(()),
    "words and calls": lambda ask, dice: Reply(
        ("Let me see. ",),
        ("Hm.",),
        (ToolCall("call_1", "a", "{}"), ToolCall("call_2", "b", "x y", custom=True), ToolCall("call_3", "c", "")),
    ),
}


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="lorem")


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> Iterator[str]:
    with written_by(WRITERS[request.param]) as own:
        yield own


async def create(app: Application, **fields: Any) -> Told:
    return await ask(app, PATH, {"model": "gpt-4o", "input": QUESTION, **fields})


async def completed(app: Application, **fields: Any) -> Any:
    told = await create(app, **fields)
    assert told.status == 200, told.body
    assert_response(told.json)
    return told.json


# -- replies


@pytest.mark.parametrize("fields", ASKS.values(), ids=ASKS)
async def test_a_whole_response_is_valid(app: Application, fields: Any) -> None:
    assert (await completed(app, **fields))["status"] in ("completed", "incomplete")


@pytest.mark.parametrize("fields", ASKS.values(), ids=ASKS)
async def test_every_event_is_valid(app: Application, fields: Any) -> None:
    assert_events(await create(app, **fields, stream=True))


@pytest.mark.parametrize("fields", ASKS.values(), ids=ASKS)
async def test_a_stream_ends_in_what_a_whole_response_would_be(fields: Any) -> None:
    whole, streamed = [application(generator="lorem", seed=3) for _ in range(2)]
    one = (await create(whole, **fields)).json
    other = (await create(streamed, **fields, stream=True)).events[-1]["response"]
    assert [without_ids(item) for item in one["output"]] == [without_ids(item) for item in other["output"]]
    assert one["usage"] == other["usage"]


def without_ids(item: Any) -> Any:
    """Same request, other seed: what is the same all the same."""
    return item["type"], item.get("status"), item.get("name")


async def test_other_ends_are_valid(app: Application, writer: str) -> None:
    app.simulator.change(generator=writer)
    try:
        for more in ({}, LOGPROBS, {"model": "gpt-5"}):
            await completed(app, **more)
            assert_events(await create(app, **more, stream=True))
    finally:
        app.simulator.change(generator="lorem")


async def test_a_filtered_reply_is_incomplete() -> None:
    with written_by(WRITERS["filtered"]) as own:
        told = await completed(application(generator=own))
    assert told["incomplete_details"] == {"reason": "content_filter"}
    assert told["output"][0]["status"] == "incomplete"


async def test_a_refusal_is_a_part_of_its_own() -> None:
    with written_by(WRITERS["refusal"]) as own:
        app = application(generator=own)
        (item,) = (await completed(app))["output"]
        events = assert_events(await create(app, stream=True))
    assert item["content"] == [{"type": "refusal", "refusal": "I cannot help."}]
    assert kinds_of(events)[4:6] == ["refusal.delta", "refusal.done"]


@pytest.mark.parametrize("padded", [True, False])
async def test_a_text_that_comes_again_is_told_as_it_was(padded: bool) -> None:
    app = application(generator='fixed:At 100 % of %d in Zürich: 東京, "so" \\ 🙂.')
    fields = {"model": "gpt-4o", "input": "Hi", "stream": True, "stream_options": {"include_obfuscation": padded}}
    told = [(await ask(app, PATH, fields)).body for _ in range(4)]
    alike = {re.sub(rb"(resp_|msg_)[0-9a-f]+|(_at\":)\d+", rb"\1\2", body) for body in told}
    assert len(alike) == 1
    assert len({re.search(rb"resp_[0-9a-f]+", body)[0] for body in told}) == 4  # type: ignore[index]
    for body in told:
        assert len(set(re.findall(rb'"item_id":"(\w+)"', body))) == 1


async def test_text_is_told_in_the_order_of_the_live_api(app: Application) -> None:
    assert kinds_of(assert_events(await create(app, stream=True))) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


async def test_a_thought_comes_before_the_words(app: Application) -> None:
    events = assert_events(await create(app, **SUMMARY, stream=True))
    assert kinds_of(events)[2:9] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
    ]


async def test_a_thought_is_only_told_to_who_asks_for_it(app: Application) -> None:
    thought, _ = (await completed(app, model="gpt-5"))["output"]
    assert (thought["type"], thought["summary"]) == ("reasoning", [])
    assert "encrypted_content" not in thought
    thought, _ = (await completed(app, **SEALED))["output"]
    assert thought["summary"] == []
    assert thought["encrypted_content"].startswith("gAAAA")


async def test_a_limit_met_in_a_thought_leaves_the_thought_alone(app: Application) -> None:
    told = await completed(app, model="o3", max_output_tokens=16)
    assert [item["type"] for item in told["output"]] == ["reasoning"]
    assert told["output"][0]["status"] == "incomplete"
    assert told["usage"]["output_tokens_details"] == {"reasoning_tokens": 16}


async def test_calls_have_two_ids_and_are_told_one_after_the_other(app: Application) -> None:
    events = assert_events(await create(app, tools=[WEATHER, TIME], stream=True))
    calls = events[-1]["response"]["output"]
    assert {call["name"] for call in calls} == {"get_weather", "get_time"}
    assert all(call["id"].startswith("fc_") and call["call_id"].startswith("call_") for call in calls)
    assert len({call["id"] for call in calls} | {call["call_id"] for call in calls}) == 4
    assert kinds_of(events)[2:6] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]


async def test_a_function_in_a_namespace_is_called_with_it(app: Application) -> None:
    (call,) = (await completed(app, **ASKS["namespace"]))["output"]
    assert (call["name"], call["namespace"]) == ("get_weather", "geo")


async def test_a_schema_that_says_nothing_of_strictness_is_made_strict(app: Application) -> None:
    optional = {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}}
    told = await completed(app, tools=[{**WEATHER, "parameters": optional}])
    (tool,) = told["tools"]
    assert tool["strict"] is True
    assert tool["parameters"] == {**optional, "required": ["city", "unit"], "additionalProperties": False}
    assert set(orjson.loads(told["output"][0]["arguments"])) == {"city", "unit"}


async def test_a_schema_that_cannot_be_strict_is_left_as_it_is(app: Application) -> None:
    free = {"type": "object", "properties": {"any": {"type": "object", "additionalProperties": {"type": "string"}}}}
    (tool,) = (await completed(app, tools=[{**WEATHER, "parameters": free}]))["tools"]
    assert (tool["strict"], tool["parameters"]) == (False, free)


async def test_log_probabilities_come_with_each_token_and_with_the_whole(app: Application) -> None:
    events = assert_events(await create(app, **LOGPROBS, stream=True))
    single = [entry for event in events if event["type"] == "response.output_text.delta" for entry in event["logprobs"]]
    (part,) = events[-1]["response"]["output"][0]["content"]
    assert single == part["logprobs"]
    assert "".join(entry["token"] for entry in single) == part["text"]
    assert all(len(entry["top_logprobs"]) == 2 for entry in single)


@pytest.mark.parametrize("pads", [True, False])
async def test_deltas_are_padded_unless_it_is_refused(app: Application, pads: bool) -> None:
    for more in ({}, SUMMARY, {"tools": [WEATHER]}):
        told = await create(app, **more, stream=True, stream_options={"include_obfuscation": pads})
        deltas = [event for event in told.events if event["type"].endswith(".delta")]
        assert deltas
        assert all(("obfuscation" in event) is pads for event in deltas)


async def test_the_settings_are_said_again(app: Application) -> None:
    fields = {
        "instructions": "Be brief.",
        "max_output_tokens": 50,
        "max_tool_calls": 4,
        "temperature": 0.5,
        "top_p": 0.5,
        "metadata": {"a": "b"},
        "truncation": "auto",
        "user": "u",
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "parallel_tool_calls": False,
        "store": False,
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tool_choice": "auto",
        "top_logprobs": 3,
    }
    told = await completed(app, **fields)
    assert {name: told[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("asked", "pending", "final"),
    [(None, "auto", "default"), ("flex", "flex", "flex"), ("fast", "fast", "priority"), ("scale", "scale", "scale")],
)
async def test_the_tier_that_served_is_told_at_the_end(app: Application, asked: Any, pending: str, final: str) -> None:
    events = assert_events(await create(app, service_tier=asked, stream=True))
    assert events[0]["response"]["service_tier"] == pending
    assert events[-1]["response"]["service_tier"] == final


async def test_secrets_of_tools_are_not_said_again(app: Application) -> None:
    server = {"type": "mcp", "server_label": "s", "server_url": "https://s.example", "authorization": "secret"}
    told = await create(app, tools=[{**server, "headers": {"x": "secret"}}], tool_choice="none")
    assert told.status == 200
    assert b"secret" not in told.body


async def test_a_judged_response_says_what_the_judge_thinks(app: Application) -> None:
    told = await completed(app, moderation={"model": "omni-moderation-latest"}, input="I will kill you.")
    assert told["moderation"]["input"]["flagged"]
    assert not told["moderation"]["output"]["flagged"]


async def test_the_prompt_costs_what_it_costs_in_chat(app: Application) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    function = {"type": "function", "function": {name: WEATHER[name] for name in ("name", "description", "parameters")}}
    chat = {"model": "gpt-4o", "messages": messages, "tools": [function]}
    one = (await ask(app, "/v1/chat/completions", chat)).json["usage"]["prompt_tokens"]
    for fields in ({"input": messages}, {"input": QUESTION, "instructions": "Be brief."}):
        assert (await completed(app, **fields, tools=[WEATHER]))["usage"]["input_tokens"] == one


async def test_truncation_leaves_out_the_oldest_that_does_not_fit(app: Application) -> None:
    old = {"role": "user", "content": "word " * 9000}
    asked = {"model": "gpt-4", "input": [old, {"role": "user", "content": "Hello"}]}
    assert (await create(app, **asked)).json["error"]["code"] == "context_length_exceeded"
    told = await completed(app, **asked, truncation="auto")
    assert told["usage"]["input_tokens"] == 8


# -- failures


def assert_error(answer: Told) -> None:
    assert_fits("ErrorResponse", answer.json)
    assert set(answer.json) == {"error"}
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert (b"content-type", b"application/json") in answer.headers
    assert {b"x-request-id", b"x-ratelimit-limit-requests"} <= {name for name, _ in answer.headers}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"model": 5}', b'{"model": "gpt-4o"}', b"[" * 100_000,
     b'{"model": "gpt-4o", "input": ' + b"[" * 2000 + b"]" * 2000 + b"}",
     b'{"model": "m", "input": "x", "tools": [{"type": "function", "name": "f", "parameters": '
     + b'{"properties": ' * 500 + b"{}" + b"}" * 500 + b"}]}"],
    ids=["empty", "open", "list", "null", "text", "no utf-8", "model", "no input", "deep", "deep input", "deep schema"],
)  # fmt: skip
async def test_a_body_that_makes_no_sense_is_refused_in_shape(app: Application, body: bytes) -> None:
    answer = await ask(app, PATH, body)
    assert answer.status == 400
    assert_error(answer)


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/responses/resp_1/cancel", "/v1/responses/resp_1/input_items"])
async def test_a_wrong_method_is_told_the_right_ones(app: Application, path: str) -> None:
    answer = await ask(app, path, b"", "PATCH")
    assert answer.status == 405
    assert_error(answer)


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "server_error"), (503, "server_error"), (429, "rate_limit_exceeded"), (400, "invalid_prompt")],
)
@pytest.mark.parametrize(
    "more", [{}, {"tools": [WEATHER]}, SUMMARY, LOGPROBS], ids=["text", "call", "thought", "logprobs"]
)
async def test_a_failure_in_mid_stream_ends_the_response(app: Application, status: int, code: str, more: Any) -> None:
    app.simulator.arm({"kind": "refuse", "status": status, "after_tokens": 4, "id": "no", "message": "It broke."})
    try:
        events = assert_events(await create(app, **more, stream=True))
    finally:
        app.simulator.lift("no")
    last = events[-1]["response"]
    assert events[-1]["type"] == "response.failed"
    assert last["error"] == {"code": code, "message": "It broke."}
    assert [item["status"] for item in last["output"]][-1] == "incomplete"
    kept = await ask(app, f"{PATH}/{last['id']}", b"", "GET")
    assert kept.json == last


@pytest.mark.parametrize("how", ["broken", "malformed"])
@pytest.mark.parametrize("more", [{}, {"tools": [WEATHER]}, SUMMARY], ids=["text", "call", "thought"])
async def test_a_garbled_event_is_garbled_in_its_data(app: Application, how: str, more: Any) -> None:
    app.simulator.arm({"kind": "garble", "how": how, "after_tokens": 3, "id": "no"})
    try:
        body = (await create(app, **more, stream=True)).body
    finally:
        app.simulator.lift("no")
    events = body.split(b"\n\n")
    wrong = [event for event in events if event and not whole(event)]
    assert len(wrong) == 1
    assert wrong[0].startswith(b"event: response.")


def whole(event: bytes) -> bool:
    _, _, data = event.partition(b"data: ")
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


async def test_a_console_that_fails_a_stream_leaves_it_in_good_order() -> None:
    app = application(generator="lorem", latency_profile="glacial")
    simulator = app.simulator
    path = {"model": "gpt-4o", "input": QUESTION, "stream": True}
    reading = asyncio.ensure_future(ask(app, PATH, path))
    await until(lambda: simulator.meter.live)
    (live,) = simulator.meter.live.values()
    await until(lambda: live.cursor)
    simulator.act(live.number, "fail")
    events = assert_events(await reading)
    assert events[-1]["type"] == "response.failed"


# -- the wire, byte by byte


@pytest.fixture
def golden_app() -> Application:
    """A simulator of its own for each transcript: its exchange is number 1."""
    return application(generator="fixed:Hello, wörld! 👩‍🚀", seed=7)


BARE = {"stream_options": {"include_obfuscation": False}}
GOLDEN: dict[str, Any] = {
    "text": {},
    "tool_calls": {"tools": [WEATHER, TIME], **BARE},
    "custom_tool_call": {"tools": [JOKE], **BARE},
    "reasoning": {"model": "gpt-5", "reasoning": {"effort": "minimal", "summary": "auto"}, **BARE},
    "structured": {"text": SCHEMA, **BARE},
    "logprobs": {**LOGPROBS, "max_output_tokens": 16, **BARE},
    "web_search": {"tools": [{"type": "web_search"}], "tool_choice": "required", **BARE},
}


@pytest.mark.parametrize("name", GOLDEN)
async def test_a_stream_is_as_reviewed(golden_app: Application, name: str) -> None:
    answer = await create(golden_app, stream=True, **GOLDEN[name])
    assert_events(answer)
    assert_reviewed(name, answer)


async def test_a_failure_in_mid_stream_is_as_reviewed(golden_app: Application) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2})
    answer = await create(golden_app, stream=True, **BARE)
    assert_reviewed("failed", answer)


async def test_a_whole_response_is_as_reviewed(golden_app: Application) -> None:
    answer = await create(golden_app)
    assert_reviewed("whole", answer)


def assert_reviewed(name: str, answer: Told) -> None:
    body = re.sub(rb'"completed_at":\d+', b'"completed_at":DATE', answer.body)
    body = re.sub(rb"\b([a-z]+)_[0-9a-f]{50}\b", rb"\1_ID", body)
    assert_golden(f"openai_responses_{name}", answer.status, answer.headers, body)
