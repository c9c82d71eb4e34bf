"""The base of all live widgets: lines of coloured text, built once for each size, theme and state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple, Self

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.content import Content
from textual.events import Click, MouseDown
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from llmsim_tui.palette import Ink, ink
from llmsim_tui.text import clip
from llmsim_tui.widgets.ground import Ground, Whole

_ASCII: Final = str.maketrans(
    {
        "●": "*", "○": "o", "━": "=", "─": "-", "┼": "+", "│": "|", "┊": ":", "▼": "v", "△": "^", "▲": "^", "↻": "r",
        "✗": "x", "■": "#", "█": "#", "▓": "+", "░": "!", "×": "x", "·": ".", "…": "~", "≈": "~", "⏎": ">", "↑": "^",
        "↓": "v", "←": "<", "→": ">", "⇧": "s", "◂": "<", "▸": ">", "∙": "-", "▌": "|", "▐": "|", "┃": "|", "⏸": "=",
        "▶": ">", "✓": "v", "┅": "=", "−": "-", "“": "'", "”": "'", "◆": "*",
    }
)  # fmt: skip
"""One ASCII character for each sign the console draws, so that nothing moves."""


_KEYS: Final = {
    "⏎": "enter", "↑": "up", "↓": "down", "←": "left", "→": "right", "⇧tab": "shift+tab", "⇧": "shift+",
}  # fmt: skip


_CROPS: Final = 8
"""Parts of a widget, as dialogs leave them in sight, that are kept as they were drawn."""


def keys_plainly(shows: str) -> str:
    """A command's keys by their names, where their signs are not to be had: > and < are keys themselves."""
    for sign, name in _KEYS.items():
        shows = shows.replace(sign, name)
    return shows


def plainly(text: str) -> str:
    """The text with the console's own signs as ASCII, cell for cell."""
    return text.translate(_ASCII)


def told(ink: Ink, text: Text) -> Text:
    """A text as it may be drawn: with the console's own signs as ASCII where only these may be."""
    if ink.plain:
        text.plain = plainly(text.plain)
    return text


class Line:
    """One line while it is put together from pieces of text, each in a style."""

    __slots__ = ("plain", "segments", "width")

    def __init__(self, ink: Ink) -> None:
        self.segments: list[Segment] = []
        self.width = 0
        self.plain = ink.plain

    def add(self, text: str, style: Style | None = None, width: int = 0, right: bool = False, gap: int = 0) -> Line:
        """Appends text and a gap; with a `width` the text in exactly that many cells, at their right end if `right`."""
        if width > 0:
            text = text.rjust(width)[-width:] if right else clip(text, width)
            width += gap
        if gap:
            text += " " * gap
        if text:
            self._put(plainly(text) if self.plain else text, style)
            self.width += width if width > 0 else cell_len(text)
        return self

    def _put(self, text: str, style: Style | None) -> None:
        """One piece more, joined to the last one where both look the same: each costs, up to the terminal."""
        if self.segments and self.segments[-1].style is style:
            text = self.segments.pop().text + text
        self.segments.append(Segment(text, style))

    def pad(self, width: int, style: Style | None = None) -> Line:
        """Fills up with spaces until the line is `width` cells long."""
        if self.width < width:
            self._put(" " * (width - self.width), style)
            self.width = width
        return self

    def strip(self, width: int) -> Strip:
        """The finished line in exactly `width` cells."""
        strip = Strip(self.segments, self.width)
        return strip if self.width == width else strip.adjust_cell_length(width)


class Worn(NamedTuple):
    """A line as its widget made it, as it stands on its ground, and between the sides of the frame."""

    line: Strip
    inner: list[Segment]
    whole: Whole


class Lines(Widget):
    """A widget that draws its own lines.

    Textual would draw all of it again at every change, and dress each line anew in its styles; here a line that has not
    changed stays the same object, whatever else changes, and only lines that have are given to the terminal.
    """

    state: Any = None
    _worn_for: tuple[Any, ...] = ()
    _worn: Sequence[Worn] = ()
    _sides: tuple[Sequence[Segment], Sequence[Segment]] = (), ()
    _drawn: Mapping[Region, list[Strip]] = {}  # never changed, only replaced

    @property
    def ink(self) -> Ink:
        """What to draw with."""
        return ink(self.app)

    def lines(self, width: int, height: int) -> Iterable[Strip]:
        """The lines for this size; blank below them."""
        raise NotImplementedError

    def show_state(self, state: Any) -> bool:
        """Takes what is to be shown; draws only if it differs from what is shown. Gives whether it does."""
        if state == self.state:
            return False
        self.state = state
        self.redraw()
        return True

    def redraw(self) -> None:
        """Draws again, at the next frame, the lines that have changed."""
        if not self._worn or self._worn_for != self._looks():
            self._worn_for = ()
            self.refresh()
            return
        before, width = self._worn, self.size.width
        self._build()
        changed = [y for y, one in enumerate(self._worn) if one.whole is not before[y].whole]
        if changed:
            self.refresh(*(Region(0, first, width, lines) for first, lines in _runs(changed)))

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draws again at the next frame, for Textual."""
        if repaint:
            self._drawn = {}
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_line(self, y: int) -> Strip:
        """One line, for Textual."""
        worn = self._dressed()
        width = self.size.width
        return Strip(worn[y].inner, width) if y < len(worn) else Strip.blank(width, self.rich_style.background_style)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines in their frame, for Textual."""
        drawn = self._drawn.get(crop)
        if drawn is None:
            plain = self.opacity == 1 and not any(self.styles.padding)
            drawn = self._framed(crop) if plain else super().render_lines(crop)
            self._drawn = {**self._drawn, crop: drawn} if len(self._drawn) < _CROPS else {crop: drawn}
        return drawn

    def _framed(self, crop: Region) -> list[Strip]:
        """The lines between the sides of their frame; Textual draws what is above and below them."""
        worn, top, width = self._dressed(), self.styles.gutter.top, self.outer_size.width
        drawn: list[Strip] = []
        for y in crop.line_range:
            if 0 <= y - top < len(worn):
                drawn.append(worn[y - top].whole)
            else:
                drawn += super().render_lines(Region(0, y, width, 1))
        left, right = crop.column_span
        return drawn if (left, right) == (0, width) else [strip.crop(left, right) for strip in drawn]

    def _looks(self) -> tuple[Any, ...]:
        """What the lines depend on beside the state."""
        return self.size, self.ink, self.has_focus, self.styles.border, self.background_colors

    def _dressed(self) -> Sequence[Worn]:
        """All lines within the frame."""
        if self._worn_for != (look := self._looks()):
            self._worn_for, self._worn, self._sides = look, (), ((), ())
            self._build()
            self._enframe()
        return self._worn

    def _enframe(self) -> None:
        """Takes the sides of the frame from a line that Textual draws."""
        gutter = self.styles.gutter
        drawn = list(super().render_lines(Region(0, gutter.top, self.outer_size.width, 1))[0])
        self._sides = drawn[: gutter.left], drawn[len(drawn) - gutter.right :]
        self._worn = [Worn(one.line, one.inner, self._whole(one.inner)) for one in self._worn]

    def _build(self) -> None:
        width, height = self.size
        ground = Ground.of(self.rich_style.background_style, self.background_colors[1], tuple(self.get_line_filters()))
        before, known = self._worn, {id(one.line): one for one in self._worn}
        lines = [strip for strip, _ in zip(self.lines(width, height), range(height), strict=False)]
        lines += [Strip([Segment(" " * width)], width)] * (height - len(lines))
        self._worn = [
            known.get(id(strip)) or self._wear(strip, ground, before[y] if before else None)
            for y, strip in enumerate(lines)
        ]

    def _wear(self, line: Strip, ground: Ground, before: Worn | None) -> Worn:
        """The line on its ground; what stood in its place before, where that looks the same."""
        inner = ground.under(line.adjust_cell_length(self.size.width))
        if before is not None and before.inner == inner:
            return Worn(line, before.inner, before.whole)
        return Worn(line, inner, self._whole(inner))

    def _whole(self, inner: Sequence[Segment]) -> Whole:
        left, right = self._sides
        return Whole([*left, *inner, *right], self.size.width + len(left) + len(right))


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where numbers that follow each other begin, and how many they are."""
    for _, run in groupby(enumerate(numbers), lambda placed: placed[1] - placed[0]):
        found = [number for _, number in run]
        yield found[0], len(found)


class Panel(Lines, can_focus=True):
    """A framed widget that can be focused and zoomed; `tabs` names the panels that take turns in its place, if any."""

    heading = ""
    tabs: tuple[tuple[str, bool], ...] = ()
    _said: tuple[Any, ...] = ()

    class Turned(Message):
        """The tab of another panel has been clicked."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    def _words(self) -> tuple[str, str]:
        """What stands between two tabs and behind the last one: less of it where the frame is narrow."""
        room, names = self.outer_size.width - 6, sum(len(name) for name, _ in self.tabs)
        wide = names + 3 * (len(self.tabs) - 1) + 5 <= room
        return (" · ", "  [ ]") if wide else ("·" if self.ink.shapes else " ", " [ ]")

    def _room(self, between: str, behind: str, extra: str) -> bool:
        """Whether these words fit behind the tabs; else they stand in the lower frame."""
        names = sum(len(name) for name, _ in self.tabs) + len(between) * (len(self.tabs) - 1)
        return names + len(behind) + cell_len(extra) <= self.outer_size.width - 6

    def on_mouse_down(self, event: MouseDown) -> None:
        """A click on a tab in the frame turns to it."""
        if not self.tabs or event.y != 0:
            return
        between, _ = self._words()
        at = 2
        for name, _chosen in self.tabs:
            at += len(name)
            if event.x <= at:
                self.post_message(self.Turned(name))
                return
            at += len(between)

    def entitle(self, extra: Content | str = "", subtitle: str = "") -> None:
        """Sets the words in the frame: the heading or the tabs, then what is special."""
        between, behind = self._words() if self.tabs else ("", "")
        if self.tabs and isinstance(extra, str) and extra and not self._room(between, behind, extra):
            extra, subtitle = "", f"{extra.strip()} · {subtitle}" if subtitle else extra.strip()
        words = (self.heading, self.tabs, extra, subtitle, self.ink, between)
        if words == self._said:
            return
        self._said = words
        plain = plainly if self.ink.plain else str
        here, other = (_css(style) for style in (self.ink.accent, self.ink.dim))
        parts: list[Content | str | tuple[str, str]] = []
        for name, chosen in self.tabs:
            parts += [plain(between)] * bool(parts) + [(name, f"bold {here}" if chosen else other)]
        if self.tabs:
            parts.append((behind, other))
        self.border_title = Content.assemble(
            *(parts or [self.heading]), plain(extra) if isinstance(extra, str) else extra
        )
        self.border_subtitle = Content(plain(subtitle))


class Opens(Panel):
    """A panel that stands for a dialog, which enter or a double click opens."""

    opens = ""

    class Opened(Message):
        """The dialog of that name is wanted."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    def action_open(self) -> None:
        """Asks for the dialog."""
        self.post_message(self.Opened(self.opens))

    def on_click(self, event: Click) -> None:
        """A second click opens it."""
        if event.chain == 2 and event.get_content_offset(self) is not None:
            self.action_open()


def _css(style: Style) -> str:
    return style.color.name if style.color else ""
