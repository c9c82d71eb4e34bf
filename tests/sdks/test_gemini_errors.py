"""Google's own client feels each fault as it would feel it from Google."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from gemini_clients import google
from google import genai
from google.genai import errors, types
from running import until

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK: Any = {"model": "gemini-2.5-flash", "contents": "Hello"}
QUIET = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(thinking_budget=0))

# Status -> the client's class, and Google's own name of it.
CLASSES: dict[int, tuple[type[errors.APIError], str]] = {
    400: (errors.ClientError, "INVALID_ARGUMENT"),
    401: (errors.ClientError, "UNAUTHENTICATED"),
    403: (errors.ClientError, "PERMISSION_DENIED"),
    404: (errors.ClientError, "NOT_FOUND"),
    429: (errors.ClientError, "RESOURCE_EXHAUSTED"),
    500: (errors.ServerError, "INTERNAL"),
    503: (errors.ServerError, "UNAVAILABLE"),
    504: (errors.ServerError, "DEADLINE_EXCEEDED"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(server: Runner) -> AsyncIterator[genai.Client]:
    async with google(server) as one:
        yield one


@pytest.fixture
def client(shared: genai.Client, simulator: Simulator) -> genai.Client:
    """The client, which tries everything once; its synchronous half is for use in a thread."""
    return shared


async def read_into(told: list[str], client: genai.Client) -> None:
    """Keeps the words that came before the stream broke."""
    async for chunk in await client.aio.models.generate_content_stream(**ASK, config=QUIET):
        told.append(chunk.text or "")


def details(error: errors.APIError) -> dict[str, Any]:
    """The details of an error by the last word of their type."""
    return {one["@type"].rpartition(".")[2]: one for one in error.details["error"]["details"]}


# -- refused


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", CLASSES)
async def test_each_status_raises_its_class(
    client: genai.Client, simulator: Simulator, status: int, streamed: bool
) -> None:
    simulator.arm({"kind": "refuse", "status": status})
    kind, name = CLASSES[status]
    with pytest.raises(kind) as caught:
        await (read_into([], client) if streamed else client.aio.models.generate_content(**ASK))
    assert (caught.value.code, caught.value.status) == (status, name)
    assert caught.value.message


async def test_the_synchronous_client_raises_it_too(client: genai.Client, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 503})
    with pytest.raises(errors.ServerError, match="The model is overloaded"):
        await asyncio.to_thread(lambda: client.models.generate_content(**ASK))


async def test_an_unknown_field_is_told_with_its_place(client: genai.Client) -> None:
    more = types.HttpOptions(extra_body={"generationConfig": {"colour": "red"}})
    settings = types.GenerateContentConfig(http_options=more)
    with pytest.raises(errors.ClientError) as caught:
        await client.aio.models.generate_content(**ASK, config=settings)
    words = "Invalid JSON payload received. Unknown name \"colour\" at 'generation_config': Cannot find field."
    assert (caught.value.code, caught.value.status, caught.value.message) == (400, "INVALID_ARGUMENT", words)
    violations = details(caught.value)["BadRequest"]["fieldViolations"]
    assert violations == [{"field": "generation_config", "description": words}]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 3}, "temperature must be in the range"),
        ({"max_output_tokens": -1}, "max_output_tokens must be positive"),
        ({"response_mime_type": "text/html"}, "allowed mimetypes are"),
        ({"thinking_config": {"thinking_budget": 99_999}}, "The thinking budget 99999 is invalid"),
        ({"cached_content": "cachedContents/nothing"}, "CachedContent not found"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(client: genai.Client, settings: Any, message: str) -> None:
    with pytest.raises(errors.ClientError, match=message):
        await client.aio.models.generate_content(**ASK, config=types.GenerateContentConfig(**settings))


async def test_a_key_that_is_not_valid_has_its_reason(client: genai.Client, simulator: Simulator) -> None:
    words = "API key not valid. Please pass a valid API key."
    simulator.arm({"kind": "refuse", "status": 400, "message": words})
    with pytest.raises(errors.ClientError) as caught:
        await client.aio.models.generate_content(**ASK)
    assert details(caught.value)["ErrorInfo"]["reason"] == "API_KEY_INVALID"


async def test_a_strict_server_refuses_strange_models_and_keyless_clients(
    client: genai.Client, simulator: Simulator
) -> None:
    simulator.change(strict=True)
    with pytest.raises(errors.ClientError, match="models/gemini-nobody is not found for API version v1, or") as caught:
        await client.aio.models.generate_content(**{**ASK, "model": "gemini-nobody"})
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")
    keyless = types.GenerateContentConfig(http_options=types.HttpOptions(headers={"x-goog-api-key": ""}))
    with pytest.raises(errors.ClientError, match="Method doesn't allow unregistered callers") as caught:
        await client.aio.models.generate_content(**ASK, config=keyless)
    assert (caught.value.code, caught.value.status) == (403, "PERMISSION_DENIED")


async def test_a_limit_tells_of_its_quota_and_of_the_wait(client: genai.Client, simulator: Simulator) -> None:
    simulator.change(rpm=1)
    await client.aio.models.generate_content(**ASK)
    with pytest.raises(errors.ClientError) as caught:
        await client.aio.models.generate_content(**ASK)
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    told = details(caught.value)
    assert told["QuotaFailure"]["violations"][0]["quotaValue"] == "1"
    assert 0 < float(told["RetryInfo"]["retryDelay"].removesuffix("s")) <= 60


# -- in the stream


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_error_in_mid_stream_has_its_class(client: genai.Client, simulator: Simulator, status: int) -> None:
    simulator.change(generator="fixed:one two three four")
    simulator.arm({"kind": "refuse", "status": status, "after_tokens": 2})
    told: list[str] = []
    with pytest.raises(CLASSES[status][0]) as caught:
        await read_into(told, client)
    assert "".join(told) == "one two"
    assert (caught.value.code, caught.value.status) == (status, CLASSES[status][1])


async def test_an_error_in_mid_stream_reaches_the_synchronous_client(
    client: genai.Client, simulator: Simulator
) -> None:
    simulator.arm({"kind": "refuse", "status": 503, "after_tokens": 2})
    with pytest.raises(errors.ServerError, match="The model is overloaded"):
        await asyncio.to_thread(lambda: list(client.models.generate_content_stream(**ASK, config=QUIET)))


async def test_a_cut_stream_has_no_end(client: genai.Client, simulator: Simulator) -> None:
    simulator.arm({"kind": "cut", "after_tokens": 2})
    told: list[str] = []
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the transport's own
        await read_into(told, client)
    assert not isinstance(caught.value, errors.APIError)
    assert told


# -- tried again


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_the_client_tries_again_when_it_is_told_to(server: Runner, simulator: Simulator, status: int) -> None:
    simulator.arm({"kind": "refuse", "status": status, "id": "storm"})
    again = types.HttpRetryOptions(attempts=5, initial_delay=0.01, max_delay=0.05, jitter=0.01)
    async with google(server, retry_options=again) as client:
        work = asyncio.ensure_future(client.aio.models.generate_content(**ASK))
        await until(lambda: len(simulator.journal) == 1)
        simulator.lift("storm")
        assert (await work).text
    statuses = [exchange.status for exchange in simulator.journal]
    assert (statuses[0], statuses[-1]) == (status, 200)


async def test_a_stream_is_tried_again_before_its_first_word(server: Runner, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 503, "id": "storm"})
    again = types.HttpRetryOptions(attempts=5, initial_delay=0.01, max_delay=0.05, jitter=0.01)
    told: list[str] = []
    async with google(server, retry_options=again) as client:
        work = asyncio.ensure_future(read_into(told, client))
        await until(lambda: len(simulator.journal) == 1)
        simulator.lift("storm")
        await work
    assert "".join(told)


async def test_what_is_not_worth_trying_again_is_not(server: Runner, simulator: Simulator) -> None:
    again = types.HttpRetryOptions(attempts=5, initial_delay=0.01, max_delay=0.05, jitter=0.01)
    async with google(server, retry_options=again) as client:
        for status in (400, 403, 404):
            simulator.change(faults=({"kind": "refuse", "status": status},))
            with pytest.raises(errors.ClientError):
                await client.aio.models.generate_content(**ASK)
    assert len(simulator.journal) == 3
