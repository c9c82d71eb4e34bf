"""What dialogs have in common in which a match is typed: as it is, it is told whom it would have met."""

from __future__ import annotations

from typing import Any, Final

from textual.widgets import Input, Static

from llmsim.errors import SettingsError
from llmsim.match import Match
from llmsim_tui.text import safe

_LAST: Final = 100
"""Requests that a match is tried on."""


class Scoping:
    """A dialog with a match in its field `scoped`, and a `preview`."""

    scoped = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Says whom the match would have met, as it is typed."""
        if event.input.id == self.scoped:
            self.preview()

    def scope(self: Any) -> Match:
        """The match as it is typed; raises SettingsError for one that cannot be read, or that comes too late here."""
        scope = Match(self.query_one(f"#{self.scoped}", Input).value.strip())
        scope.refuse_late()
        return scope

    def preview(self: Any) -> None:
        """Says whom the match would have met, or what is wrong with it."""
        try:
            scope = self.scope()
        except SettingsError as error:
            self._met(f"✗ {error}")
            return
        self.run_worker(self._try(scope), group="preview", exclusive=True)

    async def _try(self: Any, scope: Match) -> None:
        matched, of = await self.console.asked(self.console.backend.preview(scope, _LAST)) or (0, 0)
        self._met(f"matches {matched} of the last {of}" if of else "no request yet to try it on")

    def _met(self: Any, words: str) -> None:
        preview = self.query_one("#preview", Static)
        preview.update(safe(words))
        preview.set_class(words.startswith("✗"), "-wrong")
