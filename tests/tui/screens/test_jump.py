"""Jump mode: a letter for each place, and typing it goes there."""

from __future__ import annotations

from llmsim_tui.screens.jump import Jump
from llmsim_tui.screens.latency import Latency
from llmsim_tui.widgets.dossier import Dossier
from tui.stage import Stage, stage


def letter(console: Stage, id: str) -> str:
    assert isinstance(console.app.screen, Jump)
    return next(sign for sign, (widget, _) in console.app.screen.targets.items() if widget.id == id)


async def test_every_panel_in_sight_has_a_letter_that_goes_there() -> None:
    async with stage((120, 40)) as console:
        await console.press("g")
        jump = console.app.screen
        assert isinstance(jump, Jump)
        assert {widget.id for widget, _ in jump.targets.values()} == {
            "chart",
            "latency",
            "requests",
            "streams",
            "retries",
            "events",
        }
        await console.press(letter(console, "streams"))
        assert console.app.focused is console.one("#streams")
        await console.press("g", "escape")
        assert console.app.focused is console.one("#streams")


async def test_it_reaches_rows_of_dialogs_and_pages_of_the_inspector() -> None:
    async with stage((120, 40)) as console:
        await console.press("l", "g", "escape")
        assert isinstance(console.app.screen, Latency)
        await console.press("g")
        await console.press(letter(console, "tbt-mean"))
        assert console.app.focused is not None
        assert console.app.focused.id == "tbt-mean"
        await console.press("escape", "home", "enter", "g")
        pages = [sign for sign, (widget, place) in console.app.screen.targets.items() if place >= 0]
        await console.press(pages[3])
        assert console.app.screen.query_one(Dossier).page == 3
