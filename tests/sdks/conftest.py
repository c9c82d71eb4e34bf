"""One server for each file of tests, as it was at the start for each test, and OpenAI's own clients for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from openai import AsyncOpenAI, OpenAI
from running import nothing_left, running
from several import Several

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Runner]:
    async with running(generator="lorem") as runner:
        yield runner


@pytest_asyncio.fixture(loop_scope="module")
async def simulator(server: Runner) -> AsyncIterator[Simulator]:
    """The server's core; what a test changes about it is taken back, and nothing may be left of its requests."""
    core, before = server.simulator, server.simulator.settings
    if isinstance(server, Several):
        server.fresh()
    core.journal.clear()
    try:
        async with nothing_left(server):
            yield core
    finally:
        core.change(**{name: getattr(before, name) for name in type(before).model_fields})
        core.limiter.clear()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_client(server: Runner) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0, timeout=20) as one:
        yield one


@pytest.fixture
def client(shared_client: AsyncOpenAI, simulator: Simulator) -> AsyncOpenAI:
    """The asynchronous client, which tries everything once."""
    return shared_client


@pytest.fixture
def sync_client(server: Runner, simulator: Simulator) -> Iterator[OpenAI]:
    """The synchronous client, for use in a thread."""
    with OpenAI(base_url=f"{server.url}/v1", api_key="sk-test", max_retries=0, timeout=20) as one:
        yield one
