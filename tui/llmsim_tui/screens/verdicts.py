"""The verdict on the clients: how they took errors, waits and broken replies, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from llmsim_tui.commands import bindings
from llmsim_tui.palette import ink
from llmsim_tui.screens.sheet import Sheet
from llmsim_tui.text import moment, safe

_LINES = 2_000
"""Lines that are shown; more would hold up the picture."""


class Verdicts(Sheet):
    """The verdict in words, as things stood when it was asked for."""

    BINDINGS = bindings("verdict")
    place = "verdict"
    title_words = "verdict on the clients"
    waiting = "looking through the requests …"

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
        self.show(self._worded(lines))

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
