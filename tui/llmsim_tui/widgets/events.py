"""The event log: every change and who made it, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from textual import events
from textual.message import Message
from textual.strip import Strip

from llmsim_tui.backend import Happening
from llmsim_tui.commands import bindings
from llmsim_tui.text import flag, moment, safe
from llmsim_tui.widgets.lines import Line, Panel

_KEPT = 500
_TONES = {"▼": "limited", "△": "ok", "!": "limited", "warning": "limited", "error": "failed"}
"""Colours by the flag that an event puts on the charts, or by its kind."""
_SIGNS = {"warning": "!", "error": "✗"}
"""Signs of the kinds that put no flag on the charts."""


class Log(Panel):
    """What happened to the simulator."""

    BINDINGS = bindings("events")
    heading = "events"
    state: tuple[Happening, ...] = ()
    skipped = 0
    chosen = -1

    class Opened(Message):
        """An event is to be told in full."""

        def __init__(self, happening: Happening) -> None:
            self.happening = happening
            super().__init__()

    @property
    def place(self) -> int:
        """The line of the selected event, the newest one's being 0; it stays with its event when others come."""
        return next((place for place, one in enumerate(reversed(self.state)) if one.number == self.chosen), 0)

    def show(self, happenings: Sequence[Happening]) -> None:
        """Takes the events there are, oldest first; of one that was logged too, in more words, the event alone."""
        newest = happenings[-_KEPT:]
        twice = {
            place
            for place, (one, other) in enumerate(pairwise(newest))
            if one.kind == "log" and one.text.startswith(other.text) and other.wall - one.wall < 1
        }
        self.show_state(tuple(one for place, one in enumerate(newest) if place not in twice))
        self.entitle("", str(len(self.state)) if self.state else "none yet")

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """One line an event."""
        ink = self.ink
        self.skipped = max(0, min(self.skipped, len(self.state) - height))
        if not self.state:
            yield from (Strip.blank(width) for _ in range((height - 1) // 2))
            yield Line(ink).add("no change yet · 1-8 arms a fault".center(width), ink.dim).strip(width)
        newest = list(reversed(self.state))[self.skipped : self.skipped + height]
        for line_of, one in enumerate(newest, self.skipped):
            mark = flag(one.mark)
            name = _TONES.get(mark[:1]) or _TONES.get(one.kind)
            tone = ink.tone[name] if name else ink.dim
            sign = mark[:1] or _SIGNS.get(one.kind, "·")
            line = Line(ink).add(moment(one.wall), ink.dim).add(f" {safe(sign)} ", tone)
            who = f" ({safe(one.who)})" if one.who not in {"", "console"} else ""
            strip = line.add(safe(one.text) + who, ink.text, width=max(1, width - line.width)).strip(width)
            yield strip.apply_style(ink.cursor) if self.has_focus and line_of == self.place else strip

    def action_move(self, by: int) -> None:
        """Selects a newer or an older one."""
        self._select(self.place + by)

    def _select(self, place: int) -> None:
        if not self.state:
            return
        place = min(max(0, place), len(self.state) - 1)
        self.chosen = self.state[-1 - place].number
        self.skipped = min(max(self.skipped, place - max(1, self.size.height) + 1), place)
        self.redraw()

    def action_open(self) -> None:
        """Asks for the selected event."""
        if self.state:
            self.post_message(self.Opened(self.state[-1 - self.place]))

    def on_click(self, event: events.Click) -> None:
        """Selects the event under the mouse; a second click opens it."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < len(self.state) - self.skipped:
            self._select(self.skipped + offset.y)
            if event.chain == 2:
                self.action_open()

    def _scroll(self, by: int) -> None:
        self.skipped = max(0, self.skipped + by)
        self.redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Newer."""
        self._scroll(-3)
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Older."""
        self._scroll(3)
        event.stop()
