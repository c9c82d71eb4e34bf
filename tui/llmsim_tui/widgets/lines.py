"""The base of all live widgets: lines of coloured text, built once for each size, theme and state."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.content import Content
from textual.events import Click, MouseDown
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from llmsim_tui.palette import Ink, ink
from llmsim_tui.text import clip

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
            self.segments.append(Segment(plainly(text) if self.plain else text, style))
            self.width += width if width > 0 else cell_len(text)
        return self

    def pad(self, width: int, style: Style | None = None) -> Line:
        """Fills up with spaces until the line is `width` cells long."""
        if self.width < width:
            self.segments.append(Segment(" " * (width - self.width), style))
            self.width = width
        return self

    def strip(self, width: int) -> Strip:
        """The finished line in exactly `width` cells."""
        return Strip(self.segments, self.width).adjust_cell_length(width)


class Ground:
    """A background, and the styles that were put on it: found again by their identity, as hashing a style is slow."""

    def __init__(self, base: Style) -> None:
        self._base = base
        self._dressed: dict[int, tuple[Style | None, Style]] = {}

    @staticmethod
    @lru_cache(maxsize=32)
    def of(base: Style) -> Ground:
        """The one for this background."""
        return Ground(base)

    def under(self, strip: Strip) -> Strip:
        """The strip on this background."""
        return Strip([Segment(text, self._on(style), control) for text, style, control in strip], strip.cell_length)

    def _on(self, style: Style | None) -> Style:
        found = self._dressed.get(id(style))
        if found is None:
            if len(self._dressed) > 1024:
                self._dressed.clear()
            # The style is kept beside what it became: its identity is its own only as long as it lives.
            found = self._dressed[id(style)] = style, self._base + style
        return found[1]


class Lines(Widget):
    """A widget that draws its own lines."""

    state: Any = None
    _built: tuple[Any, ...] = ()
    _strips: list[Strip]

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
        """Draws again at the next frame."""
        self._built = ()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line, for Textual."""
        size = self.size
        key = (size, self.ink, self.has_focus)
        if key != self._built:
            ground = Ground.of(self.rich_style.background_style)
            self._strips = [ground.under(strip) for strip in self.lines(size.width, size.height)]
            self._built = key
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(size.width, self.rich_style.background_style)


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
