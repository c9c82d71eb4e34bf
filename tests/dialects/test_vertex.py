"""Google Cloud's paths to Gemini and to Anthropic's models answer as the providers do, with what is Cloud's own."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

import pytest
from gemini_bodies import ARRAY, MODEL, SSE, body, chunks, functions, text, user, words
from inprocess import Told, ask
from running import application
from transcript import assert_golden

from llmsim.server.handlers import Application

PROJECT = "projects/acme/locations/us-central1"
PLACES = [
    f"/v1/{PROJECT}/publishers/google/models/{MODEL}",
    f"/v1beta1/{PROJECT}/publishers/google/models/{MODEL}",
    f"/v1beta1/publishers/google/models/{MODEL}",
    f"/v1beta1/{PROJECT}/endpoints/{MODEL}",
    f"/gemini/v1/{PROJECT}/publishers/google/models/{MODEL}",
]
HERE = PLACES[1]
CLAUDE = f"/v1/{PROJECT}/publishers/anthropic/models/claude-sonnet-4-5@20250929"
ANTHROPIC: dict[str, Any] = {
    "anthropic_version": "vertex-2023-10-16",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello there.")


# -- Gemini


@pytest.mark.parametrize("place", PLACES)
async def test_every_path_generates_streams_and_counts(app: Application, place: str) -> None:
    assert words(await ask(app, f"{place}:generateContent", body())) == "Hello there."
    for method in (SSE, ARRAY):
        assert len(chunks(await ask(app, f"{place}:{method}", body()))) == 3
    assert (await ask(app, f"{place}:countTokens", {"contents": [user()]})).json["totalTokens"] == 2


async def test_a_reply_tells_when_it_was_made_and_how_it_was_served(app: Application) -> None:
    reply = (await ask(app, f"{HERE}:generateContent", body())).json
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", reply["createTime"])
    assert reply["usageMetadata"]["trafficType"] == "ON_DEMAND"


async def test_fields_that_only_cloud_has_are_taken(app: Application) -> None:
    config = {"audioTimestamp": True, "modelConfig": {"featureSelectionPreference": "BALANCED"}, "routingConfig": {}}
    sent = body(config=config, labels={"team": "a"}, modelArmorConfig={}, outputConfig={})
    assert words(await ask(app, f"{HERE}:generateContent", sent)) == "Hello there."


async def test_a_count_takes_the_fields_of_a_request(app: Application) -> None:
    sent = {"contents": [user()], "systemInstruction": {"parts": [text("Be kind.")]}, **functions()}
    told = (await ask(app, f"{HERE}:countTokens", sent)).json
    assert told["totalTokens"] > 20
    assert told["totalBillableCharacters"] > told["totalTokens"]


async def test_tokens_are_computed_one_by_one(app: Application) -> None:
    told = await ask(app, f"{HERE}:computeTokens", {"contents": [user(text("Hello there."), text("Bye"))]})
    (info,) = told.json["tokensInfo"]
    assert [b64decode(token).decode() for token in info["tokens"]] == ["Hello", " there", ".", "Bye"]
    assert (info["role"], len(info["tokenIds"])) == ("user", 4)
    assert all(number.isdigit() for number in info["tokenIds"])
    assert (await ask(app, f"{HERE}:computeTokens", {})).status == 400


async def test_the_publisher_s_models_are_listed(app: Application) -> None:
    told = await ask(app, "/v1beta1/publishers/google/models?pageSize=2", method="GET")
    names = [model["name"] for model in told.json["publisherModels"]]
    assert len(names) == 2
    assert told.json["nextPageToken"]
    one = await ask(app, f"/v1beta1/{names[0]}", method="GET")
    assert (one.status, one.json["name"]) == (200, names[0])
    assert (await ask(app, "/v1beta1/publishers/google/models/nothing", method="GET")).status == 404
    assert (await ask(app, f"/v1beta1/{PROJECT}/models", method="GET")).json == {}


# What Cloud refuses in words of its own.
REFUSED: list[tuple[Any, str]] = [
    (
        {},
        "Unable to submit request because at least one contents field is required. Learn more: "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini",
    ),
    ({"contents": [{"parts": [text()]}]}, "Please use a valid role: user, model."),
    (
        body(config={"temperature": 9}),
        "Unable to submit request because it has a temperature value of 9 but the supported range is from 0 "
        "(inclusive) to 2.0001 (exclusive). Update the value and try again. Learn more: "
        "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/gemini",
    ),
]


@pytest.mark.parametrize(("sent", "message"), REFUSED)
async def test_what_is_refused_is_told_in_cloud_s_words(app: Application, sent: Any, message: str) -> None:
    told = await ask(app, f"{HERE}:generateContent", sent)
    assert told.status == 400
    assert told.json["error"] == {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}


STATUSES = {
    429: ("RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."),
    500: ("INTERNAL", "Internal error encountered."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}


@pytest.mark.parametrize("status", STATUSES)
async def test_failures_have_cloud_s_words(status: int) -> None:
    one = application()
    one.simulator.arm({"kind": "refuse", "status": status})
    error = (await ask(one, f"{HERE}:generateContent", body())).json["error"]
    code, message = STATUSES[status]
    assert (error["code"], error["status"]) == (status, code)
    assert error["message"].startswith(message)
    assert "details" not in error


async def test_a_strict_server_wants_a_token_and_a_model_that_there_is() -> None:
    one = application(strict=True)
    told = await ask(one, f"{HERE}:generateContent", body(), authorization="")
    assert (told.status, told.json["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert told.json["error"]["message"].startswith("Request is missing required authentication credential.")
    assert told.json["error"]["details"][0]["reason"] == "CREDENTIALS_MISSING"
    nobody = HERE.replace(MODEL, "gemini-nobody")
    told = await ask(one, f"{nobody}:generateContent", body())
    assert (told.status, told.json["error"]["status"]) == (404, "NOT_FOUND")
    assert f"`{PROJECT}/publishers/google/models/gemini-nobody` was not found" in told.json["error"]["message"]


# -- Anthropic


async def test_claude_answers_below_a_project(app: Application) -> None:
    told = await ask(app, f"{CLAUDE}:rawPredict", ANTHROPIC)
    assert told.json["content"] == [{"type": "text", "text": "Hello there."}]
    assert told.json["model"] == "claude-sonnet-4-5-20250929"
    streamed = await ask(app, f"{CLAUDE}:streamRawPredict", {**ANTHROPIC, "stream": True})
    assert [event["type"] for event in streamed.events][-1] == "message_stop"


async def test_claude_s_tokens_are_counted(app: Application) -> None:
    path = f"/v1/{PROJECT}/publishers/anthropic/models/count-tokens:rawPredict"
    sent = {**ANTHROPIC, "model": "claude-sonnet-4-5@20250929"}
    del sent["max_tokens"]
    assert (await ask(app, path, sent)).json == {"input_tokens": 8}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"anthropic_version": None}, "anthropic_version: Field required"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"model": "claude-sonnet-4-5"}, "model: Extra inputs are not permitted"),
    ],
)
async def test_claude_refuses_in_anthropic_s_words(app: Application, changed: Any, message: str) -> None:
    told = await ask(app, f"{CLAUDE}:rawPredict", {**ANTHROPIC, **changed})
    assert told.status == 400
    assert told.json["error"] == {"type": "invalid_request_error", "message": message}


@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b"null", b'{"anthropic_version":5}', b'{"anthropic_version":{}}'])
async def test_junk_for_claude_is_refused(app: Application, sent: bytes) -> None:
    told = await ask(app, f"{CLAUDE}:rawPredict", sent)
    assert (told.status, told.json["error"]["type"]) == (400, "invalid_request_error")


# -- byte by byte


def timeless(told: Told) -> Told:
    """The provider's answer with its times made alike."""
    provider = [(name, value) for name, value in told.headers if not name.startswith(b"x-llmsim-")]
    headers = [(name, re.sub(rb"dur=\d+", b"dur=MS", value)) for name, value in provider]
    return Told(told.status, headers, re.sub(rb'"createTime":"[^"]+"', b'"createTime":"DATE"', told.body))


@pytest.mark.parametrize(("name", "method"), [("events", SSE), ("array", ARRAY), ("whole", "generateContent")])
async def test_an_answer_is_as_reviewed(name: str, method: str) -> None:
    app = application(generator="fixed:Hello, wörld!", seed=7)
    told = timeless(await ask(app, f"{HERE}:{method}", body()))
    assert_golden(f"vertex_{name}", told.status, told.headers, told.body)


async def test_an_error_in_mid_stream_is_as_reviewed() -> None:
    app = application(generator="fixed:Hello, wörld!", seed=7)
    app.simulator.arm({"kind": "refuse", "status": 429, "after_tokens": 2})
    told = timeless(await ask(app, f"{HERE}:{SSE}", body()))
    assert_golden("vertex_error_in_mid_stream", told.status, told.headers, told.body)
