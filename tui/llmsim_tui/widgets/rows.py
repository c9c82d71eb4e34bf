"""A short table with a selection, in a dialog: mocks, buckets, clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from llmsim_tui.commands import bindings
from llmsim_tui.palette import Ink
from llmsim_tui.text import safe
from llmsim_tui.widgets.lines import Line, Panel


@dataclass(frozen=True)
class Head:
    """A column: its heading and width; 0 takes what is left. `since` is the width of the table it needs."""

    words: str
    width: int
    right: bool = False
    since: int = 0


@dataclass(frozen=True)
class Item:
    """One row: a name of its own, the cells, and the tone of all of them (a status's name, dim, or none)."""

    name: str
    cells: tuple[str, ...]
    tone: str = ""


class Rows(Panel):
    """Rows under their headings; the selection stays with its row when others come and go."""

    BINDINGS = bindings("rows")
    state: tuple[Item, ...] = ()

    class Moved(Message):
        """Another row is selected."""

    class Opened(Message):
        """The selected row is to be looked into."""

    def __init__(self, heads: Sequence[Head], hint: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.heads = heads
        self.hint = hint
        self.chosen = ""
        self.top = 0

    @property
    def place(self) -> int:
        """Where the selection is; 0 where its row has gone."""
        return next((place for place, one in enumerate(self.state) if one.name == self.chosen), 0)

    @property
    def item(self) -> Item | None:
        """The selected row."""
        return self.state[self.place] if self.state else None

    def show(self, items: Sequence[Item]) -> None:
        """Takes the rows."""
        self.show_state(tuple(items))

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The headings, then the rows in sight."""
        ink, page = self.ink, max(1, height - 1)
        heads = [head for head in self.heads if width >= head.since]
        rest = width - sum(head.width + 1 for head in heads if head.width)
        widths = [head.width or max(4, rest - 1) for head in heads]
        line = Line(ink)
        for head, room in zip(heads, widths, strict=True):
            line.add(head.words, ink.head, width=room, right=head.right, gap=1)
        yield line.pad(width, ink.head).strip(width)
        if not self.state:
            yield from (Strip.blank(width) for _ in range(max(0, (page - 2) // 2)))
            for words in self.hint.split("\n"):
                yield Line(ink).add(words.center(width), ink.dim).strip(width)
        self.top = min(max(self.place - page + 1, min(self.top, self.place)), max(0, len(self.state) - page))
        for item in self.state[self.top : self.top + page]:
            strip = self._worded(item, heads, widths).strip(width)
            here = item is self.item
            yield strip.apply_style(ink.cursor if self.has_focus else ink.idle) if here else strip

    def _worded(self, item: Item, heads: Sequence[Head], widths: Sequence[int]) -> Line:
        line, style = Line(self.ink), _tone(self.ink, item.tone)
        cells = dict(zip((head.words for head in self.heads), item.cells, strict=True))
        for head, room in zip(heads, widths, strict=True):
            line.add(safe(cells[head.words]), style, width=room, right=head.right, gap=1)
        return line

    def select(self, place: int) -> None:
        """Selects the row at a place, or the nearest one."""
        if self.state:
            self.chosen = self.state[min(max(0, place), len(self.state) - 1)].name
            self.redraw()
            self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        """Moves the selection."""
        self.select(self.place + by)

    def action_page(self, by: int) -> None:
        """Moves the selection by a page."""
        self.select(self.place + by * max(1, self.size.height - 1))

    def action_open(self) -> None:
        """Asks for a look into the selected row."""
        self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """Selects the row under the mouse; a second click looks into it."""
        offset = event.get_content_offset(self)
        if offset is not None and 1 <= offset.y <= len(self.state) - self.top:
            self.select(self.top + offset.y - 1)
            if event.chain == 2:
                self.action_open()


def _tone(ink: Ink, tone: str) -> Style:
    return ink.dim if tone == "dim" else ink.tone[tone] if tone else ink.text
