"""What has reached the terminal, update by update, is what the screen is: nothing stays that is no longer so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from rich.cells import cell_len
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.widgets import Label
from tui.fake import FakeBackend, Told
from tui.stage import Stage, stage

MOVE = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[H|\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\n|[^\x1b\n]+")


class Terminal:
    """A terminal that knows as much as Textual's updates use: places, and characters of one or two cells."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], str] = {}

    def feed(self, drawn: str) -> None:
        x = y = 0
        for found in MOVE.finditer(drawn):
            text = found[0]
            if found[1]:
                x, y = int(found[2]) - 1, int(found[1]) - 1
            elif text == "\x1b[H":
                x = y = 0
            elif text == "\n":
                x, y = 0, y + 1
            elif not text.startswith("\x1b"):
                for char in text:
                    self.cells[x, y] = char
                    x += cell_len(char)

    def lines(self, width: int, height: int) -> list[str]:
        def line(y: int) -> str:
            text, x = "", 0
            while x < width:
                text += self.cells.get((x, y), " ")
                x += max(1, cell_len(self.cells.get((x, y), " ")))
            return text.rstrip()

        return [line(y) for y in range(height)]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What the console of a test would have drawn on."""
    made = Terminal()
    shown = App._display

    def display(self: App[Any], screen: Any, update: Any) -> None:
        if isinstance(update, CompositorUpdate) and not self._batch_count:
            made.feed(update.render_segments(self.console))
        shown(self, screen, update)

    monkeypatch.setattr(App, "_display", display)
    return made


async def _kept(console: Stage, terminal: Terminal, *steps: tuple[str, ...]) -> None:
    """Compares after each of these steps: keys, or seconds that pass."""
    for keys in steps:
        for key in keys:
            if key.replace(".", "").isdigit() and len(key) > 1:
                await console.wait(float(key))
            else:
                await console.press(key)
        assert terminal.lines(*console.app.size) == console.lines(), keys


async def test_each_update_leaves_the_screen_as_it_is(terminal: Terminal) -> None:
    async with stage((120, 40)) as console:
        await _kept(console, terminal, ("0.5",), ("0.25",), ("1", "1.0"), ("up", "0.5"), ("f", "0.5"), ("0", "0.25"))
        await _kept(console, terminal, ("space", "0.5"), ("space",), ("tab", "z", "0.5"), ("z",), ("enter", "0.5"))
        await _kept(console, terminal, ("escape", "0.5"), ("l", "2.0"), ("escape", "0.25"), ("m",), ("escape", "g"))


async def test_what_lay_over_a_list_leaves_nothing_on_it(terminal: Terminal) -> None:
    async with stage((120, 40)) as console:
        over = Label("a word over the lists")
        over.styles.offset = (8, 20)
        await console.app.screen.mount(over)
        await console.settle()
        await _kept(console, terminal, ("0.5",), ("0.25",))
        assert "a word over the lists" in "\n".join(terminal.lines(120, 40))
        await over.remove()
        await console.settle()
        await _kept(console, terminal, ("0.25",))
        assert "a word over the lists" not in "\n".join(terminal.lines(120, 40))
        console.app.wear("day")
        await console.settle()
        await _kept(console, terminal, ("0.25",))


async def test_another_size_and_a_list_that_is_empty_again(terminal: Terminal) -> None:
    async with stage((100, 30), backend=FakeBackend(Told(), rate=0.0)) as console:
        await _kept(console, terminal, ("0.5",), ("slash", "x"), ("escape",))
        for size in ((120, 40), (61, 17)):
            terminal.cells.clear()
            await console.resize(*size)
            await _kept(console, terminal, ("0.5",), ("1",), ("0",))
