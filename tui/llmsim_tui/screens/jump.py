"""Jump mode: a letter at each place that can be gone to; typing it goes there."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.events import Click, Key, Resize
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from llmsim_tui.screens.ticking import Steady
from llmsim_tui.widgets.tabs import Tabs

LETTERS: Final = "asdfghjklqwertyuiopzxcvbnm"
"""Letters in the order in which hands find them."""


class _Letter(Static):
    """A letter, to be typed or clicked on."""

    def __init__(self, letter: str) -> None:
        super().__init__(f" {letter} ", classes="jump", markup=False)
        self.letter = letter


class Jump(Steady, ModalScreen[None]):
    """Letters over the screen below."""

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self.targets = dict(zip(LETTERS, _targets(below), strict=False))

    def compose(self) -> ComposeResult:
        """A letter at the corner of each place."""
        for letter, (widget, place) in self.targets.items():
            label = _Letter(letter)
            x = widget.region.x + (place if place >= 0 else 1)
            label.styles.offset = (min(x, self.app.size.width - 3), widget.region.y)
            yield label

    def on_key(self, event: Key) -> None:
        """Goes where the letter is; any other key closes."""
        event.stop()
        event.prevent_default()
        target = self.targets.get(event.key)
        self.dismiss()
        if target is not None:
            self.app.call_next(_go, *target)

    def on_click(self, event: Click) -> None:
        """A click on a letter goes there too; anywhere else it closes."""
        self.dismiss()
        if isinstance(event.widget, _Letter):
            self.app.call_next(_go, *self.targets[event.widget.letter])

    def on_resize(self, event: Resize) -> None:
        """Letters of another size would point anywhere."""
        if self.is_mounted and event.size != self.size:
            self.dismiss()


def _targets(screen: Screen[object]) -> list[tuple[Widget, int]]:
    """What can be gone to: widgets that take the focus, and pages, by the cell where they begin."""
    found: list[tuple[Widget, int]] = []
    for widget in screen.query("*"):
        if not widget.is_on_screen or not widget.region.area:
            continue
        if isinstance(widget, Tabs):
            found += [(widget, place) for place in widget.starts()]
        elif widget.focusable:
            found.append((widget, -1))
    return found


def _go(widget: Widget, place: int) -> None:
    if isinstance(widget, Tabs):
        widget.turn_at(place)
    else:
        widget.focus()
