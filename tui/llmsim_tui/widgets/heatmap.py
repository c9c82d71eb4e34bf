"""Waits for first tokens over time: a column a moment, the longer waits higher up, the denser the more of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from typing import Final

from rich.segment import Segment
from textual.strip import Strip

from llmsim_tui.heat import STEPS, value
from llmsim_tui.palette import BOLD
from llmsim_tui.text import uptime, wait
from llmsim_tui.widgets.bars import flagged
from llmsim_tui.widgets.lines import Line, Lines, plainly

AXIS: Final = 8
"""Columns of the labels."""
_WORDY: Final = 68
"""Columns from which it is said what the shades are."""
_SHADES, _PLAIN = " ░▒▓█", " .:+#"


@dataclass(frozen=True)
class Warmth:
    """Waits by step in each column, the flags of changes by column, and the seconds of a column."""

    columns: tuple[tuple[tuple[int, int], ...], ...] = ()
    marks: tuple[tuple[int, str], ...] = ()
    period: int = 1


class HeatMap(Lines, can_focus=True):
    """Flags, then the map between its labels, then the times, and what it is in words."""

    state: Warmth = Warmth()

    @property
    def wanted(self) -> int:
        """How many columns fit."""
        return max(1, self.size.width - AXIS)

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The lines from the top down."""
        state, ink, rows = self.state, self.ink, max(1, height - 3)
        steps = sorted({place for column in state.columns for place, _ in column})
        if not steps:
            yield from (Strip.blank(width) for _ in range(rows // 2))
            yield Line(ink).add("no first token since this console was opened".center(width), ink.dim).strip(width)
            return
        marks: dict[int, list[str]] = {}
        for place, mark in state.marks:
            marks.setdefault(place, []).append(mark)
        flags = flagged(marks, max(1, width - AXIS))
        tone = ink.tone["limited"] + BOLD
        yield Strip([Segment(" " * AXIS), Segment(plainly(flags) if ink.plain else flags, tone)])
        yield from self._map(steps[0], steps[-1] + 1, rows, marks)
        span = f"{uptime(state.period * len(state.columns))} ago"
        yield Line(ink).add(" " * AXIS + span, ink.dim, width=max(1, width - 3)).add("now", ink.dim).strip(width)
        count = sum(count for column in state.columns for _, count in column)
        words = f"{count} first tokens · a column is {state.period} s"
        words += " · the denser the more" if width >= _WORDY else ""
        yield Line(ink).add(" " * AXIS + words, ink.text).strip(width)

    def _map(self, low: int, high: int, rows: int, marks: dict[int, list[str]]) -> Iterator[Strip]:
        """The rows; each stands for the same share of the logarithm of the waits."""
        low, high = _framed(low, high)
        ink, span = self.ink, high - low
        shades = _PLAIN if ink.plain else _SHADES
        edges = [low + span * row // rows for row in range(rows + 1)]
        sums = [_rows(column, edges) for column in self.state.columns]
        most = max((count for column in sums for count in column.values()), default=1)
        labels = _labels(low, high, rows)
        for row in reversed(range(rows)):
            line = Line(ink).add(labels.get(row, "").rjust(AXIS - 1) + " ", ink.dim)
            for place, column in enumerate(sums):
                level = ceil(4 * sqrt(column[row] / most))
                sign, style = (shades[level], ink.bar) if level else ("┊" if place in marks else " ", ink.faint)
                line.add(sign, style)
            yield line.strip(AXIS + len(sums))


def _framed(low: int, high: int) -> tuple[int, int]:
    """The steps of the axis: by quarters of a power of ten, at least a whole one, so that it seldom moves."""
    part = STEPS // 4
    low, high = low // part * part, -(-high // part) * part
    missing = max(0, STEPS - (high - low)) // part
    return low - (missing + 1) // 2 * part, high + missing // 2 * part


def _rows(column: tuple[tuple[int, int], ...], edges: list[int]) -> Counter[int]:
    """How many waits fall into each row; where rows are finer than steps, a step fills all of its rows."""
    told: Counter[int] = Counter()
    for place, count in column:
        for row, (low, high) in enumerate(pairwise(edges)):
            if low <= place < max(high, low + 1):
                told[row] += count
    return told


def _labels(low: int, high: int, rows: int) -> dict[int, str]:
    """The labels of the rows in which a round wait lies; the rounder ones first, and never two rows that touch."""
    told: dict[int, str] = {}
    for digit in (1, 5, 2):
        for power in range(-1, 7):
            milliseconds = digit * 10.0**power
            row = next(
                (r for r in range(rows) if _edge(low, high, rows, r) <= milliseconds < _edge(low, high, rows, r + 1)),
                -1,
            )
            if row >= 0 and not {row - 1, row, row + 1} & told.keys():
                told[row] = wait(milliseconds)
    return told


def _edge(low: int, high: int, rows: int, row: int) -> float:
    return value(low + (high - low) * row / rows) * (1 - 1e-9)
