"""How the waits for first tokens went over time: counted as they come, for as long as the console is open."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from math import floor, log10
from typing import Final

KEPT: Final = 900
"""Seconds that are remembered."""
STEPS: Final = 16
"""Steps of a wait from one power of ten to the next."""
_LOWEST, _HIGHEST = -1, 6
"""Powers of ten, in milliseconds, that waits are counted between."""
_LEAP: Final = 5.0
"""Seconds between two looks after which nobody can tell when what is new has come: a recording was wound on."""
_PERIODS: Final = (1, 2, 5, 10, 15)
"""Seconds that a column may stand for."""


def step(wait: float) -> int:
    """The step of a wait in seconds."""
    power = log10(wait * 1000) if wait > 0 else _LOWEST
    return floor(min(max(power, _LOWEST), _HIGHEST) * STEPS)


def value(place: float) -> float:
    """The wait in milliseconds at which a step begins."""
    return float(10 ** (place / STEPS))


def fresh(known: Sequence[float], now: Sequence[float]) -> list[float]:
    """What is in the newest list and was not in the one before; of several workers it is in no order."""
    return list((Counter(now) - Counter(known)).elements())


class Heat:
    """Waits by the second in which they were seen; what came before the first look is nowhere."""

    def __init__(self) -> None:
        self._slots: deque[tuple[int, Counter[int]]] = deque(maxlen=KEPT)
        self._known: Sequence[float] | None = None
        self._looked = 0.0

    def see(self, wall: float, waits: Sequence[float]) -> None:
        """Counts what is new at this moment (seconds since the epoch); a moment before the last one begins anew."""
        if wall < self._looked:
            self._slots.clear()
        told = self._known is not None and 0 <= wall - self._looked <= _LEAP
        new = fresh(self._known, waits) if told and self._known is not None and waits != self._known else ()
        self._known, self._looked = waits, wall
        if not new:
            return
        if not self._slots or self._slots[-1][0] != int(wall):
            self._slots.append((int(wall), Counter()))
        self._slots[-1][1].update(map(step, new))

    def columns(self, count: int) -> tuple[int, list[Counter[int]]]:
        """The seconds of a column, and the newest columns, oldest first; the last one is of the last look.

        A column is as short as it can be for all that is remembered to fit.
        """
        now, first = int(self._looked), self._slots[0][0] if self._slots else int(self._looked)
        period = next((one for one in _PERIODS if now // one - first // one < count), _PERIODS[-1])
        made: list[Counter[int]] = [Counter() for _ in range(count)]
        for second, counts in self._slots:
            if (place := count - 1 - (now // period - second // period)) >= 0:
                made[place].update(counts)
        return period, made

    def place(self, wall: float, count: int, period: int) -> int:
        """The column of a moment; less than 0 where it is too long ago."""
        return count - 1 - (int(self._looked) // period - int(wall) // period)
