"""Google's own client for a server of the tests: it tries everything once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from llmsim.server.serve import Runner


@contextlib.asynccontextmanager
async def google(server: Runner, **http: Any) -> AsyncIterator[genai.Client]:
    """A client for Gemini's API; `http` are options of its transport."""
    async with _closing(genai.Client(api_key="AIza-test", http_options=_options(server, http))) as client:
        yield client


@contextlib.asynccontextmanager
async def cloud(server: Runner, **http: Any) -> AsyncIterator[genai.Client]:
    """A client for Google Cloud, with a token that nobody looks at."""
    token = Credentials("ya29.test")  # type: ignore[no-untyped-call]
    options = _options(server, http)
    made = genai.Client(vertexai=True, project="acme", location="us-central1", credentials=token, http_options=options)
    async with _closing(made) as client:
        yield client


@contextlib.asynccontextmanager
async def _closing(client: genai.Client) -> AsyncIterator[genai.Client]:
    try:
        yield client
    finally:
        await client.aio.aclose()
        client.close()


def _options(server: Runner, http: dict[str, Any]) -> types.HttpOptions:
    return types.HttpOptions(**{"base_url": server.url, "timeout": 20_000, **http})
