"""A dialog that is one text, read and scrolled."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.widgets.words import Words


class Sheet(Dialog):
    """One text under a title; `waiting` stands there until there is something to `show`."""

    AUTO_FOCUS = "#dialog"
    title_words = ""
    waiting = ""

    def compose(self) -> ComposeResult:
        """One scroll of text."""
        with VerticalScroll(id="dialog") as scroll:
            scroll.border_title = self.title_words
            yield Words(self.waiting, id="words")
        yield from self.keys()

    def show(self, words: Text) -> None:
        """Puts a text in place of the one before."""
        self.query_one("#words", Static).update(words)

    def action_scroll(self, by: int) -> None:
        """Scrolls by a line."""
        self.query_one("#dialog").scroll_relative(y=by, animate=False)
