"""Sentences, names of fields and rows of a dialog; with the console's own signs as ASCII where only these may be."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label, Static, TextArea

from llmsim_tui.palette import ink
from llmsim_tui.widgets.lines import plainly, told


class Words(Static):
    """A text that is no markup."""

    def __init__(self, content: Any = "", *, id: str | None = None) -> None:
        super().__init__(content, id=id, markup=False)

    def on_mount(self) -> None:
        """Shows what it began with as it may be drawn."""
        if self.content:
            self.update(self.content)

    def update(self, content: Any = "", *, layout: bool = True) -> None:
        """Shows another text."""
        if isinstance(content, Text):
            content = told(ink(self.app), content)
        elif isinstance(content, str) and ink(self.app).plain:
            content = plainly(content)
        super().update(content, layout=layout)


class Name(Label):
    """What a field is called."""

    def __init__(self, words: str) -> None:
        super().__init__(words, markup=False)

    def on_mount(self) -> None:
        """Shows it as it may be drawn."""
        if ink(self.app).plain:
            self.update(plainly(str(self.content)))


def row(words: str, field: Widget) -> Horizontal:
    """A field behind its name."""
    return Horizontal(Name(words), field, classes="row")


def hints_as_drawn(within: Widget) -> None:
    """Turns what empty fields say into what may be drawn."""
    if ink(within.app).plain:
        for field in within.query(Input):
            field.placeholder = plainly(str(field.placeholder))
        for text in within.query(TextArea):
            text.placeholder = plainly(str(text.placeholder))
