"""Google's own client lists and gets models, under every version, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from gemini_clients import google
from google import genai
from google.genai import errors
from openai import AsyncOpenAI

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(params=["v1", "v1beta", "v1alpha"], loop_scope="module")
async def gemini(request: pytest.FixtureRequest, server: Runner, simulator: Simulator) -> AsyncIterator[genai.Client]:
    async with google(server, api_version=request.param) as one:
        yield one


async def test_models_are_listed_through_all_pages(gemini: genai.Client) -> None:
    pager = await gemini.aio.models.list(config={"page_size": 5})
    assert len(pager.page) == 5
    models = [model async for model in pager]
    assert len({model.name for model in models}) == len(models) > 15
    assert all(model.supported_actions and model.input_token_limit for model in models)
    names = await asyncio.to_thread(lambda: [model.name for model in gemini.models.list()])
    assert names == [model.name for model in models]
    tuned = await gemini.aio.models.list(config={"query_base": False})
    assert [model async for model in tuned] == []


async def test_a_model_is_told_of(gemini: genai.Client) -> None:
    for name in ("gemini-2.5-flash", "models/gemini-2.5-flash"):
        model = await gemini.aio.models.get(model=name)
        assert (model.name, model.display_name, model.thinking) == ("models/gemini-2.5-flash", "Gemini 2.5 Flash", True)
    again = await asyncio.to_thread(lambda: gemini.models.get(model="gemini-2.5-flash"))
    assert (again.name, again.input_token_limit) == (model.name, model.input_token_limit)


async def test_a_model_that_there_is_not_is_an_error(gemini: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as caught:
        await gemini.aio.models.get(model="nope")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    assert "models/nope is not found for API version" in str(caught.value.message)


async def test_three_clients_of_one_root_get_each_their_own_models(server: Runner, simulator: Simulator) -> None:
    async with google(server) as gemini:
        theirs = {model.name async for model in await gemini.aio.models.list()}
        assert "models/gemini-2.5-flash" in theirs
        assert [one async for one in await gemini.aio.files.list()] == []
    async with AsyncAnthropic(base_url=server.url, api_key="k") as claude:
        assert {model.id.partition("-")[0] async for model in claude.models.list()} == {"claude"}
        assert [file async for file in claude.beta.files.list()] == []
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="k") as openai:
        ids = {model.id async for model in openai.models.list()}
        assert "gpt-4o" in ids
        assert not any(id.startswith(("claude", "gemini")) for id in ids)
        assert [file async for file in openai.files.list()] == []
