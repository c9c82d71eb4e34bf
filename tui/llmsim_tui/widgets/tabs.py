"""A line of pages to choose among, by a click or by a key of whoever shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from llmsim_tui.widgets.lines import Line, Lines


class Tabs(Lines):
    """The pages' names on one line, the one that is shown marked; shortened to what fits."""

    state: tuple[tuple[str, ...], int, str] = ((), 0, "")

    class Turned(Message):
        """A page has been clicked."""

        def __init__(self, place: int) -> None:
            self.place = place
            super().__init__()

    def show(self, pages: Sequence[str], place: int, note: str = "") -> None:
        """Takes the names, which one is shown, and a note for the right end."""
        self.show_state((tuple(pages), place, note))

    def _spans(self, width: int) -> list[tuple[str, int]]:
        """Each page's words and the column where they end."""
        pages, _, _ = self.state
        short = sum(len(page) + 3 for page in pages) > width
        spans, at = [], 0
        for page in pages:
            words = f" {page.split(' ')[0] if short else page} "
            at += len(words) + 1
            spans.append((words, at))
        return spans

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The one line."""
        ink, (_, chosen, note) = self.ink, self.state
        line = Line(ink)
        for place, (words, _) in enumerate(self._spans(width)):
            # Brackets say which one it is where colours do not.
            shown = f"[{words[1:-1]}]" if place == chosen and ink.shapes else words
            line.add(shown, ink.badge if place == chosen else ink.dim, gap=1)
        if note and line.width + len(note) < width:
            line.pad(width - len(note)).add(note, ink.dim)
        yield line.strip(width)

    def starts(self) -> list[int]:
        """The column in which each page begins."""
        return [0, *(end for _, end in self._spans(self.size.width))][:-1]

    def on_click(self, event: events.Click) -> None:
        """Turns to the page under the mouse."""
        self.turn_at(event.x)

    def turn_at(self, column: int) -> None:
        """Turns to the page in that column."""
        for place, (_, end) in enumerate(self._spans(self.size.width)):
            if column < end:
                self.post_message(self.Turned(place))
                return
