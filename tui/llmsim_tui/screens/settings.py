"""The settings: every one of the model with its meaning, changed at once, refused in words, taken back."""

from __future__ import annotations

from typing import Any, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from llmsim.errors import LlmsimError
from llmsim_tui.commands import bindings
from llmsim_tui.palette import ink
from llmsim_tui.preferences import ELSEWHERE, Preference, preferences, read
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import safe
from llmsim_tui.widgets.lines import told
from llmsim_tui.widgets.rows import Head, Item, Rows
from llmsim_tui.widgets.words import Words

_HEADS: Final = (Head("setting", 20), Head("value", 18), Head("what it is", 0, since=46))


class Preferences(Dialog):
    """A list of settings, and below it what may be said of the selected one."""

    BINDINGS = bindings("settings")
    AUTO_FOCUS = "#list"
    place = "settings"

    def compose(self) -> ComposeResult:
        """The list, a line to type a value, what is allowed."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "settings"
            yield Rows(_HEADS, "", id="list")
            yield Input(id="value", compact=True)
            yield Words(id="sentence")
        yield from self.keys()

    def on_mount(self) -> None:
        """Shows them."""
        self.show_keys()
        self.query_one("#value").display = False
        self.tick(0)
        self._tell()

    def tick(self, beat: int) -> None:
        """Shows them as they stand; what is not as it comes stands out."""
        items = [Item(one.name, (one.name, one.shown, one.meaning), "" if one.usual else "live") for one in self._all()]
        self.query_one(Rows).show(items)

    def _all(self) -> list[Preference]:
        return preferences(self.console.backend)

    def _chosen(self) -> Preference:
        item = self.query_one(Rows).item
        found = self._all()
        return next((one for one in found if item is not None and one.name == item.name), found[0])

    def _tell(self, problem: str = "") -> None:
        one = self._chosen()
        words = problem or ". ".join(word for word in (one.meaning, one.allowed) if word)
        sentence = self.query_one("#sentence", Static)
        sentence.update(told(ink(self.app), Text(safe(words))))
        sentence.set_class(bool(problem), "-wrong")

    def on_rows_moved(self) -> None:
        """Tells of another one."""
        self._tell()

    def on_rows_opened(self) -> None:
        """Enter changes."""
        self.action_edit()

    def action_edit(self) -> None:
        """Switches, turns or opens a line for the selected setting; rules have a screen of their own."""
        one = self._chosen()
        if not self.console.may_change():
            return
        if one.kind == "switch":
            self._change(one, one.shown == "no")
        elif one.kind == "rules":
            self._elsewhere(one)
        else:
            line = self.query_one("#value", Input)
            line.value = "" if one.shown == "none" else one.shown
            line.suggester = SuggestFromList(one.options) if one.options else None
            line.placeholder = one.allowed
            line.display = True
            self.set_focus(line)

    def _elsewhere(self, one: Preference) -> None:
        if one.name in ELSEWHERE:
            self.app.screen_stack[0].action_open(ELSEWHERE[one.name])  # type: ignore[attr-defined]
        else:
            self.console.say("Faults are armed by the pads of the live screen: 1-8, or e to edit one.")

    def action_turn(self, by: int) -> None:
        """Takes the next of a choice, or switches."""
        one = self._chosen()
        if one.kind == "switch":
            self.action_edit()
        elif one.kind == "choice":
            place = one.options.index(one.shown) if one.shown in one.options else 0
            self._change(one, read(one, one.options[(place + by) % len(one.options)]))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter puts the value in force."""
        one = self._chosen()
        self._change(one, read(one, event.value))

    def _change(self, one: Preference, value: Any) -> None:
        if self.console.may_change():
            self.run_worker(self._changed(one.name, value), group="changes")

    async def _changed(self, name: str, value: Any) -> None:
        try:
            await self.console.backend.change(**{name: value})
        except (LlmsimError, OSError) as error:
            self._tell(f"✗ Nothing was changed: {error}")
            return
        self._leave_line()
        self.console.refresh_views()

    def _leave_line(self) -> None:
        self.query_one("#value").display = False
        self.set_focus(self.query_one(Rows))
        self._tell()

    def action_default(self) -> None:
        """Sets it back to what it is by itself."""
        from llmsim.settings import Settings  # late: only here is a whole one made

        one = self._chosen()
        if one.kind == "rules":
            self._elsewhere(one)
        else:
            self._change(one, getattr(Settings(), one.name))

    def action_close(self) -> None:
        """Leaves the line, else the screen."""
        if self.query_one("#value").display:
            self._leave_line()
        else:
            self.dismiss()

    def action_undo(self) -> None:
        """Takes the last change back."""
        self.console.undo(self._tell)

    def action_redo(self) -> None:
        """Makes it again."""
        self.console.redo(self._tell)
