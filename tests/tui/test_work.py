"""A frame's work does not grow with history: counted in things looked at and lines drawn, not in time."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType
from typing import Any

import pytest
from llmsim_tui.app import MOST, LlmsimApp
from llmsim_tui.folding import PANELS
from llmsim_tui.screens.inspector import Inspector
from llmsim_tui.widgets.flows import Flows
from llmsim_tui.widgets.lines import Lines, Panel
from tui.fake import FakeBackend
from tui.real import asked, simulated
from tui.stage import Stage, stage

from llmsim.journal import Journal
from llmsim.views import exchanges


class Work:
    """Counts what is looked at in the journal and what is drawn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: Counter[str] = Counter()
        self._count(monkeypatch, exchanges, "row")
        self._count(monkeypatch, Journal, "get")
        self._count(monkeypatch, Lines, "render_line")
        self._count(monkeypatch, Lines, "redraw")

    def _count(self, monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> None:
        real = getattr(where, name)

        def counted(*given: Any) -> Any:
            self.done[name] += 1
            return real(*given)

        monkeypatch.setattr(where, name, counted)

    async def of(self, console: Stage) -> Counter[str]:
        """What four frames do, one of them with charts and lists that have changed; `calls` are llmsim's own."""
        self.done.clear()
        sys.setprofile(self._called)
        try:
            await console.tick(4)
        finally:
            sys.setprofile(None)
        return self.done.copy()

    def _called(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and "llmsim" in frame.f_code.co_filename and "site-packages" not in frame.f_code.co_filename:
            self.done["calls"] += 1


async def test_ten_thousand_requests_cost_a_frame_what_a_hundred_do(monkeypatch: pytest.MonkeyPatch) -> None:
    size = (200, 60)
    simulator, backend = simulated(rpm=1_000_000_000)
    for number in range(100):
        asked(simulator, f"hello {number % 7}")
    async with stage(size, seconds=0, backend=backend) as console:
        assert {panel.id for panel in console.app.screen.query(Panel) if panel.display} == set(PANELS)
        work = Work(monkeypatch)
        asked(simulator)
        few = await work.of(console)
        for number in range(9_900):
            asked(simulator, f"hello {number % 7}")
        await console.tick()
        asked(simulator)
        many = await work.of(console)
        assert simulator.journal.last == 10_002
        calls = many.pop("calls"), few.pop("calls")
        assert all(many[name] <= few[name] for name in many), (many, few)
        assert calls[0] < 1.1 * calls[1]
        assert few["row"] <= 4 * (size[1] + 1)
        await console.press("home", "enter")
        few_inspected = await work.of(console)
        assert few_inspected["row"] <= 4 * (size[1] + 8)
        if isinstance(console.app.screen, Inspector):
            await console.press("escape")
        flows = console.one(Flows)
        flows.focus()
        await console.press("end")
        assert flows.cursor == 10_002


async def test_an_idle_console_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _, backend = simulated()
    async with stage((120, 40), seconds=0, backend=backend) as console:
        await console.tick(8)
        work = Work(monkeypatch)
        assert (await work.of(console))["redraw"] == 0


def test_no_console_draws_more_than_ten_frames_a_second() -> None:
    assert LlmsimApp(FakeBackend(), fps=60).fps == MOST == 10
