"""OpenAI's own client finds again the chat completions that it had stored."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion

from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

HI: Any = [{"role": "user", "content": "Hi"}]


@pytest.fixture(autouse=True)
def nothing_stored(simulator: Simulator) -> None:
    simulator.store.clear()


async def made(client: AsyncOpenAI, **more: Any) -> ChatCompletion:
    asked: Any = {"model": "gpt-4o", "messages": HI, "store": True, **more}
    completion = await client.chat.completions.create(**asked)
    assert isinstance(completion, ChatCompletion)
    return completion


async def test_a_completion_is_found_again(client: AsyncOpenAI) -> None:
    sent = await made(client, metadata={"team": "a"})
    found = await client.chat.completions.retrieve(sent.id)
    assert (found.choices, found.usage, found.created) == (sent.choices, sent.usage, sent.created)
    assert found.to_dict()["metadata"] == {"team": "a"}


async def test_a_streamed_completion_is_found_again(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="gpt-4o", messages=HI, store=True, stream=True)
    chunks = [chunk async for chunk in stream]
    found = await client.chat.completions.retrieve(chunks[0].id)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert (found.choices[0].message.content, found.object) == (said, "chat.completion")
    assert found.usage
    assert found.usage.completion_tokens == 20


async def test_the_list_goes_through_its_pages_by_itself(client: AsyncOpenAI) -> None:
    ids = [(await made(client, metadata={"run": str(index % 2)})).id for index in range(5)]
    assert [one.id async for one in client.chat.completions.list(limit=2)] == ids
    assert [one.id async for one in client.chat.completions.list(order="desc")] == ids[::-1]
    assert [one.id async for one in client.chat.completions.list(metadata={"run": "1"}, limit=1)] == ids[1::2]
    assert [one.id async for one in client.chat.completions.list(model="gpt-4.1")] == []


async def test_messages_go_through_their_pages_by_themselves(client: AsyncOpenAI) -> None:
    parts: Any = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    sent = await made(client, messages=HI + parts + HI)
    told = [message async for message in client.chat.completions.messages.list(sent.id, limit=2)]
    assert [message.id for message in told] == [f"{sent.id}-{index}" for index in range(3)]
    assert [message.content for message in told] == ["Hi", None, "Hi"]
    assert told[1].content_parts
    assert told[1].content_parts[0].type == "text"


async def test_metadata_can_be_changed(client: AsyncOpenAI) -> None:
    sent = await made(client)
    changed = await client.chat.completions.update(sent.id, metadata={"seen": "yes"})
    assert changed.to_dict()["metadata"] == {"seen": "yes"}


async def test_a_deleted_completion_is_not_found(client: AsyncOpenAI) -> None:
    sent = await made(client)
    deleted = await client.chat.completions.delete(sent.id)
    assert (deleted.id, deleted.deleted, deleted.object) == (sent.id, True, "chat.completion.deleted")
    with pytest.raises(openai.NotFoundError, match="not found"):
        await client.chat.completions.retrieve(sent.id)


async def test_what_was_not_to_be_stored_is_not_found(client: AsyncOpenAI) -> None:
    sent = await made(client, store=False)
    with pytest.raises(openai.NotFoundError):
        await client.chat.completions.messages.list(sent.id)


async def test_the_synchronous_client_is_answered_alike(sync_client: OpenAI) -> None:
    def work() -> tuple[list[str], str]:
        sent = sync_client.chat.completions.create(model="gpt-4o", messages=HI, store=True)
        found = [one.id for one in sync_client.chat.completions.list(limit=1)]
        return found, sync_client.chat.completions.delete(sent.id).id

    found, deleted = await asyncio.to_thread(work)
    assert found == [deleted]
