"""The families of distributions: their parameters from samples, and how far samples are from them.

Parameters are those of greatest likelihood. Distances are Kolmogorov and Smirnov's D, the widest gap between the two
cumulative curves, and Anderson and Darling's A², which weighs the tails more. As the parameters come from the very
samples that are judged, the usual tables do not hold: the p-values are of a parametric bootstrap, in which every
resample is fitted again (Stute, Gonzáles Manteiga, Presedo Quindimil 1993; the Lilliefors problem).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmsim.fitting.needs import scipy

Array = NDArray[np.float64]
Family = Literal["normal", "lognormal", "gamma", "uniform"]
FAMILIES: tuple[Family, ...] = ("normal", "lognormal", "gamma", "uniform")

RESAMPLES = 200
"""Resamples of a bootstrap: p-values in steps of half a per cent."""

LARGEST = 1000
"""Samples that a test looks at: with very many of them it would refuse every family there is, for no use."""

_SQRT3 = math.sqrt(3.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family fitted to samples: its moments in milliseconds, both distances, the p-value of A².

    `why_not` says why a profile cannot have it, where it cannot.
    """

    family: Family
    mean: float
    stddev: float
    ks: float
    ad: float
    p: float
    why_not: str = ""


def candidate(family: Family, samples: Array, seed: int = 0) -> Candidate:
    """The family fitted to samples in milliseconds, in any order; `seed` is that of the bootstrap."""
    ordered = np.sort(np.maximum(samples, 1e-9))
    place = _fitted(family, ordered[None, :])
    mean, stddev = (float(one[0]) for one in _moments(family, place))
    below = _below(family, ordered[None, :], place)
    ks, ad = float(_ks(below)[0]), float(_ad(below)[0])
    p = _p_value(family, ordered, np.random.default_rng(seed))
    return Candidate(family, mean, stddev, ks, ad, p, _why_not(family, mean, stddev))


def _why_not(family: Family, mean: float, stddev: float) -> str:
    if family == "normal" and mean < 2.5 * stddev:
        return "it would be below zero too often"
    if family == "uniform" and stddev * _SQRT3 > mean * 1.02:
        return "it would be below zero"
    return ""


def _fitted(family: Family, ordered: Array) -> tuple[Array, Array]:
    """Two parameters for each row of sorted samples: mu and sigma, shape and scale, or low and high."""
    if family == "lognormal":
        ordered = np.log(ordered)
    if family in ("normal", "lognormal"):
        return ordered.mean(axis=1), ordered.std(axis=1, ddof=1)
    if family == "uniform":
        count, low, high = ordered.shape[1], ordered[:, 0], ordered[:, -1]
        margin = (high - low) / max(1, count - 1)
        return np.maximum(0.0, low - margin), high + margin
    return _gamma(ordered)


def _gamma(ordered: Array) -> tuple[Array, Array]:
    """Shape and scale of greatest likelihood, by Newton's method from Minka's start (2002, Estimating a Gamma)."""
    special = scipy("special")
    mean = ordered.mean(axis=1)
    s = np.maximum(np.log(mean) - np.log(ordered).mean(axis=1), 1e-12)
    shape: Array = (3 - s + np.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    for _ in range(4):
        step = np.log(shape) - special.digamma(shape) - s
        slope = 1 / shape - special.polygamma(1, shape)
        shape = np.maximum(shape - step / slope, shape / 10)
    return shape, mean / shape


def _moments(family: Family, place: tuple[Array, Array]) -> tuple[Array, Array]:
    first, second = place
    if family == "normal":
        return first, second
    if family == "lognormal":
        mean = np.exp(first + second**2 / 2)
        return mean, mean * np.sqrt(np.expm1(second**2))
    if family == "gamma":
        return first * second, np.sqrt(first) * second
    return (first + second) / 2, (second - first) / (2 * _SQRT3)


def _below(family: Family, ordered: Array, place: tuple[Array, Array]) -> Array:
    """The share of the fitted distribution below each sample."""
    special = scipy("special")
    first, second = place[0][:, None], place[1][:, None]
    share: Array
    if family == "normal":
        share = special.ndtr((ordered - first) / second)
    elif family == "lognormal":
        share = special.ndtr((np.log(ordered) - first) / second)
    elif family == "gamma":
        share = special.gammainc(first, ordered / second)
    else:
        share = (ordered - first) / (second - first)
    return np.clip(share, 1e-12, 1 - 1e-12)


def _ks(below: Array) -> Array:
    count = below.shape[1]
    steps = np.arange(1, count + 1) / count
    worst: Array = np.maximum(steps - below, below - (steps - 1 / count)).max(axis=1)
    return worst


def _ad(below: Array) -> Array:
    count = below.shape[1]
    weights = (2 * np.arange(1, count + 1) - 1) / count
    told: Array = -count - (weights * (np.log(below) + np.log1p(-below[:, ::-1]))).sum(axis=1)
    return told


def _drawn(family: Family, place: tuple[Array, Array], shape: tuple[int, int], rng: np.random.Generator) -> Array:
    first, second = float(place[0][0]), float(place[1][0])
    if family == "normal":
        return np.maximum(rng.normal(first, second, shape), 1e-9)
    if family == "lognormal":
        return rng.lognormal(first, second, shape)
    if family == "gamma":
        return np.maximum(rng.gamma(first, second, shape), 1e-9)
    return rng.uniform(first, second, shape)


def _p_value(family: Family, ordered: Array, rng: np.random.Generator) -> float:
    """How often samples of the family itself are as far from their own fit as these are."""
    if len(ordered) > LARGEST:
        ordered = np.sort(rng.choice(ordered, LARGEST, replace=False))
    place = _fitted(family, ordered[None, :])
    own = _ad(_below(family, ordered[None, :], place))[0]
    drawn = np.sort(_drawn(family, place, (RESAMPLES, len(ordered)), rng), axis=1)
    others = _ad(_below(family, drawn, _fitted(family, drawn)))
    return float((1 + np.count_nonzero(others >= own)) / (RESAMPLES + 1))
