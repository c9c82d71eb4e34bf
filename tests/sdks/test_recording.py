"""llmsim records llmsim: the providers' own clients cannot tell that it stands between, and the tape has every byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import anthropic
import anthropic_bodies
import gemini_bodies
import openai
import pytest
import pytest_asyncio
from anthropic_clients import asynchronous
from gemini_clients import google
from google.genai import errors, types
from openai import AsyncOpenAI
from openai_asks import HELLO, WEATHER
from running import until
from upstream import recorder, takes

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator
from llmsim.tapes import Take

pytestmark = pytest.mark.asyncio(loop_scope="module")

Ask = Callable[[Runner, bool, bool], Coroutine[Any, Any, str]]
"""Asks for words, or for a tool; whole or streamed; gives what was said or the name of the tool."""


async def ask_openai(runner: Runner, stream: bool, tools: bool) -> str:
    more: Any = {"tools": [WEATHER], "tool_choice": "required"} if tools else {}
    async with AsyncOpenAI(
        base_url=f"{runner.url}/openai/v1", api_key="sk-test-key-of-a-client", max_retries=0
    ) as client:
        asked: Any = {"model": "gpt-4o", "messages": HELLO, **more}
        if not stream:
            message = (await client.chat.completions.create(**asked)).choices[0].message
            return message.content or message.tool_calls[0].function.name
        said = ""
        async for chunk in await client.chat.completions.create(**asked, stream=True):
            for choice in chunk.choices:
                said += choice.delta.content or ""
                said += "".join(call.function.name or "" for call in choice.delta.tool_calls or [])
        return said


async def ask_anthropic(runner: Runner, stream: bool, tools: bool) -> str:
    more: Any = {"tools": [anthropic_bodies.WEATHER], "tool_choice": {"type": "any"}} if tools else {}
    asked: Any = {
        "model": "claude-haiku-4-5",
        "max_tokens": 60,
        "messages": [{"role": "user", "content": "Hi"}],
        **more,
    }
    async with asynchronous(runner, api_key="sk-ant-test-key-of-a-client") as client:
        if stream:
            async with client.messages.stream(**asked) as told:
                message: Any = await told.get_final_message()
        else:
            message = await client.messages.create(**asked)
        return "".join(block.text if block.type == "text" else block.name for block in message.content)


async def ask_gemini(runner: Runner, stream: bool, tools: bool) -> str:
    quiet: dict[str, Any] = {"thinking_config": types.ThinkingConfig(thinking_budget=0)}
    if tools:
        called = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
        quiet["tools"] = [types.Tool(function_declarations=[gemini_bodies.WEATHER])]
        quiet["tool_config"] = types.ToolConfig(function_calling_config=called)
        quiet["automatic_function_calling"] = types.AutomaticFunctionCallingConfig(disable=True)
    asked: Any = {"model": gemini_bodies.MODEL, "contents": "Hi", "config": types.GenerateContentConfig(**quiet)}
    async with google(runner) as client:
        if stream:
            chunks = [chunk async for chunk in await client.aio.models.generate_content_stream(**asked)]
        else:
            chunks = [await client.aio.models.generate_content(**asked)]
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts or []]
    return "".join(part.function_call.name if part.function_call else part.text or "" for part in parts)


ASKS = {"openai": ask_openai, "anthropic": ask_anthropic, "gemini": ask_gemini}
REFUSALS: dict[str, type[Exception]] = {
    "openai": openai.RateLimitError,
    "anthropic": anthropic.RateLimitError,
    "gemini": errors.ClientError,
}
GATEWAYS: dict[str, type[Exception]] = {
    "openai": openai.InternalServerError,
    "anthropic": anthropic.InternalServerError,
    "gemini": errors.ServerError,
}
BOTH = [False, True]


@pytest_asyncio.fixture(loop_scope="module")
async def proxy(server: Runner, simulator: Simulator, tmp_path: Path) -> AsyncIterator[Runner]:
    """A recorder before the server, whose tape is `run.jsonl`."""
    async with recorder(tmp_path / "run.jsonl", dict.fromkeys(ASKS, server.url)) as runner:
        yield runner


async def taken(proxy: Runner, simulator: Simulator, end: str = "done") -> Take:
    """What was recorded of the one exchange: it is what the server has sent, byte by byte."""
    recording = proxy.app.recorder
    await until(lambda: (recording.told() or {})["live"] == 0)
    told = await recording.stop()
    assert told is not None
    (take,) = takes(Path(told["tape"]))
    assert take.end == end
    (exchange,) = simulator.journal
    if simulator.reword is not None and (sent := simulator.reword(exchange)) is not None:
        assert take.body == sent[0][: len(take.body)] if end == "cut" else take.body == sent[0]
    assert "key-of-a-client" not in take.line().decode()
    return take


@pytest.mark.parametrize("tools", BOTH)
@pytest.mark.parametrize("stream", BOTH)
@pytest.mark.parametrize("provider", ASKS)
async def test_clients_get_what_they_would_get_without_it(
    proxy: Runner, simulator: Simulator, provider: str, stream: bool, tools: bool
) -> None:
    said = await ASKS[provider](proxy, stream, tools)
    assert (said == "get_weather") if tools else (len(said) > 20)
    take = await taken(proxy, simulator)
    assert (take.upstream, take.provider, take.status) == (provider, provider, 200)
    assert not take.path.startswith(f"/{provider}")
    assert ("event-stream" in take.header("content-type")) is stream


@pytest.mark.parametrize("provider", ASKS)
async def test_errors_are_the_upstreams_own(proxy: Runner, simulator: Simulator, provider: str) -> None:
    simulator.arm({"kind": "refuse", "status": 429, "retry_after": 7})
    with pytest.raises(REFUSALS[provider]):
        await ASKS[provider](proxy, False, False)
    take = await taken(proxy, simulator)
    assert take.status == 429


@pytest.mark.parametrize("provider", ASKS)
async def test_a_cut_stream_has_no_end(proxy: Runner, simulator: Simulator, provider: str) -> None:
    simulator.arm({"kind": "cut", "after_tokens": 3})
    with pytest.raises(Exception):  # noqa: B017, PT011 - the transport's own
        await ASKS[provider](proxy, True, False)
    take = await taken(proxy, simulator, "cut")
    assert take.status == 200
    assert take.body


@pytest.mark.parametrize("provider", ASKS)
async def test_an_upstream_that_is_not_there_is_the_providers_own_502(
    tmp_path: Path, simulator: Simulator, provider: str
) -> None:
    tape = tmp_path / "gone.jsonl"
    async with recorder(tape, dict.fromkeys(ASKS, "http://127.0.0.1:1")) as proxy:
        with pytest.raises(GATEWAYS[provider], match=f"The upstream {provider} at http://127.0.0.1:1 did not answer"):
            await ASKS[provider](proxy, False, False)
    (take,) = takes(tape)
    assert (take.end, take.status, take.provider) == ("error", 0, provider)


async def test_many_clients_of_all_three_at_once(proxy: Runner, simulator: Simulator) -> None:
    said = await asyncio.gather(*(ask(proxy, True, False) for ask in ASKS.values() for _ in range(4)))
    told = await proxy.app.recorder.stop()
    assert told is not None
    await until(lambda: not proxy.app.desk.passing)
    kept = takes(Path(told["tape"]))
    assert len(kept) == len(said) == 12
    assert {take.upstream for take in kept} == set(ASKS)
