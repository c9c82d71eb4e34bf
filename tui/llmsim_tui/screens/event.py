"""One event in full: what happened, when, by whom, and as curl the calls that make its change again."""

from __future__ import annotations

from rich.text import Text

from llmsim_tui.backend import Happening
from llmsim_tui.commands import bindings
from llmsim_tui.palette import ink
from llmsim_tui.screens.sheet import Sheet
from llmsim_tui.snippets import call
from llmsim_tui.text import moment, safe
from llmsim_tui.widgets.lines import told


class Event(Sheet):
    """The line whole, and commands that are in the clipboard already."""

    BINDINGS = bindings("event")
    place = "event"
    title_words = "event"
    waiting = "looking it up …"

    def __init__(self, happening: Happening) -> None:
        super().__init__()
        self.happening = happening
        self.commands = ""

    def on_mount(self) -> None:
        """Asks for the calls."""
        self.show_keys()
        self.run_worker(self._look(), group="dry", exclusive=True)

    async def _look(self) -> None:
        backend = self.console.backend
        made = await self.console.asked(backend.calls(self.happening.number))
        token = bool(getattr(backend, "guarded", False))
        self.commands = "\n".join(call(one, backend.address, token) for one in made or ())
        self.show(told(ink(self.app), self._worded()))
        if self.commands:
            self.action_copy()

    def _worded(self) -> Text:
        colors, one = ink(self.app), self.happening
        text = Text(f"{moment(one.wall)} · {safe(one.kind)}" + f" · by {safe(one.who)}" * bool(one.who), colors.dim)
        text.append(f"\n{safe(one.text)}\n\n", colors.bold)
        if not self.commands:
            return text.append("No call of the control API is known that would make this again.", colors.dim)
        text.append("what makes this change again, on this server or another\n", colors.key)
        return text.append(safe(self.commands, lines=True), colors.text)

    def action_copy(self) -> None:
        """Puts the commands into the clipboard."""
        if not self.commands:
            self.console.say("There is nothing to copy: this is no change.")
            return
        self.app.copy_to_clipboard(self.commands + "\n")
        self.query_one("#dialog").border_subtitle = "in the clipboard as curl"
