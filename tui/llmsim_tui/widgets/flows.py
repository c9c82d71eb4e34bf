"""The list of requests: draws only the rows in sight, so that a long history costs what a short one does."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from llmsim_tui.backend import Row
from llmsim_tui.commands import bindings
from llmsim_tui.palette import Ink
from llmsim_tui.sieve import Sieve
from llmsim_tui.text import safe
from llmsim_tui.widgets.columns import ORDERS, Column, fitted, heading, ranked, worded
from llmsim_tui.widgets.lines import Line, Panel

Lookup = Callable[[int], Row | None]

MARKS: Final = 200
"""Requests that can be marked at once."""


class Act(Message):
    """Something is wanted of the selected exchange: `pause` or `cut`."""

    def __init__(self, number: int, what: str) -> None:
        self.number = number
        self.what = what
        super().__init__()


class Inspect(Message):
    """The exchange with this number is to be looked into."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()


class Chosen(Message):
    """The user has moved the selection to the exchange with this number."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()


class Flows(Panel):
    """Exchanges, one a line, followed or held."""

    BINDINGS = bindings("list")
    heading = "requests"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lookup: Lookup = lambda number: None
        self.numbers: Sequence[int] = range(0)
        self.oldest, self.newest = 0, -1
        self.cursor = -1
        self.top = 0
        self.following = True
        self.held = -1
        self.sieve: Sieve | None = None
        self.problem = ""
        self.marks: set[int] = set()
        self.order = ""
        self._places: dict[int, int] = {}
        self._hint = ""
        self._rows: list[Row | None] = []
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[int, tuple[tuple[Row, bool, Style | None, bool], Strip]] = {}
        self._look: tuple[int, Ink | None] = (0, None)

    @property
    def hint(self) -> str:
        """What a list that is empty says; drawn anew when it changes, as when a server is found only later."""
        return self._hint

    @hint.setter
    def hint(self, words: str) -> None:
        if words != self._hint:
            self._hint = words
            if not self.numbers:
                self.redraw()

    @property
    def page_rows(self) -> int:
        """How many exchanges are in sight."""
        return max(1, self.size.height - 1)

    def show(self, first: int, last: int, lookup: Lookup) -> None:
        """Takes the numbers there are, and draws if anything in sight has changed."""
        self.lookup, self.oldest, self.newest = lookup, first, last
        numbers = self.sieve.update(first, last) if self.sieve else range(first, last + 1)
        if not self.order:
            self.numbers = numbers
        self._settle()

    def strain(self, sieve: Sieve | None) -> None:
        """Shows only what the filter lets through; None shows all."""
        self.sieve, self.problem, self.order = sieve, "", ""
        self.follow()

    def complain(self, problem: str) -> None:
        """Says in the frame what is wrong with a filter, until there is another."""
        self.problem = problem
        self._entitle(len(self.numbers))

    def _settle(self) -> None:
        """Puts cursor and page where they belong, and draws if that changes what is seen."""
        count = len(self.numbers)
        if not count:
            self.cursor, self.top = -1, 0
        elif self.following or self.cursor < 0:
            self.cursor = self.numbers[-1]
        else:
            self.cursor = self.numbers[min(count - 1, self._place(self.cursor))]
        page, place, top = self.page_rows, self._place(self.cursor), self._place(self.top)
        top = min(max(place - page + 1, min(top, place)), max(0, count - page)) if count else 0
        self.top = self.numbers[top] if count else 0
        rows = [self.lookup(number) for number in self.numbers[top : top + page]]
        seen = (self.cursor, self.top, count)
        self._entitle(count)
        if rows != self._rows or seen != self._seen:
            self._rows, self._seen = rows, seen
            self.redraw()

    def _place(self, number: int) -> int:
        return self._places.get(number, 0) if self.order else bisect_left(self.numbers, number)

    # -- sorted, and marked

    def sort(self, by: str) -> bool:
        """Sorts by a column what is listed now, or shows the marked ones alone; where there are none, as they came.

        A sorted list stands still: one that sorted itself again and again could not be read.
        """
        if self.order:  # from the whole list again
            self._unsort()
        value = next((value for head, _, value in ORDERS if head == by), None)
        kept = sorted(self.marks) if by == "marked" else ranked(self.numbers, self.lookup, value) if value else None
        if not kept:
            self.follow()
            return False
        self.order, self.numbers, self.following = by, kept, False
        self._places = {number: place for place, number in enumerate(kept)}
        self.cursor = self.top = kept[0]
        self._seen = None
        self._settle()
        self.post_message(Chosen(self.cursor))
        return True

    def _unsort(self) -> None:
        """Lists them as they came."""
        self.order, self._seen = "", None
        self.numbers = self.sieve.matches if self.sieve else range(self.oldest, self.newest + 1)

    def action_sort(self) -> None:
        """The next order in which there is something to list."""
        ways = [*(head for head, _, _ in ORDERS), "marked"]
        later = ways[ways.index(self.order) + 1 :] if self.order else ways
        any(self.sort(way) for way in [*later, ""])

    def action_mark(self) -> None:
        """Marks the selected exchange, or takes its mark away."""
        if self.cursor in self.marks:
            self.marks.discard(self.cursor)
        elif self.cursor >= 0 and len(self.marks) < MARKS:
            self.marks.add(self.cursor)
        self.redraw()

    def _sorted(self) -> str:
        """What a sorted list says in its frame."""
        words = next((words for head, words, _ in ORDERS if head == self.order), "marked")
        return f"{self._place(self.cursor) + 1}/{len(self.numbers)} · {words} · f follow"

    def _entitle(self, count: int) -> None:
        extra = f"  /{safe(self.sieve.text)}" if self.sieve and not self.problem else ""
        if self.problem:
            state = safe(self.problem)
        elif not count:
            state = "none match" if self.sieve else "none yet"
        elif self.order:
            state = self._sorted()
        elif self.following:
            state = f"{count} · follow"
        else:
            new = count - 1 - self._place(self.held)
            state = (
                f"{self._place(self.cursor) + 1}/{count} · held" + (f", {new} new" if new > 0 else "") + " · f follow"
            )
        self.entitle(extra, state)

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The heading, then the rows in sight, the scroll bar at the right."""
        ink, inner = self.ink, width - 1
        if self._look != (width, ink):
            self._look, self._known = (width, ink), {}
        columns = fitted(inner)
        yield heading(columns, ink, self.order).strip(width)
        if not self.numbers:
            yield from self._nothing(width, height - 1)
        bar, known = self._bar(height - 1), {}
        for place, row in enumerate(self._rows):
            if row is None:
                yield Strip.blank(width)
                continue
            style = (ink.cursor if self.has_focus else ink.idle) if row.number == self.cursor else None
            look = (row, place in bar, style, row.number in self.marks)
            made = self._known.get(row.number)
            if made is None or made[0] != look:
                made = look, self._line(columns, width, *look)
            known[row.number] = made
            yield made[1]
        self._known = known

    def _line(
        self, columns: list[Column], width: int, row: Row, barred: bool, style: Style | None, marked: bool
    ) -> Strip:
        line = worded(row, columns, self.ink, marked).pad(width - 1)
        if style:
            line.segments = list(Segment.apply_style(line.segments, style))
        return line.add("┃" if barred else " ", self.ink.faint).strip(width)

    def _nothing(self, width: int, height: int) -> Iterator[Strip]:
        """What to do about a list that is empty, in its middle."""
        words = "no request matches · / changes the filter, esc clears it" if self.sieve else self.hint
        lines = [Line(self.ink).add(part.center(width), self.ink.dim).strip(width) for part in words.split("\n")]
        yield from (Strip.blank(width) for _ in range((height - len(lines)) // 2))
        yield from lines

    def _bar(self, height: int) -> range:
        count = len(self.numbers)
        if count <= height:
            return range(0)
        size = max(1, height * height // count)
        start = round(self._place(self.top) / (count - height) * (height - size))
        return range(start, start + size)

    def _go(self, place: int) -> None:
        count = len(self.numbers)
        if not count:
            return
        place = min(max(0, place), count - 1)
        if self.following and place < count - 1:
            self.held = self.numbers[-1]
        self.following = place == count - 1 and not self.order
        self.cursor = self.numbers[place]
        self._settle()
        self.post_message(Chosen(self.cursor))

    def action_move(self, by: int) -> None:
        """Moves the selection."""
        self._go(self._place(self.cursor) + by)

    def action_page(self, by: int) -> None:
        """Moves the selection by a page."""
        self._go(self._place(self.cursor) + by * self.page_rows)

    def action_oldest(self) -> None:
        """Selects the oldest exchange kept."""
        self._go(0)

    def follow(self) -> None:
        """Selects the newest exchange and every newer one to come."""
        if self.order:
            self._unsort()
        self.following = True
        self._settle()

    def action_follow(self) -> None:
        """Follows."""
        self.follow()

    def action_inspect(self) -> None:
        """Asks for a look into the selected exchange."""
        if self.cursor >= 0:
            self.post_message(Inspect(self.cursor))

    def action_mock(self) -> None:
        """Asks for a mock made from the selected exchange."""
        self.action_act("mock")

    def action_act(self, what: str) -> None:
        """Asks for something to be done to the selected exchange."""
        if self.cursor >= 0:
            self.post_message(Act(self.cursor, what))

    def beside(self, number: int, by: int) -> int | None:
        """The number shown next to this one, None at the end."""
        place = self._place(number) + by
        return self.numbers[place] if 0 <= place < len(self.numbers) else None

    def select(self, number: int) -> None:
        """Moves the selection to an exchange that is listed."""
        self._go(self._place(number))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three up."""
        self.action_move(-3)
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three down."""
        self.action_move(3)
        event.stop()

    def on_click(self, event: events.Click) -> None:
        """Selects the row under the mouse; a second click looks into it; the scroll bar jumps, a heading sorts."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < 1:
            self._sort_at(offset.x)
            return
        if offset.x >= self.size.width - 1:
            self._go(round((offset.y - 1) / max(1, self.page_rows - 1) * (len(self.numbers) - 1)))
        elif offset.y <= len(self._rows):
            self._go(self._place(self.top) + offset.y - 1)
            if event.chain == 2:
                self.action_inspect()

    def _sort_at(self, x: int) -> None:
        """Sorts by the column there; by the same once more, or by another one, lists as they came."""
        at = 0
        for column in fitted(self.size.width - 1):
            at += column.width + 1
            if x < at:
                known = any(column.head == head for head, _, _ in ORDERS)
                self.sort(column.head if known and column.head != self.order else "")
                return

    def on_resize(self) -> None:
        """Keeps the selection in sight."""
        self._settle()
