"""The key bar: the keys that work here, as many as fit whole; a click on its end turns to those left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from textual import events
from textual.strip import Strip

from llmsim_tui.commands import Command
from llmsim_tui.widgets.lines import Line, Lines, keys_plainly

_MORE = "▸"
"""Stands at the right end where there are more keys than fit."""
_RARE = 8
"""The rank from which commands stand in their order, also where a later one would still fit."""


class KeyBar(Lines):
    """One line of keys and their words; a click does what the key does."""

    state: tuple[tuple[Command, ...], str] = ((), "")
    page = 0

    def show(self, commands: list[Command], prompt: str = "") -> None:
        """Takes the commands, or a prompt that stands in their place."""
        if self.ink.plain:
            commands = [replace(one, shows=keys_plainly(one.shows)) for one in commands]
        state = (tuple(commands), prompt)
        if state != self.state:
            self.page = 0
        self.show_state(state)

    def pages(self, width: int) -> list[list[Command]]:
        """The commands in as many turns as it takes, each in the table's order, the more important ones earlier."""
        left, pages = sorted(self.state[0], key=lambda one: one.rank), list[list[Command]]()
        room = width - 1
        if sum(map(_cells, left)) > room:
            room -= len(_MORE) + 1
        while chosen := _fitting(left, room):
            pages.append([one for one in self.state[0] if one in chosen])
            left = [one for one in left if one not in chosen]
        return pages

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The one line."""
        ink = self.ink
        line = Line(ink).add(" ", ink.head)
        back = ink.head.background_style
        if self.state[1]:
            line.add(self.state[1], ink.key + back)
            yield line.pad(width, back).strip(width)
            return
        pages = self.pages(width)
        for one in pages[self.page % len(pages)] if pages else ():
            line.add(one.shows, ink.key + back).add(f" {one.short}  ", ink.text + back)
        if len(pages) > 1:
            line.pad(width - len(_MORE) - 1, back).add(_MORE, ink.key + back)
        yield line.pad(width, back).strip(width)

    async def on_click(self, event: events.Click) -> None:
        """Does what the key under the mouse does, unless it is one of several that do different things."""
        pages, at = self.pages(self.size.width), 1
        if self.state[1] or not pages:
            return
        if len(pages) > 1 and event.x >= self.size.width - len(_MORE) - 2:
            self.page = (self.page + 1) % len(pages)
            self.redraw()
            return
        for one in pages[self.page % len(pages)]:
            at += _cells(one)
            if event.x < at:
                if "{key}" not in one.action:
                    self.app.simulate_key(one.keys.split(",")[0])
                return


def _cells(one: Command) -> int:
    return len(one.shows) + len(one.short) + 3


def _fitting(commands: list[Command], room: int) -> set[Command]:
    """Of the commands, the most important first, those that fit together."""
    chosen: set[Command] = set()
    for one in commands:
        if _cells(one) <= room:
            chosen.add(one)
            room -= _cells(one)
        elif one.rank >= _RARE and chosen:
            break  # of what is rare a short one is not to stand there for the longer one that matters more
    return chosen
