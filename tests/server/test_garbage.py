"""The collector of garbage keeps no reply waiting."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from llmsim.clock import ToldClock
from llmsim.server import garbage


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the collector is told, in place of being told it: these tests need theirs."""
    told: list[object] = []
    for name in ("enable", "freeze", "unfreeze"):
        monkeypatch.setattr(gc, name, lambda name=name: told.append(name))
    monkeypatch.setattr(gc, "collect", lambda generation=2: told.append(("collect", generation)))
    monkeypatch.setattr(gc, "set_threshold", lambda *counts: told.append(counts))
    return told


async def test_large_steps_are_made_while_nobody_waits(called: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    clock, live, steps = ToldClock(), [1], [99]
    monkeypatch.setattr(gc, "get_count", lambda: (0, steps[0], 0))
    garbage.begin(clock, lambda: bool(live))
    assert called == ["freeze", (5_000, 100, 50), "enable"]
    await clock.advance(30)
    assert called[3:] == []
    live.clear()
    await clock.advance(2)
    assert called[3:] == ["unfreeze", ("collect", 2), "freeze", (5_000, 100, 50)]
    await clock.advance(2)
    assert called[7:] == [("collect", 1)]
    steps[0] = 3
    await clock.advance(60)
    assert len(called) == 8


WALKED = """
import asyncio, gc
from llmsim.server.config import Config
from llmsim.server.serve import Runner

async def main():
    runner = Runner(Config(port=0))
    await runner.start()
    runner.tidy()
    passes = []
    gc.callbacks.append(lambda phase, about: passes.append((phase, about["generation"])))
    kept = [[number] for number in range(60_000)]
    assert 10 <= passes.count(("start", 0)) <= 14 and passes.count(("start", 1)) == 0, passes
    assert len(kept) == 60_000
    await runner.stop(grace=0)

gc.disable()
asyncio.run(main())
"""


def test_it_works_in_small_steps() -> None:
    subprocess.run([sys.executable, "-c", WALKED], check=True)
