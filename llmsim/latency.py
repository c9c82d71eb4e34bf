"""How long a model takes: profiles of the time to first token (TTFT) and of the time between tokens (TBT)."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib import resources
from itertools import accumulate
from statistics import NormalDist
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator

from llmsim.dice import Dice, mix
from llmsim.errors import SettingsError

TABLE = 4096
"""Draws in a table; a reply takes a slice of it, so that times cost microseconds and not a draw a token."""

_SEEDS = 2
"""Seeds whose tables a profile keeps; a pair of tables takes 400 kB."""

_NORMAL = NormalDist()
_SQRT3 = math.sqrt(3.0)

Kind = Literal["normal", "lognormal", "gamma", "uniform", "fixed", "empirical"]
Milliseconds = Annotated[float, Field(ge=0, le=3_600_000, allow_inf_nan=False)]


class Spread(BaseModel):
    """A distribution of waits in milliseconds; no draw is ever negative.

    `normal` draws below zero become zero, so its moments hold as long as `stddev` is at most a third of `mean`; for
    wider waits take lognormal or gamma, whose moments hold while `stddev` is not far above `mean`. `empirical` draws
    among its own `samples`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "normal"
    mean: Milliseconds = 0.0
    stddev: Milliseconds = 0.0
    samples: Annotated[tuple[Milliseconds, ...], FailFast()] = ()  # of very many that are none, one is told

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.kind == "uniform" and self.stddev * _SQRT3 > self.mean + 1e-9:
            raise ValueError(
                f"a uniform spread of mean {self.mean:g} ms allows a stddev of at most "
                f"{self.mean / _SQRT3:.4g} ms, as waits are never negative; got {self.stddev:g}"
            )
        if self.kind == "empirical" and not self.samples:
            raise ValueError("an empirical spread needs samples: a list of waits in milliseconds")
        if self.kind != "empirical" and self.samples:
            raise ValueError(f"samples belong to an empirical spread, not to a {self.kind} one")
        return self

    @property
    def middle(self) -> float:
        """The mean wait in milliseconds, by the samples where there are any."""
        return sum(self.samples) / len(self.samples) if self.samples else self.mean

    @property
    def draws(self) -> list[float]:
        """The waits in milliseconds that replies take theirs from, in ascending order."""
        return [wait * 1000.0 for wait in sorted(_draws(self, 0)[:TABLE])]

    def quantile(self, p: float) -> float:
        """The wait in milliseconds that a share `p` of all draws stays below (0 < p < 1), from the draws' table."""
        return self.draws[min(TABLE - 1, int(p * TABLE))]


class Profile(BaseModel):
    """The pace of a model: waits for the first token, then between tokens; and what load does to it, if anything.

    With `slots` all replies under this profile's name share one server that works at so many of them at once; `queue`
    more may wait, the next one is refused as overload. Without load terms a reply's pace is its own affair.
    docs/latency.md has the formulae.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ttft: Spread = Spread()
    tbt: Spread = Spread()
    slots: Annotated[int | None, Field(ge=1, le=100_000, description="replies at once; none: any number")] = None
    queue: Annotated[int, Field(ge=0, le=100_000, description="requests that may wait for a slot, then overload")] = (
        1000
    )
    slowing: Annotated[
        float, Field(ge=0, le=1000, allow_inf_nan=False, description="1: twice the time between tokens at full slots")
    ] = 0.0
    prefill_ms_per_token: Annotated[
        float, Field(ge=0, le=10_000, allow_inf_nan=False, description="ms to the TTFT for each token not in the cache")
    ] = 0.0
    cache_tokens: Annotated[int, Field(ge=0, le=4_000_000, description="tokens of prompts kept; 0: no cache")] = 0
    cache_block: Annotated[int, Field(ge=1, le=8192, description="hits are told in blocks of so many tokens")] = 16
    cache_least: Annotated[int, Field(ge=0, le=1_000_000, description="tokens of a hit at least")] = 0
    cache_s: Annotated[
        float | None, Field(gt=0, le=604_800, description="seconds without use after which a prefix is forgotten")
    ] = None
    source: str = ""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.slowing and self.slots is None:
            raise ValueError(f"slowing: {self.slowing:g} is not allowed without slots: it grows with those taken")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed, and nothing kept that was made from the old ones."""
        copy = super().model_copy(update=update, deep=deep)
        for name in ("_tables", "instant", "loaded"):
            copy.__dict__.pop(name, None)
        return copy

    @cached_property
    def _tables(self) -> dict[int, tuple[list[float], list[float]]]:
        """Tables by seed: looking them up by this profile's spreads would cost more than taking times from them."""
        return {}

    @cached_property
    def instant(self) -> bool:
        """Whether nothing ever waits."""
        return not (self.ttft.mean or self.ttft.samples or self.tbt.mean or self.tbt.samples)

    @cached_property
    def loaded(self) -> bool:
        """Whether load or the length of the prompt have a say."""
        return bool(self.slots or self.prefill_ms_per_token or self.cache_tokens)

    def stretch(self, active: int) -> float:
        """How many times longer the time between tokens is with so many replies at once, this one among them."""
        if self.slots is None or self.slots < 2 or not self.slowing:
            return 1.0
        return 1.0 + self.slowing * (max(1, min(active, self.slots)) - 1) / (self.slots - 1)

    def times(self, count: int, dice: Dice, seed: int = 0) -> array[float]:
        """Moments, in seconds from the start of the exchange, at which `count` tokens are due.

        The first is the TTFT, each next one a TBT later; `seed` chooses the table of draws, `dice` the place in it.
        """
        if count <= 0 or self.instant:
            return array("d", bytes(8 * max(0, count)))
        places = dice.bits()
        firsts, gaps = self._tables.get(seed) or self._draw(seed)
        first, at = firsts[places % TABLE], (places >> 32) % TABLE
        if at + count > len(gaps):
            gaps = gaps * (1 + (at + count) // TABLE)
        return array("d", accumulate(gaps[at : at + count - 1], initial=first))

    def forget(self) -> None:
        """Lets go of the tables, which are drawn again when they are needed."""
        self._tables.clear()

    def _draw(self, seed: int) -> tuple[list[float], list[float]]:
        if len(self._tables) >= _SEEDS:
            self._tables.clear()
        self._tables[seed] = tables = _draws(self.ttft, seed), _draws(self.tbt, seed)
        return tables


@lru_cache(maxsize=64)
def _draws(spread: Spread, seed: int) -> list[float]:
    """A shuffled table of draws in seconds, its first half repeated behind it so that most slices need no joining."""
    generator = random.Random(mix(seed, spread.kind))
    table = [max(0.0, wait) / 1000.0 for wait in _sample(spread, generator)]
    generator.shuffle(table)
    return table + table[: TABLE // 2]


def _sample(spread: Spread, generator: random.Random) -> list[float]:
    """Waits in ms; stratified where the distribution can be inverted, so that the table's moments are as asked."""
    mean, stddev = spread.mean, spread.stddev
    if spread.kind == "empirical":
        return [generator.choice(spread.samples) for _ in range(TABLE)]
    # Beyond these widths floats cannot draw a gamma or a lognormal wait, or only without an end.
    if spread.kind == "fixed" or not mean or not 1e-6 < stddev / mean < 1e6:
        return [mean] * TABLE
    if spread.kind == "gamma":
        shape = (mean / stddev) ** 2
        return [generator.gammavariate(shape, mean / shape) for _ in range(TABLE)]
    places = [(i + 0.5) / TABLE for i in range(TABLE)]
    if spread.kind == "uniform":
        return [mean + stddev * _SQRT3 * (2 * p - 1) for p in places]
    normals = map(_NORMAL.inv_cdf, places)
    if spread.kind == "normal":
        return [mean + stddev * z for z in normals]
    sigma = math.sqrt(math.log1p((stddev / mean) ** 2))
    mu = math.log(mean) - sigma * sigma / 2
    return [math.exp(mu + sigma * z) for z in normals]


@lru_cache(maxsize=1)
def presets() -> dict[str, Profile]:
    """The named profiles that come with llmsim."""
    raw = orjson.loads(resources.files("llmsim").joinpath("data/profiles.json").read_bytes())
    return {
        name: Profile(
            ttft=Spread(mean=ttft[0], stddev=ttft[1]), tbt=Spread(mean=tbt[0], stddev=tbt[1]), source=source, **load
        )
        for name, (ttft, tbt, source, load) in ((name, _taken_apart(**entry)) for name, entry in raw.items())
    }


def _taken_apart(ttft: list[float], tbt: list[float], source: str, **load: Any) -> tuple[Any, ...]:
    return ttft, tbt, source, load


def preset(name: str) -> Profile:
    """The profile of that name; raises SettingsError with the names there are."""
    try:
        return presets()[name]
    except KeyError:
        raise SettingsError(f"latency_profile: there is no {name!r}; there are {', '.join(presets())}") from None
