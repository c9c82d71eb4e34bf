"""A token bucket: what is spent comes back all the time, at the pace of the limit, on a clock that is told."""

from __future__ import annotations

import math

_LOWS = 64
"""Low points kept for giving back; beyond it two neighbours become one, which gives back less rather than more."""

_NEAR = 1e-6


class Bucket:
    """So much of `size` was missing, `owed`, at the moment `at`; `rate` of it comes back each second.

    A rate of 0 is a quota: what is spent is gone until somebody refills the bucket. `limit` is the figure that people
    know it by; a bucket that forgives no bursts is smaller than that.
    """

    __slots__ = ("_lows", "at", "limit", "owed", "rate", "size")

    def __init__(self, limit: int, size: float, rate: float, now: float) -> None:
        self.limit = limit
        self.size = size
        self.rate = rate
        self.owed = 0.0
        self.at = now
        # Moments before something was spent, with what was missing then.
        self._lows: list[tuple[float, float]] = []

    def reach(self, now: float) -> None:
        """Brings it up to this moment."""
        if self.owed > 0.0 and now > self.at:
            self.owed = max(0.0, self.owed - (now - self.at) * self.rate)
        self.at = now

    def resize(self, limit: int, size: float, rate: float) -> None:
        """Another limit; of what was spent it forgives only what exceeds its own size."""
        if (limit, size, rate) != (self.limit, self.size, self.rate):
            self.owed = min(self.owed, size)
            self.limit, self.size, self.rate = limit, size, rate
            self._note()

    def wait(self, amount: float) -> float:
        """Seconds until that much is there, infinite where it never will be; more than the size waits for a full one.

        Rounded up to whole microseconds, so that nobody who waits as long as told comes too early.
        """
        missing = self.owed - self.size + (amount if amount < self.size else self.size)
        if missing <= 0.0:
            return 0.0
        if not self.rate:
            return math.inf if missing > _NEAR else 0.0
        seconds = missing / self.rate
        # What is missing by the rounding of moments alone is not missing.
        if seconds <= _NEAR or seconds <= 4 * math.ulp(self.at):
            return 0.0
        return math.ceil(seconds * 1e6 - 0.01) / 1e6

    def spend(self, amount: float) -> None:
        """Takes that much out, also where it is not there: then the rest is owed."""
        self._note()
        self.owed += amount

    def give_back(self, amount: float, since: float) -> None:
        """Puts back what was spent too much at the moment `since`, as though it never had been.

        What would have run over meanwhile, as the bucket was full without it, is lost.
        """
        # Of what is put back no more is left at any moment than was missing at every one before it.
        back = min([amount, *(owed for at, owed in self._lows if at > since)])
        self._lows = [(at, owed - back if at > since else owed) for at, owed in self._lows]
        self.owed -= min(back, self.owed)

    def fill(self) -> None:
        """Makes it full."""
        self.owed = 0.0
        self._note()

    def drain(self, share: float) -> None:
        """Takes out that share of what is there."""
        self.spend(max(0.0, self.size - self.owed) * share)

    @property
    def level(self) -> float:
        """What is there; less than nothing where more was spent than there was."""
        return self.size - self.owed

    @property
    def left(self) -> int:
        """The whole units that are there."""
        return max(0, int(self.size - self.owed + _NEAR))

    @property
    def used(self) -> int:
        """The units that are missing, begun ones among them."""
        return max(0, math.ceil(self.owed - _NEAR))

    @property
    def reset(self) -> float:
        """Seconds until it is full, infinite for a quota of which something is spent."""
        if self.owed <= 0.0:
            return 0.0
        return self.owed / self.rate if self.rate else math.inf

    def _note(self) -> None:
        lows, owed = self._lows, self.owed
        while lows and lows[-1][1] >= owed:
            lows.pop()
        lows.append((self.at, owed))
        if len(lows) > _LOWS:
            self._lows = [(late[0], min(early[1], late[1])) for early, late in zip(lows[::2], lows[1::2], strict=False)]
            if len(lows) % 2:
                self._lows.append(lows[-1])
