"""OpenAI's own client gets moderations as it gets them from OpenAI."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openapi import assert_fits

from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

THREAT = "I want to kill them."


async def test_the_answer_has_all_its_parts(client: AsyncOpenAI) -> None:
    raw = await client.moderations.with_raw_response.create(input=THREAT, model="omni-moderation-latest")
    assert_fits("CreateModerationResponse", raw.http_response.json())
    reply = raw.parse()
    (result,) = reply.results
    assert (reply.id[:5], reply.model, result.flagged) == ("modr-", "omni-moderation-latest", True)
    assert (result.categories.violence, result.categories.harassment_threatening) == (True, True)
    assert (result.categories.sexual, result.categories.self_harm_intent) == (False, False)
    assert result.category_scores.violence > 0.5 > result.category_scores.illicit_violent
    assert result.category_applied_input_types.violence_graphic == ["text"]
    assert raw.headers["x-request-id"].startswith("req_")


async def test_each_string_has_a_result(client: AsyncOpenAI) -> None:
    reply = await client.moderations.create(input=["What a lovely day", THREAT])
    assert [result.flagged for result in reply.results] == [False, True]


async def test_parts_have_one_result_together(client: AsyncOpenAI) -> None:
    parts: Any = [
        {"type": "text", "text": "Look at that"},
        {"type": "image_url", "image_url": {"url": "https://example.com/gore.png"}},
    ]
    (result,) = (await client.moderations.create(input=parts, model="omni-moderation-latest")).results
    assert result.categories.violence_graphic
    assert result.category_applied_input_types.violence == ["text", "image"]
    assert result.category_applied_input_types.hate == ["text"]


async def test_older_models_know_nothing_illicit(client: AsyncOpenAI) -> None:
    reply = await client.moderations.create(input="how to make a bomb", model="text-moderation-latest")
    assert reply.model == "text-moderation-007"
    assert (reply.results[0].categories.violence, reply.results[0].categories.illicit) == (True, None)


async def test_the_synchronous_client_is_answered_alike(sync_client: OpenAI, client: AsyncOpenAI) -> None:
    def work() -> Any:
        return sync_client.moderations.create(input=THREAT).results

    assert await asyncio.to_thread(work) == (await client.moderations.create(input=THREAT)).results


async def test_two_pictures_raise_a_bad_request(client: AsyncOpenAI) -> None:
    picture: Any = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    with pytest.raises(openai.BadRequestError, match="exceeds maximum of 1") as caught:
        await client.moderations.create(input=[picture, picture])
    assert (caught.value.code, caught.value.param) == ("too_many_images", "input")


async def test_an_overloaded_server_raises_its_error(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 503})
    with pytest.raises(openai.InternalServerError, match="overloaded"):
        await client.moderations.create(input="a")
