"""The chart of requests: every half-second a stacked bar by outcome, every change a flag above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import log10
from operator import itemgetter
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.strip import Strip

from llmsim_tui.backend import Bucket, Happening
from llmsim_tui.palette import BOLD, Ink
from llmsim_tui.text import amount, flag, safe
from llmsim_tui.widgets.lines import Panel, plainly

STACK: Final = ("ok", "abandoned", "cut", "limited", "failed")
"""Outcomes from the bottom of a bar to its top."""

WORDS: Final = {"ok": "2xx", "abandoned": "left", "cut": "cut", "limited": "429", "failed": "failed"}
SHAPES: Final = {"ok": "█", "abandoned": "·", "cut": "×", "limited": "▓", "failed": "░"}
_PLAIN: Final = {"ok": "#", "abandoned": ".", "cut": "x", "limited": "+", "failed": "!"}

EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
_DOTS: Final = " ⣀⣀⣤⣤⣶⣶⣿⣿"
_AXIS: Final = 6
_PERIOD: Final = 0.5


def ceiling(value: float) -> int:
    """The next of 4, 10, 20, 40, 100 ...: a scale that stays put while traffic breathes."""
    top = 4
    while top < value:
        top = top * 5 // 2 if str(top)[0] == "4" else top * 2
    return top


Cell = tuple[str, Style | None]


@dataclass(frozen=True)
class Traffic:
    """What the chart shows: counts in the order of the stack for each half-second, and flags by column."""

    columns: tuple[tuple[int, ...], ...]
    marks: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, buckets: Sequence[Bucket], happenings: Sequence[Happening]) -> Traffic:
        """The buckets, with the happenings that fall into them."""
        columns = tuple(tuple(bucket.counts.get(name, 0) for name in STACK) for bucket in buckets)
        marks = []
        if buckets:
            first = buckets[0].wall
            for one in happenings:
                at = int((one.wall - first) / _PERIOD) if one.mark else -1
                if 0 <= at <= len(buckets):
                    marks.append((min(at, len(buckets) - 1), safe(flag(one.mark))))
        return cls(columns, tuple(marks))


class Bars(Panel):
    """Requests by outcome over time, the newest at the right."""

    heading = "requests per 0.5 s"
    state: Traffic | None = None
    _look: tuple[int, int, Ink | None] = (0, 0, None)
    _known: dict[tuple[int, ...], list[Cell]]

    @property
    def wanted(self) -> int:
        """How many half-seconds fit."""
        return max(1, self.size.width - _AXIS - 1)

    def legend(self) -> None:
        """Puts the legend into the frame, each outcome in its colour and shape."""
        ink = self.ink
        words: list[tuple[str, str] | str] = [" "]
        for name in ("ok", "limited", "failed", "cut", "abandoned"):
            square = (_PLAIN[name] if ink.plain else SHAPES[name]) if ink.shapes else "■"
            words += [" ", (square, ink.fill[name].hex), WORDS[name]]
        self.entitle(Content.assemble(*words), f"{self.wanted * _PERIOD:.0f} s")

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """A line of flags, then the bars."""
        state = self.state or Traffic((), ())
        room = self.wanted
        shift = room - len(state.columns)
        columns = state.columns[max(0, -shift) :]
        marks: dict[int, list[str]] = {}
        for column, mark in state.marks:
            if 0 <= (place := column + shift) < width - _AXIS:
                marks.setdefault(place, []).append(mark)
        top = ceiling(max((sum(counts) for counts in columns), default=0))
        blank = " " * (_AXIS + max(0, shift))
        yield self._flags(marks, width)
        rows, ink = height - 1, self.ink
        if self._look != (rows, top, ink):
            self._look, self._known = (rows, top, ink), {}
        bars = [self._column(counts, rows, top, ink) for counts in columns]
        for row in reversed(range(rows)):
            cells = [
                ("┊", ink.faint) if place in marks and bar[row][0] == " " else bar[row]
                for place, bar in enumerate(bars, max(0, shift))
            ]
            axis = Segment(self._axis(row, rows, top, blank), ink.dim)
            yield Strip([axis, *joined(cells, ink)]).adjust_cell_length(width)

    def _column(self, counts: tuple[int, ...], rows: int, top: int, ink: Ink) -> list[Cell]:
        """One bar from the bottom up; most bars have been drawn before, as they only move."""
        known = self._known.get(counts)
        if known is None:
            known = self._known[counts] = [_cell(counts, row, rows, top, ink) for row in range(rows)]
        return known

    def _axis(self, row: int, rows: int, top: int, blank: str) -> str:
        middle = rows // 2
        if row == rows - 1:
            label = amount(top)
        elif row == 0:
            label = "0"
        elif row == middle and rows > 4:
            label = amount(top * middle / rows) if top > 4 * rows else ""
        else:
            label = ""
        return label.rjust(_AXIS - 1).ljust(len(blank))

    def _flags(self, marks: dict[int, list[str]], width: int) -> Strip:
        flags = flagged(marks, width - _AXIS)
        flags = plainly(flags) if self.ink.plain else flags
        return Strip([Segment(" " * _AXIS), Segment(flags, self.ink.tone["limited"] + BOLD)])


def flagged(marks: Mapping[int, Sequence[str]], width: int) -> str:
    """A line of flags: every sign stands at its own place; of the words, the newest have the first pick of the room.

    Words that do not fit are shortened to their first parts; where those have no room either, the sign stands alone.
    """
    cells = [" "] * width
    for place, there in marks.items():
        cells[place] = there[0][0]
    for place, there in sorted(marks.items(), reverse=True):
        for words in (_beside(there), _beside([mark.split(" ")[0] for mark in there])):
            right, left = place + 1, place - len(words)
            if not "".join(cells[right : right + len(words) + 1]).strip() and right + len(words) <= width:
                cells[right : right + len(words)] = words
                break
            if left >= 0 and not "".join(cells[max(0, left - 1) : place]).strip():
                cells[left:place] = words
                break
    return "".join(cells)


def _beside(marks: Sequence[str]) -> str:
    """The words of flags over one bar; a sign only where it is another than the first."""
    first = marks[0][:1]
    return " ".join(mark.removeprefix(first) for mark in dict.fromkeys(marks))


def _cell(counts: tuple[int, ...], row: int, rows: int, top: int, ink: Ink) -> Cell:
    """One cell of a bar: a glyph of the lower colour, over the colour above it where two meet."""
    total = sum(counts)
    height = total * rows * 8 / top
    if height <= row * 8:
        return " ", None
    edges, reached = [], 0.0
    for name, count in zip(STACK, counts, strict=True):
        reached += count * rows * 8 / top
        if count:
            edges.append((name, reached))
    filled = [(name, min(8, max(0, round(edge) - row * 8))) for name, edge in edges]
    lower, level = next(((name, level) for name, level in filled if level), (edges[-1][0], 1))
    peak = max(level, filled[-1][1])
    upper = next((name for name, reach in filled if reach > level), None)
    if ink.shapes:
        most = upper if upper and level < 4 else lower
        return (_PLAIN[most] if ink.plain else SHAPES[most]) if peak >= 4 or row == 0 else " ", _fill(ink.fill[most])
    if ink.glyphs == "braille":
        return _DOTS[peak], _fill(ink.fill[lower])
    if upper is None or level == 8:
        return EIGHTHS[level], _fill(ink.fill[lower])
    if peak == 8:
        return EIGHTHS[level], _fill(ink.fill[lower], ink.fill[upper])
    return EIGHTHS[peak], _fill(ink.fill[upper if peak - level > level else lower])


def joined(cells: Iterable[Cell], ink: Ink) -> list[Segment]:
    """Cells as segments, those of one style in a row as one."""
    made: list[Segment] = []
    for style, run in groupby(cells, key=itemgetter(1)):
        text = "".join(glyph for glyph, _ in run)
        made.append(Segment(plainly(text) if ink.plain else text, style))
    return made


@lru_cache(maxsize=256)
def _fill(color: Color, behind: Color | None = None) -> Style:
    return Style(color=color.rich_color, bgcolor=behind.rich_color if behind else None)


def decimals(value: float) -> float:
    """The next round number, such as 1, 1.5, 2, 2.5 or 4 times a power of ten: an axis that people can read."""
    power = 10.0 ** int(log10(value) - (value < 1)) if value > 0 else 1.0
    return next(
        step * power
        for step in (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 20.0)
        if step * power >= value * (1 - 1e-9)
    )
