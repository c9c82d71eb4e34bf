"""What every dialect with generations must do; a new one adds its module to adapters/ and gets the whole suite."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio
from adapters import Adapter, adapters
from inprocess import Told, ask
from running import Wire, application, nothing_left, running, until

from llmsim.dialects import kinds
from llmsim.server.handlers import Application
from llmsim.server.serve import Runner

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADAPTERS = {kind: adapter for kind, adapter in adapters().items() if adapter is not None}


async def put(adapter: Adapter, app: Application, *asked: Any, **more: Any) -> Told:
    """The answer to what the adapter asks."""
    return await ask(app, *adapter.ask(*asked, **more), **adapter.headers)


def lines(adapter: Adapter) -> list[str]:
    """The adapter's headers as they stand on the wire."""
    return [f"{name}: {value}" for name, value in adapter.headers.items()]


# -- the suite


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Runner]:
    async with running() as runner:
        yield runner


@pytest.fixture
def app(server: Runner) -> Application:
    return server.app


@pytest.fixture(autouse=True)
def as_it_was(server: Runner) -> Any:
    core = server.simulator
    core.change(latency_profile="instant", generator="lorem", faults=(), speed=1.0)
    core.journal.clear()
    return core


@pytest.fixture(params=ADAPTERS)
def dialect(request: pytest.FixtureRequest) -> Adapter:
    return ADAPTERS[request.param]


STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


async def test_every_dialect_with_generations_is_in_the_table() -> None:
    speaking = {kind for kind, one in kinds().items() if any(route.read for route in one().routes())}
    assert speaking == set(adapters())


@pytest.mark.parametrize(
    "text", ["plain words", "é漢字 العربية", "👩🏽‍🚀🧑‍🤝‍🧑🎉", 'a "quote" \\ and\n\ta tab', "\x07\u2028end", " a "]
)
async def test_a_whole_reply_is_the_stream_joined(dialect: Adapter, app: Application, text: str) -> None:
    app.simulator.change(generator="echo")
    if text.isspace() and not dialect.blank:
        assert (await put(dialect, app, text, False)).status == 400
        return
    whole, streamed = [await put(dialect, app, text, stream) for stream in (False, True)]
    assert dialect.words(whole, False) == dialect.words(streamed, True) == text
    assert dialect.usage(whole, False) == dialect.usage(streamed, True)


async def test_the_usage_counts_what_went_in_and_out(dialect: Adapter, app: Application) -> None:
    short, long = [await put(dialect, app, "word " * times, False) for times in (1, 50)]
    assert dialect.usage(long, False)[0] - dialect.usage(short, False)[0] >= 45
    assert dialect.usage(short, False)[1] == 20


@STREAMED
async def test_a_limit_cuts_the_reply(dialect: Adapter, app: Application, streamed: bool) -> None:
    told = await put(dialect, app, "Hello", streamed, limit=16)
    assert dialect.cut(told, streamed)
    assert dialect.usage(told, streamed)[1] == 16


@STREAMED
async def test_a_tool_is_called(dialect: Adapter, app: Application, streamed: bool) -> None:
    told = await put(dialect, app, "The weather in Oslo, please", streamed, tool="get_weather")
    ((name, arguments),) = dialect.calls(told, streamed)
    assert name == "get_weather"
    assert set(arguments) == {"city"}
    assert dialect.words(told, streamed) == ""


@STREAMED
async def test_a_failure_that_comes_first_is_the_whole_answer(
    dialect: Adapter, app: Application, streamed: bool
) -> None:
    app.simulator.arm({"kind": "refuse", "status": 503, "message": "Not today."})
    told = await put(dialect, app, "Hello", streamed)
    assert told.status == 503
    assert dialect.failed(told, False) == "Not today."


async def test_a_failure_in_mid_stream_is_told_in_the_stream(dialect: Adapter, app: Application) -> None:
    app.simulator.change(generator="fixed:one two three four")
    app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2, "message": "No more."})
    told = await put(dialect, app, "Hello", True)
    assert told.status == 200
    assert dialect.words(told, True) == "one two"
    assert dialect.failed(told, True) == "No more."


@STREAMED
async def test_every_kind_of_failure_has_words(dialect: Adapter, app: Application, streamed: bool) -> None:
    for status in (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529):
        app.simulator.change(faults=({"kind": "refuse", "status": status},))
        told = await put(dialect, app, "Hello", streamed)
        assert told.status == status
        assert dialect.failed(told, False)


async def test_a_plan_says_the_same_to_every_dialect() -> None:
    """One seed and one text make one reply, so that a dialect can be changed for another."""
    said = set()
    for adapter in ADAPTERS.values():
        app = application(generator="echo", seed=5)
        said.add(adapter.words(await put(adapter, app, "Hello", False, seed=1), False))
    assert said == {"Hello"}


# -- clients that leave


async def before_the_body_is_sent(wire: Wire, path: str, body: dict[str, Any], *headers: str) -> None:
    await wire.ask(orjson.dumps(body)[:10], path, "content-length: 1000", *headers)


async def while_nothing_has_come(wire: Wire, path: str, body: dict[str, Any], *headers: str) -> None:
    await wire.ask(body, path, *headers)


async def in_mid_stream(wire: Wire, path: str, body: dict[str, Any], *headers: str) -> None:
    await wire.ask(body, path, *headers)
    await wire.head()
    await wire.chunk()


LEAVING: Any = [
    (before_the_body_is_sent, "silent", True),
    (while_nothing_has_come, "silent", True),
    (while_nothing_has_come, "silent", False),
    (in_mid_stream, "glacial", True),
    (while_nothing_has_come, "glacial", False),
]


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(("leave", "profile", "streamed"), LEAVING)
async def test_a_client_that_leaves_leaves_nothing_behind(
    dialect: Adapter,
    server: Runner,
    caplog: pytest.LogCaptureFixture,
    leave: Any,
    profile: str,
    streamed: bool,
    reset: bool,
) -> None:
    server.simulator.change(latency_profile=profile)
    begins = leave is not before_the_body_is_sent
    with caplog.at_level(logging.WARNING):
        async with nothing_left(server), Wire.to(server) as wire:
            await leave(wire, *dialect.ask("Hello", streamed), *lines(dialect))
            if begins:
                await until(lambda: server.simulator.meter.live)
            if reset:
                wire.writer.transport.abort()
    assert [one.state for one in server.simulator.journal] == ["abandoned"] * begins
    assert not caplog.records


async def test_a_client_that_leaves_at_any_piece_leaves_nothing_behind(
    dialect: Adapter, server: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    server.simulator.change(latency_profile="fast")

    async def read_some(chunks: int) -> None:
        async with Wire.to(server) as wire:
            await wire.ask(*reversed(dialect.ask("Hello", True)), *lines(dialect))
            await wire.head()
            for _ in range(chunks):
                if not await wire.chunk():
                    break

    with caplog.at_level(logging.WARNING):
        async with nothing_left(server):
            await asyncio.gather(*(read_some(chunks) for chunks in range(1, 10)))
    assert len(server.simulator.journal) == 9
    assert not caplog.records
