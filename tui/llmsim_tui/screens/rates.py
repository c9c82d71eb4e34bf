"""The rates dialog: the shares of requests that are refused, broken or left hanging, until they are set back."""

from __future__ import annotations

from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from llmsim_tui.commands import bindings
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.widgets.slider import Scale, Slider
from llmsim_tui.widgets.words import Words

_ROWS: Final = {
    "rate_limit_rate": ("429 rate", Scale(0, 1, linear=True)),
    "server_error_rate": ("500 rate", Scale(0, 1, linear=True)),
    "timeout_rate": ("timeout rate", Scale(0, 1, linear=True)),
    "timeout_after_ms": ("timeout after", Scale(10, 600_000)),
}


class Rates(Dialog):
    """A slider for each founding rate."""

    BINDINGS = bindings("rates")
    AUTO_FOCUS = "#rate_limit_rate"
    place = "rates"

    def compose(self) -> ComposeResult:
        """Four sliders and a sentence."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "error rates"
            for name, (label, scale) in _ROWS.items():
                yield Slider(label, scale, id=name)
            yield Words(id="sentence")
        yield from self.keys()

    def on_mount(self) -> None:
        """Starts from what is in force."""
        self.show_keys()
        self._start()

    def _start(self) -> None:
        settings = self.console.backend.settings()
        for name in _ROWS:
            value = float(getattr(settings, name))
            self.query_one(f"#{name}", Slider).put(value, value)
        self._say()

    def _changes(self) -> dict[str, Any]:
        settings = self.console.backend.settings()
        values = {name: self.query_one(f"#{name}", Slider).value for name in _ROWS}
        return {name: value for name, value in values.items() if value != float(getattr(settings, name))}

    def _say(self) -> None:
        words = "not applied: a applies it to every request from now on" if self._changes() else "in force"
        self.query_one("#sentence", Static).update(words)

    def on_slider_changed(self) -> None:
        """Says whether what is shown is in force."""
        self._say()

    def action_apply(self) -> None:
        """Puts the rates in force."""
        changes = self._changes()
        if changes:
            self.console.attempt(lambda: self.console.backend.change(**changes), lambda _: self._start())

    def action_undo(self) -> None:
        """Takes the last change back."""
        self.console.undo(self._start)

    def action_redo(self) -> None:
        """Makes it again."""
        self.console.redo(self._start)

    def action_rows(self, by: int) -> None:
        """Goes to another slider."""
        self.focus_next(Slider) if by > 0 else self.focus_previous(Slider)
