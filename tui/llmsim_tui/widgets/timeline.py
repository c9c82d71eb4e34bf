"""The timeline of one reply: when each token came or is to come, the gaps between them, and the longest of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any, Final

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.strip import Strip

from llmsim_tui.text import clip, safe, wait
from llmsim_tui.widgets.bars import EIGHTHS, decimals
from llmsim_tui.widgets.lines import Line, Lines

_STALL: Final = 3.0
"""How many times the usual gap a gap is that counts as a stall."""
_RUG: Final = 5
"""Lines above the list of pieces: the rug, the gaps, the axis, two sentences."""


_LATE: Final = 50.0
"""Milliseconds from which on a piece that came late is worth a colour."""


@dataclass(frozen=True)
class Timeline:
    """The pieces of a plan (moment in milliseconds, kind, text), and how many of them have gone out.

    The moment is when a piece went out where that was seen, else when it is to; `late` is how much later than asked
    for, None where that is not known or cannot be told. `watched` is how many of them were seen to go out, `words` why
    there are no pieces.
    """

    pieces: tuple[tuple[float, str, str], ...] = ()
    played: int = 0
    planned: int = 0
    late: tuple[float | None, ...] = ()
    watched: int = 0
    words: str = "nothing is planned for this exchange"

    @classmethod
    def of(cls, detail: Mapping[str, Any]) -> Timeline:
        """The timeline of what a backend tells of an exchange."""
        went, speed = detail.get("went") or (), float(detail.get("speed") or 1.0)
        pieces, late = [], []
        if detail.get("pending"):
            return cls(words=str(detail["why"][0]))
        for (asked, kind, text), came in zip_longest(detail["pieces"], went[: len(detail["pieces"])]):
            due = float(asked) / speed
            pieces.append((due if came is None else float(came), str(kind), str(text)))
            late.append(None if came is None or not detail["steady"] else float(came) - due)
        return cls(
            tuple(pieces), detail["played"], detail["planned"], tuple(late), sum(one is not None for one in went)
        )

    @property
    def seen(self) -> list[float]:
        """How late the pieces were that were seen to go out."""
        return [one for one in self.late if one is not None]

    @property
    def gaps(self) -> list[float]:
        """Milliseconds before each piece, the first one's since the start."""
        moments = [0.0, *(at for at, _, _ in self.pieces)]
        return [max(0.0, later - earlier) for earlier, later in pairwise(moments)]

    @property
    def usual(self) -> float:
        """The middle one of the gaps that are more than nothing, the first piece's left out."""
        gaps = sorted(gap for gap in self.gaps[1:] if gap > 0)
        return gaps[len(gaps) // 2] if gaps else 0.0


class Tokens(Lines, can_focus=True):
    """A rug of arrivals over a strip of gaps, then a line for each piece; only those in sight are drawn."""

    state: Timeline = Timeline()
    top = 0

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """Rug, gaps, axis, what they say, and the pieces from `top` on."""
        state, ink = self.state, self.ink
        if not state.pieces:
            yield Line(ink).add(clip(state.words, width), ink.dim).strip(width)
            return
        gaps = state.gaps
        yield from self._rug(width, gaps)
        yield Line(ink).add(_whole(self._words(gaps), width), ink.text).strip(width)
        yield self._lateness(width).strip(width)
        self.top = max(0, min(self.top, len(state.pieces) - max(1, height - _RUG)))
        usual, compared = state.usual, bool(state.seen)
        for place in range(self.top, min(len(state.pieces), self.top + height - _RUG)):
            stalls = place > 0 and usual > 0 and gaps[place] > _STALL * usual
            yield self._piece(place, gaps[place], stalls, compared).strip(width)

    def _words(self, gaps: list[float]) -> list[str]:
        """What the strips say, the weightiest first."""
        state = self.state
        usual, longest = state.usual, max(gaps[1:], default=0.0)
        stalls = sum(gap > _STALL * usual for gap in gaps[1:]) if usual else 0
        told = [f"{state.played} of {state.planned} pieces sent"]
        told += [f"{stalls} stall{'s' * (stalls != 1)}"] * bool(stalls)
        return [*told, f"first after {wait(gaps[0])}", f"longest gap {wait(longest)}", f"p50 {wait(usual)}"]

    def _lateness(self, width: int) -> Line:
        """Whether the times are those of the plan, or how far from it they went out: where it is narrow, that alone."""
        ink, state, seen = self.ink, self.state, sorted(self.state.seen)
        if state.watched and not seen:
            return Line(ink).add("times as they went out; its pace was changed by hand: nothing to compare", ink.dim)
        if not seen:
            return Line(ink).add("times as asked for: nobody looked when each went out", ink.dim)
        part = len(seen) < min(state.played, len(state.pieces))
        told = "times as they went out" + f", {len(seen)} of {state.played} seen" * part + " · "
        late, worst = f"late p50 {wait(max(0.0, seen[len(seen) // 2]))}", f", worst {wait(max(0.0, seen[-1]))}"
        line = Line(ink).add(told if len(told + late + worst) <= width else "", ink.dim).add(late, ink.text)
        return line.add(worst, ink.tone["limited"] if seen[-1] > _LATE else ink.text)

    def _rug(self, width: int, gaps: list[float]) -> Iterator[Strip]:
        """Two lines over one axis: how many pieces fall into each column, and the longest gap that ends in it."""
        state, ink = self.state, self.ink
        top = max(1.0, decimals(state.pieces[-1][0] or 1.0))
        counts, longest, sent = [0] * width, [0.0] * width, [True] * width
        for place, (at, _, _) in enumerate(state.pieces):
            column = min(width - 1, int(at / top * width))
            counts[column] += 1
            longest[column] = max(longest[column], gaps[place] if place else 0.0)
            sent[column] = place < state.played
        usual, most = state.usual, max(counts)
        rug, strip = Line(ink), Line(ink)
        tallest = max(longest) or 1.0
        for column in range(width):
            tone = ink.tone["live"] if sent[column] else ink.faint
            level = max(1, round(8 * counts[column] / most)) if counts[column] else 0
            rug.add(_bar(level, ink.shapes), tone)
            gap = longest[column]
            late = usual > 0 and gap > _STALL * usual
            height = max(1, round(8 * gap / tallest)) if gap else 0
            tone = ink.tone["failed" if late else "limited"] if sent[column] else ink.faint
            strip.add(_bar(height, ink.shapes), tone)
        yield rug.strip(width)
        yield strip.strip(width)
        label = wait(top)
        yield Line(ink).add("0", ink.dim).add(label.rjust(width - 1), ink.dim).strip(width)

    def _piece(self, place: int, gap: float, stalls: bool, compared: bool) -> Line:
        ink, (at, kind, text) = self.ink, self.state.pieces[place]
        sent = place < self.state.played
        line = Line(ink).add("▸" if place == self.state.played else " ", ink.key)
        line.add(str(place + 1), ink.dim, width=5, right=True, gap=1)
        line.add(f"{at:.0f} ms", ink.text if sent else ink.dim, width=9, right=True, gap=1)
        line.add(f"+{gap:.0f} ms", ink.tone["failed"] if stalls else ink.dim, width=9, right=True, gap=2)
        if compared:
            late = self.state.late[place]
            words = (
                "" if late is None else f"{max(0.0, late):.1f} ms late" if late < 1000 else f"{late / 1000:.1f} s late"
            )
            line.add(words, ink.tone["failed"] if (late or 0.0) > _LATE else ink.dim, width=13, right=True, gap=2)
        line.add(kind, ink.dim, width=9, gap=1)
        style = ink.text if sent else ink.dim
        return line.add(clip(safe(repr(text)[1:-1]), 200).rstrip() if text else "", style + Style(italic=not sent))

    def scroll(self, by: int) -> None:
        """Goes up or down the list of pieces."""
        self.top = max(0, self.top + by)
        self.redraw()

    def on_key(self, event: events.Key) -> None:
        """Arrows and pages scroll."""
        page = max(1, self.size.height - _RUG)
        by = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "home": -(10**6), "end": 10**6}.get(event.key)
        if by is not None:
            self.scroll(by)
            event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three up."""
        self.scroll(-3)
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three down."""
        self.scroll(3)
        event.stop()


def _whole(words: list[str], width: int) -> str:
    """As many of the words as there is room for: half a figure would be another figure."""
    while len(words) > 1 and cell_len(" · ".join(words)) > width:
        words = words[:-1]
    return clip(" · ".join(words), width)


def _bar(level: int, shapes: bool) -> str:
    return (" .:|"[min(3, (level + 2) // 3)] if level else " ") if shapes else EIGHTHS[level]
