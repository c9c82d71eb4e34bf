"""The verdict on the clients: how they took errors, waits and broken replies, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from llmsim_tui.commands import bindings
from llmsim_tui.palette import ink
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import moment, safe

_LINES = 2_000
"""Lines that are shown; more would hold up the picture."""


class Verdicts(Dialog):
    """The verdict in words, as things stood when it was asked for."""

    BINDINGS = bindings("verdict")
    AUTO_FOCUS = "#dialog"
    place = "verdict"

    def compose(self) -> ComposeResult:
        """One scroll of text."""
        with VerticalScroll(id="dialog") as scroll:
            scroll.border_title = "verdict on the clients"
            yield Static("looking through the requests …", id="words", markup=False)
        yield from self.keys()

    def on_mount(self) -> None:
        """Judges."""
        self.show_keys()
        self.action_again()

    def action_again(self) -> None:
        """Judges once more."""
        self.run_worker(self._judge(), group="dry", exclusive=True)

    async def _judge(self) -> None:
        backend = self.console.backend
        lines = await self.console.asked(backend.verdict())
        if lines is None:
            return
        self.query_one("#dialog").border_subtitle = f"at {moment(backend.pulse().wall)}"
        self.query_one("#words", Static).update(self._worded(lines))

    def _worded(self, lines: Sequence[str]) -> Text:
        """All clients, then each under its own line."""
        colors = ink(self.app)
        if len(lines) <= 1:
            return Text("No client has asked for anything yet.", colors.dim)
        words = Text()
        for place, line in enumerate(lines[:_LINES]):
            style = colors.key if not place else colors.text if line.startswith(" ") else colors.bold
            words.append(("\n" if place and not line.startswith(" ") else "") + safe(line) + "\n", style)
        if len(lines) > _LINES:
            words.append(f"… and {len(lines) - _LINES} lines more", colors.dim)
        words.rstrip()
        return words

    def action_scroll(self, by: int) -> None:
        """Scrolls by a line."""
        self.query_one("#dialog").scroll_relative(y=by, animate=False)
