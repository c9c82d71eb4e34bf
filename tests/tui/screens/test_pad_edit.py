"""The pad dialog: whom a fault meets is tried on what was seen, and every kind and every term can be armed."""

from __future__ import annotations

import pytest
from llmsim_tui.screens.pad_edit import PadEdit
from llmsim_tui.widgets.slider import Choice
from textual.widgets import Input, Static
from tui.real import asked, simulated
from tui.stage import Stage, stage

from llmsim import faults
from llmsim.settings import Settings


def put(console: Stage, **values: str) -> None:
    for name, value in values.items():
        console.app.screen.query_one(f"#{name.replace('__', '-')}", Input).value = value


async def turn(console: Stage, kind: str) -> None:
    choice = console.app.screen.query_one("#kind", Choice)
    while choice.value != kind:
        choice.turn(1)
        await console.settle()


def words(console: Stage) -> str:
    return str(console.app.screen.query_one("#preview", Static).content)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_scope_says_how_many_of_the_last_requests_it_would_have_met(size: tuple[int, int]) -> None:
    simulator, backend = simulated()
    for place in range(10):
        asked(simulator, f"refund {place}" if place % 3 else "other", model="gpt-4o" if place % 2 else "o3-mini")
    async with stage(size, backend=backend) as console:
        await console.press("e", "1")
        console.app.screen.query_one("#term-scope").focus()
        await console.pilot.pause()
        await console.write("model:gpt* text:refund")
        assert "matches 3 of the last 10" in console.text()
        await console.press("backspace", *["left"] * 30, "x")
        assert "xmodel: there is no such condition" in words(console)
        put(console, term__scope="status:429")
        await console.tick()
        assert "only the journal has it" in words(console)
        await console.press("enter")
        assert isinstance(console.app.screen, PadEdit)


async def test_the_next_two_of_each_key_under_a_scope() -> None:
    simulator, backend = simulated()
    async with stage((120, 40), backend=backend) as console:
        await console.press("e", "1", "end")
        put(console, term__scope="model:gpt*", term__count="2", seconds="")
        console.app.screen.query_one("#term-per", Choice).put("key")
        await console.press("enter", "1")
        assert "0✗ 2 a key" in console.text()
        assert [asked(simulator, key=key).status for key in "aaabb"] == [429, 429, 200, 429, 429]
        assert asked(simulator, key="c", model="o3-mini").status == 200
        armed = backend.pulse().armed[0]
        assert (armed.scope, armed.more, armed.most, armed.per, armed.hits) == ("model:gpt*", None, 2, "key", 4)


async def test_a_counted_fuse_drains_with_its_hits_and_goes_when_it_is_used_up() -> None:
    simulator, backend = simulated()
    async with stage((120, 40), backend=backend) as console:
        await console.press("e", "1", "end")
        put(console, term__count="3", seconds="")
        await console.press("enter", "1")
        assert "3/3 left" in console.text()
        asked(simulator)
        await console.tick()
        assert "1✗ 2/3 left" in console.lines()[2]
        assert "429 storm 2/3" in console.lines()[0]
        await console.press("plus")
        assert "stays until it is used up" in console.toasts()[-1]
        await console.press("full_stop")
        assert "3/3 left" in console.text()
        for _ in range(3):
            asked(simulator)
        await console.tick()
        assert backend.pulse().armed == []
        assert "3× " in console.text()


async def test_a_fuse_of_requests_and_one_that_waits() -> None:
    simulator, backend = simulated()
    async with stage((120, 40), backend=backend) as console:
        await console.press("e", "3")
        await turn(console, "empty")
        put(console, term__for_requests="5", seconds="8", term__after_s="4")
        await console.press("enter", "3")
        assert "in 4s" in console.lines()[0]
        await simulator.clock.advance(5)
        asked(simulator)
        await console.tick()
        assert "7s 4/5" in console.lines()[0]
        assert "4/5 req" in console.text()
        await console.press("plus")
        assert backend.pulse().armed[0].left == 12
        await simulator.clock.advance(12)
        assert backend.pulse().armed == []


async def test_terms_that_do_not_go_together_are_told() -> None:
    async with stage((80, 24)) as console:
        await console.press("e", "1")
        put(console, term__every_s="60")
        await console.press("enter")
        assert "every_s and on_s: they go together" in console.text()
        put(console, term__on_s="10", term__count="0")
        await console.press("enter")
        assert "count" in console.text().split("Not kept")[1]


@pytest.mark.parametrize("kind", faults.kinds())
async def test_every_kind_of_fault_can_be_put_on_a_pad(kind: str) -> None:
    async with stage((80, 24), rate=0.0, seconds=0.0) as console:
        await console.press("e", "8")
        await turn(console, kind)
        await console.press("enter")
        pad = console.app.deck.pads[7]
        assert pad.fault["kind"] == kind
        Settings().changed(faults=[pad.fault])
