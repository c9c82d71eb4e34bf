"""The usage tiers of providers: what each grants for each family of models. Figures and sources: data/tiers.json."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Any, NamedTuple

from llmsim import catalogue
from llmsim.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier: whose it is, in the words of Ask, the source and the year of its figures, and these by family."""

    name: str
    providers: tuple[str, ...]
    source: str
    year: int
    families: tuple[tuple[str, Mapping[str, int]], ...]


class Grant(NamedTuple):
    """What a tier grants to a model: the pattern of its family, and the figures."""

    family: str
    figures: Mapping[str, int]


@cache
def known() -> dict[str, Tier]:
    """All tiers by name."""
    import orjson

    path = os.path.join(os.path.dirname(__file__), os.pardir, "data", "tiers.json")
    with open(path, "rb") as file:
        providers: list[dict[str, Any]] = orjson.loads(file.read())["providers"]
    return {
        name: Tier(
            name,
            tuple(one["providers"]),
            one["source"],
            one["year"],
            tuple((family, dict(zip(one["columns"], figures, strict=True))) for family, figures in rows.items()),
        )
        for one in providers
        for name, rows in one["tiers"].items()
    }


def check(name: str) -> None:
    """Raises SettingsError, which lists the tiers that there are, for one that there is not."""
    if name not in known():
        raise SettingsError(f"tier: there is no tier {name!r}; there are {', '.join(known())}")


@lru_cache(maxsize=1024)
def grant(name: str, provider: str, model: str) -> Grant | None:
    """What the tier grants to a model; None where it has nothing to say of it, as for another provider's.

    Dated and other names of a model count as the model; one that is unknown counts as its nearest of kin.
    """
    tier = known()[name]
    if not model or (provider and provider not in tier.providers):
        return None
    found = catalogue.resolve(model)
    plain = found.id.lower() if found.known else model.lower().rpartition("/")[2]
    for family, figures in tier.families:
        if fnmatchcase(plain, family):
            told = {kind: figure for kind, figure in figures.items() if figure}
            return Grant(family if family != "*" else plain, told) if told else None
    return None
