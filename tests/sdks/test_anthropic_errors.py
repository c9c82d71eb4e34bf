"""Anthropic's own client feels each fault as it would feel it from Anthropic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import pytest
import pytest_asyncio
from anthropic import Anthropic, AsyncAnthropic
from anthropic_clients import asynchronous, synchronous
from running import until

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK: Any = {"model": "claude-opus-5-5", "max_tokens": 500, "messages": [{"role": "user", "content": "Hello"}]}

# Status -> the client's class, and the type of the error; what the client has no class for is of its family.
CLASSES: dict[int, tuple[type[anthropic.APIStatusError], str]] = {
    400: (anthropic.BadRequestError, "invalid_request_error"),
    401: (anthropic.AuthenticationError, "authentication_error"),
    402: (anthropic.APIStatusError, "billing_error"),
    403: (anthropic.PermissionDeniedError, "permission_error"),
    404: (anthropic.NotFoundError, "not_found_error"),
    409: (anthropic.ConflictError, "conflict_error"),
    413: (anthropic.APIStatusError, "request_too_large"),
    429: (anthropic.RateLimitError, "rate_limit_error"),
    500: (anthropic.InternalServerError, "api_error"),
    503: (anthropic.APIStatusError, "api_error"),
    504: (anthropic.APIStatusError, "timeout_error"),
    529: (anthropic.OverloadedError, "overloaded_error"),
}


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


async def read_into(types: list[str], stream: Any) -> None:
    """Keeps the types of the events that came before the stream broke."""
    async for event in stream:
        types.append(event.type)


# -- refused


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", CLASSES)
async def test_each_status_raises_its_class(
    claude: AsyncAnthropic, simulator: Simulator, status: int, streamed: bool
) -> None:
    simulator.arm({"kind": "refuse", "status": status})
    kind, type = CLASSES[status]
    with pytest.raises(kind) as caught:
        await claude.messages.create(**ASK, stream=streamed)
    error = caught.value
    assert (error.status_code, error.type) == (status, type)
    assert error.request_id
    assert error.request_id.startswith("req_011C")
    assert isinstance(error.body, dict)
    assert error.body["request_id"] == error.request_id


async def test_the_synchronous_client_raises_it_too(sync_claude: Anthropic, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 529})
    with pytest.raises(anthropic.OverloadedError, match="Overloaded"):
        await asyncio.to_thread(lambda: sync_claude.messages.create(**ASK))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"extra_body": {"temperature": 1.0}}, "temperature: Extra inputs are not permitted"),
        ({"extra_body": {"colour": "red"}}, "colour: Extra inputs are not permitted"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"model": "claude-haiku-4-5", "max_tokens": 64_001, "timeout": 5}, "max_tokens: 64001 > 64000, which is"),
        ({"tool_choice": {"type": "any"}}, "tool_choice: tool_choice may only be specified while providing tools"),
        (
            {"extra_headers": {"anthropic-version": "2024-01-01"}},
            'anthropic-version: "2024-01-01" is not a valid version',
        ),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(claude: AsyncAnthropic, more: Any, message: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        await claude.messages.create(**{**ASK, **more})
    assert message in str(caught.value)
    assert caught.value.type == "invalid_request_error"


async def test_a_strict_server_refuses_strange_models_and_keyless_clients(
    claude: AsyncAnthropic, simulator: Simulator, server: Runner
) -> None:
    simulator.change(strict=True)
    with pytest.raises(anthropic.NotFoundError, match="model: claude-nobody"):
        await claude.messages.create(**{**ASK, "model": "claude-nobody"})
    keyless: Any = {"Authorization": anthropic.Omit()}
    with pytest.raises(anthropic.AuthenticationError, match="x-api-key header is required"):
        await claude.messages.create(**ASK, extra_headers=keyless)


# -- in the stream


@pytest.mark.parametrize(("status", "type"), [(529, "overloaded_error"), (500, "api_error"), (504, "timeout_error")])
async def test_an_error_in_mid_stream_has_its_type(
    claude: AsyncAnthropic, simulator: Simulator, status: int, type: str
) -> None:
    simulator.arm({"kind": "refuse", "status": status, "after_tokens": 5})
    seen: list[str] = []
    with pytest.raises(anthropic.APIStatusError) as caught:
        await read_into(seen, await claude.messages.create(**ASK, stream=True))
    assert seen[0] == "message_start"
    assert (caught.value.status_code, caught.value.type) == (200, type)


async def test_the_helper_keeps_what_came_before_the_error(claude: AsyncAnthropic, simulator: Simulator) -> None:
    simulator.change(generator="fixed:one two three four")
    simulator.arm({"kind": "refuse", "status": 529, "after_tokens": 2})
    async with claude.messages.stream(**{**ASK, "model": "claude-haiku-4-5"}) as stream:
        with pytest.raises(anthropic.APIStatusError):
            async for _ in stream:
                pass
        assert stream.current_message_snapshot.content[0].text == "one two"  # type: ignore[union-attr]


async def test_a_cut_stream_has_no_end(claude: AsyncAnthropic, simulator: Simulator) -> None:
    simulator.arm({"kind": "cut", "after_tokens": 5})
    seen: list[str] = []
    with pytest.raises(Exception):  # noqa: B017, PT011 - the transport's own
        await read_into(seen, await claude.messages.create(**ASK, stream=True))
    assert "message_stop" not in seen


# -- tried again


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
async def test_the_client_tries_again_by_itself(server: Runner, simulator: Simulator, status: int) -> None:
    simulator.arm({"kind": "refuse", "status": status, "retry_after": 0, "id": "storm"})
    async with asynchronous(server, max_retries=2) as client:
        work = asyncio.ensure_future(client.messages.create(**ASK))
        await until(lambda: len(simulator.journal) == 1)
        simulator.lift("storm")
        assert (await work).content
    tries = [(exchange.ask.attempt, exchange.status) for exchange in simulator.journal]
    assert (tries[0], tries[-1][1]) == ((0, status), 200)


async def test_what_is_not_worth_trying_again_is_not(server: Runner, simulator: Simulator) -> None:
    async with asynchronous(server, max_retries=2) as client:
        for status in (400, 401, 404, 413):
            simulator.change(faults=({"kind": "refuse", "status": status},))
            with pytest.raises(anthropic.APIStatusError):
                await client.messages.create(**ASK)
    assert [exchange.ask.attempt for exchange in simulator.journal] == [0] * 4


async def test_a_limit_tells_the_client_how_long_to_wait(claude: AsyncAnthropic, simulator: Simulator) -> None:
    simulator.change(rpm=1)
    await claude.messages.create(**ASK)
    with pytest.raises(anthropic.RateLimitError) as caught:
        await claude.messages.create(**ASK)
    headers = caught.value.response.headers
    assert 0 < int(headers["retry-after"]) <= 60
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert headers["x-should-retry"] == "true"
