"""A burst of keys: what is typed right behind the key that opens a dialog is the dialog's, in its order."""

from __future__ import annotations

import pytest
from llmsim_tui.screens.latency import Latency
from llmsim_tui.screens.live import Live
from llmsim_tui.screens.mocks import Mocks
from textual.events import Key
from textual.widgets import TextArea
from tui.stage import Stage, stage

_NAMES = {"/": "slash", "-": "minus"}
SIZES = pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")


async def burst(console: Stage, *keys: str) -> None:
    for key in keys:
        console.app.post_message(Key(_NAMES.get(key, key), ":" if key == "colon" else key if len(key) == 1 else None))
    for _ in range(4):
        await console.settle()
    await console.tick()


@SIZES
async def test_a_number_typed_right_behind_l_is_the_sliders(size: tuple[int, int]) -> None:
    async with stage(size) as console:
        await burst(console, "l", "7", "0", "0", "enter", "a", "escape")
        assert isinstance(console.app.screen, Live)
        applied = console.backend.settings()
        assert applied.profiles["custom"].ttft.middle == pytest.approx(700, rel=0.05)
        assert applied.faults == ()


async def test_an_edit_of_a_pad_is_typed_in_one_go() -> None:
    async with stage((80, 24)) as console:
        await burst(console, "e", "1", "3", "0", "enter", "enter", "1")
        assert isinstance(console.app.screen, Live)
        assert console.backend.settings().faults[0].fault.probability == 0.3


async def test_dialogs_above_each_other_are_typed_through() -> None:
    async with stage((80, 24)) as console:
        await burst(console, "m", "a", "x", "y")
        assert console.app.screen.query_one("#text", TextArea).text.startswith("xy#")
        await burst(console, "escape", "escape", "l")
        assert isinstance(console.app.screen, Latency)
        await burst(console, "escape", "m", "escape", "m")
        assert isinstance(console.app.screen, Mocks)


@SIZES
async def test_a_filter_is_typed_in_one_go_and_the_next_key_is_the_lists(size: tuple[int, int]) -> None:
    async with stage(size) as console:
        await burst(console, *"/model", "colon", *"gpt-4o", "enter", "l")
        assert console.one("#filter").value == "model:gpt-4o"
        assert isinstance(console.app.screen, Latency)


async def test_keys_behind_the_one_that_applies_a_rule_are_the_next_screens() -> None:
    async with stage((80, 24)) as console:
        await burst(console, "m", "a", "ctrl+s", "escape", "l")
        assert console.backend.settings().mocks[0].name == "greeting"
        assert isinstance(console.app.screen, Latency)


async def test_keys_behind_a_rule_that_was_refused_are_the_texts() -> None:
    async with stage((80, 24)) as console:
        await burst(console, "m", "a", "q", "ctrl+s", "x", "y")
        assert console.app.screen.query_one("#text", TextArea).text.startswith("qxy#")
        assert console.backend.settings().mocks == ()


async def test_ctrl_c_quits_though_a_dialog_is_opening() -> None:
    async with stage((80, 24)) as console:
        await burst(console, "l", "ctrl+c")
        assert not console.app.is_running or console.app._exit
