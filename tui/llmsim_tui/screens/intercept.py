"""The intercept dialog: which requests are held back, how many at once and how long at most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from llmsim.errors import SettingsError
from llmsim.faults.hold import Hold
from llmsim.match import Match
from llmsim.settings import Settings
from llmsim_tui.commands import bindings
from llmsim_tui.screens.scoping import Scoping
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import safe
from llmsim_tui.widgets.words import Words, row

INTERCEPT: Final = "intercept"
"""The id and the label of the hold that this dialog arms."""


def in_force(settings: Settings) -> dict[str, Any] | None:
    """The intercept's fields, where it is on."""
    found = next((one for one in settings.faults if one.id == INTERCEPT and isinstance(one.fault, Hold)), None)
    return None if found is None else {name: value for name, value in found.flat().items() if name not in _OWN}


_OWN: Final = ("id", "label")


class Intercept(Scoping, Dialog):
    """Asks whom to hold back; what is held stays so while the filter is another one."""

    BINDINGS = bindings("intercept")
    AUTO_FOCUS = "#whom"
    place = "intercept"
    scoped = "whom"

    def __init__(self, last: Mapping[str, Any]) -> None:
        super().__init__()
        self.last = last

    def compose(self) -> ComposeResult:
        """The filter, what it would have met, and the bounds."""
        defaults = Hold.model_fields
        seconds = float(self.last.get("for_ms", defaults["for_ms"].default)) / 1000
        most = self.last.get("most", defaults["most"].default)
        with Vertical(id="dialog") as dialog:
            dialog.border_title = INTERCEPT
            whom = "every request · model:gpt-4o* stream:true !key:ci text:/refund/"
            yield row("hold", Input(str(self.last.get("scope", "")), id="whom", compact=True, placeholder=whom))
            yield Words(id="preview")
            yield row("at most", Input(str(most), id="most", compact=True))
            yield row("for seconds", Input(f"{seconds:g}", id="seconds", compact=True))
            yield Words(id="sentence")
        yield from self.keys()

    def on_mount(self) -> None:
        """Fills the key bar, and says what happens to what is held."""
        self.show_keys()
        self.preview()
        self._say(
            "What matches waits here, and nothing of it is sent: a lets it go, x fails it, n sends a token, A lets all "
            "go. It goes on by itself when its seconds are over; beyond the most that are held at once others pass."
        )

    def _say(self, words: str, wrong: bool = False) -> None:
        sentence = self.query_one("#sentence", Static)
        sentence.update(safe(words))
        sentence.set_class(wrong, "-wrong")
        if wrong:
            sentence.scroll_visible(animate=False)

    def _fields(self) -> dict[str, Any]:
        """The hold that is asked for; raises SettingsError."""
        whom, most, seconds = (self.query_one(f"#{name}", Input).value.strip() for name in ("whom", "most", "seconds"))
        try:
            wait = float(seconds) * 1000
        except ValueError:
            raise SettingsError(f"for seconds: {seconds!r} is no number") from None
        told = {"kind": "hold", "for_ms": wait, **({"most": most} if most else {}), **({"scope": whom} if whom else {})}
        Settings().changed(faults=(told,))
        return told

    def on_input_submitted(self) -> None:
        """Enter holds, in a field too."""
        self.action_hold()

    def action_hold(self) -> None:
        """Puts it in force; the same once more changes nothing."""
        try:
            fields = self._fields()
        except SettingsError as error:
            self._say(f"Nothing is held: {error}", wrong=True)
            return
        backend, before = self.console.backend, in_force(self.console.backend.settings())
        self.console.intercepted = fields
        if before is None or _plain(before) != _plain(fields):
            self.console.attempt(lambda: backend.arm(fields, label=INTERCEPT, seconds=None, id=INTERCEPT))
        self.dismiss()

    def action_off(self) -> None:
        """Holds no more, and lets go of all."""
        self.console.attempt(lambda: self.console.backend.lift(INTERCEPT))
        self.dismiss()


def _plain(fields: Mapping[str, Any]) -> dict[str, str]:
    """The fields that say whom and how, so that equal ones look equal."""
    hold = Hold.model_validate({name: fields[name] for name in ("for_ms", "most") if name in fields})
    return {"scope": str(Match(fields.get("scope", ""))), "hold": repr(hold)}
