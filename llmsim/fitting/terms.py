"""What waits depend on: the first token on the prompt's length and on the load, the pace on the load.

All by least squares, with a t-test for each slope. A dependence is believed where chance would hardly make it (p below
0.001) and where it matters: over the middle nine tenths of what was seen it makes at least 5 % of the mean wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llmsim.fitting.families import Array
from llmsim.fitting.needs import scipy

BELIEVED = 0.001
MATTERS = 0.05


@dataclass(frozen=True, slots=True)
class Term:
    """A dependence: `slope` in milliseconds for each `unit`, its standard error, p, and whether it is believed."""

    unit: str
    slope: float
    error: float
    p: float
    believed: bool
    why: str = ""

    @property
    def used(self) -> float:
        """The slope, or none where it is not believed."""
        return self.slope if self.believed else 0.0


def unseen(unit: str, why: str) -> Term:
    """The term of what did not vary, or was not told."""
    return Term(unit, 0.0, 0.0, 1.0, False, why)


def dependences(waits: Array, causes: Sequence[tuple[str, Array | None]]) -> list[Term]:
    """A term for each cause, all weighed together, so that one does not pass for the other.

    `causes` are their units with a value for each wait, None where it is not known.
    """
    told: dict[str, Term] = {}
    there: list[tuple[str, Array]] = []
    for unit, values in causes:
        if values is None:
            told[unit] = unseen(unit, "not known")
        elif len(waits) < 20:
            told[unit] = unseen(unit, "fewer than 20 replies")
        elif np.ptp(values) == 0:
            told[unit] = unseen(unit, f"always {values[0]:g}")
        else:
            there.append((unit, values))
    for (unit, values), (slope, error, p) in zip(there, _slopes(waits, [one for _, one in there]), strict=True):
        low, high = np.quantile(values, (0.05, 0.95))
        share = slope * float(high - low) / max(float(waits.mean()), 1e-9)
        why = "" if p < BELIEVED else "may be chance"
        if not why and share < MATTERS:
            why = "falls" if slope < 0 else f"only {share:.1%} of the wait"
        told[unit] = Term(unit, slope, error, p, not why, why)
    return [told[unit] for unit, _ in causes]


def _slopes(waits: Array, causes: Sequence[Array]) -> list[tuple[float, float, float]]:
    """For each cause the slope, its standard error, and how likely chance alone makes one as steep."""
    if not causes:
        return []
    columns = np.column_stack([np.ones(len(waits)), *causes])
    inverse = np.linalg.pinv(columns.T @ columns)
    found = inverse @ columns.T @ waits
    free = max(1, len(waits) - columns.shape[1])
    noise = float(((waits - columns @ found) ** 2).sum()) / free
    errors = np.sqrt(np.maximum(noise * np.diag(inverse), 1e-18))
    chances = 2 * scipy("stats").t.sf(np.abs(found / errors), free)
    return [(float(found[at]), float(errors[at]), float(chances[at])) for at in range(1, len(found))]
