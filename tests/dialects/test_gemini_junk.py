"""Whatever a client sends to Gemini, it gets an answer in Google's shape."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from typing import Any

import pytest
from gemini_bodies import ARRAY, SSE, TIME, WEATHER, body, call, chunks, data, functions, result, said, tell, text, user
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inprocess import ask
from junk import JUNK
from running import application

from llmsim.server.handlers import Application

SCHEMA = {
    "type": "OBJECT",
    "properties": {
        "a": {"type": "STRING", "enum": ["x"], "nullable": True, "description": "d"},
        "b": {"type": "ARRAY", "items": {"type": "NUMBER", "minimum": 1, "maximum": 2}, "minItems": 1, "maxItems": 2},
        "c": {"anyOf": [{"type": "STRING", "minLength": 1, "maxLength": 3}, {"type": "INTEGER"}]},
    },
    "required": ["a"],
    "propertyOrdering": ["b", "a"],
}
WHOLE: list[dict[str, Any]] = [
    body(
        user(
            {**text(), "thoughtSignature": "aGk="}, data(), {"fileData": {"mimeType": "image/png", "fileUri": "gs://x"}}
        ),
        said({**text(), "thought": True}, call(city="Oslo")),
        user(result()),
        said({"executableCode": {"language": "PYTHON", "code": "1"}}, {"codeExecutionResult": {"output": "1"}}),
        user(),
        systemInstruction={"parts": [text()]},
        safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        labels={"a": "b"},
        **functions({**WEATHER, "parameters": SCHEMA}, TIME, mode="ANY", names=["get_time"]),
    ),
    body(
        config={
            "responseMimeType": "application/json",
            "responseSchema": SCHEMA,
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 20},
            "stopSequences": ["x"],
            "seed": 3,
            "temperature": 1,
            "topK": 40,
        },
    ),
    body(
        config={
            "responseMimeType": "application/json",
            "responseJsonSchema": {
                "type": "object",
                "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"type": ["string", "null"], "pattern": "^a+$"}},
                "$defs": {"a": {"oneOf": [{"const": 1}, {"type": "array", "prefixItems": [{"type": "string"}]}]}},
                "additionalProperties": False,
            },
            "responseLogprobs": True,
            "logprobs": 2,
            "candidateCount": 2,
            "maxOutputTokens": 50,
        },
    ),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in a body."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


PLACES = [(at, path) for at, whole in enumerate(WHOLE) for path in places(whole)]


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


@pytest.mark.parametrize("method", ["generateContent", SSE, ARRAY, "countTokens"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), junk=JUNK)
def test_junk_anywhere_is_answered_in_google_s_shape(
    app: Application, method: str, place: tuple[int, Any], junk: Any
) -> None:
    at, steps = place
    sent = copy.deepcopy(WHOLE[at])
    inner: Any = sent
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = junk
    if method == "countTokens":
        sent = {"generateContentRequest": sent}
    told = asyncio.run(tell(app, sent, method))
    assert told.status in (200, 400, 403), told.body
    if told.status != 200:
        (one,) = told.json if method == ARRAY else [told.json]
        assert one["error"]["code"] == told.status
        assert one["error"]["message"]
        assert one["error"]["status"] in ("INVALID_ARGUMENT", "PERMISSION_DENIED")
    elif method in (SSE, ARRAY):
        assert not any("error" in chunk for chunk in chunks(told))


def test_the_bodies_are_right_as_they_are(app: Application) -> None:
    for sent in WHOLE:
        told = asyncio.run(tell(app, sent))
        assert told.status == 200, told.body


@pytest.mark.parametrize(
    "sent",
    [
        b'{"contents":[{"parts":[{"text":"' + "漢👩🏽‍🚀é".encode() * 20_000 + b'"}]}]}',
        b'{"contents":[{"parts":[{"text":"\\ud83d\\u0000"}]}]}',
        b'{"contents":[' + b'{"parts":[{"text":"a"}]},' * 5_000 + b'{"parts":[{"text":"a"}]}]}',
        b'{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"temperature":"nan"}}',
        b'{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"topK":1e308,"seed":1e308}}',
        b'{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"application/json",'
        b'"responseJsonSchema":' + b'{"items":' * 300 + b"{}" + b"}" * 300 + b"}}",
        b'{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"application/json",'
        b'"responseSchema":{"ref":"#/defs/a","defs":{"a":{"ref":"#/defs/a"}}}}}',
    ],
)
async def test_what_is_long_deep_or_huge_is_answered(app: Application, sent: bytes) -> None:
    told = await tell(app, sent)
    assert told.status in (200, 400)
    assert "candidates" in told.json or told.json["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("query", ["alt=", "alt=sse&alt=sse", "key=", "%24alt=json%3Benum-encoding%3Dint", "&&=&", "a"])
async def test_queries_of_any_kind_are_answered(app: Application, query: str) -> None:
    told = await ask(app, f"/v1beta/models/gemini-2.5-flash:generateContent?{query}", body())
    assert told.status == 200
