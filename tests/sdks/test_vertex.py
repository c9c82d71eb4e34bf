"""Google's and Anthropic's own clients for Google Cloud, with a token that nobody looks at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import pytest
import pytest_asyncio
from anthropic import AnthropicVertex, AsyncAnthropicVertex
from gemini_clients import cloud
from google import genai
from google.genai import errors, types
from openapi import assert_known_keys

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "gemini-2.5-flash"
QUIET = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(thinking_budget=0))
MESSAGE: Any = {
    "model": "claude-haiku-4-5@20251001",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(server: Runner) -> AsyncIterator[genai.Client]:
    async with cloud(server) as one:
        yield one


@pytest.fixture
def client(shared: genai.Client, simulator: Simulator) -> genai.Client:
    """Google's client, which tries everything once; its synchronous half is for use in a thread."""
    simulator.change(generator="fixed:Hello there.")
    return shared


@pytest_asyncio.fixture(loop_scope="module")
async def claude(server: Runner, simulator: Simulator) -> AsyncIterator[AsyncAnthropicVertex]:
    """Anthropic's client, which tries everything once."""
    simulator.change(generator="fixed:Hello there.")
    options: Any = {"region": "us-east5", "project_id": "acme", "access_token": "ya29.test"}
    async with AsyncAnthropicVertex(base_url=f"{server.url}/v1", max_retries=0, timeout=20, **options) as one:
        yield one


@pytest.fixture
def sync_claude(server: Runner, simulator: Simulator) -> Iterator[AnthropicVertex]:
    """Anthropic's synchronous client, for use in a thread."""
    options: Any = {"region": "us-east5", "project_id": "acme", "access_token": "ya29.test"}
    with AnthropicVertex(base_url=f"{server.url}/v1", max_retries=0, timeout=20, **options) as one:
        yield one


# -- Gemini


async def test_a_reply_and_its_stream(client: genai.Client) -> None:
    reply = await client.aio.models.generate_content(model=MODEL, contents="Hi", config=QUIET)
    assert reply.text == "Hello there."
    assert reply.create_time is not None
    assert reply.usage_metadata is not None
    assert reply.usage_metadata.traffic_type is types.TrafficType.ON_DEMAND
    assert_known_keys(reply)
    chunks = await client.aio.models.generate_content_stream(model=MODEL, contents="Hi", config=QUIET)
    assert [chunk.text async for chunk in chunks] == ["Hello", " there", "."]


@pytest.mark.parametrize("name", [f"publishers/google/models/{MODEL}", f"google/{MODEL}"])
async def test_models_are_named_in_several_ways(client: genai.Client, name: str) -> None:
    assert (await client.aio.models.generate_content(model=name, contents="Hi")).model_version == MODEL


async def test_settings_that_only_cloud_has_are_taken(client: genai.Client) -> None:
    settings = types.GenerateContentConfig(
        labels={"team": "a"},
        audio_timestamp=True,
        routing_config=types.GenerationConfigRoutingConfig(
            auto_mode=types.GenerationConfigRoutingConfigAutoRoutingMode(model_routing_preference="BALANCED")
        ),
        model_selection_config=types.ModelSelectionConfig(
            feature_selection_preference=types.FeatureSelectionPreference.BALANCED
        ),
    )
    assert (await client.aio.models.generate_content(model=MODEL, contents="Hi", config=settings)).text


async def test_a_chat_with_functions_ends_in_words(client: genai.Client) -> None:
    def get_weather(city: str) -> str:
        """Tells the weather of a city."""
        return f"It rains in {city}."

    settings = types.GenerateContentConfig(tools=[get_weather])
    reply = await client.aio.chats.create(model=MODEL, config=settings).send_message("The weather in Oslo, please")
    assert "It rains in Oslo." in (reply.text or "")


async def test_tokens_are_counted_and_computed(client: genai.Client) -> None:
    plain = await client.aio.models.count_tokens(model=MODEL, contents="Hello there.")
    told = types.CountTokensConfig(system_instruction="Be kind.")
    more = await client.aio.models.count_tokens(model=MODEL, contents="Hello there.", config=told)
    assert 0 < (plain.total_tokens or 0) < (more.total_tokens or 0)
    computed = await client.aio.models.compute_tokens(model=MODEL, contents="Hello there.")
    (info,) = computed.tokens_info or ()
    assert info.tokens == [b"Hello", b" there", b"."]
    assert info.token_ids is not None
    assert all(isinstance(number, int) for number in info.token_ids)


async def test_the_publisher_s_models_are_listed(client: genai.Client) -> None:
    names = [model.name async for model in await client.aio.models.list()]
    assert f"publishers/google/models/{MODEL}" in names
    assert (await client.aio.models.get(model=MODEL)).name == f"publishers/google/models/{MODEL}"


async def test_the_synchronous_client_works_too(client: genai.Client) -> None:
    reply = await asyncio.to_thread(lambda: client.models.generate_content(model=MODEL, contents="Hi", config=QUIET))
    assert reply.text == "Hello there."


async def test_failures_raise_their_class(client: genai.Client, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 429})
    with pytest.raises(errors.ClientError, match="Resource exhausted") as caught:
        await client.aio.models.generate_content(model=MODEL, contents="Hi")
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")


async def test_a_strict_server_knows_no_strange_model(client: genai.Client, simulator: Simulator) -> None:
    simulator.change(strict=True)
    with pytest.raises(errors.ClientError, match="models/gemini-nobody` was not found") as caught:
        await client.aio.models.generate_content(model="gemini-nobody", contents="Hi")
    assert caught.value.code == 404


# -- Anthropic


async def test_claude_answers_whole_and_streamed(claude: AsyncAnthropicVertex) -> None:
    message = await claude.messages.create(**MESSAGE)
    assert (message.content[0].text, message.stop_reason) == ("Hello there.", "end_turn")  # type: ignore[union-attr]
    async with claude.messages.stream(**MESSAGE) as stream:
        assert [text async for text in stream.text_stream] == ["Hello", " there", "."]
        final = await stream.get_final_message()
    assert final.usage.output_tokens == message.usage.output_tokens == 3


async def test_the_synchronous_claude_answers_too(sync_claude: AnthropicVertex) -> None:
    assert (await asyncio.to_thread(lambda: sync_claude.messages.create(**MESSAGE))).content


async def test_claude_calls_tools(claude: AsyncAnthropicVertex) -> None:
    schema: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools: Any = [{"name": "get_weather", "description": "Tells the weather", "input_schema": schema}]
    message = await claude.messages.create(**MESSAGE, tools=tools)
    assert message.stop_reason == "tool_use"


async def test_claude_s_tokens_are_counted(claude: AsyncAnthropicVertex) -> None:
    told = await claude.messages.count_tokens(model=MESSAGE["model"], messages=MESSAGE["messages"])
    assert told.input_tokens == (await claude.messages.create(**MESSAGE)).usage.input_tokens


async def test_claude_s_betas_come_in_the_body(claude: AsyncAnthropicVertex) -> None:
    message = await claude.beta.messages.create(**MESSAGE, betas=["interleaved-thinking-2025-05-14"])
    assert message.content


@pytest.mark.parametrize(("status", "kind"), [(429, anthropic.RateLimitError), (529, anthropic.APIStatusError)])
async def test_claude_s_failures_raise_their_class(
    claude: AsyncAnthropicVertex, simulator: Simulator, status: int, kind: type[anthropic.APIStatusError]
) -> None:
    simulator.arm({"kind": "refuse", "status": status})
    with pytest.raises(kind) as caught:
        await claude.messages.create(**MESSAGE)
    assert caught.value.status_code == status


async def test_claude_is_told_what_is_wrong(claude: AsyncAnthropicVertex) -> None:
    with pytest.raises(anthropic.BadRequestError, match="max_tokens: Input should be greater than"):
        await claude.messages.create(**{**MESSAGE, "max_tokens": -1})
