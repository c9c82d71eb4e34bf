"""The application takes anything that comes over a socket, answers in the provider's shape, and goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from inprocess import ask
from openapi import assert_fits
from running import Wire, application, nothing_left, running, until, written_by

from llmsim.clock import ToldClock
from llmsim.conversation import Ask, Reply
from llmsim.server.handlers import Application
from llmsim.server.serve import Runner
from llmsim.settings import Settings
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/v1/chat/completions"
ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
STREAM: Any = {**ASK, "stream": True}
LIMIT = 1 << 16


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Runner]:
    async with running(body_limit=LIMIT) as runner:
        yield runner


@pytest.fixture(autouse=True)
def simulator(server: Runner) -> Iterator[Simulator]:
    core = server.simulator
    core.change(latency_profile="instant", generator="lorem", faults=(), strict=False)
    core.journal.clear()
    yield core
    core.change(latency_profile="instant", generator="lorem", faults=())


def error_of(body: bytes) -> Any:
    told = orjson.loads(body)
    assert_fits("ErrorResponse", told)
    return told["error"]


# -- bodies


@pytest.mark.parametrize("body", [b"", b"{", b"\x00", b"{}x", b'{"model":"a"' + b" " * 2000])
async def test_a_connection_goes_on_after_a_body_that_makes_no_sense(server: Runner, body: bytes) -> None:
    async with Wire.to(server) as wire:
        await wire.ask(body, CHAT)
        status, _, told = await wire.answer()
        assert (status, error_of(told)["type"]) == (400, "invalid_request_error")
        await wire.ask(ASK, CHAT)
        assert (await wire.answer())[0] == 200


async def test_a_body_that_says_it_is_too_large_is_refused_unread(server: Runner) -> None:
    async with Wire.to(server) as wire:
        await wire.ask(b"{", CHAT, f"content-length: {LIMIT + 1}")
        status, _, told = await wire.answer()
    assert status == 413
    assert error_of(told)["message"] == f"The request body is larger than the maximum of {LIMIT} bytes."


async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(server: Runner) -> None:
    async with Wire.to(server) as wire:
        await wire.ask(b"", CHAT, "transfer-encoding: chunked")
        for _ in range(5):
            wire.writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        status, _, told = await wire.answer()
    assert status == 413
    assert error_of(told)["type"] == "invalid_request_error"


async def test_a_body_of_just_the_limit_is_read(server: Runner) -> None:
    raw = orjson.dumps(ASK)
    async with Wire.to(server) as wire:
        await wire.ask(raw + b" " * (LIMIT - len(raw)), CHAT)
        assert (await wire.answer())[0] == 200
        await wire.ask(raw + b" " * (LIMIT - len(raw) + 1), CHAT)
        assert (await wire.answer())[0] == 413


async def test_the_connection_goes_on_after_a_body_that_was_too_large(server: Runner) -> None:
    async with Wire.to(server) as wire:
        await wire.ask(b" " * (LIMIT + 5), CHAT)
        assert (await wire.answer())[0] == 413
        await wire.ask(ASK, CHAT)
        assert (await wire.answer())[0] == 200


async def test_a_body_in_small_parts_is_put_together(server: Runner) -> None:
    async with Wire.to(server) as wire:
        await wire.ask(b"", CHAT, "transfer-encoding: chunked")
        for byte in orjson.dumps(ASK):
            wire.writer.write(b"1\r\n" + bytes([byte]) + b"\r\n")
            await wire.writer.drain()
        wire.writer.write(b"0\r\n\r\n")
        assert (await wire.answer())[0] == 200


async def test_a_refused_request_is_in_the_journal(server: Runner, simulator: Simulator) -> None:
    async with Wire.to(server) as wire:
        await wire.ask(b"nonsense", CHAT)
        await wire.answer()
    (exchange,) = simulator.journal
    assert (exchange.status, exchange.state, exchange.request) == (400, "failed", b"nonsense")


# -- connections


async def test_one_connection_serves_streams_wholes_and_errors_in_turn(server: Runner, simulator: Simulator) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        for body, path, status in [
            (STREAM, CHAT, 200),
            (ASK, CHAT, 200),
            (b"nonsense", CHAT, 400),
            (STREAM, "/openai" + CHAT, 200),
            (ASK, "/v1/nothing", 404),
            ({**ASK, "temperature": 7}, CHAT, 400),
            (STREAM, CHAT, 200),
        ]:
            await wire.ask(body, path)
            assert (await wire.answer())[0] == status
    assert [one.state for one in simulator.journal].count("done") == 4


async def test_pipelined_requests_are_answered_in_order(server: Runner) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        for limit in (1, 2, 3):
            await wire.ask({**ASK, "max_tokens": limit}, CHAT)
            await wire.ask({**STREAM, "max_tokens": limit}, CHAT)
        for limit in (1, 2, 3):
            _, _, whole = await wire.answer()
            assert orjson.loads(whole)["usage"]["completion_tokens"] == limit
            _, _, stream = await wire.answer()
            assert stream.count(b'"content"') == limit + 1


async def test_a_request_that_waits_behind_a_stream_is_given_up_with_it(server: Runner, simulator: Simulator) -> None:
    """Reading pauses while a request waits, so that the end of the connection shows at the next write."""
    simulator.change(latency_profile="fast", generator="echo")
    async with nothing_left(server), Wire.to(server) as wire:
        await wire.ask({**STREAM, "messages": [{"role": "user", "content": "Hello " * 2000}]}, CHAT)
        await wire.ask(ASK, CHAT)
        await wire.head()
    assert next(iter(simulator.journal)).state == "abandoned"


@pytest.mark.parametrize("path", ["/health", "/ready"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_server_says_that_it_is_well(server: Runner, path: str, method: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        answer = await client.request(method, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert bool(answer.content) is (method == "GET")


async def test_health_tells_how_many_replies_are_under_way(server: Runner, simulator: Simulator) -> None:
    simulator.change(latency_profile="glacial")
    async with Wire.to(server) as wire, httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        await wire.ask(STREAM, CHAT)
        await wire.head()
        assert (await client.get("/health")).json()["active"] == 1
    await until(lambda: not simulator.meter.live)


async def test_a_head_request_has_no_body(server: Runner) -> None:
    async with Wire.to(server) as wire:
        await wire.ask(b"", CHAT, method="HEAD")
        status, headers = await wire.head()
        assert (status, headers["allow"]) == (405, "GET, POST")
        await wire.ask(ASK, CHAT)
        assert (await wire.answer())[0] == 200


@pytest.mark.parametrize("path", ["/openai/v1/chat/completions", "/v1/chat/completions"])
async def test_every_dialect_is_also_below_its_provider_s_name(server: Runner, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        assert (await client.post(path, json=ASK)).status_code == 200


async def test_a_query_does_not_hide_the_path(server: Runner) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        assert (await client.post(CHAT + "?api-version=2024", json=ASK)).status_code == 200


async def test_a_websocket_is_turned_away() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await application()({"type": "websocket", "path": "/", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]


# -- who asks


@pytest.mark.parametrize(
    ("headers", "key", "client", "attempt"),
    [
        ({"authorization": "Bearer sk-1", "user-agent": "OpenAI/Python 3.54.0"}, "sk-1", "OpenAI/Python", 0),
        ({"authorization": "", "x-api-key": "k2", "user-agent": ""}, "k2", "", 0),
        ({"authorization": "", "api-key": "k3", "x-llmsim-client": "batch"}, "k3", "batch", 0),
        ({"authorization": "", "x-goog-api-key": "k4", "x-stainless-retry-count": "2"}, "k4", "python-httpx/", 2),
        ({"authorization": "Bearer x", "x-stainless-retry-count": "many"}, "x", "python-httpx/", 0),
        ({"authorization": "Bearer x", "x-stainless-retry-count": "9" * 50}, "x", "python-httpx/", 0),
    ],
)
async def test_headers_say_who_asks(
    server: Runner, simulator: Simulator, headers: dict[str, str], key: str, client: str, attempt: int
) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as one:
        await one.post(CHAT, json=ASK, headers=headers)
    (exchange,) = simulator.journal
    assert (exchange.ask.key, exchange.ask.attempt) == (key, attempt)
    assert exchange.ask.client.startswith(client)


# -- what must not happen


def falling(ask: Any, dice: Any) -> Reply:
    raise RuntimeError("the generator fell")


@pytest.mark.parametrize("body", [ASK, STREAM], ids=["whole", "streamed"])
async def test_a_generator_that_raises_is_a_500_in_shape(
    server: Runner, simulator: Simulator, caplog: pytest.LogCaptureFixture, body: Any
) -> None:
    with written_by(falling) as own:
        simulator.change(generator=own)
        async with nothing_left(server), Wire.to(server) as wire:
            await wire.ask(body, CHAT)
            status, headers, told = await wire.answer()
            assert (status, error_of(told)["type"]) == (500, "server_error")
            assert headers["x-request-id"]
            simulator.change(generator="lorem")
            await wire.ask(body, CHAT)
            assert (await wire.answer())[0] == 200
    assert [record.name for record in caplog.records] == ["llmsim"]


@pytest.mark.parametrize("body", [ASK, STREAM], ids=["whole", "streamed"])
async def test_a_dialect_that_cannot_read_is_a_500_in_shape(
    server: Runner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, body: Any
) -> None:
    def fall(raw: bytes) -> None:
        raise RuntimeError("the reader fell")

    monkeypatch.setattr("llmsim.dialects.openai_chat.read_chat", fall)
    async with nothing_left(server), Wire.to(server) as wire:
        await wire.ask(body, CHAT)
        status, _, told = await wire.answer()
    assert (status, error_of(told)["type"]) == (500, "server_error")
    assert "the reader fell" in caplog.text


async def test_an_encoder_that_raises_first_is_a_500_in_shape(
    server: Runner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(*_: Any) -> bytes:
        raise RuntimeError("the encoder fell")

    monkeypatch.setattr("llmsim.dialects.openai_chat.ChatEncoder.whole", fall)
    async with nothing_left(server), Wire.to(server) as wire:
        await wire.ask(ASK, CHAT)
        status, _, told = await wire.answer()
    assert (status, error_of(told)["type"]) == (500, "server_error")
    assert "the encoder fell" in caplog.text


async def test_an_encoder_that_raises_in_mid_stream_ends_the_connection(
    server: Runner, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(*_: Any) -> bytes:
        raise RuntimeError("the encoder fell")

    simulator.change(latency_profile="glacial")
    async with nothing_left(server), Wire.to(server) as wire:
        await wire.ask(STREAM, CHAT)
        await wire.head()
        await wire.chunk()
        monkeypatch.setattr("llmsim.dialects.openai_chat.ChatEncoder.frames", fall)
        (number,) = simulator.meter.live
        simulator.act(number, "fail")
        rest = await wire.reader.read()
    assert not rest.endswith(b"0\r\n\r\n")
    assert "the encoder fell" in caplog.text
    assert [one.state for one in simulator.journal] == ["dropped"]


async def test_a_list_of_models_that_cannot_be_made_is_a_500_in_shape(
    server: Runner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("llmsim.catalogue.known", lambda: 1 / 0)
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        answer = await client.get("/v1/models")
    assert (answer.status_code, error_of(answer.content)["type"]) == (500, "server_error")
    assert "ZeroDivisionError" in caplog.text


# -- in this very process


async def test_the_application_needs_no_server() -> None:
    app = application()
    for body in (ASK, STREAM):
        assert (await ask(app, CHAT, body)).status == 200
    assert not app.simulator.meter.live
    assert not app.players


@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize("body", [ASK, STREAM], ids=["whole", "streamed"])
async def test_a_cut_in_process_is_a_connection_error(body: Any, after: int) -> None:
    app = application(faults=({"kind": "cut", "after_tokens": after},))
    with pytest.raises(ConnectionResetError):
        await ask(app, CHAT, body)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert [one.state for one in app.simulator.journal] == ["dropped"]
    assert not app.players


async def test_a_caller_that_is_cancelled_abandons_the_reply() -> None:
    app = application(latency_profile="silent")
    work = asyncio.ensure_future(ask(app, CHAT, STREAM))
    await until(lambda: app.simulator.meter.live)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert [one.state for one in app.simulator.journal] == ["abandoned"]


async def test_nothing_is_logged_of_ordinary_traffic(server: Runner, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="llmsim"):
        async with nothing_left(server), Wire.to(server) as wire:
            for body in (ASK, STREAM, b"nonsense"):
                await wire.ask(body, CHAT)
                await wire.answer()
    assert not [record for record in caplog.records if record.name == "llmsim"]


async def test_the_whole_vocabulary_is_loaded_when_nobody_asks_for_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ToldClock()
    app = Application(Simulator(Settings(), clock=clock))
    loaded: list[str] = []
    monkeypatch.setattr("llmsim.tokens.loaded", lambda: bool(loaded))
    monkeypatch.setattr("llmsim.tokens.preload", lambda: loaded.append("all of it"))
    app._load_when_idle()
    for _ in range(5):
        app.simulator.begin(Ask("gpt-4o", parts=0))
        await clock.advance(0.5)
    app.simulator.meter.live.clear()
    await clock.advance(0.4)
    assert not loaded
    await clock.advance(1)
    await until(lambda: loaded)


async def test_what_could_not_be_loaded_is_loaded_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ToldClock()
    app = Application(Simulator(Settings(), clock=clock))
    tried: list[str] = []

    def prepare() -> None:
        tried.append("")
        if len(tried) == 1:
            raise OSError(24, "Too many open files")

    monkeypatch.setattr(app.routes, "prepare", prepare)
    with caplog.at_level("WARNING", "llmsim"):
        await app._load()
    assert "it is tried again in 10 s: [Errno 24] Too many open files" in caplog.text
    await clock.advance(11)
    await until(lambda: len(tried) == 2)
