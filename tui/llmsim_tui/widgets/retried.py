"""The retries: first tries beside second and later ones, who gave up, who came back too early, client by client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from textual.strip import Strip

from llmsim_tui.backend import Retries
from llmsim_tui.commands import bindings
from llmsim_tui.text import amount, briefly, clip, safe
from llmsim_tui.widgets.lines import Line, Opens

_ROOMY: Final = 6
"""Lines from which on each kind of try has one of its own."""


class Retried(Opens):
    """Bars of tries over a line of figures, then the clients of which something is to be said."""

    BINDINGS = bindings("panels")
    heading = "retries"
    opens = "verdict"
    state: Retries = Retries()

    def show(self, retries: Retries) -> None:
        """Takes the figures."""
        self.show_state(retries)
        self.entitle("", f"of the newest {retries.requests}" if retries.requests else "none yet")

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """What fits, the most telling first."""
        state, ink = self.state, self.ink
        if not state.requests:
            yield from (Strip.blank(width) for _ in range((height - 1) // 2))
            yield Line(ink).add(clip("no request yet", width).rstrip().center(width), ink.dim).strip(width)
            return
        tries = (("first try", state.firsts), ("retry 1", state.second), ("2", state.third), ("3+", state.more))
        if height >= _ROOMY:
            for name, count in tries:
                yield self._bar(name if len(name) > 2 else f"retry {name}", count, width)
        else:
            if height > 2:
                yield self._bar(*tries[0], width)
            yield self._together(width)
        yield self._figures(width)
        for line in state.worst:
            yield Line(ink).add(" ").add(clip(safe(briefly(line)), max(1, width - 1)), ink.dim).strip(width)
        if not state.worst:
            yield Line(ink).add(" no client had to ask again", ink.dim).strip(width)

    def _bar(self, name: str, count: int, width: int) -> Strip:
        """A name, a bar of its share in all tries, its count."""
        ink = self.ink
        line = Line(ink).add(" ").add(name, ink.text, width=10)
        room = max(1, width - line.width - 7)
        done = min(room, round(room * count / self.state.requests))
        if count and not done:
            done = 1
        tone = ink.tone["ok" if name == "first try" else "retry"]
        line.add("━" * done, tone).add("─" * (room - done), ink.faint)
        return line.add(amount(count), ink.bold, width=6, right=True).strip(width)

    def _together(self, width: int) -> Strip:
        """The retries on one line."""
        ink, state, line = self.ink, self.state, Line(self.ink).add(" ")
        for sign, count in (("↻1", state.second), ("↻2", state.third), ("↻3+", state.more)):
            line.add(f"{sign} ", ink.tone["retry"] if count else ink.dim)
            line.add(amount(count), ink.bold if count else ink.dim, width=5, gap=1)
        return line.strip(width)

    def _figures(self, width: int) -> Strip:
        """Who gave up, who was hasty, how long they waited; in colour what a client does wrong."""
        ink, state, line = self.ink, self.state, Line(self.ink).add(" ")
        for said in state.words or ["nothing went wrong"]:
            wrong = said.startswith(("gave up", "too early"))
            if line.width + len(said) <= width:
                line.add(said, ink.tone["limited"] if wrong else ink.dim).add("  ")
        return line.strip(width)
