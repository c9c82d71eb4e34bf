"""The event log: every change and who made it, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from textual import events
from textual.strip import Strip

from llmsim_tui.backend import Happening
from llmsim_tui.text import flag, moment, safe
from llmsim_tui.widgets.lines import Line, Panel

_KEPT = 500
_TONES = {"▼": "limited", "△": "ok", "!": "limited", "warning": "limited", "error": "failed"}
"""Colours by the flag that an event puts on the charts, or by its kind."""
_SIGNS = {"warning": "!", "error": "✗"}
"""Signs of the kinds that put no flag on the charts."""


class Log(Panel):
    """What happened to the simulator."""

    heading = "events"
    state: tuple[Happening, ...] = ()
    skipped = 0

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
        for one in newest:
            mark = flag(one.mark)
            name = _TONES.get(mark[:1]) or _TONES.get(one.kind)
            tone = ink.tone[name] if name else ink.dim
            sign = mark[:1] or _SIGNS.get(one.kind, "·")
            line = Line(ink).add(moment(one.wall), ink.dim).add(f" {safe(sign)} ", tone)
            who = f" ({safe(one.who)})" if one.who not in {"", "console"} else ""
            yield line.add(safe(one.text) + who, ink.text, width=max(1, width - line.width)).strip(width)

    def key_up(self) -> None:
        """One newer."""
        self._scroll(-1)

    def key_down(self) -> None:
        """One older."""
        self._scroll(1)

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
