"""The list of requests: draws only the rows in sight, so that a long history costs what a short one does."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from llmsim_tui.backend import Row
from llmsim_tui.commands import bindings
from llmsim_tui.palette import Ink
from llmsim_tui.sieve import Sieve
from llmsim_tui.text import amount, brief, millis, moment, safe, span
from llmsim_tui.widgets.lines import Line, Panel

Lookup = Callable[[int], Row | None]


@dataclass(frozen=True)
class Column:
    """One column: its heading, its cells, whether figures stand at its right, and from which width it is there."""

    head: str
    width: int
    right: bool
    since: int


COLUMNS: Final = (
    Column("#", 6, True, 0),
    Column("time", 8, False, 66),
    Column("client", 8, False, 46),
    Column("model", 12, False, 0),
    Column("try", 3, False, 57),
    Column("st", 4, False, 0),
    Column("ttft", 6, True, 31),
    Column("dur", 6, True, 57),
    Column("tok", 5, True, 37),
    Column("fault", 9, False, 76),
)
_GROWS: Final = (("model", 17), ("fault", 12), ("client", 14), ("model", 28), ("fault", 24))
"""Columns that take spare room, in which order and how far."""

_WORDS: Final = {"live": "···", "cut": "cut", "abandoned": "left"}


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
        self.newest = -1
        self.cursor = -1
        self.top = 0
        self.following = True
        self.held = -1
        self.sieve: Sieve | None = None
        self.problem = ""
        self._hint = ""
        self._rows: list[Row | None] = []
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[int, tuple[tuple[Row, bool, Style | None], Strip]] = {}
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
        self.lookup, self.newest = lookup, last
        self.numbers = self.sieve.update(first, last) if self.sieve else range(first, last + 1)
        self._settle()

    def strain(self, sieve: Sieve | None) -> None:
        """Shows only what the filter lets through; None shows all."""
        self.sieve, self.problem = sieve, ""
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
        return bisect_left(self.numbers, number)

    def _entitle(self, count: int) -> None:
        extra = f"  /{safe(self.sieve.text)}" if self.sieve else ""
        if self.problem:
            state = safe(self.problem)
        elif not count:
            state = "none match" if self.sieve else "none yet"
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
        yield _heading(columns, ink).strip(width)
        if not self.numbers:
            yield from self._nothing(width, height - 1)
        bar, known = self._bar(height - 1), {}
        for place, row in enumerate(self._rows):
            if row is None:
                yield Strip.blank(width)
                continue
            style = (ink.cursor if self.has_focus else ink.idle) if row.number == self.cursor else None
            look = (row, place in bar, style)
            made = self._known.get(row.number)
            if made is None or made[0] != look:
                strip = _worded(row, columns, ink).strip(inner)
                strip = strip.apply_style(style) if style else strip
                made = look, Strip.join([strip, Line(ink).add("┃" if place in bar else " ", ink.faint).strip(1)])
            known[row.number] = made
            yield made[1]
        self._known = known

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
        self.following = place == count - 1
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
        """Selects the row under the mouse; a second click looks into it; the scroll bar jumps."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < 1:
            return
        if offset.x >= self.size.width - 1:
            self._go(round((offset.y - 1) / max(1, self.page_rows - 1) * (len(self.numbers) - 1)))
        elif offset.y <= len(self._rows):
            self._go(self._place(self.top) + offset.y - 1)
            if event.chain == 2:
                self.action_inspect()

    def on_resize(self) -> None:
        """Keeps the selection in sight."""
        self._settle()


def fitted(width: int) -> list[Column]:
    """The columns that fit whole, one cell between them, the growing ones widened into the spare room."""
    chosen = [column for column in COLUMNS if width >= column.since]
    widths = {column.head: column.width for column in chosen}
    spare = width + 1 - sum(widths.values()) - len(widths)
    for head, most in _GROWS:
        more = max(0, min(spare, most - widths[head])) if head in widths else 0
        widths[head] = widths.get(head, 0) + more
        spare -= more
    return [replace(column, width=widths[column.head]) for column in chosen]


def _heading(columns: list[Column], ink: Ink) -> Line:
    line = Line(ink)
    for column in columns:
        line.add(column.head, ink.head, width=column.width, right=column.right, gap=1)
    return line.pad(400, ink.head)


def _worded(row: Row, columns: list[Column], ink: Ink) -> Line:
    tone = ink.tone[row.outcome]
    cells: dict[str, tuple[str, Style]] = {
        "#": (str(row.number), ink.dim),
        "time": (moment(row.wall), ink.dim),
        "client": (safe(brief(row.client)), ink.text),
        "model": (safe(row.model), ink.text),
        "try": (f"↻{row.attempt}" if row.attempt else "", ink.tone["retry"]),
        "st": (_status(row), tone + Style(bold=row.outcome == "failed")),
        "ttft": ("" if row.ttft is None else millis(row.ttft), ink.text),
        "dur": ("" if row.duration is None else span(row.duration), ink.text),
        "tok": (amount(row.tokens) if row.tokens else "", ink.text),
        "fault": (safe(" ".join(row.faults)), ink.tone["limited"]),
    }
    line = Line(ink)
    for column in columns:
        text, style = cells[column.head]
        line.add(text, style, width=column.width, right=column.right, gap=1)
    return line


def _status(row: Row) -> str:
    word = _WORDS.get(row.outcome)
    return word if word else str(row.status or "")
