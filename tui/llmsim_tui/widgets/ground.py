"""What a line of a live widget stands on, and what it is made into for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip


class Ground:
    """A background under the styles of lines.

    They are found again by their identity, as hashing a style is slow.
    """

    def __init__(self, base: Style, color: Color, filters: tuple[LineFilter, ...]) -> None:
        self._base = base
        self._color = color
        self._filters = filters
        self._dressed: dict[int, tuple[Style | None, Style]] = {}

    @staticmethod
    @lru_cache(maxsize=32)
    def of(base: Style, color: Color, filters: tuple[LineFilter, ...]) -> Ground:
        """The one for this background, behind these filters."""
        return Ground(base, color, filters)

    def under(self, segments: Iterable[Segment]) -> list[Segment]:
        """The pieces of a line on this background."""
        dressed, made = self._dressed, []
        for text, style, control in segments:
            found = dressed.get(id(style)) or self._dress(style)
            made.append(Segment(text, found[1], control))
        return made

    def _dress(self, style: Style | None) -> tuple[Style | None, Style]:
        if len(self._dressed) > 1024:
            self._dressed.clear()
        worn = Segment(" ", self._base + style)
        for one in self._filters:
            (worn,) = one.apply([worn], self._color)
        # The style is kept beside what it became: its identity is its own only as long as it lives.
        found = self._dressed[id(style)] = style, worn.style or self._base
        return found


class Whole(Strip):
    """A line as the terminal gets it.

    Any other strip of which Textual has asked for all keeps itself alive in its cache, for the collector of garbage to
    find: some thousand objects a second, and a pause of the replies under way each time it looks.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """The parts between the cuts."""
        cuts = list(cuts)
        return [self] if cuts == [self.cell_length] else super().divide(cuts)
