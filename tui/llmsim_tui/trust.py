"""Whether the figures are to be trusted, in words, and what to do where they are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from llmsim.honesty import Honesty
from llmsim_tui.text import wait

DEAR: Final = 0.030
"""Seconds of one frame from which on drawing itself makes tokens late."""
_LAG: Final = 0.025
_ENOUGH: Final = 5
"""Replies from which on something can be told."""


@dataclass(frozen=True)
class Frames:
    """What the console's own drawing costs: seconds of a part of a frame, frames a second asked for, halved or not."""

    cost: float = 0.0
    fps: float = 4.0
    slow: bool = False


def advice(honesty: Honesty, frames: Frames) -> list[str]:
    """What to do about each cause there is, the likeliest first; none where nothing is wrong."""
    told: list[str] = []
    if not doubtful(honesty):
        return told
    if frames.cost > DEAR or frames.slow:
        told.append(
            f"Drawing takes {wait(frames.cost * 1000)} at a time: a smaller window draws less; for measurements run"
            " `llmsim serve` and watch it with `llmsim-tui --attach`."
        )
    if honesty.lag_p95 > _LAG and not told:
        told.append(
            "This process gets the processor too late: fewer streams at once, fewer other programs, or `llmsim serve`"
            " on a quiet machine."
        )
    if honesty.lag_p95 <= _LAG:
        told.append(
            "This process is on time, so what is late is late outside it: clients that read slowly hold their own"
            " replies up."
        )
    return told


def doubtful(honesty: Honesty) -> bool:
    """Whether it is worth a warning on every screen: one late reply is none."""
    return honesty.replies >= _ENOUGH and bool(honesty.doubts)


def verdict(honesty: Honesty) -> str:
    """All of it in one sentence."""
    if not honesty.replies:
        return "No reply has come to its end yet: nothing can be told of the times."
    if honesty.replies < _ENOUGH:
        return f"Only {honesty.replies} of {_ENOUGH} replies have come to their end: too few to tell of the times."
    if honesty.doubts:
        return "Do not trust the times: " + "; ".join(honesty.doubts) + "."
    return f"The times can be trusted: {honesty.replies} replies came as they were asked for."


def rows(honesty: Honesty, frames: Frames) -> Sequence[tuple[str, str, str, str]]:
    """The figures: what, asked, achieved, and a note."""
    return (
        ("first token, p50", _ms(honesty.asked_ttft), _ms(honesty.achieved_ttft), _late("off by", honesty.off_p95)),
        ("pace, p50", _pace(honesty.asked_pace), _pace(honesty.achieved_pace), ""),
        ("latest piece", "0 ms", _ms(honesty.late_p95), "p95 of replies"),
        ("timers", "0 ms", _ms(honesty.lag_p50), f"p95 {_ms(honesty.lag_p95)}, worst {_ms(honesty.lag_max)}"),
        ("a frame", "", _ms(frames.cost), f"{frames.fps / (2 if frames.slow else 1):g} frames a second"),
    )


def _ms(seconds: float | None) -> str:
    return "…" if seconds is None else f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def _pace(tokens: float | None) -> str:
    return "…" if tokens is None else f"{tokens:.1f} tok/s"


def _late(words: str, seconds: float | None) -> str:
    return "" if seconds is None else f"p95 {words} {_ms(seconds)}"
