"""What the screens have in common: they are redrawn by the app's one clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from textual.app import ComposeResult
from textual.events import Click
from textual.screen import ModalScreen, Screen

from llmsim_tui.commands import bar
from llmsim_tui.console import Console, console
from llmsim_tui.widgets.keybar import KeyBar


class Ticking(Screen[None]):
    """A screen that shows moving things."""

    @property
    def console(self) -> Console:
        """The app, with its backend."""
        return console(self)

    def tick(self, beat: int) -> None:
        """Shows the present state; `beat` counts the ticks."""

    def parts(self, beat: int) -> Sequence[Callable[[], None]]:
        """What a tick does, in parts that may be done some time apart: each holds up the replies under way."""
        return [partial(self.tick, beat)]


class Dialog(Ticking, ModalScreen[None]):
    """A dialog with a key bar of its own, closed by a click beside it."""

    place = ""

    def keys(self) -> ComposeResult:
        """The key bar, to be composed last."""
        yield KeyBar(id="keys")

    def show_keys(self) -> None:
        """Fills the key bar with what works in this dialog."""
        self.query_one(KeyBar).show(bar((self.place,), self.console.backend.read_only))

    def action_close(self) -> None:
        """Closes the dialog."""
        self.dismiss()

    def on_click(self, event: Click) -> None:
        """Closes when the click is beside the dialog."""
        if event.widget is self:
            self.action_close()
