"""OpenAI's own client lists, finds and deletes models."""

from __future__ import annotations

import asyncio

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

TUNED = "ft:gpt-4o-mini-2024-07-18:acme::sdk"


async def test_the_list_is_of_openais_own_models(client: AsyncOpenAI) -> None:
    names = [model.id async for model in client.models.list()]
    assert {"gpt-5", "gpt-4o", "gpt-3.5-turbo-instruct", "text-embedding-3-small", "omni-moderation-latest"} <= {*names}
    assert not [name for name in names if "claude" in name or "gemini" in name]


async def test_a_fine_tuned_model_is_deleted(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.store.clear()
    assert (await client.models.retrieve(TUNED)).id == TUNED
    deleted = await client.models.delete(TUNED)
    assert (deleted.id, deleted.object, deleted.deleted) == (TUNED, "model", True)
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve(TUNED)


async def test_the_synchronous_client_may_not_delete_a_model_of_openais(sync_client: OpenAI) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        await asyncio.to_thread(sync_client.models.delete, "gpt-4o")
