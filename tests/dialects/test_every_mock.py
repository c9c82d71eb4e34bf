"""What every dialect makes of a mock: words, calls, blocks in their order, errors, raw bytes; whole and streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from adapters import Adapter, adapters
from inprocess import Told, ask
from running import running

from llmsim.server.handlers import Application
from llmsim.server.serve import Runner

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADAPTERS = {kind: adapter for kind, adapter in adapters().items() if adapter is not None}
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Runner]:
    async with running() as runner:
        yield runner


@pytest.fixture
def app(server: Runner) -> Application:
    server.simulator.change(latency_profile="instant", generator="lorem", faults=(), mocks=(), speed=1.0)
    server.simulator.tally.clear()
    return server.app


@pytest.fixture(params=ADAPTERS)
def dialect(request: pytest.FixtureRequest) -> Adapter:
    return ADAPTERS[request.param]


async def put(adapter: Adapter, app: Application, text: str, streamed: bool, **more: Any) -> Told:
    return await ask(app, *adapter.ask(text, streamed, **more), **adapter.headers)


def mock(app: Application, reply: Any, when: str = "text:refund") -> None:
    app.simulator.change(mocks=[{"name": "refund", "when": when, "reply": reply}])


@STREAMED
async def test_its_words_are_the_reply(dialect: Adapter, app: Application, streamed: bool) -> None:
    mock(app, "Granted, as asked. 🎉")
    assert dialect.words(await put(dialect, app, "A refund, please", streamed), streamed) == "Granted, as asked. 🎉"
    assert "Granted" not in dialect.words(await put(dialect, app, "A coffee, please", streamed), streamed)


@STREAMED
async def test_its_template_sees_the_request(dialect: Adapter, app: Application, streamed: bool) -> None:
    mock(app, {"text": "You said {{ text | upper }} to {{ model }}.", "template": True})
    words = dialect.words(await put(dialect, app, "refund", streamed), streamed)
    assert words.startswith("You said REFUND to ")


@STREAMED
async def test_its_calls_are_made(dialect: Adapter, app: Application, streamed: bool) -> None:
    mock(app, {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]})
    told = await put(dialect, app, "refund", streamed, tool="get_weather")
    assert dialect.calls(told, streamed) == [("get_weather", {"city": "Oslo"})]


@STREAMED
async def test_its_blocks_are_told_in_their_order(dialect: Adapter, app: Application, streamed: bool) -> None:
    call = {"tool_call": {"name": "get_weather", "arguments": {"city": "Oslo"}}}
    mock(app, {"blocks": [{"text": "First. "}, call, {"text": "Then this."}]})
    told = await put(dialect, app, "refund", streamed, tool="get_weather")
    assert told.status == 200
    assert dialect.calls(told, streamed) == [("get_weather", {"city": "Oslo"})]
    assert dialect.words(told, streamed) == "First. Then this."


@STREAMED
async def test_its_usage_is_told(dialect: Adapter, app: Application, streamed: bool) -> None:
    mock(app, {"text": "a", "usage": {"input": 1111, "output": 22}})
    assert dialect.usage(await put(dialect, app, "refund", streamed), streamed) == (1111, 22)


@STREAMED
async def test_its_finish_is_told(dialect: Adapter, app: Application, streamed: bool) -> None:
    mock(app, {"text": "a", "finish": "length"})
    assert dialect.cut(await put(dialect, app, "refund", streamed), streamed)


@STREAMED
async def test_its_error_is_in_the_providers_words(dialect: Adapter, app: Application, streamed: bool) -> None:
    mock(app, {"error": {"status": 503, "message": "Closed for lunch."}})
    told = await put(dialect, app, "refund", streamed)
    assert told.status == 503
    assert dialect.failed(told, False) == "Closed for lunch."


@STREAMED
async def test_raw_bytes_go_out_as_they_are(dialect: Adapter, app: Application, streamed: bool) -> None:
    mock(app, {"raw": {"status": 202, "body": "<tea/>", "content_type": "text/xml", "headers": {"x-pot": "short"}}})
    told = await put(dialect, app, "refund", streamed)
    headers = dict(told.headers)
    assert (told.status, told.body) == (202, b"<tea/>")
    assert (headers[b"content-type"], headers[b"x-pot"]) == (b"text/xml", b"short")
    assert b"x-llmsim-exchange" in headers


@STREAMED
async def test_the_answer_says_why_it_is_as_it_is(dialect: Adapter, app: Application, streamed: bool) -> None:
    mock(app, "x")
    path, body = dialect.ask("A coffee", streamed)
    told = await ask(app, path, body, **{**dialect.headers, "x-llmsim-explain": "true"})
    why = dict(told.headers)[b"x-llmsim-why"].decode()
    assert "made by: generator lorem" in why
    assert "nearest mock: refund, but for text:refund" in why


@STREAMED
async def test_a_fault_that_a_request_asks_for_meets_it_alone(
    dialect: Adapter, app: Application, streamed: bool
) -> None:
    path, body = dialect.ask("A coffee", streamed)
    told = await ask(app, path, body, **{**dialect.headers, "x-llmsim-fault": "429 retry_after=7"})
    assert told.status == 429
    assert (await put(dialect, app, "A coffee", streamed)).status == 200


async def test_what_a_request_cannot_ask_for_is_refused_in_the_providers_words(
    dialect: Adapter, app: Application
) -> None:
    path, body = dialect.ask("A coffee", False)
    told = await ask(app, path, body, **{**dialect.headers, "x-llmsim-profile": "snail"})
    assert told.status == 400
    assert "there is no profile 'snail'" in (dialect.failed(told, False) or "")
