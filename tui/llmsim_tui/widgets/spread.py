"""The chart of waits: observed first-token times as bars, a candidate distribution as an outline on the same axis."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil, exp, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from llmsim.latency import Spread
from llmsim_tui.palette import Ink
from llmsim_tui.widgets.bars import EIGHTHS, Cell, decimals, joined
from llmsim_tui.widgets.lines import Panel, plainly

_BRAILLE: Final = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""Dots of a braille cell from the bottom up, left column and right column."""

_TALLEST: Final = 2.0
"""How much higher than the highest bar a candidate's outline may reach before it is cut off."""


@dataclass(frozen=True)
class Waits:
    """What the chart shows: observed waits in seconds, and a candidate."""

    observed: tuple[float, ...]
    candidate: Spread | None = None


def percentile(ordered: Sequence[float], part: float) -> float:
    """The value that a share `part` of an ordered sequence stays below."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def shares(spread: Spread, top: float, bins: int) -> list[float]:
    """The share of a distribution that falls into each of `bins` equal steps from 0 to `top` milliseconds."""
    edges = [top * place / bins for place in range(bins + 1)]
    if spread.kind == "gamma" and spread.stddev and spread.mean:
        shape = (spread.mean / spread.stddev) ** 2
        scale, step = spread.mean / shape, top / bins
        floor = lgamma(shape) + shape * log(scale)
        middles = [(low + high) / 2 for low, high in pairwise(edges)]
        return [min(1.0, step * exp((shape - 1) * log(x) - x / scale - floor)) for x in middles]
    below = [_below(spread, edge) for edge in edges]
    below[0] = 0.0
    return [high - low for low, high in pairwise(below)]


def _below(spread: Spread, x: float) -> float:
    mean, stddev = spread.mean, spread.stddev
    if spread.kind == "empirical":
        return sum(sample <= x for sample in spread.samples) / len(spread.samples)
    if spread.kind == "fixed" or not stddev or not mean:
        return float(x >= mean)
    if spread.kind == "uniform":
        half = stddev * sqrt(3)
        return min(1.0, max(0.0, (x - mean + half) / (2 * half)))
    if spread.kind == "normal":
        return NormalDist(mean, stddev).cdf(x)
    sigma = sqrt(log1p((stddev / mean) ** 2))
    return NormalDist(log(mean) - sigma * sigma / 2, sigma).cdf(log(x)) if x > 0 else 0.0


class Distribution(Panel):
    """Waits as a distribution, with its percentiles as flags."""

    heading = "TTFT"
    state: Waits = Waits(())

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """Bars and outline, a line of flags, an axis."""
        ink, rows = self.ink, max(1, height - 2)
        ordered = sorted(wait * 1000 for wait in self.state.observed)
        flags = self._percentiles(ordered)
        if not flags:
            yield from self._nothing(width, height)
            return
        reach = [percentile(ordered, 0.99)] if ordered else []
        top = max(4.0, decimals(1.1 * max([*reach, *(value for _, value in flags)])))
        bars = _binned(ordered, top, width)
        outline = shares(self.state.candidate, top, width * 2) if self.state.candidate else []
        scale = max(bars, default=0.0) or 2 * max(outline)
        if outline:
            scale = max(scale, min(2 * max(outline), _TALLEST * scale))
        dots = [min(rows * 4 - 1, int(2 * part / scale * rows * 4)) if part > 1e-4 else -1 for part in outline]
        stretches = [(min(dot, before + 1), max(dot, before - 1)) for before, dot in pairwise([-1, *dots])]
        for row in reversed(range(rows)):
            yield Strip(joined((_cell(column, row, rows, bars, stretches, scale, ink) for column in range(width)), ink))
        yield self._flags(flags, top, width)
        yield self._axis(top, width)

    def _percentiles(self, ordered: list[float]) -> list[tuple[str, float]]:
        candidate = self.state.candidate
        if candidate is not None:
            return [(f"p{part:.0f}", candidate.quantile(part / 100)) for part in (50, 95, 99)]
        return [(f"p{part:.0f}", percentile(ordered, part / 100)) for part in (50, 95)] if ordered else []

    def _nothing(self, width: int, height: int) -> Iterator[Strip]:
        for row in range(height):
            words = "no first token yet" if row == height // 2 else ""
            yield Strip([Segment(words.center(width), self.ink.dim)])

    def _flags(self, flags: list[tuple[str, float]], top: float, width: int) -> Strip:
        ink = self.ink
        style = ink.tone["preview"] if self.state.candidate is not None else ink.accent
        words = placed([(int(value / top * width), f"{name} {value:.0f}") for name, value in flags], width)
        return Strip([Segment(plainly(words) if ink.plain else words, style)])

    def _axis(self, top: float, width: int) -> Strip:
        cells = list("0".ljust(width))
        parts = 4 if width >= 34 else 2
        for part in range(1, parts + 1):
            label = f"{top * part / parts:g}" + ("ms" if part == parts else "")
            start = min(width - len(label), int(width * part / parts) - len(label) // 2)
            cells[start : start + len(label)] = label
        return Strip([Segment("".join(cells), self.ink.dim)])


def placed(flags: list[tuple[int, str]], width: int) -> str:
    """Flags on one line, each word to the right or left of its place; as one row of words where they are too close."""
    ways = [((at, f"▲{word}"), (at - len(word), f"{word}▲")) for at, word in flags]
    for way in product(*ways):
        line = ""
        for start, flag in way:
            if start < len(line) + bool(line) or start + len(flag) > width:
                break
            line = line.ljust(start) + flag
        else:
            return line.ljust(width)
    words = "▲" + " ".join(word for _, word in flags)
    return (" " * max(0, min(flags[0][0], width - len(words))) + words)[:width].ljust(width)


def _binned(ordered: list[float], top: float, bins: int) -> list[float]:
    """The share of the ordered waits in each step of the axis; those beyond it are left out."""
    edges = [bisect_right(ordered, top * place / bins) for place in range(1, bins + 1)]
    whole = len(ordered) or 1
    return [(high - low) / whole for low, high in zip([0, *edges], edges, strict=False)]


def _cell(
    column: int, row: int, rows: int, bars: list[float], dots: list[tuple[int, int]], scale: float, ink: Ink
) -> Cell:
    level = min(8, max(0, ceil(bars[column] / scale * rows * 8) - row * 8))
    outline = sum(_dots(*dots[2 * column + side], row, side) for side in (0, 1)) if dots else 0
    if outline:
        sign = "*" if ink.plain else chr(0x2800 + outline)
        behind = Style(bgcolor=ink.bar.color) if level == 8 and not ink.shapes else Style()
        return sign, ink.tone["preview"] + behind
    if ink.shapes:
        return ("#" if ink.plain else "█") if level >= 4 or (level and not row) else " ", ink.bar
    return EIGHTHS[level], ink.bar


def _dots(low: int, high: int, row: int, side: int) -> int:
    """The dots of one side of a braille cell that a stretch of the outline covers."""
    return sum(bit for place, bit in enumerate(_BRAILLE[side], row * 4) if low <= place <= high)
