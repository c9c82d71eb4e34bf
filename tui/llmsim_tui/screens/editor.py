"""The editor of a rule: YAML, read as it is typed, its problems told by line, put in force as a whole or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static, TextArea

from llmsim_tui.commands import bindings
from llmsim_tui.drafts import Draft, Made, read
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import safe
from llmsim_tui.widgets.words import Words

_PAUSE: Final = 0.3
"""Seconds of rest after a key before a long text is read again."""
_SHORT: Final = 4_000
"""Characters that are read again at every key; it takes less than 5 ms."""


class Editor(Dialog, Generic[Made]):
    """Edits one rule; `check` gives a sentence where it cannot be as things stand, `apply` puts it in force.

    `hint` is asked at each change what else is to be known about a rule that can be read.
    """

    BINDINGS = bindings("editor")
    AUTO_FOCUS = "#text"
    place = "editor"

    def __init__(
        self,
        title: str,
        text: str,
        kind: type[Made],
        apply: Callable[[Made], Awaitable[Any]],
        *,
        check: Callable[[Made], str] = lambda _: "",
    ) -> None:
        super().__init__()
        self.title_words = title
        self.text = text
        self.kind = kind
        self.apply = apply
        self.check = check
        self.draft: Draft[Made] = Draft(None)
        self._timer: Any = None

    def compose(self) -> ComposeResult:
        """The text, and a strip for what is wrong in it."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = safe(self.title_words)
            yield TextArea(
                self.text, id="text", tab_behavior="indent", soft_wrap=False, show_line_numbers=True, theme="css"
            )
            yield Words(id="sentence")
        yield from self.keys()

    def on_mount(self) -> None:
        """Reads what is there."""
        self.show_keys()
        self._read()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Reads again: a short text at once, a long one when the keys rest."""
        if self._timer is not None:
            self._timer.stop()
        if len(event.text_area.text) <= _SHORT:
            self._read()
        else:
            self._timer = self.set_timer(_PAUSE, self._read)

    def _read(self) -> None:
        self.draft = read(self.query_one("#text", TextArea).text, self.kind)
        told = self.check(self.draft.made) if self.draft.made is not None else ""
        problems = self.draft.problems
        sentence = self.query_one("#sentence", Static)
        more = f" · and {len(problems) - 1} more" if len(problems) > 1 else ""
        sentence.update(safe(f"✗ {problems[0]}{more}" if problems else f"✗ {told}" if told else "✓ it can be applied"))
        sentence.set_class(bool(problems or told), "-wrong")

    def action_apply(self) -> None:
        """Puts the rule in force; what cannot be read changes nothing."""
        self._read()
        made = self.draft.made
        told = self.check(made) if made is not None else str(self.draft.problems[0])
        if made is None or told:
            self.console.say(f"Nothing was changed: {told}", "error")
            return
        self.ready = False  # what is typed behind it is for the screen below, or for the text once it was refused
        self.console.attempt(lambda: self.apply(made), lambda _: self.dismiss(), self._go_on)

    def _go_on(self) -> None:
        self.ready = True
        self.app.call_next(self.console.type_on)

    def action_problem(self) -> None:
        """Puts the cursor where the next problem is."""
        area = self.query_one("#text", TextArea)
        here = (area.cursor_location[0] + 1, area.cursor_location[1] + 1)
        places = sorted((one.line, max(1, one.column)) for one in self.draft.problems if one.line)
        if places:
            line, column = next((place for place in places if place > here), places[0])
            area.move_cursor((line - 1, column - 1))
            area.focus()
