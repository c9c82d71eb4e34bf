"""Whether the simulator keeps the times that it was asked for: asked beside achieved, over the newest replies.

Nothing is measured for it that a reply does not note anyway: when its first piece was due and came, when its last was
due and came, how late the latest of them was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from llmsim.clock import Clock, Timer
from llmsim.events import Events
from llmsim.exchange import Exchange
from llmsim.journal import Journal
from llmsim.pacer import Lag

logger = logging.getLogger("llmsim")

REPLIES: Final = 100
"""Replies that are looked at, the newest."""

_LATE: Final = 0.025
"""Seconds of lateness from which on a client would notice: a twentieth of a quick model's first token."""
_SLOW: Final = 0.03
"""Share by which a pace may fall behind what was asked for."""


@dataclass(slots=True, frozen=True)
class Honesty:
    """Figures of the newest replies that came to their end unhindered; times in seconds, paces in tokens a second.

    `late_p95` is the lateness that 95 % of replies never exceeded with any of their pieces, `off_p95` the same of first
    tokens alone; the `lag` is how late this process's own timers came. None where no reply tells of it yet.
    """

    replies: int = 0
    asked_ttft: float | None = None
    achieved_ttft: float | None = None
    off_p95: float | None = None
    asked_pace: float | None = None
    achieved_pace: float | None = None
    late_p95: float | None = None
    lag_p50: float = 0.0
    lag_p95: float = 0.0
    lag_max: float = 0.0

    @property
    def doubts(self) -> list[str]:
        """Why the times are not to be trusted, each in a sentence; none where they are."""
        told = []
        if self.off_p95 is not None and self.off_p95 > _LATE:
            told.append(f"first tokens come up to {self.off_p95 * 1000:.0f} ms later than asked")
        if self.late_p95 is not None and self.late_p95 > 2 * _LATE:
            told.append(f"tokens come up to {self.late_p95 * 1000:.0f} ms late")
        if self.asked_pace and self.achieved_pace and self.achieved_pace < self.asked_pace * (1 - _SLOW):
            behind = 1 - self.achieved_pace / self.asked_pace
            told.append(f"replies are {behind:.0%} slower than asked")
        if self.lag_p95 > _LATE:
            told.append(f"timers come {self.lag_p95 * 1000:.0f} ms late in this process")
        return told

    @property
    def advice(self) -> str:
        """What to do about it, in a sentence or two; empty where the times are to be trusted."""
        if not self.doubts:
            return ""
        return (
            "Do not take the profile's times for what clients saw: the journal and its exports tell what was achieved "
            "for each reply. To have them true again: fewer replies at once, a core that nothing else uses, "
            "`llmsim serve` with the console attached to it in place of one in the same process."
        )

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {"trusted": not self.doubts, **asdict(self), "doubts": self.doubts, "advice": self.advice}


def measured(newest: Iterable[Exchange], lag: Lag) -> Honesty:
    """What these replies and this lag say.

    Replies that were paused, stepped or paced by hand say nothing, nor do those whose clients read too slowly.
    """
    told = [one for one in newest if _tells(one)]
    firsts = [(one.first_due - one.started, one.first - one.started) for one in told if one.first and one.first_due]
    paces = [pace for one in told if (pace := _pace(one)) is not None]
    return Honesty(
        replies=len(told),
        asked_ttft=_quantile([asked for asked, _ in firsts], 0.5),
        achieved_ttft=_quantile([achieved for _, achieved in firsts], 0.5),
        off_p95=_quantile([achieved - asked for asked, achieved in firsts], 0.95),
        asked_pace=_quantile([asked for asked, _ in paces], 0.5),
        achieved_pace=_quantile([achieved for _, achieved in paces], 0.5),
        late_p95=_quantile([one.late for one in told], 0.95),
        lag_p50=lag.quantile(0.5),
        lag_p95=lag.quantile(0.95),
        lag_max=lag.quantile(1.0),
    )


def _tells(one: Exchange) -> bool:
    return one.state == "done" and one.first is not None and one.steady and one.ask.stream and not one.hindered


def gaps(exchange: Exchange) -> tuple[float, float] | None:
    """The mean time between tokens in seconds, asked and achieved; None but for a stream that came to its end."""
    tokens = exchange.plan.usage.completion - 1
    first, first_due, ended = exchange.first, exchange.first_due, exchange.ended
    if exchange.state != "done" or not exchange.ask.stream or tokens < 1 or ended is None:
        return None
    last_due = exchange.moment(len(exchange.plan.pieces) - 1)
    if first is None or first_due is None or last_due is None:
        return None
    return max(0.0, last_due - first_due) / tokens, (ended - first) / tokens


def _pace(exchange: Exchange) -> tuple[float, float] | None:
    """The pace asked and achieved, in tokens a second; None where there are too few tokens to tell of one."""
    tokens, told = exchange.plan.usage.completion - 1, gaps(exchange)
    if told is None or tokens < 5 or told[0] * tokens <= 0.05 or told[1] <= 0:
        return None
    return 1 / told[0], 1 / told[1]


class Watch:
    """Looks at the times now and then, and warns in the log and among the events when they are not to be trusted."""

    EVERY: Final = 10.0
    """Seconds between two looks."""

    QUIET: Final = 60.0
    """Seconds from one warning to the next, or to the word that all is well again: what comes and goes is told once."""

    def __init__(self, journal: Journal, lag: Lag, clock: Clock, events: Events) -> None:
        self._journal, self._lag, self._clock, self._events = journal, lag, clock, events
        self._timer: Timer | None = None
        self._warned: float | None = None
        self._looked = clock.now()

    def begin(self) -> None:
        """Looks from now on; needs a running event loop."""
        self.end()
        self._timer = self._clock.call_at(self._clock.now() + self.EVERY, self._look)

    def end(self) -> None:
        """Looks no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = self._clock.now()
        ended = [one for one in self._journal.newest(REPLIES) if one.ended is not None and one.ended >= self._looked]
        self._looked = now
        if ended:  # without traffic nothing is wrong, and the lag is that of an hour ago
            told = measured(ended, self._lag)
            quiet = self._warned is not None and now - self._warned < self.QUIET
            if told.doubts and not quiet:
                self._warn(told)
            elif not (told.doubts or quiet) and self._warned is not None:
                self._warned = None
                logger.info("times are kept again")
                self._events.add("times", "times are kept again")
        self._timer = self._clock.call_at(now + self.EVERY, self._look)

    def _warn(self, told: Honesty) -> None:
        self._warned = self._clock.now()
        words = "; ".join(told.doubts)
        logger.warning("times are not kept: %s. %s", words, told.advice)
        self._events.add("warning", f"times are not kept: {words}", "", "!times")


def _quantile(values: Sequence[float], p: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(p * len(ordered)))] if ordered else None
