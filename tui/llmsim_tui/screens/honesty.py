"""The honesty meter: times asked for beside times achieved, and in words whether to trust what is on the screen."""

from __future__ import annotations

from rich.text import Text

from llmsim_tui.commands import bindings
from llmsim_tui.palette import ink
from llmsim_tui.screens.sheet import Sheet
from llmsim_tui.trust import Frames, advice, doubtful, rows, verdict
from llmsim_tui.widgets.lines import told


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
        text = Text(f"{'':<18}{'asked':>12}{'achieved':>12}\n", colors.dim)
        for what, asked, achieved, note in rows(honesty, frames):
            text.append(f"{what:<18}", colors.text).append(f"{asked:>12}", colors.dim)
            text.append(f"{achieved:>12}", colors.bold).append(f"  {note}\n", colors.dim)
        text.append(f"\n{verdict(honesty)}\n", colors.tone["limited" if doubtful(honesty) else "ok"])
        apart = console.backend.kind == "remote"  # then drawing is no burden of the server's
        for line in advice(honesty, Frames() if apart else frames):
            text.append(f"\n{line}\n", colors.text)
        text.append("\nOver the newest 100 streams that nobody paused, stepped or paced by hand.", colors.dim)
        return text
