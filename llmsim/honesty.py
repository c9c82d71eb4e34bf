"""Whether the simulator keeps the times that it was asked for: asked beside achieved, over the newest replies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from llmsim.exchange import Exchange
from llmsim.pacer import Lag

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

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {**asdict(self), "doubts": self.doubts}


def measured(newest: Iterable[Exchange], lag: Lag) -> Honesty:
    """What these replies and this lag say; replies that were paused, stepped or paced by hand say nothing."""
    told = [one for one in newest if one.state == "done" and one.first is not None and one.steady and one.ask.stream]
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


def _pace(exchange: Exchange) -> tuple[float, float] | None:
    """The pace asked and achieved, in tokens a second; None where there are too few tokens to tell of one."""
    plan, tokens = exchange.plan, exchange.plan.usage.completion - 1
    if exchange.first is None or exchange.first_due is None or exchange.ended is None or tokens < 5:
        return None
    asked, achieved = (plan.times[-1] - plan.times[0]) / (exchange.rate or 1.0), exchange.ended - exchange.first
    return (tokens / asked, tokens / achieved) if asked > 0.05 and achieved > 0 else None


def _quantile(values: Sequence[float], p: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(p * len(ordered)))] if ordered else None
