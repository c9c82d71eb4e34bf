"""The pad dialog: what a digit arms, whom it meets, when and how often; each kind of fault has its own fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.events import DescendantFocus, Resize
from textual.widget import Widget
from textual.widgets import Input, Static

from llmsim import faults
from llmsim.errors import SettingsError
from llmsim_tui.backend import ArmedFault
from llmsim_tui.commands import bindings
from llmsim_tui.deck import Pad, find
from llmsim_tui.screens.scoping import Scoping
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import safe
from llmsim_tui.widgets.slider import Choice, Scale, Slider
from llmsim_tui.widgets.words import Words, row

_SHARE: Final = Scale(0, 1, linear=True)

_ROWS: Final = {
    "scope": ("whom", "all · model:gpt-4o* stream:true !key:ci text:/refund/"),
    "count": ("the next N", "no end"),
    "for_requests": ("for requests", "no end"),
    "after_s": ("after seconds", "at once"),
    "every_s": ("every seconds", "always"),
    "on_s": ("… on for", "seconds of every period"),
}
"""Fields that say whom a fault meets and when: its words, and what an empty one means."""
_AROUND: Final = 6
"""Lines beside the rows: bars, frame, and a sentence of two."""


class PadEdit(Scoping, Dialog):
    """Edits one pad; an armed one is armed anew when it is kept."""

    BINDINGS = bindings("edit")
    AUTO_FOCUS = ""
    place = "edit"
    scoped = "term-scope"

    def __init__(self, digit: int) -> None:
        super().__init__()
        self.digit = digit
        self.values: dict[str, dict[str, Any]] = {}

    @property
    def pad(self) -> Pad:
        """The pad as it is."""
        return self.console.deck.pads[self.digit - 1]

    def compose(self) -> ComposeResult:
        """The pad's own rows, the fault's, then whom it meets and when."""
        pad = self.pad
        with Vertical(id="dialog") as dialog:
            dialog.border_title = f"pad {self.digit}"
            with VerticalScroll(id="rows", can_focus=False):
                yield row("label", Input(pad.label, id="label", compact=True))
                seconds = f"{pad.seconds:g}" if pad.seconds else ""
                yield row("for seconds", Input(seconds, id="seconds", compact=True, placeholder="until lifted"))
                yield Slider("share", _SHARE, float(pad.fault.get("probability", 1.0)), id="probability")
                yield Choice("kind", list(faults.kinds()), str(pad.fault["kind"]), id="kind")
                with Vertical(id="fields"):
                    yield from self._fields(str(pad.fault["kind"]))
                with Vertical(id="terms"):
                    yield from self._terms()
            yield Words(id="sentence")
        yield from self.keys()

    def on_mount(self) -> None:
        """Fills the key bar, and says whom it would have met."""
        self.show_keys()
        self.on_resize()
        self.query_one("#probability").focus(scroll_visible=False)  # it is in sight, below the name and the time
        self.preview()

    def on_resize(self, event: Resize | None = None) -> None:
        """Scrolls the rows where not all of them fit."""
        self.query_one("#rows").styles.max_height = max(3, self.app.size.height - _AROUND)

    def _fields(self, kind: str) -> Iterator[Widget]:
        """A row for each field of the fault, as its schema has it."""
        self.values = {}
        for name, schema in faults.kinds()[kind].model_json_schema()["properties"].items():
            if name == "probability":
                continue
            given = self.pad.fault.get(name, schema.get("default"))
            options = schema.get("enum") or ([True, False] if schema.get("type") == "boolean" else None)
            words = name.replace("_", " ")
            if options:
                self.values[name] = {_word(option): option for option in options}
                yield Choice(words, list(self.values[name]), _word(given), id=f"field-{name}")
            else:
                shown = "" if given is None else f"{given:g}" if isinstance(given, float) else str(given)
                yield row(words, Input(shown, id=f"field-{name}", compact=True, placeholder=_range(schema)))

    def _terms(self) -> Iterator[Widget]:
        """A row for each field that says whom the fault meets, when and how often."""
        for name, (words, placeholder) in _ROWS.items():
            given = self.pad.fault.get(name)
            shown = "" if given is None else f"{given:g}" if isinstance(given, float) else str(given)
            yield row(words, Input(shown, id=f"term-{name}", compact=True, placeholder=placeholder))
            if name == "scope":
                yield Words(id="preview")
            if name == "count":
                per = str(self.pad.fault.get("per", "all"))
                yield Choice("… per", ["all", "key", "client", "request"], per, id="term-per")

    async def on_choice_changed(self, message: Choice.Changed) -> None:
        """Shows the fields of another kind."""
        if message.choice.id == "kind":
            fields = self.query_one("#fields")
            await fields.remove_children()
            await fields.mount(*self._fields(message.choice.value))

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Shows whom a scope would have met together with the scope."""
        if event.widget.id == "term-scope":
            self.query_one("#preview").scroll_visible(animate=False)

    def _made(self) -> Pad:
        """The pad that the rows describe; raises SettingsError when its time is no number."""
        fault: dict[str, Any] = {"kind": self.query_one("#kind", Choice).value}
        fault["probability"] = self.query_one("#probability", Slider).value
        for field in self.query_one("#rows").query("Choice, Input"):
            place, _, name = (field.id or "").partition("-")
            if place == "field" and isinstance(field, Choice):
                fault[name] = self.values[name][field.value]
            elif isinstance(field, Choice) and place == "term" and field.value != "all":
                fault[name] = field.value
            elif isinstance(field, Input) and place in ("field", "term") and field.value.strip():
                fault[name] = field.value.strip()
        label = self.query_one("#label", Input).value.strip() or str(fault["kind"])
        short = self.pad.short if label == self.pad.label else label.split()[0]
        return Pad(label, short, fault, _seconds(self.query_one("#seconds", Input).value.strip()))

    def action_save(self) -> None:
        """Keeps the pad, if it can be."""
        deck, backend = self.console.deck, self.console.backend
        try:
            pad = self._made()
            deck.keep(self.digit, pad)
        except SettingsError as error:
            self.query_one("#sentence", Static).update(safe(f"Not kept: {error}"))
            return
        armed: ArmedFault | None = find(backend.pulse().armed, self.digit)
        if armed is not None:
            self.console.attempt(lambda: deck.arm(backend, self.digit))
        self.dismiss()

    def on_input_submitted(self) -> None:
        """Enter keeps, in a field too."""
        self.action_save()

    def action_rows(self, by: int) -> None:
        """Goes to another field."""
        rows = "Slider, Choice, Input"
        self.focus_next(rows) if by > 0 else self.focus_previous(rows)


def _word(option: Any) -> str:
    return {True: "yes", False: "no"}[option] if isinstance(option, bool) else str(option)


def _range(schema: dict[str, Any]) -> str:
    """What a field allows, in a few words."""
    for one in (schema, *schema.get("anyOf", ())):
        low, high = one.get("minimum", one.get("exclusiveMinimum")), one.get("maximum")
        if low is not None and high is not None:
            return f"{low:g} to {high:g}"
    return "none"


def _seconds(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise SettingsError(f"for seconds: {text!r} is no number; leave it empty to stay until lifted") from None
