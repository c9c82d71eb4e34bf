"""OpenAI's own client keeps conversations and their items as it does with OpenAI."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openapi import assert_known_keys

from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: Any = {"type": "message", "role": "user", "content": "Hello!"}
CALLED: Any = [
    {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city":"Oslo"}'},
    {"type": "function_call_output", "call_id": "call_1", "output": "Sunny."},
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {"role": "assistant", "content": [{"type": "output_text", "text": "It is sunny. 漢字", "annotations": []}]},
]


async def test_a_conversation_can_be_made_found_changed_and_deleted(client: AsyncOpenAI) -> None:
    conversations = client.conversations
    made = await conversations.create(items=[HELLO], metadata={"topic": "demo"})
    assert_known_keys(made)
    assert await conversations.retrieve(made.id) == made
    changed = await conversations.update(made.id, metadata={"topic": "other"})
    assert (changed.id, changed.created_at, changed.metadata) == (made.id, made.created_at, {"topic": "other"})
    gone = await conversations.delete(made.id)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "conversation.deleted")
    with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{made.id}' not found."):
        await conversations.retrieve(made.id)


async def test_items_can_be_added_listed_found_and_deleted(client: AsyncOpenAI) -> None:
    made = await client.conversations.create()
    items = client.conversations.items
    told = await items.create(made.id, items=[HELLO, *CALLED])
    assert_known_keys(told)
    assert [item.type for item in told.data] == [
        "message", "function_call", "function_call_output", "reasoning", "message",
    ]  # fmt: skip
    assert (told.first_id, told.last_id) == (told.data[0].id, told.data[-1].id)
    listed = [item async for item in items.list(made.id, order="asc", limit=2)]
    assert listed == told.data
    last = listed[-1]
    assert last.type == "message"
    assert last.content[0].type == "output_text"
    assert last.content[0].text == "It is sunny. 漢字"
    assert last.id
    assert await items.retrieve(last.id, conversation_id=made.id) == last
    assert await items.delete(last.id, conversation_id=made.id) == made
    assert [item.id async for item in items.list(made.id)] == [item.id for item in reversed(listed[:-1])]
    with pytest.raises(openai.NotFoundError, match=f"Item with id '{last.id}' not found."):
        await items.retrieve(last.id, conversation_id=made.id)


async def test_what_was_listed_can_be_sent_to_another_conversation(client: AsyncOpenAI) -> None:
    """As programs do that copy a conversation: whatever comes out of one goes into the next."""
    first = await client.conversations.create(items=[HELLO, *CALLED])
    copied: Any = [
        item.model_dump(exclude_unset=True) async for item in client.conversations.items.list(first.id, order="asc")
    ]
    second = await client.conversations.create(items=copied)
    again = [
        item.model_dump(exclude_unset=True) async for item in client.conversations.items.list(second.id, order="asc")
    ]
    assert again == copied


async def test_what_a_response_answers_and_says_is_in_its_conversation(client: AsyncOpenAI) -> None:
    made = await client.conversations.create(items=[HELLO])
    response = await client.responses.create(model="gpt-4o", input="And you?", conversation=made.id)
    items = [item async for item in client.conversations.items.list(made.id, order="asc")]
    for item in items:
        assert_known_keys(item)
    assert [item.role for item in items if item.type == "message"] == ["user", "user", "assistant"]
    assert items[-1].id == response.output[-1].id
    referred = await client.conversations.create(items=[{"type": "item_reference", "id": response.output[-1].id or ""}])
    assert (await client.conversations.items.list(referred.id)).data == items[-1:]


async def test_what_is_asked_for_is_included(client: AsyncOpenAI) -> None:
    image: Any = {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"}
    made = await client.conversations.create(items=[{"role": "user", "content": [image]}])
    for include, url in (([], None), (["message.input_image.image_url"], "https://example.com/a.png")):
        (item,) = (await client.conversations.items.list(made.id, include=include)).data  # type: ignore[arg-type]
        assert item.type == "message"
        assert item.content[0].type == "input_image"
        assert item.content[0].image_url == url


async def test_a_synchronous_client_does_the_same(sync_client: OpenAI) -> None:
    def work() -> list[Any]:
        conversations = sync_client.conversations
        made = conversations.create(metadata={"a": "b"})
        conversations.items.create(made.id, items=[HELLO])
        (item,) = conversations.items.list(made.id)
        assert item.id
        left = conversations.items.delete(item.id, conversation_id=made.id)
        return [left == made, list(conversations.items.list(made.id)), conversations.delete(made.id).deleted]

    assert await asyncio.to_thread(work) == [True, [], True]


async def test_refusals_are_the_errors_own_class(client: AsyncOpenAI) -> None:
    made = await client.conversations.create()
    with pytest.raises(openai.BadRequestError) as caught:
        await client.conversations.items.create(made.id, items=[HELLO] * 21)
    assert (caught.value.param, caught.value.code) == ("items", "array_above_max_length")
    with pytest.raises(openai.BadRequestError) as caught:
        await client.conversations.items.create(made.id, items=[{"type": "file_search_call", "queries": []}])  # type: ignore[list-item]
    assert (caught.value.param, caught.value.code) == ("items[0].id", "missing_required_parameter")


async def test_faults_hold_for_conversations_too(client: AsyncOpenAI, simulator: Simulator) -> None:
    made = await client.conversations.create()
    simulator.arm({"kind": "refuse", "status": 429, "retry_after": 1})
    with pytest.raises(openai.RateLimitError):
        await client.conversations.items.create(made.id, items=[HELLO])
    simulator.lift()
    assert (await client.conversations.items.list(made.id)).data == []
