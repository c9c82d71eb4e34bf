"""The honesty meter: times asked for beside times achieved, and in words whether to trust what is on the screen."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from llmsim_tui.commands import bindings
from llmsim_tui.palette import ink
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.trust import Frames, advice, doubtful, rows, verdict
from llmsim_tui.widgets.lines import told


class Trust(Dialog):
    """A short table, a verdict, and what to do."""

    BINDINGS = bindings("honesty")
    AUTO_FOCUS = "#dialog"
    place = "honesty"

    def compose(self) -> ComposeResult:
        """One scroll of text."""
        with VerticalScroll(id="dialog") as scroll:
            scroll.border_title = "asked against achieved"
            yield Static("", id="words", markup=False)
        yield from self.keys()

    def on_mount(self) -> None:
        """Looks."""
        self.show_keys()
        self.tick(0)

    def tick(self, beat: int) -> None:
        """Looks again, once a second."""
        if beat % 4 == 0:
            self.query_one("#words", Static).update(told(ink(self.app), self._worded()))

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

    def action_scroll(self, by: int) -> None:
        """Scrolls by a line."""
        self.query_one("#dialog").scroll_relative(y=by, animate=False)
