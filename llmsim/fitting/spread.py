"""Chooses the spread for samples: the family that is nearest, fixed where nothing varies, else the samples themselves.

The criterion, in this order:
1. what varies by no more than 0.5 % of its mean, or 0.2 ms, is `fixed`: that much comes of the measuring;
2. of the families that a profile can have, the one of the smallest A² is taken, if it is not rejected (one at least of
   200 resamples is as far from its own fit) or is so near that nobody would tell (D of at most 0.05: five samples in a
   hundred on the other side);
3. else it is `empirical`: evenly spaced quantiles of what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmsim.fitting.families import FAMILIES, Array, Candidate, candidate
from llmsim.latency import Spread

FEWEST = 20
"""Samples below which no family can be told from another: then it is the samples themselves."""

QUANTILES = 256
"""Samples of an empirical spread."""

REJECTED = 0.006
"""None of the resamples was as far from its fit."""

NEAR = 0.05


@dataclass(frozen=True, slots=True)
class Chosen:
    """The spread, why it is that one, all candidates with the nearest first, and what it was fitted to (in ms)."""

    spread: Spread
    why: str
    candidates: tuple[Candidate, ...]
    samples: Array


def choose(samples: Array, seed: int = 0) -> Chosen:
    """The spread for samples in milliseconds, at least one of them."""
    mean, stddev = float(samples.mean()), float(samples.std(ddof=1)) if len(samples) > 1 else 0.0
    if stddev <= max(0.2, 0.005 * mean):
        middle = float(np.median(samples))
        return Chosen(Spread(kind="fixed", mean=round(middle, 3)), f"it varies by {stddev:.2g} ms", (), samples)
    if len(samples) < FEWEST:
        why = f"{len(samples)} samples are too few to tell families apart (at least {FEWEST})"
        return Chosen(_empirical(samples), why, (), samples)
    samples = _unrounded(samples, seed)
    found = sorted((candidate(one, samples, seed) for one in FAMILIES), key=lambda one: one.ad)
    best = next((one for one in found if not one.why_not and (one.p >= REJECTED or one.ks <= NEAR)), None)
    if best is None:
        return Chosen(_empirical(samples), "every family is rejected", tuple(found), samples)
    why = f"nearest by A² = {best.ad:.3g}, D = {best.ks:.3f}, p = {best.p:.3f}"
    return Chosen(_spread(best), why, tuple(found), samples)


def _unrounded(samples: Array, seed: int) -> Array:
    """The samples, and where they were told in whole steps, as milliseconds, each somewhere within its step."""
    values = np.unique(samples.round(6))
    if len(samples) < 200 or len(values) > len(samples) / 4:
        return samples
    steps = np.diff(values)
    step = float(np.quantile(steps, 0.05))
    if step * len(values) < 0.2 * np.ptp(values):  # few values, but no steps
        return samples
    return np.maximum(samples + np.random.default_rng(seed).uniform(-step / 2, step / 2, len(samples)), 1e-6)


def _spread(best: Candidate) -> Spread:
    stddev = min(best.stddev, best.mean / 3**0.5) if best.family == "uniform" else best.stddev
    return Spread(kind=best.family, mean=round(best.mean, 3), stddev=int(stddev * 1000) / 1000)


def _empirical(samples: Array) -> Spread:
    places = (np.arange(min(QUANTILES, len(samples))) + 0.5) / min(QUANTILES, len(samples))
    return Spread(
        kind="empirical", samples=tuple(round(max(0.0, float(one)), 3) for one in np.quantile(samples, places))
    )
