"""What the latency dialog changes: the profile in force, a candidate beside it, and the change that applies it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from llmsim.latency import Profile, Spread
from llmsim.settings import explain
from llmsim_tui.backend import Backend
from llmsim_tui.text import wait

EVERY: Final = "all models"
_ANSWER: Final = 80
_FIRST: Final = "gpt5"


def in_force(backend: Backend, scope: str) -> tuple[str, Profile]:
    """The profile that the next request of this scope is paced by, with its name.

    For all models without one profile for all, it is the one that the newest exchange was paced by.
    """
    settings, profiles = backend.settings(), backend.profiles()
    name = settings.latency_profile
    if name is None and scope != EVERY:
        name = settings.model_profiles.get(scope) or _seen(backend, scope)
    name = name or _seen(backend)
    return (name, profiles[name]) if name in profiles else (_FIRST, profiles.get(_FIRST, Profile()))


def _seen(backend: Backend, model: str = "") -> str:
    first, last = backend.numbers()
    for number in range(last, max(first, last - 200) - 1, -1):
        row = backend.row(number)
        if row and row.profile and (not model or row.model == model):
            return row.profile
    return ""


def spread(kind: str, mean: float, stddev: float, base: Spread) -> Spread | str:
    """The distribution of these values, or a sentence why there is none; an empirical one keeps its samples."""
    if kind == "empirical":
        return base
    try:
        return Spread.model_validate({"kind": kind, "mean": mean, "stddev": stddev})
    except ValidationError as error:
        return explain(error)


def shaped(base: Profile, ttft: Spread, tbt: Spread, load: Mapping[str, Any]) -> Profile | str:
    """The profile of these spreads and load terms, all else as in `base`; a sentence where they do not go together."""
    kept = {name: getattr(base, name) for name in Profile.model_fields if name != "source"}
    try:
        return Profile.model_validate({**kept, "ttft": ttft, "tbt": tbt, **load})
    except ValidationError as error:
        return explain(error)


def same(one: Profile, other: Profile) -> bool:
    """Whether two profiles make the same times, wherever they come from."""
    return all(getattr(one, name) == getattr(other, name) for name in Profile.model_fields if name != "source")


def change(backend: Backend, scope: str, profile: Profile) -> dict[str, Any]:
    """The settings that put the profile in force; a named profile of the same values is used under its name.

    For one model while one profile serves all, that profile is handed to each of the other models, so that only the
    one model changes.
    """
    settings = backend.settings()
    name = _named(backend.profiles(), profile)
    own: dict[str, Any] = {}
    if name is None:
        name = "custom" if scope == EVERY else f"custom-{scope}"
        own = {"profiles": {**settings.profiles, name: profile}}
    if scope == EVERY:
        return {**own, "latency_profile": name, "model_profiles": {}}
    others = dict(settings.model_profiles)
    if settings.latency_profile is not None:
        others = dict.fromkeys(backend.models(), settings.latency_profile)
    return {**own, "latency_profile": None, "model_profiles": {**others, scope: name}}


def _named(profiles: Mapping[str, Profile], profile: Profile) -> str | None:
    return next((name for name, one in profiles.items() if same(one, profile)), None)


def in_words(profile: Profile) -> str:
    """What the profile means for a client: how long an answer takes, and its pace."""
    gap = profile.tbt.middle
    whole = profile.ttft.middle + (_ANSWER - 1) * gap
    pace = f"{1000 / gap:.3g} tok/s" if gap else "all tokens at once"
    return f"{_ANSWER}-token answer ≈ {wait(whole)} · {pace}"


def load_in_words(profile: Profile) -> str:
    """What load does to a client, in a sentence; what there is none of is left out."""
    if not profile.loaded:
        return "no load terms: each reply goes at a pace of its own"
    told = []
    if profile.slots:
        told.append(f"{profile.slots} at once, {profile.queue} more wait, the next is refused as overload")
    gap = profile.tbt.middle
    if profile.slots and profile.slowing and gap:
        told.append(f"{1000 / gap:.3g} tok/s alone, {1000 / gap / profile.stretch(profile.slots):.3g} when full")
    if profile.prefill_ms_per_token:
        told.append(f"1,000 tokens of prompt: {wait(1000 * profile.prefill_ms_per_token)} more")
    if profile.cache_tokens:
        told.append(f"{profile.cache_tokens:,} tokens of prompts are cached")
    return " · ".join(told)
