"""A slow line carries the same bytes, drop by drop; who leaves in the midst leaves nothing behind."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from running import Wire, nothing_left, running, until
from support import plan_of

from llmsim.clock import ToldClock
from llmsim.server.drip import DripChannel

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "seed": 1}


class Line:
    """A channel that notes what goes over it."""

    started = False
    blocked = False

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.ended = self.severed = False

    def start(self, status: int, headers: Any, length: int | None = None) -> None:
        self.started = True

    def body(self, data: bytes, more: bool) -> None:
        self.sent.append(data)
        self.ended = not more

    def sever(self, reset: bool) -> None:
        self.severed = True


async def test_bytes_come_at_the_rate_and_not_before() -> None:
    clock, line = ToldClock(), Line()
    drip = DripChannel(line, clock, 100)  # type: ignore[arg-type]
    done: list[int] = []
    drip.drained = lambda: done.append(1)
    drip.start(200, [])
    drip.part(b"a" * 30)
    drip.body(b"b" * 20, False)
    for seconds, sent in ((0.1, 10), (0.2, 30), (0.2, 50)):
        await clock.advance(seconds)
        assert abs(len(b"".join(line.sent)) - sent) <= 2
    await clock.advance(1)
    assert b"".join(line.sent) == b"a" * 30 + b"b" * 20
    assert line.ended
    assert done == [1]
    assert drip.empty


async def test_a_reader_that_is_slower_still_is_waited_for() -> None:
    clock, line = ToldClock(), Line()
    drip = DripChannel(line, clock, 1000)  # type: ignore[arg-type]
    line.blocked = True
    drip.body(b"x" * 100, False)
    await clock.advance(1)
    assert not line.sent
    line.blocked = False
    await clock.advance(1)
    assert b"".join(line.sent) == b"x" * 100


async def test_a_cut_loses_what_was_held_back() -> None:
    clock, line = ToldClock(), Line()
    drip = DripChannel(line, clock, 50)  # type: ignore[arg-type]
    drip.body(b"x" * 100, False)
    drip.sever(True)
    await clock.advance(10)
    assert line.severed
    assert len(b"".join(line.sent)) <= 2


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/openai/v1/chat/completions?x=%20"])
async def test_the_answer_is_the_same_to_the_byte(streamed: bool, path: str) -> None:
    async with running() as runner, httpx.AsyncClient(base_url=runner.url, timeout=60) as client:
        body = {**CHAT, "stream": streamed}
        told = [(await client.post(path, json=body)).text]
        runner.simulator.arm({"kind": "drip", "bytes_per_s": 60_000})
        async with nothing_left(runner):
            told.append((await client.post(path, json=body)).text)
        assert _plain(told[0]) == _plain(told[1])


def _plain(text: str) -> str:
    import re

    return re.sub(r'"(id|created)":("[^"]*"|\d+)', "", text)


@pytest.mark.parametrize("streamed", [False, True])
async def test_who_leaves_in_the_midst_leaves_nothing_behind(streamed: bool) -> None:
    async with running() as runner:
        runner.simulator.arm({"kind": "drip", "bytes_per_s": 50})
        async with nothing_left(runner), Wire.to(runner) as wire:
            await wire.ask({**CHAT, "stream": streamed}, "/v1/chat/completions")
            await wire.head()
            await until(lambda: runner.simulator.meter.live)
        assert runner.simulator.journal.newest(1)[0].state == "abandoned"


def test_a_plan_has_no_line_of_its_own() -> None:
    assert plan_of().drip == 0
