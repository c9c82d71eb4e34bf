"""The verdict on clients in the console: as the engine words it, looked at again on demand."""

from __future__ import annotations

import pytest
from llmsim_tui.screens.live import Live
from llmsim_tui.screens.verdicts import Verdicts
from tui.real import asked, simulated
from tui.stage import Stage, stage


async def judged(console: Stage) -> None:
    await console.app.workers.wait_for_complete([one for one in console.app.workers if one.group == "dry"])
    await console.tick()


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_each_client_is_judged_in_words(size: tuple[int, int]) -> None:
    simulator, backend = simulated()
    async with stage(size, backend=backend) as console:
        await console.press("v")
        await judged(console)
        assert "No client has asked for anything yet." in console.text()
        simulator.arm({"kind": "refuse", "status": 400})
        asked(simulator, client="[red]\x1b]0;x")
        await console.press("r")
        await judged(console)
        assert "1 client, 1 request" in console.text()
        assert "[red]␛]0;x" in console.text()
        await console.press("j", "k", "escape")
        assert isinstance(console.app.screen, Live)


async def test_a_long_verdict_is_cut_off_and_says_by_how_much() -> None:
    async with stage((80, 24), rate=0.0) as console:

        async def verdict() -> list[str]:
            return ["all", *(f"  finding {place}" for place in range(5_000))]

        console.backend.verdict = verdict
        console.app.push_screen(Verdicts())
        await console.settle()
        await judged(console)
        screen = console.app.screen
        screen.query_one("#dialog").scroll_end(animate=False, immediate=True)
        await console.tick()
        assert "… and 3001 lines more" in console.text()
