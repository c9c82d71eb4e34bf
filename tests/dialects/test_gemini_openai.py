"""Gemini by OpenAI's clients: thinking, signed calls, vectors, models; Google's words for what is refused."""

from __future__ import annotations

from math import hypot
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from inprocess import Told, ask
from junk import JUNK
from running import application
from transcript import assert_golden

from llmsim.clock import ToldClock
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

BASE = "/v1beta/openai"
# A model that thinks only when it is told to, one that thinks by itself, and one whose calls are signed.
MODEL, THINKER, NEWEST = "gemini-2.5-flash-lite", "gemini-2.5-flash", "gemini-3-flash-preview"
USER: Any = [{"role": "user", "content": "one two three"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def app() -> Application:
    return application(generator="echo")


async def send(app: Application, path: str, body: Any = b"", method: str = "POST") -> Told:
    return await ask(app, f"{BASE}{path}", body, method)


async def chat(app: Application, **fields: Any) -> Told:
    return await send(app, "/chat/completions", {"model": MODEL, "messages": USER, **fields})


async def chatted(app: Application, **fields: Any) -> Any:
    told = await chat(app, **fields)
    assert told.status == 200, told.body
    return told.json


def error(told: Told) -> tuple[int, str, str]:
    (found,) = told.json
    assert found["error"]["code"] == told.status
    return told.status, found["error"]["status"], found["error"]["message"]


PREFIXES = [BASE, "/v1/openai", "/v1/projects/p/locations/global/endpoints/openapi"]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("model", [MODEL, f"models/{MODEL}", f"google/{MODEL}"])
async def test_a_model_is_named_in_any_of_its_ways(app: Application, prefix: str, model: str) -> None:
    told = await ask(app, f"{prefix}/chat/completions", {"model": model, "messages": USER})
    assert (told.status, told.json["model"]) == (200, MODEL)
    assert told.json["choices"][0]["message"]["content"] == "one two three"


# -- thinking


@pytest.mark.parametrize(
    ("model", "effort", "least", "most"),
    [
        (MODEL, None, 0, 0),
        (MODEL, "none", 0, 0),
        (MODEL, "low", 1, 100),
        (THINKER, None, 100, 200),
        (THINKER, "none", 0, 0),
        (THINKER, "minimal", 1, 20),
        (THINKER, "high", 300, 600),
    ],
)
async def test_a_model_thinks_as_it_does_in_its_own_api(
    app: Application, model: str, effort: str | None, least: int, most: int
) -> None:
    usage = (await chatted(app, model=model, **({"reasoning_effort": effort} if effort else {})))["usage"]
    assert least <= usage["completion_tokens_details"]["reasoning_tokens"] <= most
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def thinking(**config: Any) -> Any:
    return {"extra_body": {"google": {"thinking_config": config}}}


async def test_thoughts_are_shown_where_google_is_asked_for_them(app: Application) -> None:
    asked: Any = {"model": THINKER, **thinking(thinking_budget=16, include_thoughts=True)}
    message = (await chatted(app, **asked))["choices"][0]["message"]
    assert message["content"].startswith("<thought>")
    assert message["content"].endswith("</thought>one two three")
    assert message["extra_content"] == {"google": {"thought": True}}
    deltas = [event["choices"][0]["delta"] for event in (await chat(app, **asked, stream=True)).events]
    assert "".join(delta.get("content") or "" for delta in deltas).endswith("</thought>one two three")
    thoughts = "".join(delta["content"] for delta in deltas if "extra_content" in delta)
    assert thoughts.startswith("<thought>")
    assert thoughts.endswith("</thought>")
    plain = (await chatted(app, model=THINKER, google=asked["extra_body"]["google"]))["choices"][0]["message"]
    assert plain["content"].startswith("<thought>")


# -- calls


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_the_first_call_of_a_thinking_model_is_signed(app: Application, stream: bool) -> None:
    told = await chat(app, model=NEWEST, tools=[WEATHER], stream=stream)
    if stream:
        deltas = [event["choices"][0]["delta"] for event in told.events if event["choices"]]
        calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    else:
        calls = told.json["choices"][0]["message"]["tool_calls"]
    assert calls[0]["extra_content"]["google"]["thought_signature"]
    assert not any("extra_content" in call for call in calls[1:])


async def test_a_signed_call_comes_back_with_its_result(app: Application) -> None:
    message = (await chatted(app, model=NEWEST, tools=[WEATHER]))["choices"][0]["message"]
    call = message["tool_calls"][0]
    assert set(orjson.loads(call["function"]["arguments"])) == {"city"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "rainy"}
    told = await chatted(app, model=NEWEST, tools=[WEATHER], messages=[*USER, message, result])
    assert told["choices"][0]["finish_reason"] == "stop"
    assert "rainy" in told["choices"][0]["message"]["content"]


async def test_a_call_of_a_model_that_does_not_think_is_not_signed(app: Application) -> None:
    message = (await chatted(app, tools=[WEATHER]))["choices"][0]["message"]
    assert "extra_content" not in message["tool_calls"][0]


# -- embeddings, images, models


async def test_vectors_are_those_of_googles_own_api(app: Application) -> None:
    told = (await send(app, "/embeddings", {"model": "gemini-embedding-001", "input": ["one", "two"]})).json
    requests = [
        {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]}} for text in ("one", "two")
    ]
    own = await ask(app, "/v1/models/gemini-embedding-001:batchEmbedContents", {"requests": requests})
    assert [item["embedding"] for item in told["data"]] == [item["values"] for item in own.json["embeddings"]]
    assert [(item["object"], item["index"]) for item in told["data"]] == [("embedding", 0), ("embedding", 1)]
    short = (await send(app, "/embeddings", {"model": "gemini-embedding-2", "input": "x", "dimensions": 128})).json
    assert len(short["data"][0]["embedding"]) == 128
    assert hypot(*short["data"][0]["embedding"]) == pytest.approx(1, abs=1e-5)


async def test_models_are_listed_and_told_of(app: Application) -> None:
    told = (await send(app, "/models", method="GET")).json
    ids = [model["id"] for model in told["data"]]
    assert told["object"] == "list"
    assert "models/gemini-2.5-flash" in ids
    assert not any("gpt" in id for id in ids)
    for name in ("gemini-2.5-flash", "models/gemini-2.5-flash"):
        one = (await send(app, f"/models/{name}", method="GET")).json
        assert one in told["data"]


async def test_an_image_is_made(app: Application) -> None:
    asked = {"model": "gemini-2.5-flash-image", "prompt": "A cat", "response_format": "b64_json", "n": 1}
    told = await send(app, "/images/generations", asked)
    assert told.status == 200, told.body
    assert told.json["data"][0]["b64_json"]


# -- refusals

UNKNOWN = 'Invalid JSON payload received. Unknown name "foo": Cannot find field.'
NO_MODEL = "is not found for API version v1main, or is not supported for generateContent. Call ListModels to see the"
REFUSED: Any = [
    ({"foo": 1}, UNKNOWN),
    ({"reasoning_effort": "huge"}, "Invalid reasoning_effort: huge"),
    (
        {"model": "gemini-2.5-pro", "reasoning_effort": "none"},
        "Budget 0 is invalid. This model only works in thinking mode.",
    ),
    (
        {"reasoning_effort": "low", **thinking(thinking_budget=5)},
        "Expected one of either `reasoning_effort` or custom `thinking_config`; found both.",
    ),
    (thinking(foo=1), "Invalid JSON payload received. Unknown name \"foo\" at 'thinking_config'."),
    (thinking(thinking_budget="x"), "Invalid value at 'thinking_config.thinking_budget' (TYPE_INT32)"),
    (thinking(thinking_level="x"), "Invalid value at 'thinking_config.thinking_level' (ThinkingLevel)"),
    ({"extra_body": 5}, "Invalid value at 'extra_body': an object is expected."),
    ({"extra_body": {"google": 5}}, "Invalid value at 'google': an object is expected."),
    ({"messages": []}, None),
    ({"temperature": 9}, None),
    ({"messages": [{"role": "king", "content": "x"}]}, None),
    ({"model": None}, None),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
async def test_what_makes_no_sense_is_refused_in_a_list_of_one(
    app: Application, fields: Any, message: str | None
) -> None:
    status, code, told = error(await chat(app, **fields))
    assert (status, code) == (400, "INVALID_ARGUMENT")
    assert message is None or told == message
    assert "openai.com" not in told


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
async def test_what_is_no_json_is_refused(app: Application, body: bytes) -> None:
    for path in ("/chat/completions", "/embeddings", "/images/generations"):
        status, code, message = error(await send(app, path, body))
        assert (status, code) == (400, "INVALID_ARGUMENT")
        assert "openai.com" not in message


async def test_what_there_is_not_is_not_found(app: Application) -> None:
    status, code, message = error(await send(app, "/models/nope", method="GET"))
    assert (status, code) == (404, "NOT_FOUND")
    assert f"models/nope {NO_MODEL}" in message
    assert error(await send(app, "/models/gpt-4o", method="GET"))[0] == 404
    assert error(await send(app, "/nothing"))[:2] == (404, "NOT_FOUND")
    assert error(await send(app, "/embeddings", {"model": MODEL, "input": "x"}))[:2] == (404, "NOT_FOUND")
    app.simulator.change(strict=True)
    assert NO_MODEL in error(await chat(app, model="nope"))[2]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=JUNK)
async def test_junk_never_breaks_the_server(app: Application, junk: Any) -> None:
    for name in ("extra_body", "google", "reasoning_effort", "messages", "model", "tools"):
        assert (await chat(app, **{name: junk})).status < 500
    for name in ("input", "dimensions", "encoding_format", "model"):
        body = {"model": "gemini-embedding-001", "input": "x", name: junk}
        assert (await send(app, "/embeddings", body)).status < 500


# -- golden transcripts


def googles(told: Told) -> list[tuple[bytes, bytes]]:
    """The headers but our own."""
    return [(name, value) for name, value in told.headers if not name.startswith(b"x-llmsim-")]


GOLDEN: Any = {
    "text": {"stream_options": {"include_usage": True}},
    "thoughts": {"model": THINKER, **thinking(thinking_budget=4, include_thoughts=True)},
    "tool_call": {"model": NEWEST, "reasoning_effort": "minimal", "tools": [WEATHER]},
}


@pytest.mark.parametrize("name", GOLDEN)
async def test_a_stream_is_as_reviewed(clock: ToldClock, name: str) -> None:
    app = Application(Simulator(Settings(latency_profile="instant", generator="echo"), clock=clock))
    told = await chat(app, stream=True, **GOLDEN[name])
    assert_golden(f"gemini_openai_{name}", told.status, googles(told), told.body)
