"""llmsim records llmsim over sockets, a third one replays the tape: the same bytes, and about the same moments."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from replaying import chat, content, message, response
from running import Wire, running, until
from upstream import recorder, takes

from llmsim.dialects import Request
from llmsim.server.reels import Reels
from llmsim.server.serve import Runner

PACED = {"ttft": {"mean": 80, "stddev": 20}, "tbt": {"mean": 15, "stddev": 5}}
REQUESTS = [
    chat("Whole"),
    chat("Streamed", stream=True),
    chat("Weather?", tools=[{"type": "function", "function": {"name": "weather"}}], tool_choice="required"),
    response("Streamed", stream=True),
    message("Whole"),
    message("Streamed", stream=True),
    content("Whole"),
    content("Streamed", stream=True),
    chat("Refused", model="gpt-limited"),
    chat("Cut", model="gpt-cut", stream=True),
    message("Cut", model="claude-cut", stream=True),
]
FAULTS = [
    {"kind": "refuse", "status": 429, "retry_after": 3, "scope": "model:gpt-limited"},
    {"kind": "cut", "after_tokens": 4, "reset": False, "scope": "model:*-cut"},
]


class Got(NamedTuple):
    """An answer: its status, its body as far as it came, whether it was whole."""

    status: int
    body: bytes
    whole: bool


async def got(runner: Runner, request: Request) -> Got:
    """What one request is answered with, on a connection of its own."""
    async with Wire.to(runner) as wire:
        path = request.path + (f"?{request.query}" if request.query else "")
        headers = [f"{name.decode()}: {value.decode()}" for name, value in request.headers.items()]
        await wire.ask(request.body, path, *[one for one in headers if not one.startswith("authorization")])
        status, told = await wire.head()
        body, whole = b"", True
        try:
            if "content-length" in told:
                body = await wire.body(told)
            else:
                while chunk := await wire.chunk():
                    body += chunk
        except (asyncio.IncompleteReadError, ValueError, ConnectionError) as error:
            body += getattr(error, "partial", b"")
            whole = False
        return Got(status, body, whole)


_SEALED = re.compile(rb'("(?:id|[a-z_]+_id|responseId)"\s*:\s*)"[^"]*"|("(?:created|[a-z]+_at)"\s*:\s*)\d+')


def sealed(body: bytes) -> bytes:
    return _SEALED.sub(rb"\1\2_", body)


@contextlib.asynccontextmanager
async def replaying(tape: Path, **settings: object) -> AsyncIterator[Runner]:
    async with running(generator="fixed:made up", tapes=(str(tape),), **settings) as runner:
        yield runner


async def test_a_tape_of_llmsim_replays_as_llmsim_was(tmp_path: Path) -> None:
    tape = tmp_path / "run.jsonl"
    async with running(profiles={"paced": PACED}, latency_profile="paced", faults=FAULTS) as upstream:
        names = dict.fromkeys(("openai", "anthropic", "gemini"), upstream.url)
        async with recorder(tape, names) as proxy:
            first = [await got(proxy, request) for request in REQUESTS]
    assert [take.end for take in takes(tape)] == ["done"] * 9 + ["cut"] * 2
    async with replaying(tape) as runner:
        again = [await got(runner, request) for request in REQUESTS]
        played = [list(exchange.plan.times) for exchange in runner.simulator.journal]
    for request, take, before, after in zip(REQUESTS, takes(tape), first, again, strict=True):
        assert (after.status, after.whole) == (before.status, before.whole), request.body
        assert sealed(after.body) == sealed(take.body) == sealed(before.body), request.body
    for take, times in zip(takes(tape), played, strict=True):
        # Each piece is due when its bytes came; how late it then was is what the meter of lateness says.
        moments = [*(frame.at for frame in take.frames), take.ended]
        assert all(min(abs(time - moment) for moment in moments) < 0.0001 for time in times)


async def test_new_requests_are_recorded_and_replayed_from_then_on(tmp_path: Path) -> None:
    tape = tmp_path / "run.jsonl"
    async with running(target_tokens=10) as upstream:
        async with recorder(tape, {"openai": upstream.url}) as proxy:
            old = await got(proxy, chat("Old"))
        async with running(tapes=(str(tape),), replay="new_episodes") as runner:
            await runner.app.recorder.start(_recording(tape, upstream.url))
            assert sealed((await got(runner, chat("Old"))).body) == sealed(old.body)
            assert len(upstream.simulator.journal) == 1, "what is on the tape is not asked again"
            new = await got(runner, chat("New"))
            assert len(upstream.simulator.journal) == 2
            reels = runner.app.desk.reels
            assert reels is not None
            await until(lambda: len(reels.reel.cues) == 2)  # a turn of the loop after it is on the tape
            assert sealed((await got(runner, chat("New"))).body) == sealed(new.body)
            assert len(upstream.simulator.journal) == 2
            assert (await got(runner, chat("Old", stream=True))).status == 200, "told in a stream's words"
    assert len(takes(tape)) == 2


@pytest.mark.parametrize(("mode", "status", "asked"), [("once", 404, 1), ("none", 404, 1), ("all", 200, 2)])
async def test_beside_a_recording_each_mode_does_as_it_says(tmp_path: Path, mode: str, status: int, asked: int) -> None:
    tape = tmp_path / "run.jsonl"
    async with running() as upstream:
        async with recorder(tape, {"openai": upstream.url}) as proxy:
            await got(proxy, chat("Old"))
        async with running(tapes=(str(tape),), replay=mode) as runner:
            await runner.app.recorder.start(_recording(tape, upstream.url))
            assert (await got(runner, chat("New"))).status == status
            assert len(upstream.simulator.journal) == asked


async def test_a_path_that_llmsim_does_not_serve_is_replayed(tmp_path: Path) -> None:
    """Recorded of an API that knows it: here it is a take whose path was changed."""
    from dataclasses import replace

    from taped import asked, serving, take

    desk, request = serving(), chat("Hi")
    (ear,) = await asked(desk, request)
    strange = replace(take(desk, request, ear), path="/v9/strange", dialect="", provider="")
    async with running() as runner:
        runner.app.desk.reels = Reels(runner.app.routes, runner.simulator.clock)
        runner.app.desk.reels.take_in([("run.jsonl line 1", strange)])
        answer = await got(runner, Request("POST", "/v9/strange", headers=request.headers, body=request.body))
        assert (answer.status, len(answer.body)) == (200, len(ear.told))
        other = await got(runner, Request("POST", "/v9/other", headers=request.headers, body=request.body))
        assert other.status == 404


def _recording(tape: Path, url: str) -> object:
    from llmsim.server.record.options import Recording

    return Recording.of({"tape": str(tape), "upstreams": {"openai": url}})
