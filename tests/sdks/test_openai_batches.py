"""OpenAI's own client has a file of requests served and reads what came of each."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types import Batch
from openai.types.chat import ChatCompletion
from openapi import assert_known_keys
from running import until

from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")


def jsonl(*bodies: dict[str, Any], url: str = "/v1/chat/completions") -> bytes:
    lines = [{"custom_id": f"request-{n}", "method": "POST", "url": url, "body": body} for n, body in enumerate(bodies)]
    return "\n".join(map(json.dumps, lines)).encode()


def chat(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **fields}


async def begun(client: AsyncOpenAI, data: bytes, **fields: Any) -> Batch:
    made = await client.files.create(file=("requests.jsonl", data), purpose="batch")
    return await client.batches.create(
        input_file_id=made.id, endpoint="/v1/chat/completions", completion_window="24h", **fields
    )


async def ended(client: AsyncOpenAI, batch: Batch) -> Batch:
    while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
        batch = await client.batches.retrieve(batch.id)
    return batch


async def test_a_batch_from_its_file_to_its_answers(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(generator="echo")
    batch = await begun(client, jsonl(*(chat(f"Say {n}") for n in range(30)), chat("No", n=0)), metadata={"a": "b"})
    assert (batch.status, batch.metadata) == ("validating", {"a": "b"})
    done = await ended(client, batch)
    assert_known_keys(done)
    assert (done.status, done.model) == ("completed", "gpt-4o")
    assert done.request_counts
    assert (done.request_counts.total, done.request_counts.completed, done.request_counts.failed) == (31, 30, 1)
    assert done.output_file_id
    assert done.error_file_id
    lines = [json.loads(line) for line in (await client.files.content(done.output_file_id)).text.splitlines()]
    for n, line in enumerate(lines):
        completion = ChatCompletion.model_validate(line["response"]["body"])
        assert (line["custom_id"], completion.choices[0].message.content) == (f"request-{n}", f"Say {n}")
    (refused,) = (await client.files.content(done.error_file_id)).text.splitlines()
    assert json.loads(refused)["response"]["body"]["error"]["param"] == "n"
    assert done.usage
    assert done.usage.total_tokens == sum(line["response"]["body"]["usage"]["total_tokens"] for line in lines)


async def test_the_synchronous_client_does_the_same(sync_client: OpenAI) -> None:
    def use() -> None:
        made = sync_client.files.create(file=("requests.jsonl", jsonl(chat("Hi"))), purpose="batch")
        batch = sync_client.batches.create(
            input_file_id=made.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        while batch.status != "completed":
            batch = sync_client.batches.retrieve(batch.id)
        assert batch.output_file_id
        assert len(sync_client.files.content(batch.output_file_id).text.splitlines()) == 1
        assert batch.id in [one.id for one in sync_client.batches.list(limit=1)]
        with pytest.raises(openai.ConflictError, match="status 'completed'"):
            sync_client.batches.cancel(batch.id)

    await asyncio.to_thread(use)


async def test_a_batch_that_fails_says_at_which_line(client: AsyncOpenAI) -> None:
    done = await ended(client, await begun(client, jsonl(chat("Hi"), chat("Hi", model="o3")) + b"\n{"))
    assert_known_keys(done)
    assert done.status == "failed"
    assert done.errors
    assert done.errors.data
    assert [(one.code, one.line) for one in done.errors.data] == [("mismatched_model", 2), ("invalid_json_line", 3)]


async def test_a_batch_is_cancelled(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")
    batch = await begun(client, jsonl(*(chat(str(n)) for n in range(20))))
    await until(lambda: len(simulator.meter.live) == 16)  # a line that has not begun yet would be done at once
    simulator.change(latency_profile="instant")
    cancelling = await client.batches.cancel(batch.id)
    assert cancelling.status == "cancelling"
    done = await ended(client, cancelling)
    assert (done.status, done.output_file_id) == ("cancelled", None)


async def test_a_batch_outlives_its_client(client: AsyncOpenAI, simulator: Simulator) -> None:
    async with AsyncOpenAI(base_url=client.base_url, api_key="sk-other", max_retries=0) as other:
        batch = await begun(other, jsonl(*(chat(str(n)) for n in range(50))))
    done = await ended(client, batch)
    assert done.request_counts
    assert done.request_counts.completed == 50
    assert {one.ask.key for one in simulator.journal if one.ask.model} == {"sk-other"}


async def test_pages_of_batches_are_walked(client: AsyncOpenAI) -> None:
    made = [(await ended(client, await begun(client, jsonl(chat("Hi"))))).id for _ in range(4)]
    found = []
    async for one in client.batches.list(limit=2):
        found.append(one.id)
        if len(found) == 4:
            break
    assert found == made[::-1]


async def test_refusals_are_told_as_openai_tells_them(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="No such File object: file-nobody") as caught:
        await client.batches.create(
            input_file_id="file-nobody", endpoint="/v1/chat/completions", completion_window="24h"
        )
    assert caught.value.param == "input_file_id"
    with pytest.raises(openai.NotFoundError, match="No batch found with id 'batch_nobody'"):
        await client.batches.retrieve("batch_nobody")
