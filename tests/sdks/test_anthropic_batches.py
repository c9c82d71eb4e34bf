"""Batches and files, as Anthropic's own client uses them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import pytest
import pytest_asyncio
from anthropic import Anthropic, AsyncAnthropic, types
from anthropic_clients import asynchronous, synchronous
from openapi import assert_known_keys
from running import until

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARAMS: Any = {"model": "claude-opus-5-5", "max_tokens": 200, "messages": [{"role": "user", "content": "Hello"}]}


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


def requests(count: int, **params: Any) -> Any:
    return [{"custom_id": f"r{at}", "params": {**PARAMS, **params}} for at in range(count)]


async def over(simulator: Simulator) -> None:
    """Waits until no batch is at work any more."""
    await until(lambda: all(batch.ended is not None for batch in simulator.store.values("anthropic.batch")))


async def test_a_batch_from_its_beginning_to_its_results(claude: AsyncAnthropic, simulator: Simulator) -> None:
    batch = await claude.messages.batches.create(
        requests=[*requests(20), {"custom_id": "bad", "params": {"model": "m"}}]
    )  # type: ignore[typeddict-item]
    assert_known_keys(batch)
    assert batch.request_counts.processing == 21
    await over(simulator)
    ended = await claude.messages.batches.retrieve(batch.id)
    assert_known_keys(ended)
    assert (ended.processing_status, ended.request_counts.succeeded, ended.request_counts.errored) == ("ended", 20, 1)
    lines = {line.custom_id: line.result async for line in await claude.messages.batches.results(batch.id)}
    for result in lines.values():
        assert_known_keys(result)
    good, bad = lines["r7"], lines["bad"]
    assert good.type == "succeeded"
    assert good.message.usage.service_tier == "batch"
    assert bad.type == "errored"
    assert bad.error.error.message == "messages: Field required"
    assert (await claude.messages.batches.delete(batch.id)).id == batch.id
    with pytest.raises(anthropic.NotFoundError):
        await claude.messages.batches.retrieve(batch.id)


async def test_the_synchronous_client_reads_its_results(sync_claude: Anthropic, simulator: Simulator) -> None:
    batch = await asyncio.to_thread(lambda: sync_claude.messages.batches.create(requests=requests(3)))
    await over(simulator)
    lines = await asyncio.to_thread(lambda: list(sync_claude.messages.batches.results(batch.id)))
    assert sorted(line.custom_id for line in lines) == ["r0", "r1", "r2"]


async def test_the_beta_client_reads_its_results(claude: AsyncAnthropic, simulator: Simulator) -> None:
    batch = await claude.beta.messages.batches.create(requests=requests(2))
    await over(simulator)
    assert len([line async for line in await claude.beta.messages.batches.results(batch.id)]) == 2


async def test_batches_are_listed_through_all_pages(claude: AsyncAnthropic, simulator: Simulator) -> None:
    made = [(await claude.messages.batches.create(requests=requests(1))).id for _ in range(5)]
    listed = [batch.id async for batch in claude.messages.batches.list(limit=2)]
    assert listed[:5] == made[::-1]
    await over(simulator)


async def test_a_batch_is_cancelled(claude: AsyncAnthropic, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")
    batch = await claude.messages.batches.create(requests=requests(30))
    await until(lambda: len(simulator.meter.live) == 16)
    told = await claude.messages.batches.cancel(batch.id)
    assert told.processing_status == "canceling"
    simulator.change(latency_profile="instant")
    for number in list(simulator.meter.live):
        simulator.act(number, "cut")
    await over(simulator)
    counts = (await claude.messages.batches.retrieve(batch.id)).request_counts
    assert (counts.canceled, counts.errored) == (14, 16)


async def test_no_results_before_the_end(claude: AsyncAnthropic, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")
    batch = await claude.messages.batches.create(requests=requests(1))
    with pytest.raises(anthropic.AnthropicError, match="results_url"):
        await claude.messages.batches.results(batch.id)
    simulator.change(latency_profile="instant")
    await until(lambda: simulator.meter.live)
    for number in list(simulator.meter.live):
        simulator.act(number, "cut")
    await over(simulator)


# -- files


async def test_a_file_is_uploaded_and_read_by_a_message(claude: AsyncAnthropic) -> None:
    file = await claude.files.upload(file=("notes.txt", b"The sky is blue. Grass is green.", "text/plain"))
    assert_known_keys(file)
    block: Any = {
        "type": "document",
        "source": {"type": "file", "file_id": file.id},
        "citations": {"enabled": True},
    }
    message = await claude.messages.create(**{**PARAMS, "messages": [{"role": "user", "content": [block]}]})
    assert_known_keys(message)
    (citation,) = message.content[-1].citations  # type: ignore[union-attr, misc]
    assert citation.cited_text == "The sky is blue."
    assert (await claude.files.retrieve_metadata(file.id)).filename == "notes.txt"
    with pytest.raises(types.FileNotDownloadableError):
        await claude.files.download(file.id)
    assert (await claude.files.delete(file.id)).type == "file_deleted"
    with pytest.raises(anthropic.NotFoundError):
        await claude.files.retrieve_metadata(file.id)


async def test_files_are_listed_through_all_pages(claude: AsyncAnthropic, sync_claude: Anthropic) -> None:
    made = [(await claude.files.upload(file=(f"{at}.txt", b"x"))).id for at in range(5)]
    assert [file.id async for file in claude.files.list(limit=2)] == made[::-1]
    assert [file.id async for file in claude.beta.files.list(limit=2)] == made[::-1]
    assert [file.id async for file in claude.files.list(ids=made[:2])] == made[:2][::-1]
    sync = await asyncio.to_thread(lambda: [file.id for file in sync_claude.files.list()])
    assert sync == made[::-1]
    for id in made:
        await claude.files.delete(id)


async def test_a_file_lives_as_long_as_it_is_told_to(claude: AsyncAnthropic) -> None:
    file = await claude.files.upload(file=("a.txt", b"x"), expires_in_seconds=3600)
    assert file.expires_at
    assert (file.expires_at - file.created_at).total_seconds() == 3600
    await claude.files.delete(file.id)
