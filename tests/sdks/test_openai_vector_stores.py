"""OpenAI's own client puts files into vector stores, waits for them, and searches them."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openapi import assert_known_keys

pytestmark = pytest.mark.asyncio(loop_scope="module")

OSLO = ("oslo.txt", b"In Oslo the weather is mild in May.")
BERGEN = ("bergen.md", b"# Bergen\n\nIt rains in Bergen.")


async def test_a_file_is_uploaded_polled_and_found(client: AsyncOpenAI) -> None:
    stores = client.vector_stores
    made = await stores.create(name="docs", expires_after={"anchor": "last_active_at", "days": 3})
    assert_known_keys(made)
    file = await stores.files.upload_and_poll(vector_store_id=made.id, file=OSLO, attributes={"country": "no"})
    assert_known_keys(file)
    assert (file.status, file.usage_bytes) == ("completed", len(OSLO[1]))
    (hit,) = (await stores.search(made.id, query="weather in Oslo")).data
    assert (hit.file_id, hit.filename, hit.content[0].text) == (file.id, "oslo.txt", OSLO[1].decode())
    assert (await stores.files.update(file.id, vector_store_id=made.id, attributes={"a": 1})).attributes == {"a": 1}
    pages = [part async for part in stores.files.content(file.id, vector_store_id=made.id)]
    assert [page.text for page in pages] == [OSLO[1].decode()]
    assert (await stores.files.delete(file.id, vector_store_id=made.id)).deleted
    assert (await stores.delete(made.id)).deleted


async def test_files_are_uploaded_in_a_batch(client: AsyncOpenAI) -> None:
    made = await client.vector_stores.create()
    batch = await client.vector_stores.file_batches.upload_and_poll(made.id, files=[OSLO, BERGEN])
    assert_known_keys(batch)
    assert (batch.status, batch.file_counts.completed) == ("completed", 2)
    listed = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=made.id, limit=1)
    assert len([file async for file in listed]) == 2
    assert (await client.vector_stores.retrieve(made.id)).file_counts.completed == 2


async def test_a_synchronous_client_does_the_same(sync_client: OpenAI) -> None:
    def work() -> list[Any]:
        stores = sync_client.vector_stores
        file = sync_client.files.create(file=BERGEN, purpose="assistants")
        made = stores.create(file_ids=[file.id])
        polled = stores.files.poll(file.id, vector_store_id=made.id)
        found = stores.search(made.id, query=["Bergen", "rain"], max_num_results=1)
        return [made.status, polled.status, [hit.file_id for hit in found] == [file.id]]

    assert await asyncio.to_thread(work) == ["in_progress", "completed", True]


async def test_what_is_not_there_is_the_errors_own_class(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=r"No vector store found with id 'vs_no'\."):
        await client.vector_stores.retrieve("vs_no")
    made = await client.vector_stores.create()
    with pytest.raises(openai.NotFoundError, match="No such File object: file-no"):
        await client.vector_stores.files.create(made.id, file_id="file-no")
