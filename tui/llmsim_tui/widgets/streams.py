"""The replies under way: how far each one is, how fast, and the end of its text as the client reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from textual import events
from textual.strip import Strip

from llmsim_tui.backend import Stream
from llmsim_tui.commands import bindings
from llmsim_tui.palette import BOLD
from llmsim_tui.text import brief, clip, safe, tail
from llmsim_tui.widgets.flows import Act, Inspect
from llmsim_tui.widgets.lines import Line, Panel


class Streams(Panel):
    """Two lines for each reply under way, the oldest first."""

    BINDINGS = bindings("streams")
    heading = "live streams"
    state: tuple[Stream, ...] = ()
    chosen = -1

    @property
    def wanted(self) -> int:
        """How many replies fit."""
        return max(1, self.size.height // 2)

    def show(self, streams: Sequence[Stream], live: int) -> None:
        """Takes the replies that fit, of all that are under way."""
        self.entitle("", f"{len(streams)} of {live}" if live > len(streams) else str(live))
        self.show_state(tuple(streams))

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """For each reply who and how far, then what it says."""
        if not self.state:
            yield from (Strip.blank(width) for _ in range((height - 1) // 2))
            yield Line(self.ink).add("no reply under way".center(width), self.ink.dim).strip(width)
        for stream in self.state:
            here = stream.number == self.chosen and self.has_focus
            for line in (self._progress(stream, width), self._text(stream, width)):
                strip = line.strip(width)
                yield strip.apply_style(self.ink.cursor) if here else strip

    def _progress(self, stream: Stream, width: int) -> Line:
        ink = self.ink
        tone, words = {
            "waiting": (ink.dim, f"{'whole' if stream.whole else 'ttft'} {stream.waited:.1f}s"),
            "streaming": (ink.tone["live"], f"{_pace(stream.factor)}{stream.rate:.0f} t/s"),
            "stalled": (ink.tone["failed"], f"stall {stream.waited:.1f}s"),
            "paused": (ink.tone["limited"], "paused"),
            "held": (ink.tone["limited"], f"held {stream.waited:.0f}s"),
        }[stream.state]
        line = Line(ink).add(str(stream.number), ink.dim, width=6, right=True).add(" ")
        line.add(safe(brief(stream.client)), ink.text, width=min(14, max(8, width // 5))).add(" ")
        room = max(3, width - line.width - 11)
        done = min(room, round(room * stream.tokens / stream.planned)) if stream.planned else 0
        line.add("━" * done, tone + BOLD).add("─" * (room - done), ink.faint)
        return line.add(words, tone if stream.state != "streaming" else ink.text, width=width - line.width, right=True)

    def _text(self, stream: Stream, width: int) -> Line:
        ink = self.ink
        indent = 7
        line = Line(ink).add(" " * indent)
        room = max(1, width - indent - 1)
        if stream.faults and stream.state in {"stalled", "waiting", "held"}:
            word = clip(safe(" ".join(stream.faults)), room // 2).rstrip() + " "
            line.add(word, ink.tone["limited"])
            room -= cell_len(word)
        if stream.text and stream.state != "waiting":
            return line.add(tail(stream.text, max(1, room)), ink.dim)
        return line.add(clip(safe(stream.model), max(1, room)), ink.dim)

    def _place(self) -> int:
        return next((place for place, one in enumerate(self.state) if one.number == self.chosen), -1)

    def action_move(self, by: int) -> None:
        """Moves the selection."""
        if self.state:
            place = min(max(0, self._place() + by), len(self.state) - 1)
            self.chosen = self.state[place].number
            self.redraw()

    def action_inspect(self) -> None:
        """Asks for a look into the selected reply, the first when none is selected."""
        if self.state:
            self.post_message(Inspect(self.state[max(0, self._place())].number))

    def action_act(self, what: str) -> None:
        """Asks for something to be done to the selected reply."""
        if self.state:
            self.post_message(Act(self.state[max(0, self._place())].number, what))

    def on_click(self, event: events.Click) -> None:
        """Selects the reply under the mouse; a second click looks into it."""
        offset = event.get_content_offset(self)
        if offset is not None and 0 <= offset.y // 2 < len(self.state):
            self.chosen = self.state[offset.y // 2].number
            self.redraw()
            if event.chain == 2:
                self.action_inspect()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """One up."""
        self.action_move(-1)
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """One down."""
        self.action_move(1)
        event.stop()


def _pace(factor: float) -> str:
    """A reply's own pace, where it has one."""
    return "" if factor == 1 else f"×{factor:.3g} "
