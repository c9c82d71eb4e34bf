"""How true paced streams were: share of the asked rate, jitter and drift, from the moments at which tokens arrived.

The error of token k of a stream is its moment less k times the asked gap. Jitter is an error's distance from the median
error of its own stream, so that a late first token is not charged to all the others. Drift is the slope of the errors
over k: how much later each token comes than the one before it led to expect.
"""

import statistics
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RECORD = struct.Struct("=qd")


@dataclass(frozen=True)
class Stream:
    """One streamed reply: when it was asked for, and when each token came (seconds on one clock)."""

    asked: float
    moments: Sequence[float]


@dataclass(frozen=True)
class Pacing:
    """Times in milliseconds; `share` is tokens received against tokens asked for, 1.0 when all came."""

    tokens: int
    share: float
    jitter_p50: float
    jitter_p99: float
    drift: float
    ttft_p50: float

    def held(self) -> bool:
        """Whether a server that paces like this is said to hold its streams (99.5 % of the rate, p99 under 10 ms)."""
        return self.share >= 0.995 and self.jitter_p99 < 10


def percentile(values: Sequence[float], share: float) -> float:
    """The value at this share (0 to 1) of the sorted values, nearest rank; nan of nothing."""
    return values[min(len(values) - 1, int(share * (len(values) - 1) + 0.5))] if values else float("nan")


def errors_ms(stream: Stream, tbt: float) -> list[float]:
    """Each token's moment less its due distance from the stream's beginning, `tbt` in seconds."""
    first = stream.moments[0] if stream.moments else 0.0
    return [(moment - first - k * tbt) * 1000 for k, moment in enumerate(stream.moments)]


def slope(values: Sequence[float]) -> float:
    """Least squares: by how much the values rise from one to the next."""
    n = len(values)
    middle, mean = (n - 1) / 2, sum(values) / n
    return sum((k - middle) * (value - mean) for k, value in enumerate(values)) / (n * (n * n - 1) / 12)


def pacing(streams: Sequence[Stream], *, opened: float, closed: float, tbt: float, asked: int) -> Pacing:
    """Figures for the tokens that came within [opened, closed), of `asked` streams at one token each `tbt` seconds."""
    distances: list[float] = []
    slopes: list[float] = []
    for stream in streams:
        errors = errors_ms(stream, tbt)
        if not errors:
            continue
        median = statistics.median(errors)
        within = [error for error, moment in zip(errors, stream.moments, strict=True) if opened <= moment < closed]
        distances += [abs(error - median) for error in within]
        if len(within) > 9:
            slopes.append(slope(within))
    distances.sort()
    waits = sorted((stream.moments[0] - stream.asked) * 1000 for stream in streams if stream.moments)
    return Pacing(
        tokens=len(distances),
        share=len(distances) / (asked * (closed - opened) / tbt),
        jitter_p50=percentile(distances, 0.5),
        jitter_p99=percentile(distances, 0.99),
        drift=statistics.median(slopes) if slopes else float("nan"),
        ttft_p50=percentile(waits, 0.5),
    )


def read_moments(path: Path) -> list[Stream]:
    """The streams that the load client wrote down: int64 count, double asked, then `count` doubles, again and again."""
    data, at, streams = path.read_bytes(), 0, []
    while at < len(data):
        count, asked = RECORD.unpack_from(data, at)
        at += RECORD.size
        streams.append(Stream(asked, array("d", data[at : at + 8 * count])))
        at += 8 * count
    return streams
