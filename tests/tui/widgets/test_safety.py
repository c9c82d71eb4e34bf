"""The safety line: whatever the width, where it is and what is in force stay on it."""

from __future__ import annotations

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
        from dataclasses import replace

        pulse = console.backend.pulse()
        console.backend.pulse = lambda: replace(pulse, state="disconnected", requests_per_s=12_000.0)  # type: ignore[method-assign]
        await console.tick()
        assert "DISCONNECTED" in console.lines()[0]
        assert "12.0k r/s" in console.lines()[0]
        line = console.app.query_one(SafetyLine)
        figure = next(one for one in line.render_line(0) if "12.0k" in one.text)
        assert figure.style is not None
        assert figure.style.color == line.ink.dim.color  # the last that was heard, no longer what is
