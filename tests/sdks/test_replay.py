"""The providers' own SDKs cannot tell a replay from what was recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from anthropic import AsyncAnthropic
from gemini_clients import google
from openai import AsyncOpenAI
from replaying import SETTINGS, chat, content, message, response
from running import running
from taped import asked, serving, take

from llmsim.server.reels import Reels
from llmsim.server.serve import Runner

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: dict[str, Any] = {"name": "weather", "input_schema": WEATHER}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Runner]:
    """A server that would say only "made up", with a tape on which it is said otherwise."""
    desk = serving(SETTINGS)
    requests = [
        chat("Hi", stream=True),
        response("Hi"),
        message("Hi", stream=True, model="claude-opus-5-5"),
        message("Weather?", model="claude-opus-5-5", tools=[TOOL], tool_choice={"type": "auto"}),
        content("Hi", stream=True),
    ]
    ears = await asked(desk, *requests)
    takes = [take(desk, request, ear) for request, ear in zip(requests, ears, strict=True)]
    async with running(generator="fixed:made up", replay_speed=100.0) as runner:
        reels = runner.app.desk.reels = Reels(runner.app.routes, runner.simulator.clock)
        reels.take_in((f"run.jsonl line {number}", one) for number, one in enumerate(takes, 1))
        yield runner


@pytest_asyncio.fixture
async def openai(server: Runner) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


@pytest_asyncio.fixture
async def anthropic(server: Runner) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=server.url, api_key="sk-test", max_retries=0) as client:
        yield client


async def test_openai(openai: AsyncOpenAI) -> None:
    stream: Any = await openai.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(text) > 20
    assert text != "made up"
    assert len({chunk.id for chunk in chunks}) == 1
    whole = await openai.responses.create(model="gpt-4o", input="Hi")
    assert whole.output_text not in ("", "made up")
    assert whole.usage is not None
    assert whole.usage.output_tokens == 12


async def test_anthropic(anthropic: AsyncAnthropic) -> None:
    turn: Any = [{"role": "user", "content": "Hi"}]
    async with anthropic.messages.stream(model="claude-opus-5-5", messages=turn, max_tokens=2000) as stream:
        told = await stream.get_final_message()
    block = told.content[-1]
    assert block.type == "text"
    assert block.text != "made up"
    assert told.usage.output_tokens >= 12
    asks: Any = {"tools": [TOOL], "tool_choice": {"type": "auto"}}
    called = await anthropic.messages.create(
        model="claude-opus-5-5", messages=[{"role": "user", "content": "Weather?"}], max_tokens=2000, **asks
    )
    assert called.stop_reason == "tool_use"
    use = called.content[-1]
    assert use.type == "tool_use"
    assert use.name == "weather"


async def test_gemini(server: Runner) -> None:
    told = ""
    async with google(server) as client:
        async for chunk in await client.aio.models.generate_content_stream(model="gemini-2.5-flash", contents="Hi"):
            told += chunk.text or ""
    assert len(told) > 20
    assert told != "made up"


async def test_a_take_of_openai_answers_anthropics_sdk(server: Runner, anthropic: AsyncAnthropic) -> None:
    reels = server.app.desk.reels
    assert reels is not None
    for cue in [cue for cue in reels.reel.cues if cue.dialect == "anthropic_messages"]:
        for table in reels.reel._tables:
            for found in table.values():
                if cue in found:
                    found.remove(cue)
    told = await anthropic.messages.create(
        model="claude-opus-5-5", messages=[{"role": "user", "content": "Hi"}], max_tokens=2000
    )
    block = told.content[-1]
    assert block.type == "text"
    assert block.text != "made up"
