"""Google's own client gets embeddings: of one text and of many, as long as it wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from math import hypot
from typing import Any

import pytest
import pytest_asyncio
from gemini_clients import google
from google import genai
from google.genai import errors, types

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "gemini-embedding-001"


@pytest_asyncio.fixture(params=["v1", "v1beta"], loop_scope="module")
async def gemini(request: pytest.FixtureRequest, server: Runner, simulator: Simulator) -> AsyncIterator[genai.Client]:
    async with google(server, api_version=request.param) as one:
        yield one


def vectors(told: types.EmbedContentResponse) -> list[list[float]]:
    assert told.embeddings
    return [one.values or [] for one in told.embeddings]


async def test_one_text_and_many(gemini: genai.Client) -> None:
    (one,) = vectors(await gemini.aio.models.embed_content(model=MODEL, contents="Hello"))
    assert len(one) == 3072
    assert hypot(*one) == pytest.approx(1, abs=1e-5)
    many = vectors(await gemini.aio.models.embed_content(model=MODEL, contents=["Hello", "Bye"]))
    assert many[0] == one != many[1]
    same = await asyncio.to_thread(lambda: gemini.models.embed_content(model=MODEL, contents=["Hello", "Bye"]))
    assert vectors(same) == many


async def test_task_title_and_size_are_taken(gemini: genai.Client) -> None:
    config: Any = {"task_type": "RETRIEVAL_DOCUMENT", "title": "A title", "output_dimensionality": 768}
    (vector,) = vectors(await gemini.aio.models.embed_content(model=MODEL, contents=["Hello"], config=config))
    assert len(vector) == 768
    second = await gemini.aio.models.embed_content(
        model="gemini-embedding-2", contents="Hello", config={"output_dimensionality": 768}
    )
    assert hypot(*vectors(second)[0]) == pytest.approx(1, abs=1e-5)


async def test_related_texts_are_nearer(gemini: genai.Client) -> None:
    texts = ["The cat sleeps on the sofa", "A cat is sleeping on a sofa", "Quarterly revenue grew by nine per cent"]
    cat, other, money = vectors(await gemini.aio.models.embed_content(model=MODEL, contents=texts))
    near, far = (sum(a * b for a, b in zip(cat, vector, strict=True)) for vector in (other, money))
    assert near > 0.4 > far


@pytest.mark.parametrize(
    ("model", "config", "code"),
    [
        (MODEL, {"output_dimensionality": 9999}, 400),
        (MODEL, {"task_type": "COOKING"}, 400),
        ("gemini-2.5-flash", {}, 404),
    ],
)
async def test_what_makes_no_sense_is_an_error(gemini: genai.Client, model: str, config: Any, code: int) -> None:
    with pytest.raises(errors.ClientError) as caught:
        await gemini.aio.models.embed_content(model=model, contents=["Hello"], config=config)
    assert (caught.value.code, caught.value.status) == (code, {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}[code])
