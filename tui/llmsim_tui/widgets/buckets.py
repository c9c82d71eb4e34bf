"""The rate limits at a glance: the buckets with the least left in them, each with its gauge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isinf

from textual.strip import Strip

from llmsim_tui.backend import Gauge
from llmsim_tui.commands import bindings
from llmsim_tui.text import amount, clip, countdown, safe
from llmsim_tui.widgets.lines import Line, Opens


class Buckets(Opens):
    """A line a bucket; which ones are told is for what is left of them to say, their order stays."""

    BINDINGS = bindings("panels")
    heading = "rate limits"
    opens = "limits"
    state: tuple[tuple[Gauge, ...], int] = ((), 0)

    def show(self, gauges: Sequence[Gauge], rules: int) -> None:
        """Takes the buckets in use, and how many limits are set."""
        page = max(1, self.size.height)
        least = sorted(gauges, key=lambda one: (_share(one), one.name, one.whose))[:page]
        told = sorted(least, key=lambda one: (-1 if one.place is None else one.place, one.kind, one.whose))
        self.show_state((tuple(_rounded(one) for one in told), rules))
        more = f"{len(told)} of {len(gauges)}" if len(gauges) > len(told) else str(len(gauges))
        self.entitle("", more if gauges else "not met yet" if rules else "none")

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The buckets, or what to do."""
        gauges, rules = self.state
        if not gauges:
            words = "no request has met a limit yet" if rules else "no limit yet · L adds one"
            yield from (Strip.blank(width) for _ in range((height - 1) // 2))
            yield Line(self.ink).add(clip(words, width).rstrip().center(width), self.ink.dim).strip(width)
        for one in gauges:
            yield self._line(one, width).strip(width)

    def _line(self, one: Gauge, width: int) -> Line:
        """Whose it is, how full, what is left, and until when."""
        ink, share = self.ink, _share(one)
        tone = ink.tone["failed" if one.level < 1 else "limited" if share < 0.25 else "ok"]
        full = "never" if isinf(one.reset) else countdown(one.reset) if one.reset > 0 else ""
        left = f"{amount(max(0, int(one.level)))}/{amount(one.limit)}"
        line = Line(ink).add(" ")
        name = one.kind if "=" in one.name else f"{one.name} {one.kind}"
        narrow = max(8, min(32, width * 2 // 5))
        whose = one.whose
        while " " in whose and len(f"{name} {whose}") > narrow:  # what comes last tells them apart
            whose = whose.partition(" ")[2]
        line.add(safe(f"{name} {whose}"), ink.text, width=narrow, gap=1)
        room = max(2, width - line.width - 16)
        done = round(room * share)
        line.add("━" * done, tone).add("─" * (room - done), ink.faint)
        line.add(left, tone if share < 0.25 else ink.text, width=10, right=True)
        return line.add(full, ink.dim, width=6, right=True)


def _share(one: Gauge) -> float:
    return min(1.0, max(0.0, one.level / one.limit)) if one.limit else 0.0


def _rounded(one: Gauge) -> Gauge:
    """What is seen of it, so that it is drawn anew only when that is something else."""
    reset = one.reset if isinf(one.reset) else float(int(one.reset + 0.999))
    return Gauge(one.name, one.whose, one.kind, one.limit, float(int(one.level)), reset, one.busy, one.place)
