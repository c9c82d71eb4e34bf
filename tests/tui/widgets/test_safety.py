"""The safety line: whatever the width, where it is and what is in force stay on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llmsim_tui.widgets.safety import SafetyLine
from tui.stage import stage


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
async def test_it_never_loses_its_address_its_errors_and_what_is_armed(width: int) -> None:
    async with stage((width, 24)) as console:
        await console.press("1", "2", "3", "4", "greater_than_sign", "space")
        line = console.lines()[0]
        assert ":8080" in line
        assert len(line) <= width
        if width >= 60:
            assert "FROZEN" in line
            assert "% err" in line
            assert "armed" in line or "429" in line


async def test_a_server_that_is_gone_says_so_in_capitals() -> None:
    async with stage((80, 24)) as console:
        pulse = console.backend.pulse()
        console.backend.pulse = lambda: replace(pulse, state="disconnected", requests_per_s=12_000.0)  # type: ignore[method-assign]
        await console.tick()
        assert "DISCONNECTED" in console.lines()[0]
        assert "12.0k r/s" in console.lines()[0]
        line = console.app.query_one(SafetyLine)
        figure = next(one for one in line.render_line(0) if "12.0k" in one.text)
        assert figure.style is not None
        assert figure.style.color == line.ink.dim.color  # the last that was heard, no longer what is


@pytest.mark.parametrize("width", [84, 100, 120])
async def test_when_a_server_that_is_gone_is_tried_again_is_worth_more_than_its_last_figures(width: int) -> None:
    async with stage((width, 24)) as console:
        pulse, now = console.backend.pulse(), "REMOTE · as of 22:13:45 · retry 8s"
        console.backend.pulse = lambda: replace(pulse, state="disconnected", lag_p95=0.1)  # type: ignore[method-assign]
        console.backend.address, console.backend.note = "staging-7.example.com:8080", now
        await console.press("1")
        assert now in console.lines()[0]
        assert "DISCONNECTED" in console.lines()[0]
        assert len(console.lines()[0]) <= width


async def test_requests_a_second_stay_while_there_is_room_whatever_is_armed() -> None:
    async with stage((60, 16)) as console:
        await console.press("1", "space")
        assert "r/s" in console.lines()[0]
        assert "FROZEN" in console.lines()[0]
