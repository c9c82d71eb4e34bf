"""How well a theme can be read: the contrast of every text and area on everything that it is drawn on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.style import Style
from textual.color import Color

from llmsim.errors import SettingsError
from llmsim_tui.palette import ThemeFile, contrast, load, make_ink

TEXT: Final = 4.5
"""The least ratio of a text to its ground (WCAG 2.2, 1.4.3)."""
AREA: Final = 3.0
"""The least ratio of an area, such as a bar, to its ground (WCAG 2.2, 1.4.11)."""


@dataclass(frozen=True)
class Pair:
    """Something drawn on a ground, its ratio, and the least that it has to be."""

    what: str
    ground: str
    ratio: float
    least: float

    @property
    def poor(self) -> bool:
        """Whether it cannot be read well."""
        return self.ratio < self.least


def pairs(file: ThemeFile) -> list[Pair]:
    """Every pair that the console draws with this theme."""
    theme = file.theme()
    roles = {**theme.to_color_system().generate(), **theme.variables}
    ink = make_ink(roles)
    grounds = {name: Color.parse(roles[name]) for name in ("background", "surface", "panel")}
    texts = {"text": ink.text, "dim": ink.dim, "accent": ink.accent, "key": ink.key, "bar": ink.bar, **ink.tone}
    found = [
        Pair(name, ground, contrast(_front(style), back), TEXT)
        for name, style in texts.items()
        for ground, back in grounds.items()
    ]
    back = grounds["background"]
    found += [Pair(f"{name} area", "background", contrast(fill, back), AREA) for name, fill in ink.fill.items()]
    found += [Pair(name, name, contrast(_front(one), _back(one)), TEXT) for name, one in _words(ink.chip, ink.badge)]
    rows = (("cursor", ink.cursor), ("idle cursor", ink.idle))
    return found + [Pair("text", name, contrast(_front(ink.text), _back(row)), TEXT) for name, row in rows]


def _words(chip: Style, badge: Style) -> tuple[tuple[str, Style], ...]:
    return ("chip", chip), ("badge", badge)


def _front(style: Style) -> Color:
    return Color.from_rich_color(style.color) if style.color else Color(0, 0, 0)


def _back(style: Style) -> Color:
    return Color.from_rich_color(style.bgcolor) if style.bgcolor else Color(0, 0, 0)


def command(arguments: Sequence[str]) -> int:
    """`llmsim-tui theme check FILE …`: prints the contrast; 1 where one reads badly, 2 where it is no theme."""
    if len(arguments) < 2 or arguments[0] != "check":
        print("usage: llmsim-tui theme check FILE ...", file=sys.stderr)
        return 2
    well = True
    for name in arguments[1:]:
        try:
            lines, good = table(Path(name))
        except (SettingsError, OSError) as error:
            print(f"llmsim-tui: {error}", file=sys.stderr)
            return 2
        print(f"{name}", *lines, sep="\n")
        well = well and good
    return 0 if well else 1


def table(path: Path) -> tuple[list[str], bool]:
    """The pairs of a theme file as lines, the poorest first, and whether all can be read; raises SettingsError."""
    found = sorted(pairs(load(path)), key=lambda one: one.ratio / one.least)
    lines = [f"{'':>2} {'ratio':>6} {'least':>6}  what on which ground"]
    for one in found:
        lines.append(f"{'✗' if one.poor else '✓':>2} {one.ratio:>6.2f} {one.least:>6.1f}  {one.what} on {one.ground}")
    poor = sum(one.poor for one in found)
    told = f"{poor} of {len(found)} pairs cannot be read well" if poor else f"all {len(found)} pairs can be read well"
    return [*lines, told], not poor
