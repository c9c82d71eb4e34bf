"""Rate limits: token buckets for requests and for tokens a minute, one pair for each key and model."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from llmsim.clock import Clock

BUCKETS = 10_000
"""Pairs of buckets kept; beyond it the one unused for longest goes, which had long been full again."""

# What the headers say while no limit is set: a provider always states one (OpenAI's highest usual tiers).
NOMINAL_RPM = 10_000
NOMINAL_TPM = 30_000_000


@dataclass(slots=True)
class Bucket:
    """A token bucket that refills continuously: `level` of `limit` were left at the moment `at`."""

    limit: int
    level: float
    at: float

    def refill(self, limit: int, now: float) -> None:
        """Brings the level up to this moment; of what was spent, a new limit forgives only what exceeds its size."""
        spent = self.limit - min(self.limit, self.level + (now - self.at) * self.limit / 60.0)
        left = limit - spent if limit == self.limit else max(0.0, limit - spent)
        self.limit, self.level, self.at = limit, left, now

    def wait(self, amount: float) -> float:
        """Seconds until that much is there; what is more than the whole bucket waits for a full one."""
        missing = min(amount, self.limit) - self.level
        wait = missing * 60.0 / self.limit
        # Less than a microsecond is missing by rounding alone: who waits as long as told is let in.
        return wait if wait > 1e-6 else 0.0


class Standing(NamedTuple):
    """Where a key and model stand after a request; `refused` names the limit that refused it, `wait` the seconds.

    The resets are the seconds until a bucket is full again.
    """

    requests_limit: int = NOMINAL_RPM
    requests_left: int = NOMINAL_RPM - 1
    requests_reset: float = 60.0 / NOMINAL_RPM
    tokens_limit: int = NOMINAL_TPM
    tokens_left: int = NOMINAL_TPM - 1
    tokens_reset: float = 0.0
    refused: str = ""
    wait: float = 0.0
    needed: int = 0


@lru_cache(maxsize=1024)
def _unlimited(tokens: int) -> Standing:
    return Standing(tokens_left=max(0, NOMINAL_TPM - tokens), tokens_reset=tokens * 60.0 / NOMINAL_TPM)


class Limiter:
    """Decides who may pass; a refused request spends nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[Bucket, Bucket]] = OrderedDict()

    def admit(self, key: str, model: str, tokens: int, rpm: int | None, tpm: int | None) -> Standing:
        """Spends one request and so many tokens, or refuses and says for how long."""
        if rpm is None and tpm is None:
            return _unlimited(tokens)
        requests, volume = self._pair((key, model), rpm or NOMINAL_RPM, tpm or NOMINAL_TPM)
        waits = {"requests": requests.wait(1) if rpm else 0.0, "tokens": volume.wait(tokens) if tpm else 0.0}
        refused = max(waits, key=lambda name: waits[name])
        if not waits[refused]:
            requests.level = max(0.0, requests.level - 1)
            volume.level -= tokens
            refused = ""
        return Standing(
            requests.limit,
            max(0, int(requests.level + 1e-9)),
            requests.wait(requests.limit),
            volume.limit,
            max(0, int(volume.level + 1e-9)),
            volume.wait(volume.limit),
            refused,
            waits.get(refused, 0.0),
            tokens,
        )

    def _pair(self, name: tuple[str, str], rpm: int, tpm: int) -> tuple[Bucket, Bucket]:
        now = self._clock.now()
        pair = self._buckets.get(name)
        if pair is None:
            pair = self._buckets[name] = (Bucket(rpm, rpm, now), Bucket(tpm, tpm, now))
            if len(self._buckets) > BUCKETS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        pair[0].refill(rpm, now)
        pair[1].refill(tpm, now)
        return pair

    def clear(self) -> None:
        """Fills every bucket."""
        self._buckets.clear()
