"""A server starts, keeps its clients apart, stops in good order, and does the same for the same seed."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import orjson
import pytest
from running import Wire, nothing_left, running, told, until

from llmsim.server.config import Config
from llmsim.server.serve import Runner, ServeError

ROOT = Path(__file__).parents[2]
CHAT = "/v1/chat/completions"
ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
STREAM: Any = {**ASK, "stream": True}
EVEN = {"even": {"ttft": {"kind": "fixed", "mean": 0}, "tbt": {"kind": "fixed", "mean": 20}}}


# -- in this process


async def test_a_runner_says_where_it_listens() -> None:
    async with running() as runner:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", runner.url)
        assert runner.url.endswith(runner.address)


async def test_all_networks_are_shown_as_this_machine() -> None:
    runner = Runner(Config(host="0.0.0.0", port=0))
    runner.bind()
    assert runner.url.startswith("http://127.0.0.1:")
    assert runner._socket is not None
    runner._socket.close()


def test_an_address_of_another_machine_is_told_in_one_sentence() -> None:
    with pytest.raises(ServeError, match=r"^host: 'no\.such\.host\.invalid' is no address of this machine: [^\n]+$"):
        Runner(Config(host="no.such.host.invalid", port=0)).bind()


def test_a_port_in_use_is_told_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServeError, match=r"^cannot listen on 127\.0\.0\.1:\d+: address already in use; [^\n]+$"):
            Runner(Config(port=taken.getsockname()[1])).bind()


async def test_a_runner_that_never_started_stops_all_the_same() -> None:
    await Runner(Config(port=0)).stop()


async def test_stopping_ends_streams_in_good_order() -> None:
    async with running(latency_profile="glacial") as runner, Wire.to(runner) as wire:
        await wire.ask(STREAM, CHAT)
        _, headers = await wire.head()
        await wire.chunk()
        stopping = asyncio.ensure_future(runner.stop(grace=0))
        body = await wire.body(headers)
        await stopping
    assert b"The server is shutting down." in body
    assert [one.state for one in runner.simulator.journal] == ["failed"]


async def test_stopping_lets_replies_end() -> None:
    async with running(latency_profile="fast", target_tokens=100) as runner, Wire.to(runner) as wire:
        await wire.ask(STREAM, CHAT)
        _, headers = await wire.head()
        stopping = asyncio.ensure_future(runner.stop(grace=60))
        body = await wire.body(headers)
        await stopping
    assert body.endswith(b"data: [DONE]\n\n")
    assert [one.state for one in runner.simulator.journal] == ["done"]


async def test_a_server_that_stops_is_not_ready() -> None:
    async with running(latency_profile="glacial") as runner, Wire.to(runner) as wire:
        runner.app.desk.stopping = True
        await wire.ask(b"", "/ready", method="GET")
        assert (await wire.answer())[0] == 503
        await wire.ask(ASK, CHAT)
        status, _, body = await wire.answer()
        assert (status, orjson.loads(body)["error"]["type"]) == (503, "server_error")


async def test_stopping_waits_for_nobody_who_does_not_end_a_request(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with running() as runner, Wire.to(runner) as wire:
            await wire.ask(b"{", CHAT, "content-length: 100")
            await runner.stop(grace=0)
            assert await wire.reader.read() == b""
    assert not caplog.records


async def test_stopping_waits_for_nobody_who_does_not_read(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with running(generator="echo", latency_profile="even", profiles=EVEN) as runner:
            _, writer = await deaf(runner)
            await runner.stop(grace=0)
            writer.transport.abort()
    assert not caplog.records
    assert not runner.app.players


# -- clients that do not read


async def deaf(runner: Runner) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asks for more than fits into the sockets' buffers, and reads nothing of it until they are full."""
    host, _, port = runner.address.rpartition(":")
    assert runner._socket is not None
    runner._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # which accepted sockets inherit
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plug.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plug, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=plug)
    raw = orjson.dumps({**STREAM, "messages": [{"role": "user", "content": ("word " * 500).strip()}], "n": 32})
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(f"POST {CHAT} HTTP/1.1\r\nhost: here\r\ncontent-length: {len(raw)}\r\n\r\n".encode() + raw)
    await until(lambda: any(player.outlet.blocked for player in runner.app.players.values()))
    return reader, writer


async def test_a_client_that_does_not_read_costs_a_bounded_buffer_and_nobody_s_time() -> None:
    async with running(generator="echo", latency_profile="even", profiles=EVEN) as runner, nothing_left(runner):
        _, writer = await deaf(runner)
        (player,) = runner.app.players.values()
        async with Wire.to(runner) as other:
            for _ in range(5):
                await other.ask(STREAM, CHAT)
                _, _, body = await other.answer()
                assert body.endswith(b"data: [DONE]\n\n")
        # What the sockets have taken since may have let some more through; nothing piles up behind them.
        assert player.exchange.cursor < len(player.exchange.plan.pieces)
        assert player.outlet._wire.get_write_buffer_size() < 4 << 20
        writer.transport.abort()


async def test_a_client_that_reads_late_gets_everything() -> None:
    async with running(generator="echo", latency_profile="even", profiles=EVEN) as runner, nothing_left(runner):
        reader, writer = await deaf(runner)
        runner.simulator.change(speed=1000)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        words, end = 0, b""
        while not end.endswith(b"0\r\n\r\n"):
            read = await reader.read(1 << 16)
            words += (end[-10:] + read).count(b'{"content":') - end[-10:].count(b'{"content":')
            end = (end + read)[-40:]
        writer.close()
    assert b"[DONE]" in end
    assert words == 32 * 500


# -- the same again


def mixed() -> list[dict[str, Any]]:
    """Sixty requests, each another: streamed and whole, with tools, limits and several choices among them."""
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    asks: list[dict[str, Any]] = []
    for number in range(60):
        body: dict[str, Any] = {
            "model": ("gpt-4o", "gpt-5", "o3")[number % 3],
            "messages": [{"role": "user", "content": f"Question {number // 2}"}],
            "stream": bool(number % 2),
            "n": 1 + (number % 7 == 0),
        }
        if number % 5 == 0:
            body["tools"] = [tool]
        if number % 4 == 0:
            body["max_completion_tokens"] = 100
        asks.append(body)
    return asks


async def answers(order: list[int], together: bool) -> dict[int, tuple[Any, ...]]:
    """What each request got, and its plan, on a new server; one after the other or all at once."""
    faults = (
        {"kind": "refuse", "status": 503, "probability": 0.3, "id": "a"},
        {"kind": "slow", "probability": 0.3, "id": "b", "ttft_factor": 1.5},
    )
    asks, got = mixed(), {}
    async with running(generator="lorem", seed=11, faults=faults, latency_profile="fast") as runner:

        async def one(number: int) -> None:
            async with Wire.to(runner) as wire:
                await wire.ask(asks[number], CHAT)
                status, _, body = await wire.answer()
            got[number] = (status, re.sub(rb'"(id|created)":("chatcmpl-\w+"|\d+)', b"", body))

        if together:
            await asyncio.gather(*map(one, order))
        else:
            for number in order:
                await one(number)
        plans = {one.request: told(one.plan) for one in runner.simulator.journal}
    return {number: (*got[number], plans[orjson.dumps(asks[number])]) for number in order}


async def test_the_same_seed_does_the_same_whatever_runs_beside_it() -> None:
    order = list(range(60))
    shuffled = random.Random(3).sample(order, 60)
    alone, together = await answers(order, together=False), await answers(shuffled, together=True)
    for number in order:
        assert together[number] == alone[number], f"request {number} differs"
    assert 8 < sum(status == 503 for status, *_ in alone.values()) < 30
    assert len({str(plan) for *_, plan in alone.values()}) > 30


# -- as a process


async def serving(*options: str) -> tuple[Process, Runner]:
    """`llmsim serve` as a process of its own that already answers, and a stand-in that knows its address."""
    command = [sys.executable, "-W", "error", "-m", "llmsim", "serve", "--port", "0", *options]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=PIPE, stdout=PIPE
    )
    assert process.stderr is not None
    line = b""
    while b"serving on" not in line:
        line = await process.stderr.readline()
        assert line, "the server did not start"
    found = re.search(rb"serving on http://([\d.]+):(\d+)", line)
    assert found
    return process, Runner(Config(host=found[1].decode(), port=int(found[2])))


async def test_a_signal_ends_streams_in_good_order() -> None:
    process, place = await serving("--latency-profile", "gpt4o", "--target-tokens", "50000")
    async with Wire.to(place) as first, Wire.to(place) as second, Wire.to(place) as idle, Wire.to(place) as slow:
        await idle.ask(b"", "/health", method="GET")
        await idle.answer()
        await slow.ask(b"{", CHAT, "content-length: 1000")
        wires = (first, second)
        heads = []
        for wire in wires:
            await wire.ask(STREAM, CHAT)
            heads.append(await wire.head())
            await wire.chunk()
        process.send_signal(signal.SIGTERM)
        assert await idle.reader.read() == b""
        process.send_signal(signal.SIGTERM)
        for wire, (_, headers) in zip(wires, heads, strict=True):
            body = await wire.body(headers)
            assert body.count(b'data: {"error":{"message":"The server is shutting down."') == 1
            assert await wire.reader.read() == b""
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert b"ERROR" not in errors
    assert b"WARNING" not in errors
    assert errors.rstrip().endswith(b"stopped")


async def test_a_port_in_use_ends_the_command_with_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "llmsim", "serve", "--port", port],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=PIPE,
        )
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert errors.decode().count("\n") == 1
    assert errors.startswith(f"llmsim: cannot listen on 127.0.0.1:{port}: ".encode())
