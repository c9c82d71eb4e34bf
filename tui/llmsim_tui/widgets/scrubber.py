"""The time line of a recorded session: where it is, what was changed when; a click goes there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip

from llmsim_tui.text import uptime
from llmsim_tui.widgets.lines import Line, Lines


@dataclass(frozen=True)
class Moment:
    """Seconds from the beginning, seconds in all, whether it plays and how fast, and where something was changed."""

    at: float
    lasts: float
    plays: bool
    speed: float
    marks: tuple[float, ...]


class Scrubber(Lines):
    """A bar with its marks above it, where there are two lines of room."""

    state: Moment | None = None
    _left = 0
    _cells = 1
    _drags = False

    class Sought(Message):
        """The moment at this share of the whole is wanted."""

        def __init__(self, share: float) -> None:
            self.share = share
            super().__init__()

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The bar, then the marks below it."""
        state, ink = self.state, self.ink
        if state is None:
            return
        sign = "▶" if state.plays else "■"
        before = f" {sign} {uptime(int(state.at))} "
        behind = f" {uptime(int(state.lasts))}  ×{state.speed:g} "
        self._left, self._cells = len(before), max(1, width - len(before) - len(behind))
        done = _cell(state.at, state.lasts, self._cells)
        line = Line(ink).add(before, ink.bold)
        line.add("━" * done, ink.key).add("●", ink.bold).add("─" * (self._cells - 1 - done), ink.faint)
        yield line.add(behind, ink.dim).strip(width)
        if height > 1:
            cells = [" "] * self._cells
            for mark in state.marks:
                cells[_cell(mark, state.lasts, self._cells)] = "▲"
            yield Line(ink).add(" " * self._left).add("".join(cells), ink.tone["limited"]).strip(width)
        yield from (Strip.blank(width) for _ in range(height - 2))

    def show_moment(self, at: float, lasts: float, plays: bool, speed: float, marks: Sequence[float]) -> None:
        """Shows this moment."""
        self.show_state(Moment(round(at, 1), lasts, plays, speed, tuple(marks)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Goes to where the mouse is, and on with it."""
        self._drags = True
        self.capture_mouse()
        self._seek(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Goes along with the mouse."""
        if self._drags:
            self._seek(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Stays where it is."""
        self._drags = False
        self.release_mouse()

    def _seek(self, event: events.MouseEvent) -> None:
        share = (event.x - self._left) / max(1, self._cells - 1)
        self.post_message(self.Sought(min(1.0, max(0.0, share))))


def _cell(at: float, lasts: float, cells: int) -> int:
    return min(cells - 1, round(at / lasts * (cells - 1))) if lasts > 0 else 0
