"""The key bar: the keys that work here, as many as fit whole."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events
from textual.strip import Strip

from llmsim_tui.commands import Command
from llmsim_tui.widgets.lines import Line, Lines


class KeyBar(Lines):
    """One line of keys and their words; a click does what the key does."""

    state: tuple[tuple[Command, ...], str] = ((), "")

    def show(self, commands: list[Command], prompt: str = "") -> None:
        """Takes the commands, or a prompt that stands in their place."""
        self.show_state((tuple(commands), prompt))

    def fitting(self, width: int) -> list[Command]:
        """The commands that fit, in the table's order, the less important left out first."""
        chosen: set[Command] = set()
        room = width - 1
        for one in sorted(self.state[0], key=lambda one: one.rank):
            need = len(one.shows) + len(one.short) + 3
            if need <= room:
                chosen.add(one)
                room -= need
        return [one for one in self.state[0] if one in chosen]

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The one line."""
        ink = self.ink
        line = Line(ink).add(" ", ink.head)
        back = ink.head.background_style
        if self.state[1]:
            line.add(self.state[1], ink.key + back)
        for one in () if self.state[1] else self.fitting(width):
            line.add(one.shows, ink.key + back).add(f" {one.short}  ", ink.text + back)
        yield line.pad(width, back).strip(width)

    async def on_click(self, event: events.Click) -> None:
        """Does what the key under the mouse does, unless it is one of several that do different things."""
        at = 1
        for one in self.fitting(self.size.width):
            at += len(one.shows) + len(one.short) + 3
            if event.x < at:
                if "{key}" not in one.action:
                    self.app.simulate_key(one.keys.split(",")[0])
                return
