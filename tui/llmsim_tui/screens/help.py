"""The help: every key and what it does, from the same table as the keys themselves."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from llmsim_tui.commands import PLACES, bindings, listed
from llmsim_tui.palette import ink
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.widgets.lines import told


class Help(Dialog):
    """A list of keys that scrolls."""

    BINDINGS = bindings("help")
    place = "help"

    def compose(self) -> ComposeResult:
        """One scroll of text."""
        with VerticalScroll(id="dialog") as scroll:
            scroll.border_title = "keys"
            yield Static(told(ink(self.app), self._words()), id="words", markup=False)
        yield from self.keys()

    def on_mount(self) -> None:
        """Fills the bars."""
        self.show_keys()

    def _words(self) -> Text:
        colors = ink(self.app)
        words = Text()
        for place, heading in PLACES.items():
            words.append(f"{heading}\n", colors.key)
            for one in listed(place, self.console.backend.read_only):
                words.append(f"  {one.shows:<7}", colors.bold).append(f"{one.help}\n", colors.text)
            words.append("\n")
        words.rstrip()
        return words

    def action_scroll(self, by: int) -> None:
        """Scrolls by a line."""
        self.query_one("#dialog").scroll_relative(y=by, animate=False)
