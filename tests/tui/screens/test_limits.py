"""Rate limits at the keyboard: gauges of what is left, drained, refilled, added, edited, taken away."""

from __future__ import annotations

import pytest
from llmsim_tui.screens.editor import Editor
from llmsim_tui.screens.limits import Limits
from llmsim_tui.widgets.rows import Rows
from textual.widgets import TextArea
from tui.real import asked, simulated
from tui.stage import stage

FREE = {"name": "free", "per": "key", "rpm": 10, "quota_tokens": 1000}


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_each_bucket_is_a_gauge_that_fills_again(size: tuple[int, int]) -> None:
    simulator, backend = simulated(limits=[FREE, {"name": "later", "when": "model:o9", "per": [], "rpm": 5}], rpm=60)
    for _ in range(4):
        asked(simulator, key="sk-proj-0123456789abcdef")
    async with stage(size, backend=backend) as console:
        await console.press("L")
        assert isinstance(console.app.screen, Limits)
        text = console.text()
        assert "6/10" in text
        assert "56/60" in text
        assert "0123456789" not in text
        assert "not met yet" in text
        if size[0] == 120:
            assert "never" in text
            assert "24s" in text
        await simulator.clock.advance(24)
        await console.tick()
        assert "10/10" in console.text()


async def test_drained_requests_are_refused_until_it_is_refilled() -> None:
    simulator, backend = simulated(limits=[FREE])
    asked(simulator)
    async with stage((80, 24), backend=backend) as console:
        await console.press("L", "d")
        assert console.toasts()[-1] == "2 buckets drained."
        assert asked(simulator).status == 429
        await console.press("f")
        assert asked(simulator).status == 200
        await console.press("D")
        assert asked(simulator).status == 429
        await console.press("F")
        assert console.toasts()[-1] == "2 buckets filled."
        assert asked(simulator).status == 200
        assert any(event.text == "drained free" for event in simulator.events.after(0))


async def test_added_edited_taken_away_and_undone() -> None:
    simulator, backend = simulated()
    async with stage((80, 24), backend=backend) as console:
        await console.press("L", "d", "x", "enter")
        assert console.toasts()[-1] == "There is no limit yet: a adds one."
        await console.press("a")
        console.fill("name: one\nrpm: 0\n")
        await console.press("ctrl+s")
        assert isinstance(console.app.screen, Editor)
        assert "2:1 rpm" in console.text()
        console.fill("name: one\nwhen: {model: gpt*}\nrpm: 1\n")
        await console.press("ctrl+s")
        assert [asked(simulator).status for _ in range(2)] == [200, 429]
        await console.press("enter")
        assert "model: gpt*" in console.app.screen.query_one("#text", TextArea).text
        console.fill("name: one\nrpm: 3\n")
        await console.press("ctrl+s")
        assert backend.settings().limits[0].rpm == 3
        await console.press("u", "u")
        assert backend.settings().limits == ()
        await console.press("a", "ctrl+s")
        assert [limit.name for limit in backend.settings().limits] == ["free"]
        await console.press("x")
        assert backend.settings().limits == ()


async def test_two_limits_of_one_name_are_refused_in_a_sentence() -> None:
    _, backend = simulated(limits=[FREE])
    async with stage((80, 24), backend=backend) as console:
        await console.press("L", "a")
        console.fill("name: free\nrpm: 3\n")
        await console.press("ctrl+s")
        assert "there are two of the name 'free'" in console.toasts()[-1]


async def test_the_founding_limit_is_a_setting_and_no_rule() -> None:
    simulator, backend = simulated(rpm=2)
    asked(simulator)
    async with stage((80, 24), backend=backend) as console:
        await console.press("L", "e", "x")
        assert "is no rule: it is the settings rpm and tpm" in console.toasts()[-1]
        rows = console.app.screen.query_one(Rows)
        await console.press("d")
        assert asked(simulator).status == 429
        assert rows.state[0].tone == "failed"
