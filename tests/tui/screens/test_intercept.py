"""The intercept: requests that a filter means wait at the console until they are let go, failed or stepped."""

from __future__ import annotations

from typing import Any

import pytest
from llmsim_tui.screens.fail_with import FailWith
from llmsim_tui.screens.inspector import Inspector
from llmsim_tui.screens.intercept import Intercept
from llmsim_tui.screens.live import Live
from llmsim_tui.widgets.flows import Flows
from llmsim_tui.widgets.streams import Streams
from textual.widgets import Input
from tui.real import ask_of, simulated
from tui.stage import Stage, stage

from llmsim.exchange import Exchange
from llmsim.simulator import Simulator

SIZES = pytest.mark.parametrize("size", [(60, 16), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")


def begun(simulator: Simulator, text: str = "hello", **fields: Any) -> Exchange:
    """A request whose reply is played by nobody."""
    exchange = simulator.begin(ask_of({"text": text, "model": "gpt-4o", **fields}), b"{}")
    exchange.ask.stream = True
    return exchange


def held(simulator: Simulator) -> list[int]:
    return [one.number for one in simulator.meter.live.values() if one.plan.hold and one.holds(simulator.clock.now())]


async def intercepting(console: Stage, whom: str) -> None:
    await console.press("i")
    await console.write(whom)
    await console.press("enter")
    assert isinstance(console.app.screen, Live)


@SIZES
async def test_what_the_filter_means_waits_and_is_let_go_failed_or_stepped(size: tuple[int, int]) -> None:
    simulator, backend = simulated()
    begun(simulator, "tell me of the refund")
    async with stage(size, backend=backend, seconds=0) as console:
        await console.press("i")
        assert isinstance(console.app.screen, Intercept)
        await console.write("text:refund")
        assert "matches 1 of the last 1" in console.text()
        await console.press("enter")
        assert "intercept" in console.lines()[0]
        for n in range(4):
            begun(simulator, f"refund {n}")
        begun(simulator, "no such thing")
        await simulator.clock.advance(1)
        await console.tick()
        assert "4 HELD" in console.lines()[0]
        assert console.text().count(" held ") >= 3
        assert "a release" in console.lines()[-1]
        flows: Flows = console.one(Flows)
        flows.select(2)
        await console.press("a")
        assert held(simulator) == [3, 4, 5]
        flows.select(5)
        await console.press("p")
        assert held(simulator) == [3, 4]
        begun(simulator, "refund once more")
        await console.tick()
        flows.select(3)
        await console.press("n")
        assert held(simulator) == [4, 7]
        flows.select(4)
        await console.press("x")
        assert isinstance(console.app.screen, FailWith)
        await console.press(*"529", "down", *"7", "down", *"later", "enter")
        piece: Any = simulator.meter.live[4].plan.pieces[-1]
        assert (piece.failure.status, piece.failure.retry_after, piece.failure.message) == (529, 7, "later")
        await console.press("A")
        assert held(simulator) == []
        assert console.toasts()[-1] == "1 held reply let go."
        assert [one.id for one in simulator.settings.faults] == ["intercept"]
        await console.press("A")
        assert console.toasts()[-1] == "Nothing is held: i sets an intercept."


async def test_the_panic_key_undo_and_the_switch_let_go_and_another_filter_keeps() -> None:
    simulator, backend = simulated()
    async with stage((100, 28), backend=backend, seconds=0) as console:
        await intercepting(console, "text:refund")
        begun(simulator, "refund")
        await console.press("i")
        await console.press("end")
        await console.write(" model:gpt*")
        await console.press("enter")
        assert held(simulator) == [1]
        await console.press("i", "enter")
        assert held(simulator) == [1]
        await console.press("0")
        assert held(simulator) == []
        assert simulator.settings.faults == ()
        await console.press("u")
        begun(simulator, "refund")
        assert held(simulator) == [2]
        await console.press("I")
        assert (held(simulator), simulator.settings.faults) == ([], ())
        await console.press("I")
        assert str(simulator.settings.faults[0].scope) == "text:refund model:gpt*"
        begun(simulator, "refund")
        await console.press("i", "ctrl+t")
        assert (held(simulator), simulator.settings.faults) == ([], ())


async def test_bounds_are_set_and_kept_and_what_cannot_be_is_told() -> None:
    simulator, backend = simulated()
    async with stage((100, 28), backend=backend, seconds=0) as console:
        await console.press("i")
        for name, value, words in (
            ("whom", "status:429", "only the journal has it"),
            ("most", "0", "most"),
            ("seconds", "soon", "'soon' is no number"),
        ):
            field = console.app.screen.query_one(f"#{name}", Input)
            before, field.value = field.value, value
            await console.press("enter")
            assert words in console.text().split("Nothing is held")[1]
            field.value = before
        console.app.screen.query_one("#most", Input).value = "1"
        console.app.screen.query_one("#seconds", Input).value = "20"
        await console.press("enter")
        begun(simulator)
        begun(simulator)
        assert held(simulator) == [1]
        await console.tick()
        assert "1 held, as many" in console.text()
        await simulator.clock.advance(20.1)
        assert held(simulator) == []
        await console.press("i")
        assert console.app.screen.query_one("#seconds", Input).value == "20"


async def test_what_is_held_is_seen_among_the_streams_and_let_go_from_there_and_from_the_inspector() -> None:
    simulator, backend = simulated()
    async with stage((100, 28), backend=backend, seconds=0) as console:
        await intercepting(console, "()")
        begun(simulator)
        begun(simulator)
        await simulator.clock.advance(3)
        await console.tick()
        streams: Streams = console.one(Streams)
        assert [one.state for one in streams.state] == ["held", "held"]
        assert "held 3s" in console.text()
        await console.click(streams, 5, 1)
        await console.on_bar("release")
        assert held(simulator) == [2]
        console.one(Flows).focus()
        console.one(Flows).select(2)
        await console.press("enter")
        assert isinstance(console.app.screen, Inspector)
        assert "hold for 300s at most" in console.text()
        await console.on_bar("release")
        assert held(simulator) == []
        await console.press("x", "enter")
        assert simulator.meter.live[2].plan.pieces[-1].failure.status == 500  # type: ignore[attr-defined]


async def test_it_is_set_bounded_and_turned_off_and_a_reply_failed_by_the_mouse_alone() -> None:
    simulator, backend = simulated()
    async with stage((120, 40), backend=backend, seconds=0) as console:
        await console.on_bar("intercept")
        await console.click("#most", 1, 0)
        await console.on_bar("hold")
        first, _ = begun(simulator), begun(simulator)
        await console.tick()
        await console.click(Flows, 10, 2)
        await console.on_bar("fail with")
        await console.click("#status", 14, 0)
        await console.on_bar("fail")
        assert first.plan.pieces[-1].failure.status == 429  # type: ignore[attr-defined]
        await console.on_bar("release all")
        assert held(simulator) == []
        begun(simulator)
        await console.on_bar("intercept", "turn off")
        assert (held(simulator), simulator.settings.faults) == ([], ())


async def test_what_a_used_up_hold_keeps_is_let_go_with_all() -> None:
    simulator, backend = simulated(faults=[{"kind": "hold", "count": 2}])
    begun(simulator)
    begun(simulator)
    async with stage((100, 28), backend=backend, seconds=0) as console:
        assert simulator.settings.faults == ()
        await console.press("A")
        assert held(simulator) == []


async def test_who_only_watches_sets_none() -> None:
    async with stage((80, 24), read_only=True) as console:
        for key in ("i", "I", "x", "A"):
            await console.press(key)
            assert isinstance(console.app.screen, Live)
