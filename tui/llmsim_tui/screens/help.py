"""The help: every key and what it does, from the same table as the keys themselves."""

from __future__ import annotations

from textwrap import wrap

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from llmsim_tui.commands import PLACES, bindings, listed
from llmsim_tui.palette import ink
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.widgets.lines import keys_plainly, told
from llmsim_tui.widgets.words import Words

_KEYS, _NAMES, _WIDEST, _FRAME = 9, 13, 84, 5
"""Columns of the keys, of the whole dialog at most (as the styles have it), and of its frame and scrollbar."""


class Help(Dialog):
    """A list of keys that scrolls."""

    BINDINGS = bindings("help")
    place = "help"

    def compose(self) -> ComposeResult:
        """One scroll of text."""
        with VerticalScroll(id="dialog") as scroll:
            scroll.border_title = "keys"
            yield Words(id="words")
        yield from self.keys()

    def on_mount(self) -> None:
        """Fills the bars."""
        self.show_keys()

    def on_resize(self, event: Resize | None = None) -> None:
        """Writes anew: what is longer than a line goes on below its own beginning."""
        room = min(_WIDEST, self.app.size.width) - _FRAME
        self.query_one("#words", Static).update(told(ink(self.app), self._words(room)))

    def _words(self, room: int) -> Text:
        colors = ink(self.app)
        words, wide = Text(), _NAMES if colors.plain else _KEYS
        for place, heading in PLACES.items():
            words.append(f"{heading}\n", colors.key)
            for one in listed(place, self.console.backend.read_only):
                lines = wrap(one.help, max(20, room - wide))
                shows = keys_plainly(one.shows) if colors.plain else one.shows
                words.append(f"  {shows:<{wide - 2}}", colors.bold)
                words.append(("\n" + " " * wide).join(lines) + "\n", colors.text)
            words.append("\n")
        words.rstrip()
        return words

    def action_scroll(self, by: int) -> None:
        """Scrolls by a line."""
        self.query_one("#dialog").scroll_relative(y=by, animate=False)
