"""The error that a reply under way is to fail with: its status, how long to wait, its words."""

from __future__ import annotations

from typing import Any, get_args

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from llmsim.errors import SettingsError
from llmsim.faults.refuse import Refuse
from llmsim.underway import checked
from llmsim_tui.commands import bindings
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import safe
from llmsim_tui.widgets.slider import Choice
from llmsim_tui.widgets.words import Words, row


class Statuses(Choice):
    """The statuses that there are, turned or typed."""

    typed = ""

    def on_key(self, event: events.Key) -> None:
        """Digits choose the first status that begins so; arrows turn."""
        if event.character is None or not event.character.isdigit():
            super().on_key(event)
            return
        for typed in (self.typed + event.character, event.character):
            found = next((one for one in self.options if one.startswith(typed)), None)
            if found is not None:
                self.typed = typed
                self.put(found)
                break
        event.stop()


class FailWith(Dialog):
    """Asks for an error and fails the reply with it, as the provider words it."""

    BINDINGS = bindings("failing")
    AUTO_FOCUS = "#status"
    place = "failing"

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def compose(self) -> ComposeResult:
        """A row for each part of the error."""
        statuses = [str(one) for one in get_args(Refuse.model_fields["status"].annotation)]
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"fail #{self.number} with"
            yield Statuses("status", statuses, "500", id="status")
            yield row("retry after", Input(id="retry_after", compact=True, placeholder="none · seconds"))
            yield row("message", Input(id="message", compact=True, placeholder="the provider's own words"))
            yield Words(id="sentence")
        yield from self.keys()

    def on_mount(self) -> None:
        """Fills the key bar."""
        self.show_keys()
        self.query_one("#sentence", Static).update("Before its first byte the client gets this answer, later an event.")

    def on_input_submitted(self) -> None:
        """Enter fails it, in a field too."""
        self.action_fail()

    def action_fail(self) -> None:
        """Fails it, if the error can be."""
        error: dict[str, Any] = {"status": int(self.query_one("#status", Choice).value)}
        for name in ("retry_after", "message"):
            if told := self.query_one(f"#{name}", Input).value.strip():
                error[name] = told
        try:
            if "retry_after" in error:
                error["retry_after"] = _number(error["retry_after"])
            checked("fail", 1.0, error)
        except SettingsError as problem:
            sentence = self.query_one("#sentence", Static)
            sentence.update(safe(f"Not failed: {problem}"))
            sentence.add_class("-wrong")
            sentence.scroll_visible(animate=False)
            return
        number, backend = self.number, self.console.backend

        def told_of(done: bool) -> None:
            if not done:
                self.console.say(f"#{number} has already ended: only a reply under way can be touched.")

        self.console.attempt(lambda: backend.act(number, "fail", error=error), told_of)
        self.dismiss()

    def action_rows(self, by: int) -> None:
        """Goes to another field."""
        self.focus_next("Choice, Input") if by > 0 else self.focus_previous("Choice, Input")


def _number(told: str) -> float:
    try:
        return float(told)
    except ValueError:
        raise SettingsError(f"retry after: {told!r} is no number of seconds") from None
