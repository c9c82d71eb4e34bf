"""OpenAI's own client talks to the Responses API over a web socket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK: Any = {"model": "gpt-4o", "input": "Hello"}
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


async def answered(connection: Any) -> list[Any]:
    """The events of one response."""
    events = []
    async for event in connection:
        events.append(event)
        if event.type in ("response.completed", "response.failed", "error"):
            return events
    raise AssertionError("the connection ended")


async def test_responses_are_created_one_after_the_other(client: AsyncOpenAI) -> None:
    async with client.responses.connect() as connection:
        previous = None
        for _ in range(3):
            more: Any = {"previous_response_id": previous} if previous else {}
            await connection.response.create(**ASK, **more)
            events = await answered(connection)
            last = events[-1].response
            said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
            assert last.output_text == said
            previous = last.id
        assert (await client.responses.retrieve(last.id)).output_text == said


async def test_an_agent_s_loop_works_without_storing_anything(client: AsyncOpenAI) -> None:
    async with client.responses.connect() as connection:
        await connection.response.create(model="gpt-4o", input="The weather in Oslo?", tools=[WEATHER], store=False)
        first = (await answered(connection))[-1].response
        result: Any = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": "sunny"}
        await connection.response.create(
            model="gpt-4o", input=[result], tools=[WEATHER], store=False, previous_response_id=first.id
        )
        assert "sunny" in (await answered(connection))[-1].response.output_text


async def test_errors_come_as_events_and_the_socket_stays(client: AsyncOpenAI, simulator: Simulator) -> None:
    async with client.responses.connect() as connection:
        await connection.response.create(**ASK, previous_response_id="resp_0")
        (event,) = await answered(connection)
        assert event.type == "error"
        assert (event.status, event.error.code) == (400, "previous_response_not_found")
        simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2, "id": "no"})
        await connection.response.create(**ASK)
        assert (await answered(connection))[-1].type == "response.failed"
        simulator.lift("no")
        await connection.response.create(**ASK)
        assert (await answered(connection))[-1].type == "response.completed"


async def test_a_request_is_prepared_without_an_answer(client: AsyncOpenAI) -> None:
    async with client.responses.connect() as connection:
        await connection.response.create(**ASK, generate=False)
        prepared = (await answered(connection))[-1].response
        assert prepared.output == []
        await connection.response.create(**ASK, previous_response_id=prepared.id)
        assert (await answered(connection))[-1].response.output_text


async def test_steering_comes_too_late(client: AsyncOpenAI) -> None:
    async with client.responses.connect() as connection:
        await connection.response.create(**ASK)
        id = (await answered(connection))[-1].response.id
        await connection.response.steer(input="Stop.", previous_response_id=id)
        event: Any = await connection.recv()
        assert (event.type, event.error.code) == ("response.steer.failed", "response_already_completed")


# The SDK opens sockets in a way that the newest websockets library advises against.
@pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")
async def test_the_synchronous_client_is_answered_alike(sync_client: OpenAI) -> None:
    def work() -> str:
        with sync_client.responses.connect() as connection:
            connection.response.create(**ASK)
            for event in connection:
                if event.type == "response.completed":
                    return event.response.output_text
        return ""

    assert await asyncio.to_thread(work)


async def test_a_client_that_leaves_ends_its_response(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="glacial")
    async with client.responses.connect() as connection:
        await connection.response.create(**ASK)
        event: Any = await connection.recv()
        assert event.type == "response.created"
