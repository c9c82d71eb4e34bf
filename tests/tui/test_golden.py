"""Whole screens as text, reviewed by eye; written anew with LLMSIM_UPDATE_GOLDEN=1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input
from tui.stage import Stage, golden, stage

SIZES = pytest.mark.parametrize(
    "size", [(60, 16), (80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}"
)


@SIZES
async def test_every_screen_over_busy_traffic(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """One console a size walks through all of its screens: most of the time goes into starting one."""
    monkeypatch.chdir(Path(__file__).parents[2])  # the scenarios that are offered are those found from here
    async with stage(size) as console:

        def see(name: str) -> None:
            golden(f"{name}_{size[0]}x{size[1]}", console.lines())

        await console.press("l", "shift+right")
        see("latency")
        await console.press("o")
        see("load")
        await console.press("escape")
        await _see_every_dialog(console, see)
        console.one("#requests").select(240)
        await console.press("enter")
        see("inspector")
        await console.press("tab")
        see("bodies")
        await console.press("tab")
        see("stream")
        await console.press("y")
        console.app.clear_notifications()
        await console.settle()
        see("copy")
        await console.press("d")
        see("difference")
        await console.press("escape")
        console.one("#requests").focus()
        await console.press("z")
        see("zoom")
        await console.press("z", "4")
        for second in range(12):
            await console.wait(1.0)
            if second == 6:
                await console.press("0")
        await console.press("l", "h")
        see("heat")
        await console.press("escape", *["left_square_bracket"] * (1 if size[0] < 100 else 0))
        console.one("#events").focus()
        await console.press("down", "enter")
        see("event")
        await console.press("escape")
        see("events")


async def _see_every_dialog(console: Stage, see: Callable[[str], None]) -> None:
    await console.press("comma", "down")
    see("settings")
    await console.press("escape", "H")
    see("honesty")
    await console.press("escape", "question_mark")
    see("help")
    await console.press("escape", "m")
    see("mocks")
    await console.press("a")
    see("editor")
    await console.press("escape", "escape", "e", "1")
    see("pad")
    for name, key in (
        ("rates", "r"),
        ("limits", "L"),
        ("verdict", "v"),
        ("scenario", "s"),
        ("intercept", "i"),
        ("palette", "ctrl+p"),
    ):
        await console.press("escape", key)
        see(name)
    await console.press("escape", "slash")
    see("filter")
    await console.press("escape")


@SIZES
async def test_the_live_screen_in_each_state(size: tuple[int, int]) -> None:
    async with stage(size) as console:

        def see(name: str) -> None:
            golden(f"{name}_{size[0]}x{size[1]}", console.lines())

        see("busy")
        await console.press("1")
        await console.wait(2.0)
        await console.wait(2.5)
        see("live")
        await console.press("g")
        see("jump")
        await console.press("escape", "space")
        await console.wait(2.0)
        see("frozen")
        console.backend.state = "disconnected"
        await console.press("space")
        see("disconnected")


TAPE = {
    "tape": "/home/me/tapes/monday.jsonl",
    "upstreams": {"openai": "https://api.openai.com", "anthropic": "https://api.anthropic.com"},
    "since": 1_767_225_600.0,
    "exchanges": 1284,
    "bytes": 7_340_032,
    "live": 3,
    "ends": {"done": 1279, "cut": 4, "left": 1},
    "masked": 2570,
    "lost": 2,
    "problem": "a body was larger than 32 MB",
}


@SIZES
async def test_the_live_screen_before_the_first_request(size: tuple[int, int]) -> None:
    async with stage(size, seconds=5.0, rate=0.0) as console:
        golden(f"empty_{size[0]}x{size[1]}", console.lines())


@SIZES
async def test_what_records_real_apis(size: tuple[int, int]) -> None:
    async with stage(size) as console:

        def see(name: str) -> None:
            golden(f"{name}_{size[0]}x{size[1]}", console.lines())

        console.backend.untaped = ""
        await console.press("t")
        console.app.screen.query_one("#tape", Input).value = "tape.jsonl"  # it is named by the time of day
        await console.settle()
        see("tape")
        await console.press("escape")
        console.backend.tape = TAPE
        await console.press("t")
        see("taping")


async def test_a_terminal_that_is_too_small_shows_what_matters_most() -> None:
    async with stage((40, 8)) as console:

        def see(name: str) -> None:
            golden(f"tiny{name}_40x8", console.lines())

        see("")
        await console.press("1")
        await console.wait(2.0)
        see("_storm")
        await console.press("space")
        await console.wait(2.0)
        see("_frozen")
        await console.press("space")
        dialogs = {
            "latency": "l",
            "mocks": "m",
            "intercept": "i",
            "settings": "comma",
            "rates": "r",
            "help": "question_mark",
        }
        for name, key in {**dialogs, "inspector": "enter"}.items():
            await console.press(key)
            see(f"_{name}")
            await console.press("escape")
        await console.press("e", "1")
        see("_pad")
        await console.press("escape")
        console.backend.state = "disconnected"
        await console.tick()
        see("_disconnected")


async def test_ascii_with_no_sign_that_a_bare_terminal_lacks() -> None:
    async with stage((100, 32)) as console:
        console.app.register_theme(_ascii_theme())
        console.app.theme = "plain"
        await console.press("1")
        await console.wait(2.0)
        seen = console.lines()
        golden("live_ascii_100x32", seen)
        assert all(line.isascii() for line in seen)
        console.one("#requests").select(240)
        for keys in (
            ("enter",),
            ("tab",),
            ("tab",),
            ("y",),
            ("escape", "comma"),
            ("escape", "l"),
            ("o",),
            ("h",),
            ("escape", "H"),
            ("escape", "m"),
            ("a",),
            ("escape", "escape", "L"),
            ("escape", "e", "2"),
            *(("escape", key) for key in ("s", "v", "i", "r", "x", "question_mark", "slash")),
        ):
            await console.press(*keys)
            console.app.clear_notifications()
            await console.settle()
            assert {char for char in console.text() if not char.isascii()} == set(), keys


def _ascii_theme():  # type: ignore[no-untyped-def]
    from llmsim_tui.palette import ThemeFile

    return ThemeFile.model_validate({"name": "plain", "colors": {"primary": "#88aaff"}, "glyphs": "ascii"}).theme()
