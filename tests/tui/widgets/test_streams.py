"""One reply under way at the keyboard: paused, stepped token by token, paced alone, cut, failed."""

from __future__ import annotations

import pytest
from llmsim_tui.local import LocalBackend
from tui.real import asked, simulated
from tui.stage import stage

from llmsim.exchange import Exchange
from llmsim.simulator import Simulator

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")


def under_way() -> tuple[Simulator, Exchange, LocalBackend]:
    simulator, backend = simulated(latency_profile="gpt4o", target_tokens=50)
    exchange = asked(simulator, live=True)
    simulator.clock._now = exchange.plan.times[0] + 0.001
    exchange.first = simulator.clock.now()
    exchange.take(simulator.clock.now())
    return simulator, exchange, backend


@SIZES
async def test_a_reply_is_paused_and_stepped_token_by_token(size: tuple[int, int]) -> None:
    _simulator, exchange, backend = under_way()
    async with stage(size, backend=backend) as console:
        if size[0] < 100:
            await console.press("right_square_bracket")
        console.one("#streams").focus()
        await console.press("p")
        assert exchange.held
        assert "paused" in console.text()
        assert "n step" in console.lines()[-1]
        before = exchange.cursor
        await console.press("n", "n")
        assert exchange.held
        exchange.take(console.app.backend._simulator.clock.now())
        assert exchange.cursor > before
        await console.press("p")
        assert not exchange.held


async def test_a_reply_is_paced_alone_within_bounds() -> None:
    _, exchange, backend = under_way()
    other = asked(backend._simulator, "another", live=True)
    async with stage((120, 40), backend=backend) as console:
        console.one("#streams").focus()
        await console.press("right", "right")
        assert (exchange.factor, other.factor) == (4, 1)
        assert "×4 " in console.text()
        assert console.toasts()[-1] == "#1 goes at 4 times the pace of all others."
        await console.press(*["comma"] * 3, *["left"] * 8)
        assert exchange.factor == 1 / 64


@pytest.mark.parametrize(("key", "state"), [("c", "dropped"), ("F", "failed")])
@pytest.mark.parametrize("panel", ["#streams", "#requests"])
async def test_a_reply_is_cut_or_failed(panel: str, key: str, state: str) -> None:
    _simulator, exchange, backend = under_way()
    async with stage((120, 40), backend=backend) as console:
        console.one(panel).focus()
        await console.press(key)
        assert type(exchange.plan.pieces[-1]).__name__ == {"dropped": "Drop", "failed": "Fail"}[state]
        assert f"{'cut' if key == 'c' else 'fail'} #1" in console.text()
