"""The honesty meter: times asked for beside times achieved, and in words whether to trust what is on the screen."""

from __future__ import annotations

from rich.text import Text

from llmsim_tui.commands import bindings
from llmsim_tui.palette import ink
from llmsim_tui.screens.sheet import Sheet
from llmsim_tui.trust import Frames, advice, doubtful, rows, verdict
from llmsim_tui.widgets.lines import told

_NARROW = 76
"""Columns below which the notes have no room beside the figures."""


class Trust(Sheet):
    """A short table, a verdict, and what to do."""

    BINDINGS = bindings("honesty")
    place = "honesty"
    title_words = "asked against achieved"

    def on_mount(self) -> None:
        """Looks."""
        self.show_keys()
        self.tick(0)

    def tick(self, beat: int) -> None:
        """Looks again, once a second."""
        if beat % 4 == 0:
            self.show(told(ink(self.app), self._worded()))

    def _worded(self) -> Text:
        colors, console = ink(self.app), self.console
        honesty, frames = console.backend.honesty(), console.frames()
        judged = f"{verdict(honesty)}\n", colors.tone["limited" if doubtful(honesty) else "ok"]
        narrow = self.app.size.width < _NARROW  # there the table fills the screen: what comes of it stands first
        text = Text().append(*judged).append("\n") if narrow else Text()
        text.append(f"{'':<18}{'asked':>12}{'achieved':>12}\n", colors.dim)
        for what, asked, achieved, note in rows(honesty, frames):
            text.append(f"{what:<18}", colors.text).append(f"{asked:>12}", colors.dim)
            text.append(f"{achieved:>12}", colors.bold)
            text.append(f"\n{note:>42}\n" if narrow and note else f"  {note}\n", colors.dim)
        if not narrow:
            text.append("\n").append(*judged)
        apart = console.backend.kind == "remote"  # then drawing is no burden of the server's
        for line in advice(honesty, Frames() if apart else frames):
            text.append(f"\n{line}\n", colors.text)
        text.append("\nOver the newest 100 streams that nobody paused, stepped or paced by hand.", colors.dim)
        return text
