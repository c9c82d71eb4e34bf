"""A server for each test, and a client of its control API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from running import running

from llmsim.server.serve import Runner


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Runner]:
    async with running() as runner:
        yield runner


@pytest_asyncio.fixture
async def api(server: Runner) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        yield client
