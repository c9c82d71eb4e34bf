"""Web sockets over a real connection: frames in, events out, one request after the other."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from running import nothing_left, running, until
from toy import toys
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from llmsim.server import sockets
from llmsim.server.serve import Runner

WORDS = "fixed:one two"


@contextlib.asynccontextmanager
async def connected(**fields: object) -> AsyncIterator[tuple[Runner, ClientConnection]]:
    with toys():
        async with (
            running(generator=WORDS, **fields) as runner,
            nothing_left(runner),
            connect(f"ws://{runner.address}/toy", proxy=None) as socket,
        ):
            yield runner, socket


async def rest(socket: ClientConnection) -> tuple[list[str | bytes], int | None]:
    """What still comes before the server closes, and the code it closes with."""
    frames = []
    try:
        while True:
            frames.append(await socket.recv())
    except ConnectionClosed as closed:
        return frames, closed.rcvd.code if closed.rcvd else None


async def test_each_event_comes_as_a_frame() -> None:
    async with connected() as (_, socket):
        await socket.send('{"stream": true}')
        assert [await socket.recv() for _ in range(5)] == ["open", "one", " two", ".", "close"]


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with connected() as (runner, socket):
        for _ in range(3):
            await socket.send('{"stream": true}')
        frames = [await socket.recv() for _ in range(15)]
        assert frames == ["open", "one", " two", ".", "close"] * 3
        assert [one.state for one in runner.simulator.journal] == ["done"] * 3


async def test_a_refusal_is_a_frame_and_the_connection_goes_on() -> None:
    async with connected() as (_, socket):
        await socket.send('{"refuse": "No."}')
        assert await socket.recv() == '{"failure":"invalid","message":"No."}'
        await socket.send('{"stream": false}')
        assert await socket.recv() == '{"said":"one two."}'


async def test_a_client_that_leaves_ends_its_reply() -> None:
    async with connected(latency_profile="glacial") as (runner, socket):
        await socket.send('{"stream": true}')
        assert await socket.recv() == "open"
        await socket.close()
        await until(lambda: not runner.simulator.meter.live)
        (exchange,) = runner.simulator.journal
        assert exchange.state == "abandoned"


async def test_a_cut_closes_the_connection() -> None:
    async with connected(faults=({"kind": "cut", "after_tokens": 1},)) as (_, socket):
        await socket.send('{"stream": true}')
        assert await rest(socket) == (["open", "one"], 1011)


async def test_a_client_may_send_only_so_many_frames_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_MOST_WAITING", 2)
    async with connected(latency_profile="silent") as (_, socket):
        for _ in range(4):
            await socket.send('{"stream": true}')
        assert await rest(socket) == ([], 1008)


async def test_a_socket_where_no_api_has_one_is_turned_away() -> None:
    async with running() as runner:
        with pytest.raises(InvalidStatus) as turned:
            async with connect(f"ws://{runner.address}/v1/nowhere", proxy=None):
                pass
        assert turned.value.response.status_code == 403


async def test_a_server_that_stops_closes_its_sockets() -> None:
    async with connected(latency_profile="silent") as (runner, socket):
        await socket.send('{"stream": true}')
        await until(lambda: runner.simulator.meter.live)
        await runner.stop(grace=0)
        assert (await rest(socket))[1] is not None
