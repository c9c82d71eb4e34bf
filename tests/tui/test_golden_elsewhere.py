"""Whole screens as text over a server elsewhere, one that is gone, and a recording; reviewed by eye."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from llmsim_tui.local import LocalBackend
from llmsim_tui.replay import ReplayBackend
from tui.far import begun, busy
from tui.stage import Stage, golden, stage
from tui.test_golden import SIZES

from llmsim.clock import ToldClock
from llmsim.views.recording import Recorder
from llmsim.views.session import Session, read


async def seen(console: Stage) -> None:
    """Until what is looked at has come over the line."""
    for _ in range(3):
        await console.backend.pull()
        await console.tick()


@SIZES
async def test_attached_and_then_without_its_server(size: tuple[int, int]) -> None:
    simulator, far = await busy()
    async with stage(size, backend=far, seconds=0) as console:

        def see(name: str) -> None:
            golden(f"{name}_{size[0]}x{size[1]}", console.lines())

        await seen(console)
        see("attached")
        if size[0] < 100:
            for tab in ("streams", "latency", "retries", "limits"):
                await console.press("right_square_bracket")
                await seen(console)
                see(f"attached_{tab}")
            await console.press("right_square_bracket", "right_square_bracket")
        await console.press("enter")
        await seen(console)
        see("attached_inspector")
        await console.press("escape")
        far.there = False
        await simulator.clock.advance(5.0)  # type: ignore[attr-defined]
        await far.pull()
        await console.tick()
        see("server_gone")
        assert console.app.screen.has_class("-stale")
        far.there = True
        await seen(console)
        assert not console.app.screen.has_class("-stale")


LIMITS = (
    {"name": "free", "when": "model:gpt-4o*", "per": ["model"], "rpm": 60, "quota_tokens": 20_000},
    {"name": "team", "per": ["client"], "tpm": 40_000, "concurrency": 8},
    {"name": "later", "when": "model:o9", "rpm": 5},
)


@SIZES
async def test_limits_that_were_met_and_the_verdict_on_clients_that_were_refused(size: tuple[int, int]) -> None:
    simulator, _ = await busy(limits=LIMITS)
    async with stage(size, backend=LocalBackend(simulator, "127.0.0.1:8080"), seconds=0) as console:
        await console.press("L", "down")
        golden(f"limits_met_{size[0]}x{size[1]}", console.lines())
        await console.press("escape", "v")
        await console.settle()
        golden(f"verdict_given_{size[0]}x{size[1]}", console.lines())
        simulator.arm({"kind": "hold", "id": "intercept", "label": "intercept", "scope": "model:gpt-4o*"})
        for seconds in (4, 2, 1):
            begun(simulator, random.Random(seconds), "agent-01", 0)
            await simulator.clock.advance(seconds)  # type: ignore[attr-defined]
        await console.press("escape")
        golden(f"held_{size[0]}x{size[1]}", console.lines())
        await console.press("x")
        golden(f"fail_with_{size[0]}x{size[1]}", console.lines())


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The last of the traffic, recorded."""
    return asyncio.run(_recorded(tmp_path_factory.mktemp("replay") / "session.jsonl"))


async def _recorded(file: Path) -> Session:
    simulator, far = await busy()
    recorder = Recorder(far, file, far.address)
    for _ in range(24):
        await far.pull()
        recorder.frame()
        await simulator.clock.advance(0.25)  # type: ignore[attr-defined]
    recorder.stop()
    return read(file)


@SIZES
async def test_a_recording_as_it_plays_stands_still_and_is_over(session: Session, size: tuple[int, int]) -> None:
    clock = ToldClock()
    async with stage(size, backend=ReplayBackend(session, clock=clock), seconds=0) as console:

        def see(name: str) -> None:
            golden(f"{name}_{size[0]}x{size[1]}", console.lines())

        await clock.advance(3.0)
        await console.tick()
        see("replay")
        await console.press("space")
        see("replay_still")
        await console.press("v")
        see("replay_verdict")
        await console.press("escape", "space")
        await clock.advance(9.0)
        await console.tick()
        see("replay_end")
