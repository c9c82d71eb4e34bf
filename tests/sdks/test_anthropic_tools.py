"""Agents' loops with Anthropic's own tool runner, and the message threads it opens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest
import pytest_asyncio
from anthropic import Anthropic, AsyncAnthropic, beta_async_tool, beta_tool, types
from anthropic_bodies import CACHED, NEWEST, THREADS, text
from anthropic_clients import asynchronous, synchronous
from openapi import assert_known_keys
from pydantic import BaseModel

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The client warns of models that are to be shut down; this one thinks only when it is told to.
MODEL = "claude-haiku-4-5"
ASKED: Any = [{"role": "user", "content": "The weather in Oslo, please"}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_claude(server: Runner) -> AsyncIterator[AsyncAnthropic]:
    async with asynchronous(server) as one:
        yield one


@pytest.fixture
def claude(shared_claude: AsyncAnthropic, simulator: Simulator) -> AsyncAnthropic:
    """The asynchronous client, which tries everything once."""
    return shared_claude


@pytest.fixture
def sync_claude(server: Runner, simulator: Simulator) -> Iterator[Anthropic]:
    """The synchronous client, for use in a thread."""
    with synchronous(server) as one:
        yield one


@beta_async_tool
async def get_weather(city: str) -> str:
    """Tells the weather.

    Args:
        city: the city
    """
    return f"It rains in {city}."


@beta_tool
def get_weather_now(city: str) -> str:
    """Tells the weather.

    Args:
        city: the city
    """
    return f"It rains in {city}."


def sent(simulator: Simulator) -> list[Any]:
    """The bodies of the messages that the server was sent, oldest first."""
    bodies = [(exchange.number, exchange.request) for exchange in simulator.journal]
    return [orjson.loads(body) for _, body in sorted(bodies)]


# -- the tool runner


@pytest.mark.parametrize("model", [MODEL, NEWEST])
async def test_the_runner_s_loop_ends_in_words(claude: AsyncAnthropic, simulator: Simulator, model: str) -> None:
    runner = claude.beta.messages.tool_runner(model=model, max_tokens=1000, tools=[get_weather], messages=ASKED)
    messages = [message async for message in runner]
    assert [message.stop_reason for message in messages] == ["tool_use", "end_turn"]
    final = messages[-1].content[-1]
    assert final.type == "text"
    assert final.text.startswith("The get_weather tool returned: It rains in Oslo.")
    for message in messages:
        assert_known_keys(message)


async def test_the_runner_sends_each_message_once(claude: AsyncAnthropic, simulator: Simulator) -> None:
    await claude.beta.messages.tool_runner(
        model=MODEL, max_tokens=1000, tools=[get_weather], messages=ASKED, system="Be kind."
    ).until_done()
    first, second = sent(simulator)
    assert (first["thread"], len(first["messages"])) == ({"type": "create"}, 1)
    assert second["thread"]["type"] == "continue"
    assert [block["type"] for block in second["messages"][0]["content"]] == ["tool_result"]
    assert not {"system", "tools"} & second.keys()


async def test_the_runner_works_without_threads_too(claude: AsyncAnthropic, simulator: Simulator) -> None:
    runner = claude.beta.messages.tool_runner(
        model=MODEL, max_tokens=1000, tools=[get_weather], messages=ASKED, thread=False
    )
    assert (await runner.until_done()).stop_reason == "end_turn"
    assert [len(body["messages"]) for body in sent(simulator)] == [1, 3]


async def test_the_runner_streams(claude: AsyncAnthropic) -> None:
    runner = claude.beta.messages.tool_runner(
        model=NEWEST, max_tokens=1000, tools=[get_weather], messages=ASKED, stream=True
    )
    reasons = []
    async for stream in runner:
        reasons.append((await stream.get_final_message()).stop_reason)
    assert reasons == ["tool_use", "end_turn"]


async def test_the_runner_goes_on_after_it_has_compacted(claude: AsyncAnthropic) -> None:
    runner = claude.beta.messages.tool_runner(
        model=NEWEST, max_tokens=1000, tools=[get_weather], messages=ASKED, betas=["compact-2026-09-04"]
    )
    reasons = []
    async for message in runner:
        reasons.append(message.stop_reason)
        if message.stop_reason == "tool_use":
            runner.compact_before_next_turn()
    assert reasons == ["tool_use", "compaction", "end_turn"]


async def test_the_synchronous_runner_s_loop_ends(sync_claude: Anthropic) -> None:
    def run() -> list[Any]:
        asked: Any = {"model": MODEL, "max_tokens": 1000, "tools": [get_weather_now], "messages": ASKED}
        plain = [message.stop_reason for message in sync_claude.beta.messages.tool_runner(**asked)]
        streams = sync_claude.beta.messages.tool_runner(**asked, stream=True)
        return [plain, [stream.get_final_message().stop_reason for stream in streams]]

    assert await asyncio.to_thread(run) == [["tool_use", "end_turn"]] * 2


@pytest.mark.filterwarnings("ignore:The model 'claude-3-5-haiku-latest' is deprecated")
async def test_the_runner_goes_on_without_threads_where_there_can_be_none(
    claude: AsyncAnthropic, simulator: Simulator
) -> None:
    runner = claude.beta.messages.tool_runner(
        model="claude-3-5-haiku-latest", max_tokens=1000, tools=[get_weather], messages=ASKED
    )
    assert (await runner.until_done()).stop_reason == "end_turn"
    assert [body.get("thread") for body in sent(simulator)] == [{"type": "create"}, None, None]


# -- threads by hand


async def test_a_thread_goes_on(claude: AsyncAnthropic, simulator: Simulator) -> None:
    thread = claude.beta.messages.thread(model=MODEL, max_tokens=200, system="Be kind.")
    costs = [(await thread.send({"role": "user", "content": f"Turn {at}"})).usage.input_tokens for at in range(4)]
    assert costs == sorted(set(costs))
    assert [len(body["messages"]) for body in sent(simulator)] == [1] * 4


async def test_a_thread_streams_and_goes_on(claude: AsyncAnthropic, simulator: Simulator) -> None:
    thread = claude.beta.messages.thread(model=NEWEST, max_tokens=200)
    for at in range(3):
        async with thread.stream({"role": "user", "content": f"Turn {at}"}) as stream:
            assert (await stream.get_final_message()).stop_reason
    assert [body["thread"]["type"] for body in sent(simulator)] == ["create", "continue", "continue"]


async def test_a_thread_that_the_server_lost_is_replayed(claude: AsyncAnthropic, simulator: Simulator) -> None:
    thread = claude.beta.messages.thread(model=MODEL, max_tokens=200)
    await thread.send({"role": "user", "content": "One"})
    simulator.store.clear()
    await thread.send({"role": "user", "content": "Two"})
    await thread.send({"role": "user", "content": "Three"})
    kinds = [(body["thread"]["type"], len(body["messages"])) for body in sent(simulator)]
    assert kinds == [("create", 1), ("continue", 1), ("create", 3), ("continue", 1)]


async def test_a_forked_thread_goes_its_own_way(claude: AsyncAnthropic) -> None:
    thread = claude.beta.messages.thread(model=MODEL, max_tokens=200)
    await thread.send({"role": "user", "content": "One"})
    fork = thread.fork()
    replies = [await one.send({"role": "user", "content": "Two"}) for one in (thread, fork)]
    assert len({reply.id for reply in replies}) == 2


class Place(BaseModel):
    city: str


async def test_a_thread_parses_its_replies(claude: AsyncAnthropic) -> None:
    thread = claude.beta.messages.thread(model=MODEL, max_tokens=200, output_format=Place)
    for _ in range(2):
        assert isinstance((await thread.parse({"role": "user", "content": "Where?"})).parsed_output, Place)


async def test_a_cut_turn_of_a_thread_is_sent_again(claude: AsyncAnthropic, simulator: Simulator) -> None:
    thread = claude.beta.messages.thread(model=MODEL, max_tokens=200)
    await thread.send({"role": "user", "content": "One"})
    simulator.arm({"kind": "cut", "after_tokens": 3, "id": "scissors"})
    with pytest.raises(Exception):  # noqa: B017, PT011 - which one depends on where the connection broke
        async with thread.stream({"role": "user", "content": "Two"}) as stream:
            await stream.get_final_message()
    simulator.lift("scissors")
    assert (await thread.send()).stop_reason == "end_turn"


async def test_each_error_of_threads_has_its_class(claude: AsyncAnthropic) -> None:
    async def turn(thread: Any, **fields: Any) -> Any:
        asked: Any = {"model": MODEL, "max_tokens": 50, "messages": ASKED, **fields}
        return await claude.beta.messages.create(**asked, thread=thread, betas=[THREADS])

    with pytest.raises(types.ThreadNotFoundError) as missing:
        await turn({"type": "continue", "previous_message_id": "msg_x"})
    assert (missing.value.status_code, missing.value.type) == (404, "not_found_error")
    first = await turn({"type": "create"})
    after: Any = {"type": "continue", "previous_message_id": first.id}
    form: Any = {"type": "json_schema", "schema": {**Place.model_json_schema(), "additionalProperties": False}}
    with pytest.raises(types.ThreadFingerprintMismatchError):
        await turn(after, output_config={"format": form})
    await turn(after)
    with pytest.raises(types.ThreadAlreadyContinuedError) as continued:
        await turn(after)
    assert continued.value.details.error_code == "thread_already_continued"
    marked = [{"role": "user", "content": [text(str(at), **CACHED) for at in range(4)]}]
    with pytest.raises(types.ThreadUnsupportedRequestError) as unsupported:
        await turn({"type": "create"}, messages=marked)
    assert unsupported.value.details.unsupported == ["cache_control"]


async def test_a_second_request_while_the_first_is_under_way(claude: AsyncAnthropic, simulator: Simulator) -> None:
    asked: Any = {"model": MODEL, "max_tokens": 50, "messages": ASKED, "betas": [THREADS]}
    first = await claude.beta.messages.create(**asked, thread={"type": "create"})
    after: Any = {"type": "continue", "previous_message_id": first.id}
    simulator.change(latency_profile="glacial")
    async with claude.beta.messages.stream(**asked, thread=after) as stream:
        await anext(aiter(stream))
        with pytest.raises(types.ThreadContinueInFlightError):
            await claude.beta.messages.create(**asked, thread=after)
    simulator.change(latency_profile="instant")
