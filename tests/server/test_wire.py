"""A plain request is answered in the call that brings its last byte, whatever parts it comes in; all others by ASGI."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest
import pytest_asyncio
from running import Wire, _requests, nothing_left, running, until

from llmsim.server.lane import Lane
from llmsim.server.player import Player
from llmsim.server.serve import Runner
from llmsim.server.wire import WireProtocol
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/v1/chat/completions"
ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "seed": 5}
STREAM: Any = {**ASK, "stream": True}
BODY = orjson.dumps(ASK)
RAW = f"POST {CHAT} HTTP/1.1\r\nhost: here\r\ncontent-length: {len(BODY)}\r\n\r\n".encode() + BODY


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Runner]:
    async with running() as runner:
        yield runner


@pytest.fixture(autouse=True)
def simulator(server: Runner) -> Iterator[Simulator]:
    core = server.simulator
    core.change(latency_profile="instant")
    core.journal.clear()
    yield core
    core.change(latency_profile="instant")


@pytest.fixture
def by_asgi(server: Runner, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that the ASGI application was asked for."""
    asked: list[str] = []
    serve = server.app._serve

    async def noting(scope: Any, *rest: Any) -> None:
        asked.append(scope["path"])
        await serve(scope, *rest)

    monkeypatch.setattr(server.app, "_serve", noting)
    return asked


async def content(wire: Wire) -> str:
    status, _, body = await wire.answer()
    assert status == 200
    return str(orjson.loads(body)["choices"][0]["message"]["content"])


async def test_each_request_of_a_connection_is_told_by_its_own_head_and_body(server: Runner) -> None:
    other = BODY.replace(b"Hello", b"Hallo").replace(b"gpt-4o", b"gpt-41")
    heads = [RAW.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", RAW[: -len(BODY)].replace(b"host: here", b"host: there")]
    async with Wire.to(server) as wire:
        told = []
        for head, body in ((heads[0], BODY), (heads[0], other), (heads[1], BODY), (heads[0], other)):
            wire.writer.write(head + body)
            _, _, answer = await wire.answer()
            told.append(orjson.loads(answer)["model"])
    assert told == ["gpt-4o", "gpt-41", "gpt-4o", "gpt-41"]
    asked = [exchange.asked[2].headers[b"host"] for exchange in server.simulator.journal]
    assert asked == [b"here", b"here", b"there", b"here"]


async def test_a_plain_request_needs_no_task(server: Runner, simulator: Simulator, by_asgi: list[str]) -> None:
    simulator.change(latency_profile="glacial")
    async with nothing_left(server), Wire.to(server) as wire:
        await wire.ask(STREAM, CHAT)
        await wire.head()
        assert not _requests()
        assert len(server.app.players) == len(simulator.meter.live) == 1
    assert by_asgi == []


@pytest.mark.parametrize("size", [1, 7, 40, 90, 120])
async def test_a_request_may_come_in_parts_of_any_size(server: Runner, by_asgi: list[str], size: int) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        wire.writer.write(RAW)
        whole = await content(wire)
        for at in range(0, len(RAW), size):
            wire.writer.write(RAW[at : at + size])
            await wire.writer.drain()
            await asyncio.sleep(0)
        assert await content(wire) == whole


async def test_the_body_may_come_after_the_head_as_most_clients_send_it(server: Runner, by_asgi: list[str]) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        wire.writer.write(RAW[: -len(BODY)])
        (protocol,) = protocols(server)
        await until(lambda: protocol._waiting)
        wire.writer.write(BODY)
        await content(wire)
        assert protocol._waiting == b""
    assert by_asgi == []


@pytest.mark.parametrize("at", [-1, 20, len(RAW) - 10])
async def test_requests_that_come_at_once_are_answered_in_order(server: Runner, at: int) -> None:
    three = RAW * 3
    async with nothing_left(server), Wire.to(server) as wire:
        for part in (three[:at], three[at:]):
            wire.writer.write(part)
            await wire.writer.drain()
            await asyncio.sleep(0)
        assert len({await content(wire) for _ in range(3)}) == 1


async def test_a_request_that_comes_during_a_stream_is_answered_after_it(server: Runner, simulator: Simulator) -> None:
    simulator.change(latency_profile="glacial")
    async with nothing_left(server), Wire.to(server) as wire:
        await wire.ask(STREAM, CHAT)
        _, headers = await wire.head()
        await wire.chunk()
        wire.writer.write(RAW + RAW)
        (protocol,) = protocols(server)
        await until(lambda: protocol.pipeline)
        simulator.change(latency_profile="instant", speed=1000)
        (number,) = simulator.meter.live
        simulator.act(number, "fail")
        assert b'"error"' in await wire.body(headers)
        assert await content(wire) == await content(wire)
    simulator.change(speed=1)


@pytest.mark.parametrize(
    "raw",
    [
        RAW.replace(b"host", b"connection: close\r\nhost"),
        RAW.replace(b"HTTP/1.1", b"HTTP/1.0"),
        RAW.replace(BODY, b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)).replace(
            b"content-length: %d" % len(BODY), b"transfer-encoding: chunked"
        ),
        RAW.replace(BODY, BODY + b" " * 60_000).replace(b"%d\r\n" % len(BODY), b"%d\r\n" % (len(BODY) + 60_000)),
    ],
    ids=["closing", "HTTP/1.0", "chunked", "long"],
)
async def test_what_is_not_plain_goes_by_asgi(server: Runner, by_asgi: list[str], raw: bytes) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        wire.writer.write(raw)
        assert await content(wire)
    assert by_asgi == [CHAT]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_reply_to_http_1_0_has_no_chunks_and_ends_with_its_connection(server: Runner, stream: bool) -> None:
    body = orjson.dumps({**ASK, "stream": stream})
    raw = RAW.replace(BODY, body).replace(b": %d\r\n" % len(BODY), b": %d\r\n" % len(body))
    async with nothing_left(server), Wire.to(server) as wire:
        wire.writer.write(raw.replace(b"HTTP/1.1", b"HTTP/1.0"))
        _, headers = await wire.head()
        told = await wire.reader.read()
    assert "transfer-encoding" not in headers
    assert headers["connection"] == "close"
    if stream:
        assert told.startswith(b'data: {"id"')
        assert told.endswith(b"data: [DONE]\n\n")
    else:
        assert orjson.loads(told)["choices"]


# -- what does not end


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict() -> AsyncIterator[Runner]:
    async with running(head_limit=8192, idle_s=0.2) as runner:
        yield runner


@pytest.mark.parametrize(
    "line",
    [b"x-a: b\r\n" * 2_000, b"x-" + b"a" * 20_000 + b": b", b"x-a: " + b"b" * 20_000],
    ids=["many", "name", "value"],
)
@pytest.mark.parametrize("end", [b"\r\n\r\n", b""], ids=["whole", "endless"])
async def test_a_head_that_is_too_large_is_refused(strict: Runner, line: bytes, end: bytes) -> None:
    async with nothing_left(strict), Wire.to(strict) as wire:
        wire.writer.write(RAW.partition(b"\r\n\r\n")[0] + b"\r\n" + line + end)
        status, headers = await wire.head()
        assert (status, headers["connection"]) == (431, "close")


async def test_a_head_that_is_just_not_too_large_is_read(strict: Runner) -> None:
    async with nothing_left(strict), Wire.to(strict) as wire:
        wire.writer.write(RAW.replace(b"host: here", b"host: here\r\nx-a: " + b"b" * 8_000))
        assert await content(wire)


# -- bodies that were refused


@pytest_asyncio.fixture(loop_scope="module")
async def small(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Runner]:
    """A server that takes bodies of 1 kB, and reads 4 kB of those that it refused."""
    monkeypatch.setattr("llmsim.server.wire.SPARED", 4096)
    async with running(body_limit=1024) as runner:
        yield runner


async def test_who_announces_far_too_much_is_told_that_the_connection_closes_and_it_does(small: Runner) -> None:
    async with nothing_left(small), Wire.to(small) as wire:
        await wire.ask(b"{", CHAT, "content-length: 1000000")
        status, headers, _ = await wire.answer()
        assert (status, headers["connection"]) == (413, "close")
        wire.writer.write(b" " * 4_000)
        assert protocols(small), "what a client has under way is still read, or it would lose the answer"
        wire.writer.write(b" " * 1_000)
        await until(lambda: not protocols(small))


async def test_a_long_body_that_ends_within_what_is_read_ends_its_connection_as_was_said(small: Runner) -> None:
    async with nothing_left(small), Wire.to(small) as wire:
        await wire.ask(b"{" * 100, CHAT, "content-length: 4097")
        assert (await wire.answer())[1]["connection"] == "close"
        wire.writer.write(b" " * 3_997)
        assert await wire.reader.read() == b""


async def test_a_body_that_is_a_little_too_large_costs_no_connection(small: Runner) -> None:
    async with nothing_left(small), Wire.to(small) as wire:
        await wire.ask(b"{", CHAT, "content-length: 4096")
        status, headers, _ = await wire.answer()
        assert (status, "connection" in headers) == (413, False)
        wire.writer.write(b" " * 4_095)
        wire.writer.write(RAW)
        assert await content(wire)


async def test_a_body_in_chunks_without_an_end_is_not_read_for_ever(small: Runner) -> None:
    async with nothing_left(small), Wire.to(small) as wire:
        await wire.ask(b"", CHAT, "transfer-encoding: chunked")
        part = b"400\r\n" + b"x" * 1024 + b"\r\n"
        wire.writer.write(part * 2)
        assert (await wire.answer())[0] == 413
        wire.writer.write(part * 5)
        await until(lambda: not protocols(small))


@pytest.mark.parametrize("line", [b"x-a: b\r\n" * 2_000, b"x-a: " + b"b" * 20_000], ids=["many", "long"])
async def test_headers_behind_a_body_are_not_kept(strict: Runner, line: bytes) -> None:
    async with nothing_left(strict), Wire.to(strict) as wire:
        head = RAW.partition(b"content-length")[0] + b"transfer-encoding: chunked\r\n\r\n"
        wire.writer.write(head + b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY))
        await until(lambda: protocols(strict) and protocols(strict)[0]._partial.headed)
        wire.writer.write(line)
        assert (await wire.head())[0] == 431


@pytest.mark.parametrize("sent", [b"", RAW[:20], RAW[:-5], RAW.replace(b"host", b"expect: x\r\nhost")[:-5]])
async def test_a_connection_on_which_no_request_ends_is_closed(strict: Runner, sent: bytes) -> None:
    async with nothing_left(strict), Wire.to(strict) as wire:
        wire.writer.write(sent)
        assert await wire.reader.read() == b""


async def test_a_reply_under_way_is_not_idle(strict: Runner) -> None:
    strict.simulator.change(latency_profile="glacial")
    async with nothing_left(strict), Wire.to(strict) as wire:
        await wire.ask(STREAM, CHAT)
        await wire.head()
        (protocol,) = protocols(strict)
        protocol.timeout_keep_alive_handler()
        wire.writer.write(RAW[:20])  # the next request begins, and stalls
        await until(lambda: protocol._within)
        protocol.loop.call_later(0.3, protocol.timeout_keep_alive_handler)
        await until(lambda: protocol.loop.time() > protocol._partial.heard + 0.4)
        assert not protocol.transport.is_closing()


async def test_a_client_that_expects_a_go_ahead_gets_it(server: Runner) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        wire.writer.write(RAW[: -len(BODY)].replace(b"host", b"expect: 100-continue\r\nhost"))
        assert (await wire.head())[0] == 100
        wire.writer.write(BODY)
        assert await content(wire)


async def test_a_request_that_cannot_be_served_is_a_500_and_the_connection_goes_on(
    server: Runner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        with monkeypatch.context() as patch:
            patch.setattr(server.app.desk, "begin", lambda *_: 1 / 0)
            await wire.ask(ASK, CHAT)
            assert (await wire.answer())[0] == 500
        await wire.ask(ASK, CHAT)
        assert (await wire.answer())[0] == 200
    assert "ZeroDivisionError" in caplog.text


async def test_a_client_that_leaves_in_the_midst_of_a_request_leaves_nothing(
    server: Runner, simulator: Simulator
) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        wire.writer.write(RAW[:-1])
        (protocol,) = protocols(server)
        await until(lambda: protocol._waiting)
        wire.writer.transport.abort()
        await until(lambda: not protocols(server))
    assert not simulator.journal


async def test_replies_leave_no_garbage_for_the_collector(server: Runner, simulator: Simulator) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        gc.collect()
        gc.disable()
        try:
            for body in (ASK, STREAM, b"nonsense"):
                await wire.ask(body, CHAT)
                await wire.answer()
            simulator.change(latency_profile="fast")
            await wire.ask(STREAM, CHAT)
            await wire.answer()
            await until(lambda: not simulator.meter.live)
            (protocol,) = protocols(server)
            left = [one for one in gc.get_objects() if isinstance(one, Player | Lane) and one is not protocol.cycle]
        finally:
            gc.enable()
    assert left == []


async def test_an_idle_connection_is_closed_and_one_at_work_is_not(server: Runner, simulator: Simulator) -> None:
    async with nothing_left(server), Wire.to(server) as wire:
        await wire.ask(ASK, CHAT)
        await wire.answer()
        (protocol,) = protocols(server)
        timer = protocol.timeout_keep_alive_task
        assert timer is not None
        protocol.timeout_keep_alive_handler()
        assert not protocol.transport.is_closing(), "it was idle for less than the timeout"
        simulator.change(latency_profile="glacial")
        await wire.ask(STREAM, CHAT)
        await wire.head()
        protocol.timeout_keep_alive = 0
        protocol.timeout_keep_alive_handler()
        assert not protocol.transport.is_closing(), "a reply is under way"
        (number,) = simulator.meter.live
        simulator.act(number, "fail")
        assert await wire.reader.read()
        await until(lambda: not protocols(server))
        timer.cancel()


def protocols(server: Runner) -> list[WireProtocol]:
    assert server._server is not None
    return [one for one in server._server.server_state.connections if isinstance(one, WireProtocol)]
