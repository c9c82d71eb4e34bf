"""What one request may ask for itself, by headers: a fault, a mock, a pace, a seed; for this request alone.

| header | value |
|---|---|
| `x-llmsim-profile` | the name of a latency profile |
| `x-llmsim-ttft`, `x-llmsim-tbt` | milliseconds, exactly |
| `x-llmsim-tokens` | tokens of a generated reply |
| `x-llmsim-generator` | who writes the reply, as `generator` in the settings |
| `x-llmsim-seed` | a seed: the same request gets the same reply |
| `x-llmsim-fault` | faults, such as `429` or `cut after_tokens=5`, several with `;` between them; `none`: no fault |
| `x-llmsim-mock` | the name of the mock that answers, whatever it matches; `none`: no mock |
| `x-llmsim-explain` | `true`: the answer says in `x-llmsim-why` how it came to be |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from llmsim import faults
from llmsim.errors import SettingsError
from llmsim.match import ALWAYS
from llmsim.settings import Settings
from llmsim.tally import BROUGHT

PREFIX = b"x-llmsim-"
NAMES = ("profile", "ttft", "tbt", "tokens", "generator", "seed", "fault", "mock", "explain")
_LONGEST = 2000

# The header that a problem with a setting comes from.
_HEADERS = {
    "latency_profile": "profile",
    "profiles": "ttft",
    "target_tokens": "tokens",
    "generator": "generator",
    "mocks": "mock",
}
_FOR_MANY = ("for_s", "for_requests", "after_s", "every_s", "on_s", "since", "until", "id")
"""Settings of a fault that say when it is in force; a `count` is for the retries of an SDK, which bring it again."""

_KNOWN_BY = 100
"""Characters of a fault that are its id as they are; a longer one is known by their digest."""

_PARTS = re.compile(r'(?:"[^"]*"|[^;"]|")+')
_MS = re.compile(r"\d{1,12}(?:\.\d{1,12})?|\.\d{1,12}", re.ASCII)
_YES, _NO = ("true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True, slots=True)
class Overrides:
    """The headers, by their names without what they have in common; hashable, as those of a client are the same."""

    told: tuple[tuple[str, str], ...]

    def over(self, settings: Settings) -> Settings:
        """The settings of this one request; raises SettingsError in one sentence for what cannot be."""
        return _over(settings.revision, _Same(settings), self.told)

    @property
    def seed(self) -> int | None:
        """The seed that the request asks for."""
        told = dict(self.told).get("seed")
        return None if told is None else _number("seed", told, 0, (1 << 63) - 1)

    @property
    def explain(self) -> bool:
        """Whether the answer is to say how it came to be."""
        return dict(self.told).get("explain", "").lower() in _YES


def read(headers: Mapping[bytes, bytes]) -> Overrides | None:
    """What a request's headers ask for, if anything; headers that are none of ours stay unread."""
    found = []
    for name in NAMES:
        value = headers.get(PREFIX + name.encode())
        if value is not None:
            found.append((name, value[:_LONGEST].decode("latin-1").strip()))
    return Overrides(tuple(found)) if found else None


class _Same:
    """Carries settings past a cache that tells them by their revision alone."""

    __slots__ = ("settings",)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=256)
def _over(revision: int, same: _Same, told: tuple[tuple[str, str], ...]) -> Settings:
    settings, asked = same.settings, dict(told)
    changes: dict[str, Any] = {}
    if "tokens" in asked:
        changes["target_tokens"] = _number("tokens", asked["tokens"], 1, 200_000)
    if "generator" in asked:
        changes["generator"] = asked["generator"]
    if "explain" in asked and asked["explain"].lower() not in (*_YES, *_NO):
        raise SettingsError(f"x-llmsim-explain: {asked['explain'][:60]!r} is not allowed: it is true or false")
    changes |= _latency(asked)
    if "fault" in asked:
        changes |= _faults(settings, asked["fault"])
    if "mock" in asked:
        changes["mocks"] = _mock(settings, asked["mock"])
    try:
        made = settings.changed(**changes) if changes else settings
    except SettingsError as error:
        setting = re.match(r"\w*", str(error))
        name = _HEADERS.get(setting[0] if setting else "", "fault")
        raise SettingsError(f"x-llmsim-{name}: {error}") from None
    if "mocks" not in changes:
        made.__dict__["mock_index"] = settings.mock_index  # thousands of mocks are sorted once, not for every header
    return made


def _number(name: str, told: str, low: int, high: int) -> int:
    if not (told.isascii() and told.isdigit() and len(told) < 20 and low <= int(told) <= high):
        raise SettingsError(f"x-llmsim-{name}: {told[:60]!r} is not allowed: it is a whole number from {low} to {high}")
    return int(told)


def _latency(asked: Mapping[str, str]) -> dict[str, Any]:
    """One profile for the request: the one named, or one of exact times."""
    times = {name: asked[name] for name in ("ttft", "tbt") if name in asked}
    if times and "profile" in asked:
        raise SettingsError("x-llmsim-profile: it cannot go with x-llmsim-ttft and x-llmsim-tbt")
    if "profile" in asked:
        return {"latency_profile": asked["profile"]}
    if not times:
        return {}
    own = {}
    for name, told in times.items():
        if not _MS.fullmatch(told):
            raise SettingsError(f"x-llmsim-{name}: {told[:60]!r} is not allowed: it is a number of ms")
        own[name] = {"kind": "fixed", "mean": float(told)}
    return {"profiles": {"x-llmsim": own}, "latency_profile": "x-llmsim"}


def _faults(settings: Settings, told: str) -> dict[str, Any]:
    """The faults that are asked for, after those in force; or none at all."""
    if told.lower() == "none":
        return {"faults": (), "rate_limit_rate": 0.0, "server_error_rate": 0.0, "timeout_rate": 0.0}
    parts = [part.strip() for part in _PARTS.findall(told) if part.strip()]
    if len(parts) > 8:
        raise SettingsError("x-llmsim-fault: at most 8 faults")
    return {"faults": (*settings.faults, *(_fault(place, part) for place, part in enumerate(parts)))}


def _fault(place: int, told: str) -> dict[str, Any]:
    """One fault, counted under its own words: what another request asks for has a count of its own."""
    try:
        fields = faults.read(told)
    except SettingsError as error:
        raise SettingsError(f"x-llmsim-fault: {error}") from None
    later = next((name for name in fields if name in _FOR_MANY), None)
    if later is not None:
        raise SettingsError(f"x-llmsim-fault: {later}: it has no meaning for one request")
    known = told if len(told) <= _KNOWN_BY else blake2b(told.encode(), digest_size=16).hexdigest()
    return {**fields, "id": f"{BROUGHT}-{place} {known}"}


def _mock(settings: Settings, told: str) -> tuple[Any, ...]:
    if told.lower() == "none":
        return ()
    found = next((one for one in settings.mocks if one.name == told), None)
    if found is None:
        names = ", ".join(one.name for one in settings.mocks[:50]) or "none"
        raise SettingsError(f"x-llmsim-mock: there is no mock {told[:60]!r}; there are {names}")
    return (found.model_copy(update={"when": ALWAYS, "enabled": True}),)
