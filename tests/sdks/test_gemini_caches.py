"""Google's own client caches contents and generates with them."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from gemini_clients import google
from google import genai
from google.genai import errors

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "gemini-2.5-flash"
WORDS: Any = {"contents": ["word " * 200], "system_instruction": "Be kind.", "display_name": "été 🎉", "ttl": "300s"}


@pytest_asyncio.fixture(params=["v1", "v1beta"], loop_scope="module")
async def gemini(request: pytest.FixtureRequest, server: Runner, simulator: Simulator) -> AsyncIterator[genai.Client]:
    simulator.store.clear()
    async with google(server, api_version=request.param) as one:
        yield one


async def test_a_content_is_cached_used_changed_and_deleted(gemini: genai.Client) -> None:
    caches = gemini.aio.caches
    cache = await caches.create(model=MODEL, config=WORDS)
    assert cache.name
    assert cache.usage_metadata
    assert cache.usage_metadata.total_token_count
    assert (cache.model, cache.display_name) == (f"models/{MODEL}", "été 🎉")
    assert await caches.get(name=cache.name) == cache
    told = await gemini.aio.models.generate_content(model=MODEL, contents="Hi", config={"cached_content": cache.name})
    assert told.text
    assert told.usage_metadata
    assert told.usage_metadata.cached_content_token_count == cache.usage_metadata.total_token_count
    assert told.usage_metadata.prompt_token_count
    assert told.usage_metadata.prompt_token_count > cache.usage_metadata.total_token_count
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=3)
    changed = await caches.update(name=cache.name, config={"expire_time": until})
    assert changed.expire_time == until
    later = await caches.update(name=cache.name, config={"ttl": "7200s"})
    assert later.update_time
    assert later.expire_time
    assert later.expire_time - later.update_time == datetime.timedelta(hours=2)
    await caches.delete(name=cache.name)
    with pytest.raises(errors.ClientError) as caught:
        await caches.get(name=cache.name)
    assert (caught.value.code, caught.value.status) == (403, "PERMISSION_DENIED")


async def test_caches_are_listed_through_all_pages(gemini: genai.Client) -> None:
    names = [(await gemini.aio.caches.create(model=MODEL, config=WORDS)).name for _ in range(3)]
    assert [cache.name async for cache in await gemini.aio.caches.list(config={"page_size": 2})] == names


async def test_the_synchronous_client_gets_the_same(gemini: genai.Client) -> None:
    def whole_life() -> list[str | None]:
        cache = gemini.caches.create(model=MODEL, config=WORDS)
        assert cache.name
        listed = [one.name for one in gemini.caches.list()]
        chat = gemini.chats.create(model=MODEL, config={"cached_content": cache.name})
        told = [chat.send_message(text).usage_metadata for text in ("Hi", "And?")]
        assert all(usage and usage.cached_content_token_count for usage in told)
        gemini.caches.delete(name=cache.name)
        return listed

    assert len(await asyncio.to_thread(whole_life)) == 1


async def test_a_cache_of_another_model_is_refused(gemini: genai.Client) -> None:
    cache = await gemini.aio.caches.create(model=MODEL, config=WORDS)
    with pytest.raises(errors.ClientError) as caught:
        await gemini.aio.models.generate_content(
            model="gemini-2.5-pro", contents="Hi", config={"cached_content": cache.name}
        )
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    with pytest.raises(errors.ClientError):
        await gemini.aio.caches.create(model=MODEL, config={})
