"""OpenAI's own client comes back for responses: retrieves, polls, resumes, cancels, lists, counts and deletes them."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from running import until

from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK: Any = {"model": "gpt-4o", "input": "Hello"}


async def polled(client: AsyncOpenAI, simulator: Simulator, id: str) -> Any:
    """The response, asked for again and again until it has ended; each time the simulated time flies."""
    for _ in range(100):
        told = await client.responses.retrieve(id)
        if told.status not in ("queued", "in_progress"):
            return told
        simulator.change(speed=min(1000.0, simulator.settings.speed * 10))
    raise AssertionError("it does not end")


async def test_a_response_is_retrieved_and_deleted(client: AsyncOpenAI) -> None:
    told = await client.responses.create(**ASK, metadata={"a": "b"})
    again = await client.responses.retrieve(told.id)
    assert again.to_dict() == told.to_dict()
    await client.responses.delete(told.id)
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{told.id}' not found"):
        await client.responses.retrieve(told.id)


async def test_input_items_are_listed_page_by_page(client: AsyncOpenAI) -> None:
    items: Any = [{"role": "user", "content": f"number {number}"} for number in range(5)]
    told = await client.responses.create(model="gpt-4o", input=items)
    listed: list[Any] = [item async for item in client.responses.input_items.list(told.id, limit=2)]
    assert [item.content[0].text for item in listed] == [f"number {number}" for number in (4, 3, 2, 1, 0)]
    oldest: Any = await client.responses.input_items.list(told.id, order="asc", limit=1)
    assert oldest.data[0].content[0].text == "number 0"
    assert oldest.has_next_page()


async def test_a_background_response_is_polled_to_its_end(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="gpt4o")
    told = await client.responses.create(**ASK, background=True)
    assert (told.status, told.background, told.output) == ("queued", True, [])
    done = await polled(client, simulator, told.id)
    assert (done.status, bool(done.output_text)) == ("completed", True)
    assert done.usage.output_tokens == 20


async def test_a_background_stream_is_resumed_where_it_broke_off(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="gpt4o", speed=1.0)
    stream = await client.responses.create(**ASK, background=True, stream=True)
    seen: list[Any] = []
    async for event in stream:
        seen.append(event)
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    simulator.change(speed=1000.0)
    id, last = seen[0].response.id, seen[-1].sequence_number
    async for event in await client.responses.retrieve(id, stream=True, starting_after=last):
        seen.append(event)
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert seen[-1].type == "response.completed"
    said = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
    assert said == seen[-1].response.output_text
    assert (await client.responses.retrieve(id)).output_text == said


async def test_the_stream_helper_resumes_too(client: AsyncOpenAI) -> None:
    told = await client.responses.create(**ASK, background=True)
    async with client.responses.stream(response_id=told.id, starting_after=5) as stream:
        numbers = [event.sequence_number async for event in stream]
        final = await stream.get_final_response()
    assert numbers[0] == 6
    assert final.output_text


async def test_a_client_that_leaves_does_not_end_a_background_response(
    client: AsyncOpenAI, simulator: Simulator
) -> None:
    simulator.change(latency_profile="gpt4o")
    stream = await client.responses.create(**ASK, background=True, stream=True)
    first: Any = await anext(aiter(stream))
    await stream.close()
    done = await polled(client, simulator, first.response.id)
    assert done.status == "completed"


async def test_a_background_response_is_cancelled(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")
    told = await client.responses.create(**ASK, background=True)
    cancelled = await client.responses.cancel(told.id)
    assert (cancelled.status, cancelled.output) == ("cancelled", [])
    assert (await client.responses.retrieve(told.id)).status == "cancelled"
    await until(lambda: not simulator.meter.live)


async def test_a_response_in_the_foreground_cannot_be_cancelled(client: AsyncOpenAI) -> None:
    told = await client.responses.create(**ASK)
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        await client.responses.cancel(told.id)


async def test_the_synchronous_client_polls_and_cancels_alike(sync_client: OpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")

    def work() -> list[str | None]:
        told = sync_client.responses.create(**ASK, background=True)
        waiting = sync_client.responses.retrieve(told.id)
        cancelled = sync_client.responses.cancel(told.id)
        return [told.status, waiting.status, cancelled.status]

    assert await asyncio.to_thread(work) == ["queued", "queued", "cancelled"]


async def test_tokens_are_counted(client: AsyncOpenAI) -> None:
    told = await client.responses.create(**ASK)
    assert told.usage
    counted = await client.responses.input_tokens.count(**ASK)
    assert (counted.object, counted.input_tokens) == ("response.input_tokens", told.usage.input_tokens)
    more = await client.responses.input_tokens.count(**ASK, previous_response_id=told.id)
    assert more.input_tokens > counted.input_tokens


async def test_a_conversation_is_made_short_and_gone_on_from(client: AsyncOpenAI) -> None:
    told = await client.responses.create(model="gpt-4o", input="word " * 200)
    short = await client.responses.compact(model="gpt-4o", previous_response_id=told.id)
    assert [item.type for item in short.output] == ["message", "compaction"]
    items: Any = [item.to_dict() for item in short.output if item.type == "compaction"]
    more = await client.responses.create(model="gpt-4o", input=[*items, {"role": "user", "content": "Go on."}])
    assert more.usage
    assert more.usage.input_tokens < 60


async def test_conversations_hold_what_is_said(client: AsyncOpenAI) -> None:
    conversation = await client.conversations.create(items=[{"type": "message", "role": "user", "content": "Hello"}])
    for _ in range(2):
        told = await client.responses.create(model="gpt-4o", input="And?", conversation=conversation.id)
        assert told.conversation
        assert told.conversation.id == conversation.id
    items = [item async for item in client.conversations.items.list(conversation.id, order="asc")]
    assert [getattr(item, "role", "") for item in items] == ["user", *["user", "assistant"] * 2]
    with pytest.raises(openai.NotFoundError, match="Conversation with id 'conv_0' not found"):
        await client.responses.create(model="gpt-4o", input="And?", conversation="conv_0")
