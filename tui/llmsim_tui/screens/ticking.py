"""What the screens have in common: they are redrawn by the app's one clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette, DiscoveryHit
from textual.events import Click, Resize
from textual.screen import ModalScreen, Screen

from llmsim_tui.backend import Pulse
from llmsim_tui.commands import bar, bindings
from llmsim_tui.console import Console, console
from llmsim_tui.palette import ink
from llmsim_tui.text import uptime
from llmsim_tui.widgets.keybar import KeyBar
from llmsim_tui.widgets.safety import Safety, SafetyLine
from llmsim_tui.widgets.words import hints_as_drawn

_TRIES = 50
"""Turns that a dialog's widgets are given to take the focus before keys go to the dialog itself."""


class Steady:
    """Makes a screen bear what comes twice or too late: a size that the terminal no longer has, a second close.

    Textual answers each layout in another size with one more resize event of that size: two sizes under way at once, as
    while a window is dragged on a busy machine, would be laid out in turns for ever, and nothing else would happen.
    """

    def on_resize(self: Any, event: Resize) -> None:
        """Lets only the terminal's own size pass."""
        if event.size != self.app.size:
            event.prevent_default()

    def dismiss(self: Any, result: Any = None) -> AwaitComplete:
        """Closes the screen, once: Textual would close the one below it the second time."""
        if self.app.screen is not self:
            return AwaitComplete()
        return Screen.dismiss(self, result)


class Ticking(Steady, Screen[None]):
    """A screen that shows moving things."""

    @property
    def console(self) -> Console:
        """The app, with its backend."""
        return console(self)

    def safety(self, pulse: Pulse | None = None) -> Safety:
        """What the safety line says at this moment, on whichever screen."""
        backend = self.console.backend
        frozen = bool(getattr(self.app.screen_stack[0], "frozen", False))
        self.set_class(backend.kind == "remote", "-remote")
        self.set_class(ink(self.app).plain, "-ascii")
        pulse, speed = pulse or backend.pulse(), backend.settings().speed
        self.set_class(backend.stale and bool(pulse.wall), "-stale")
        self.set_class(backend.kind == "replay", "-replay")
        notes = backend.note.split(" · ") if backend.note else []
        if (recorder := self.console.recorder) is not None:
            notes.insert(1, f"REC {uptime(pulse.wall - recorder.started)}")
        note = " · ".join(notes)
        doubtful = self.console.doubtful
        return Safety.of(backend.address, pulse, frozen, speed, note, backend.playing(), doubtful, backend.taping())

    def on_screen_resume(self) -> None:
        """Takes the keys that were typed while the dialog above it closed."""
        self.app.call_next(self.console.type_on)

    def tick(self, beat: int) -> None:
        """Shows the present state; `beat` counts the ticks."""

    def parts(self, beat: int) -> Sequence[Callable[[], None]]:
        """What a tick does, in parts that may be done some time apart: each holds up the replies under way."""
        return [partial(self.tick, beat)]


class Dialog(Ticking, ModalScreen[None]):
    """A dialog with a safety line and a key bar of its own, closed by a click beside it."""

    BINDINGS = bindings("dialogs")
    HORIZONTAL_BREAKPOINTS = [(0, "-small"), (100, "-large")]  # noqa: RUF012 # a small one has no room to spare beside it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (12, "-high")]  # noqa: RUF012 # a low one has a line for a sentence
    place = ""
    ready = False
    """Whether it has its focus; keys wait until then."""

    def on_mount(self) -> None:
        """Takes the keys that were typed while it opened, once it has its focus."""
        self.console.hush()
        hints_as_drawn(self)
        self.call_after_refresh(self._ready, _TRIES)

    def _ready(self, tries: int) -> None:
        if self.focused is None and tries:
            self.call_after_refresh(self._ready, tries - 1)
            return
        self.ready = True
        self.app.call_next(self.console.type_on)

    def keys(self) -> ComposeResult:
        """The safety line and the key bar, to be composed last."""
        yield SafetyLine(id="safety")
        yield KeyBar(id="keys")

    def parts(self, beat: int) -> Sequence[Callable[[], None]]:
        """The safety line, then the dialog itself."""
        return [self._safety, *super().parts(beat)]

    def _safety(self) -> None:
        self.query_one(SafetyLine).show_state(self.safety())

    def show_keys(self) -> None:
        """Fills the bars: what is in force, and what works in this dialog."""
        self._safety()
        backend = self.console.backend
        self.query_one(KeyBar).show(bar((self.place,), backend.read_only, backend.pulse().held > 0))

    def action_close(self) -> None:
        """Closes the dialog."""
        self.dismiss()

    def on_click(self, event: Click) -> None:
        """Closes when the click is beside the dialog."""
        if event.widget is self:
            self.action_close()


class Palette(Steady, CommandPalette):
    """Textual's command palette; what is chosen twice in a hurry is done once."""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Closes the palette, once."""
        if self.app.screen is not self:
            self._selected_command = DiscoveryHit("", lambda: None)
        return super().dismiss(result)
