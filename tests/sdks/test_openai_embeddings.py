"""OpenAI's own client gets vectors as it gets them from OpenAI."""

from __future__ import annotations

import asyncio
from math import hypot
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openapi import assert_fits, assert_known_keys

from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "text-embedding-3-small"


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def vectors(client: AsyncOpenAI, *texts: str, **more: Any) -> list[list[float]]:
    reply = await client.embeddings.create(**{"model": MODEL, "input": list(texts), **more})
    assert [one.index for one in reply.data] == list(range(len(texts)))
    return [one.embedding for one in reply.data]


async def test_the_answer_has_all_its_parts(client: AsyncOpenAI) -> None:
    raw = await client.embeddings.with_raw_response.create(model=MODEL, input="hello world", encoding_format="float")
    reply = raw.parse()
    assert_fits("CreateEmbeddingResponse", raw.http_response.json())
    assert_known_keys(reply)
    assert reply.model == MODEL
    assert (reply.usage.prompt_tokens, reply.usage.total_tokens) == (2, 2)
    assert raw.headers["x-request-id"].startswith("req_")
    assert raw.headers["content-type"] == "application/json"


async def test_what_the_client_decodes_from_base64_are_the_same_floats(client: AsyncOpenAI) -> None:
    """Without a word about the form the client asks for base64 and decodes it."""
    decoded = await vectors(client, "hello world")
    assert decoded == await vectors(client, "hello world", encoding_format="float")
    assert len(decoded[0]) == 1536
    assert hypot(*decoded[0]) == pytest.approx(1.0, abs=1e-5)


async def test_related_texts_are_found(client: AsyncOpenAI) -> None:
    """A search as people build it: the passage that answers the question comes first."""
    passages = [
        "Our office is closed on public holidays.",
        "To reset your password, open the settings and choose Security.",
        "The cat sat on the mat.",
        "Invoices are sent on the first day of each month.",
    ]
    made = await vectors(client, *passages)
    for question, answer in (("how can I reset my password?", 1), ("When are the invoices sent?", 3)):
        (asked,) = await vectors(client, question)
        nearness = [cosine(asked, one) for one in made]
        assert nearness.index(max(nearness)) == answer


@pytest.mark.parametrize(("model", "size"), [("text-embedding-3-large", 3072), ("text-embedding-ada-002", 1536)])
async def test_a_model_has_its_size(client: AsyncOpenAI, model: str, size: int) -> None:
    (vector,) = await vectors(client, "a", model=model)
    assert len(vector) == size


async def test_dimensions_shorten_a_vector(client: AsyncOpenAI) -> None:
    (vector,) = await vectors(client, "a", model="text-embedding-3-large", dimensions=256)
    assert (len(vector), hypot(*vector)) == (256, pytest.approx(1.0, abs=1e-5))


async def test_lists_of_tokens_are_inputs(client: AsyncOpenAI) -> None:
    reply = await client.embeddings.create(model=MODEL, input=[[15339, 1917], [15339]])
    assert [one.embedding for one in reply.data] == await vectors(client, "hello world", "hello")
    assert reply.usage.total_tokens == 3


async def test_the_synchronous_client_is_answered_alike(client: AsyncOpenAI, sync_client: OpenAI) -> None:
    def work() -> list[float]:
        return sync_client.embeddings.create(model=MODEL, input="hello world").data[0].embedding

    assert [await asyncio.to_thread(work)] == await vectors(client, "hello world")


async def test_the_most_inputs_come_back_in_order(client: AsyncOpenAI) -> None:
    assert len(await vectors(client, *map(str, range(2048)))) == 2048


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"input": ["a", ""]}, "Invalid 'input\\[1\\]': input cannot be an empty string"),
        ({"input": []}, "'\\$.input' is invalid"),
        ({"input": ["a"] * 2049}, "array length must be 2048 or less"),
        ({"input": "a", "dimensions": 1537}, "Must be less than or equal to 1536"),
        ({"input": "a", "dimensions": 5, "model": "text-embedding-ada-002"}, "does not support specifying dimensions"),
    ],
)
async def test_what_cannot_be_raises_a_bad_request(client: AsyncOpenAI, more: Any, words: str) -> None:
    with pytest.raises(openai.BadRequestError, match=words):
        await client.embeddings.create(**{"model": MODEL, **more})


async def test_a_chat_model_makes_no_vectors(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="not allowed to generate embeddings"):
        await client.embeddings.create(model="gpt-4o", input="a")


async def test_a_rate_limit_is_raised_and_retried(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 429, "retry_after": 0.001, "probability": 1.0})
    with pytest.raises(openai.RateLimitError):
        await client.embeddings.create(model=MODEL, input="a")
    patient = client.with_options(max_retries=2)
    with pytest.raises(openai.RateLimitError):
        await patient.embeddings.create(model=MODEL, input="a")
    assert [exchange.ask.attempt for exchange in simulator.journal] == [0, 0, 1, 2]
