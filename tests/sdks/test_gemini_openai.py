"""OpenAI's own client at Google's address: chats, tools, structured output, thoughts, embeddings, models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL, THINKER, NEWEST = "gemini-2.5-flash-lite", "gemini-2.5-flash", "gemini-3-flash-preview"
HELLO: Any = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Event(BaseModel):
    name: str
    people: list[str]


@pytest_asyncio.fixture(loop_scope="module")
async def gemini(server: Runner, simulator: Simulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1beta/openai/", api_key="k", max_retries=0) as one:
        yield one


async def test_a_chat_whole_and_streamed(gemini: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(generator="echo")
    told = await gemini.chat.completions.create(model=MODEL, messages=HELLO)
    assert (told.choices[0].message.content, told.choices[0].finish_reason, told.model) == ("Hello", "stop", MODEL)
    assert told.usage
    assert told.usage.total_tokens == told.usage.prompt_tokens + told.usage.completion_tokens
    options: Any = {"include_usage": True}
    stream = await gemini.chat.completions.create(model=MODEL, messages=HELLO, stream=True, stream_options=options)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello"
    assert chunks[-1].usage == told.usage


async def test_the_synchronous_client_gets_the_same(server: Runner, simulator: Simulator) -> None:
    simulator.change(generator="echo")

    def talk() -> str | None:
        with OpenAI(base_url=f"{server.url}/v1beta/openai/", api_key="k") as client:
            told = client.chat.completions.create(model=MODEL, messages=HELLO)
            return told.choices[0].message.content

    assert await asyncio.to_thread(talk) == "Hello"


async def test_a_signed_call_goes_round(gemini: AsyncOpenAI) -> None:
    told = await gemini.chat.completions.create(model=NEWEST, messages=HELLO, tools=[WEATHER])
    message = told.choices[0].message
    assert told.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls
    call: Any = message.tool_calls[0]
    assert call.extra_content["google"]["thought_signature"]
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "rainy"}
    messages: Any = [*HELLO, message, result]
    answer = await gemini.chat.completions.create(model=NEWEST, messages=messages, tools=[WEATHER])
    assert "rainy" in (answer.choices[0].message.content or "")


async def test_calls_are_streamed(gemini: AsyncOpenAI) -> None:
    async with gemini.chat.completions.stream(model=NEWEST, messages=HELLO, tools=[WEATHER]) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.tool_calls
    assert final.choices[0].message.tool_calls[0].function.name == "get_weather"


async def test_structured_output_is_parsed(gemini: AsyncOpenAI) -> None:
    told = await gemini.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Event)
    assert isinstance(told.choices[0].message.parsed, Event)


async def test_effort_and_thoughts(gemini: AsyncOpenAI) -> None:
    told = await gemini.chat.completions.create(model=THINKER, messages=HELLO, reasoning_effort="none")
    assert told.usage
    assert told.usage.completion_tokens_details
    assert told.usage.completion_tokens_details.reasoning_tokens == 0
    shown: Any = {"extra_body": {"google": {"thinking_config": {"thinking_budget": 64, "include_thoughts": True}}}}
    told = await gemini.chat.completions.create(model=THINKER, messages=HELLO, extra_body=shown)
    assert (told.choices[0].message.content or "").startswith("<thought>")


async def test_embeddings_and_models(gemini: AsyncOpenAI) -> None:
    told = await gemini.embeddings.create(model="gemini-embedding-001", input=["one", "two"], dimensions=256)
    assert [len(item.embedding) for item in told.data] == [256, 256]
    models = [model async for model in gemini.models.list()]
    assert "models/gemini-2.5-flash" in {model.id for model in models}
    assert (await gemini.models.retrieve("gemini-2.5-flash")).id == "models/gemini-2.5-flash"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"messages": []}, openai.BadRequestError),
        ({"reasoning_effort": "huge"}, openai.BadRequestError),
        ({"extra_body": {"foo": 1}}, openai.BadRequestError),
    ],
)
async def test_what_makes_no_sense_is_an_error(gemini: AsyncOpenAI, fields: Any, kind: Any) -> None:
    with pytest.raises(kind) as caught:
        await gemini.chat.completions.create(**{"model": MODEL, "messages": HELLO, **fields})
    assert caught.value.status_code == 400
    assert caught.value.response.json()[0]["error"]["status"] == "INVALID_ARGUMENT"


async def test_faults_are_errors_of_their_kind(gemini: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 429})
    with pytest.raises(openai.RateLimitError) as caught:
        await gemini.chat.completions.create(model=MODEL, messages=HELLO)
    assert caught.value.response.json()[0]["error"]["status"] == "RESOURCE_EXHAUSTED"
    simulator.change(faults=())
    with pytest.raises(openai.NotFoundError):
        await gemini.models.retrieve("nope")
