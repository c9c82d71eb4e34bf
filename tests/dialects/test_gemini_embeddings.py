"""Gemini's embeddings: one and many, short and long vectors, what is near what; what is refused."""

from __future__ import annotations

from math import hypot
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from inprocess import Told, ask
from junk import JUNK
from running import application

from llmsim.server.handlers import Application

FIRST, SECOND = "gemini-embedding-001", "gemini-embedding-2"


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


def content(text: str = "Hi") -> Any:
    return {"parts": [{"text": text}]}


async def send(app: Application, body: Any, method: str = "embedContent", model: str = FIRST, at: str = "/v1") -> Told:
    return await ask(app, f"{at}/models/{model}:{method}", body, **{"x-goog-api-key": "k"})


async def one(app: Application, text: str, model: str = FIRST, **fields: Any) -> list[float]:
    told = await send(app, {"content": content(text), **fields}, model=model)
    assert told.status == 200, told.body
    found: list[float] = told.json["embedding"]["values"]
    return found


async def many(app: Application, *texts: str, model: str = FIRST, **fields: Any) -> Told:
    requests = [{"model": f"models/{model}", "content": content(text), **fields} for text in texts]
    return await send(app, {"requests": requests}, "batchEmbedContents", model)


def cosine(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True)) / (hypot(*left) * hypot(*right))


@pytest.mark.parametrize("at", ["/v1", "/v1beta"])
@pytest.mark.parametrize("model", [FIRST, SECOND])
async def test_a_vector_has_3072_numbers_of_length_1(app: Application, at: str, model: str) -> None:
    told = await send(app, {"model": f"models/{model}", "content": content("Hello world")}, model=model, at=at)
    assert set(told.json) == {"embedding", "usageMetadata"}
    vector = told.json["embedding"]["values"]
    assert len(vector) == 3072
    assert hypot(*vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("size", [1, 128, 768, 1536])
async def test_shorter_vectors_are_of_length_1_only_where_googles_are(app: Application, size: int) -> None:
    cut = await one(app, "Hello world", outputDimensionality=size)
    assert cut == (await one(app, "Hello world"))[:size]
    shortened = await one(app, "Hello world", SECOND, output_dimensionality=size)
    assert len(shortened) == size
    assert hypot(*shortened) == pytest.approx(1, abs=1e-5)


async def test_many_come_in_their_order(app: Application) -> None:
    texts = ["one", "two", "été 🎉"]
    told = await many(app, *texts, outputDimensionality=64)
    vectors = [embedding["values"] for embedding in told.json["embeddings"]]
    assert vectors == [await one(app, text, outputDimensionality=64) for text in texts]
    assert told.json["usageMetadata"]["promptTokenCount"] >= 6


@pytest.mark.parametrize("task", ["RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLUSTERING"])
async def test_related_texts_are_nearer(app: Application, task: str) -> None:
    texts = ("The cat sleeps on the sofa", "A cat is sleeping on a sofa", "Quarterly revenue grew by nine per cent")
    told = await many(app, *texts, taskType=task)
    cat, other, money = [embedding["values"] for embedding in told.json["embeddings"]]
    assert cosine(cat, other) > 0.4 > cosine(cat, money)


async def test_a_hundred_texts_are_one_batch_and_no_more(app: Application) -> None:
    assert len((await many(app, *map(str, range(100)), outputDimensionality=8)).json["embeddings"]) == 100
    told = await many(app, *map(str, range(101)))
    message = "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n"
    assert (told.status, told.json["error"]["message"]) == (400, message)


MISSING = "is not found for API version v1, or is not supported for embedContent. Call ListModels to see the list of"
REFUSED: Any = [
    ({}, 400, "INVALID_ARGUMENT", "* EmbedContentRequest.content: content is required\n"),
    ({"content": {}}, 400, "INVALID_ARGUMENT", None),
    ({"content": {"parts": []}}, 400, "INVALID_ARGUMENT", None),
    ({"content": {"parts": [{}]}}, 400, "INVALID_ARGUMENT", None),
    ({"content": "Hi"}, 400, "INVALID_ARGUMENT", None),
    (
        {"content": content(), "outputDimensionality": 0},
        400,
        "INVALID_ARGUMENT",
        "* EmbedContentRequest.output_dimensionality: output_dimensionality must be in the range [1, 3072].\n",
    ),
    ({"content": content(), "outputDimensionality": 4000}, 400, "INVALID_ARGUMENT", None),
    (
        {"content": content(), "outputDimensionality": "x"},
        400,
        "INVALID_ARGUMENT",
        "Invalid value at 'output_dimensionality' (TYPE_INT32), \"x\"",
    ),
    (
        {"content": content(), "taskType": "COOKING"},
        400,
        "INVALID_ARGUMENT",
        "Invalid value at 'task_type' (type.googleapis.com/google.ai.generativelanguage.v1beta.TaskType), \"COOKING\"",
    ),
    (
        {"content": content(), "foo": 1},
        400,
        "INVALID_ARGUMENT",
        'Invalid JSON payload received. Unknown name "foo": Cannot find field.',
    ),
    (b"{", 400, "INVALID_ARGUMENT", None),
    (b"[]", 400, "INVALID_ARGUMENT", None),
]


@pytest.mark.parametrize(("body", "status", "code", "message"), REFUSED)
async def test_what_makes_no_sense_is_refused(
    app: Application, body: Any, status: int, code: str, message: str | None
) -> None:
    told = await send(app, body)
    error = told.json["error"]
    assert (told.status, error["code"], error["status"]) == (status, status, code)
    assert message is None or error["message"] == message


async def test_a_batch_names_its_model_in_each_request(app: Application) -> None:
    for model in (None, FIRST, f"models/{SECOND}"):
        request = {"content": content(), **({"model": model} if model else {})}
        told = await send(app, {"requests": [request]}, "batchEmbedContents")
        message = "* BatchEmbedContentsRequest.requests[0].model: unexpected model name format\n"
        assert (told.status, told.json["error"]["message"]) == (400, message)
    told = await send(app, {}, "batchEmbedContents")
    assert told.json["error"]["message"] == "* BatchEmbedContentsRequest.requests: requests is not specified\n"


async def test_a_model_that_chats_does_not_embed(app: Application) -> None:
    told = await send(app, {"content": content()}, model="gemini-2.5-flash")
    assert (told.status, told.json["error"]["status"]) == (404, "NOT_FOUND")
    assert MISSING in told.json["error"]["message"]
    assert (await many(app, "Hi", model="gemini-2.5-flash")).status == 404


async def test_faults_hold_for_embeddings_too(app: Application) -> None:
    app.simulator.change(faults=({"kind": "refuse", "status": 429},))
    try:
        told = await many(app, "Hi")
    finally:
        app.simulator.change(faults=())
    assert (told.status, told.json["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    kinds = {detail["@type"].rpartition(".")[2] for detail in told.json["error"]["details"]}
    assert {"QuotaFailure", "Help"} <= kinds


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=JUNK)
async def test_junk_never_breaks_the_server(app: Application, junk: Any) -> None:
    for name in ("content", "taskType", "title", "outputDimensionality", "model", "embedContentConfig"):
        assert (await send(app, {"content": content(), name: junk})).status < 500
    assert (await send(app, {"requests": junk}, "batchEmbedContents")).status < 500
    assert (await send(app, {"requests": [junk]}, "batchEmbedContents")).status < 500
