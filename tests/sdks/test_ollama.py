"""Ollama's own client, both of its kinds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from ollama import AsyncClient, Client, ResponseError
from pydantic import BaseModel

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

HI = [{"role": "user", "content": "Hi"}]


class City(BaseModel):
    name: str
    people: int


def weather(city: str) -> str:
    """Tells the weather.

    Args:
        city: where
    """
    return f"rain in {city}"


@pytest_asyncio.fixture(loop_scope="module")
async def client(server: Runner, simulator: Simulator) -> AsyncIterator[AsyncClient]:
    simulator.change(generator="fixed:one two three")
    async with AsyncClient(host=server.url) as client:
        yield client


@pytest.fixture
def sync_client(server: Runner, simulator: Simulator) -> Iterator[Client]:
    simulator.change(generator="fixed:one two three")
    with Client(host=server.url) as client:
        yield client


async def test_chat(client: AsyncClient) -> None:
    told = await client.chat("llama3.2", HI)
    assert (told.message.content, told.done, told.done_reason, told.eval_count) == ("one two three", True, "stop", 3)


async def test_chat_streamed(client: AsyncClient) -> None:
    parts = [part async for part in await client.chat("llama3.2", HI, stream=True)]
    assert "".join(part.message.content or "" for part in parts) == "one two three"
    assert [part.done for part in parts] == [False, False, False, True]
    assert parts[-1].prompt_eval_count


async def test_a_tool_loop_ends_in_words(client: AsyncClient) -> None:
    messages: list[object] = [{"role": "user", "content": "Weather in Oslo?"}]
    told = await client.chat("llama3.2", messages, tools=[weather])  # type: ignore[arg-type]
    (call,) = told.message.tool_calls or ()
    assert call.function.name == "weather"
    result = weather(**call.function.arguments)
    messages += [told.message, {"role": "tool", "tool_name": "weather", "content": result}]
    told = await client.chat("llama3.2", messages, tools=[weather])  # type: ignore[arg-type]
    assert not told.message.tool_calls
    assert "rain in" in (told.message.content or "")


async def test_structured_output(client: AsyncClient) -> None:
    told = await client.chat("llama3.2", HI, format=City.model_json_schema())
    assert City.model_validate_json(told.message.content or "").name


async def test_thinking(client: AsyncClient) -> None:
    told = await client.chat("qwen3", HI, think=True)
    assert told.message.thinking
    assert told.message.content == "one two three"


async def test_generate(client: AsyncClient) -> None:
    assert (await client.generate("llama3.2", "Hi")).response == "one two three"
    parts = [part async for part in await client.generate("llama3.2", "Hi", stream=True)]
    assert "".join(part.response or "" for part in parts) == "one two three"


async def test_embed(client: AsyncClient) -> None:
    told = await client.embed("nomic-embed-text", ["a", "b"], dimensions=32)
    assert [len(vector) for vector in told.embeddings] == [32, 32]
    assert len((await client.embeddings("nomic-embed-text", "a")).embedding) == 768


async def test_models(client: AsyncClient) -> None:
    assert [model.model for model in (await client.list()).models]
    assert (await client.show("llama3.2")).capabilities == ["completion", "tools"]
    assert (await client.ps()).models
    assert (await client.pull("llama3.2")).status == "success"
    assert [part.status async for part in await client.pull("llama3.2", stream=True)][-1] == "success"
    assert (await client.delete("llama3.2")).status == "success"


async def test_errors(client: AsyncClient, simulator: Simulator) -> None:
    simulator.change(strict=True)
    with pytest.raises(ResponseError) as told:
        await client.chat("nobody", HI)
    assert told.value.status_code in (401, 404)
    simulator.change(strict=False)
    simulator.arm({"kind": "refuse", "status": 503})
    with pytest.raises(ResponseError) as told:
        await client.chat("llama3.2", HI)
    assert (told.value.status_code, "server busy" in told.value.error) == (503, True)


async def test_an_error_in_mid_stream(client: AsyncClient, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 1, "message": "No more."})
    said = []
    stream = await client.chat("llama3.2", HI, stream=True)
    with pytest.raises(ResponseError, match="No more"):
        said += [part.message.content async for part in stream]
    assert said == []


async def test_the_synchronous_client(sync_client: Client) -> None:
    def use() -> None:
        assert sync_client.chat("llama3.2", HI).message.content == "one two three"
        parts = list(sync_client.chat("llama3.2", HI, stream=True))
        assert "".join(part.message.content or "" for part in parts) == "one two three"
        assert len(sync_client.embed("nomic-embed-text", "a").embeddings[0]) == 768

    await asyncio.to_thread(use)
