"""The columns of the request list: which fit at a width, how a request is worded in them, by which the list sorts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.style import Style

from llmsim_tui.backend import Row
from llmsim_tui.palette import BOLD, Ink
from llmsim_tui.text import amount, brief, millis, moment, safe, span
from llmsim_tui.widgets.lines import Line


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

RANKED: Final = 2_000
"""Requests that are sorted at most, the newest: more would hold up the picture."""

_Value = Callable[[Row], float | None]

ORDERS: Final[tuple[tuple[str, str, _Value], ...]] = (
    ("ttft", "by first token", lambda row: row.ttft),
    ("dur", "by duration", lambda row: row.duration),
    ("tok", "by tokens", lambda row: row.tokens or None),
    ("try", "by tries", lambda row: row.attempt or None),
)
"""What the list can be sorted by: the column, in words, the value; the greatest comes first."""


def ranked(numbers: Sequence[int], lookup: Callable[[int], Row | None], value: _Value) -> list[int]:
    """The numbers of the newest requests that have such a value, the greatest first."""
    found = []
    for number in numbers[-RANKED:]:
        row = lookup(number)
        if row is not None and (worth := value(row)) is not None:
            found.append((-worth, number))
    return [number for _, number in sorted(found)]


_WORDS: Final = {"live": "···", "cut": "cut", "abandoned": "left"}


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


def heading(columns: list[Column], ink: Ink, sorted_by: str = "") -> Line:
    """The names of the columns, with a sign at the one that the list is sorted by."""
    line = Line(ink)
    for column in columns:
        words = column.head + "▼" * (column.head == sorted_by)
        line.add(words, ink.head, width=column.width, right=column.right, gap=1)
    return line.pad(400, ink.head)


def worded(row: Row, columns: list[Column], ink: Ink, marked: bool = False) -> Line:
    """A request in its columns."""
    tone = ink.tone["limited" if row.held else row.outcome]
    cells: dict[str, tuple[str, Style]] = {
        "#": (f"◆{row.number}", ink.tone["preview"]) if marked else (str(row.number), ink.dim),
        "time": (moment(row.wall), ink.dim),
        "client": (safe(brief(row.client)), ink.text),
        "model": (safe(row.model), ink.text),
        "try": (f"↻{row.attempt}" if row.attempt else "", ink.tone["retry"]),
        "st": (_status(row), tone + BOLD if row.outcome == "failed" else tone),
        "ttft": ("" if row.ttft is None else millis(row.ttft), ink.text),
        "dur": ("" if row.duration is None else span(row.duration), ink.text),
        "tok": (amount(row.tokens) if row.tokens else "", ink.text),
        "fault": (safe(" ".join(row.faults)), ink.tone["limited"]),
    }
    line, last = Line(ink), columns[-1]
    for column in columns:
        text, style = cells[column.head]
        line.add(text, style, width=column.width, right=column.right, gap=column is not last)
    return line


def _status(row: Row) -> str:
    word = "held" if row.held else _WORDS.get(row.outcome)
    return word if word else str(row.status or "")
