"""Files of latency profiles, as `llmsim profile fit` writes them: where a profile's name can stand, a file can too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from llmsim.errors import SettingsError
from llmsim.latency import Profile
from llmsim.server import files
from llmsim.settings import sentences

_ENDINGS = (".yaml", ".yml", ".json", ".toml")


class Read(NamedTuple):
    """The profiles in a file, and which model has which."""

    profiles: dict[str, Profile]
    models: dict[str, str]


def named(told: str) -> tuple[Path, str] | None:
    """The file, and the profile in it, that `FILE` or `FILE#NAME` stands for; None for the name of a profile."""
    path, _, name = told.partition("#")
    if path.endswith(_ENDINGS) or os.sep in path:
        return Path(path).expanduser(), name
    return None


def read(path: Path) -> Read:
    """The profiles in a file; raises SettingsError, a line a problem.

    A file is a mapping with `profiles` and perhaps `model_profiles`, or one profile with `ttft` and `tbt`.
    """
    document = files.read(path)
    values = document.values
    if values.keys() & {"ttft", "tbt"} and "profiles" not in values:
        place = document.place  # that of the profile's own fields, which here stand at the root
        values = {"profiles": {path.name.partition(".")[0]: values}}
        document = files.Document(values, lambda steps: place(steps[2:]))
    unknown = [name for name in values if name not in ("profiles", "model_profiles")]
    if unknown or not isinstance(values.get("profiles"), dict) or not values["profiles"]:
        told = f"{unknown[0]}: there is no such field" if unknown else "it has no profiles"
        raise SettingsError(f"{path}: {told}; a file of profiles has profiles and model_profiles")
    profiles = {str(name): _profile(path, document, str(name), raw) for name, raw in values["profiles"].items()}
    models = values.get("model_profiles") or {}
    if not isinstance(models, dict):
        raise SettingsError(f"{path}: model_profiles: a mapping from models to profiles, not a {type(models).__name__}")
    for model, name in models.items():
        if name not in profiles:
            there = ", ".join(profiles)
            raise SettingsError(
                f"{path}: model_profiles.{model}: there is no profile {name!r} in it; there are {there}"
            )
    return Read(profiles, {str(model): str(name) for model, name in models.items()})


def _profile(path: Path, document: files.Document, name: str, raw: Any) -> Profile:
    try:
        return Profile.model_validate(raw)
    except ValidationError as error:
        told = []
        for loc, sentence in sentences(error):
            line = document.line(("profiles", name, *loc))
            told.append(f"{path}{f' line {line}' if line else ''}: profiles.{name}: {sentence}")
        raise SettingsError("\n".join(told)) from None


def taken_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose `latency_profile` is a file, with its profiles among theirs; raises SettingsError.

    A file with one profile sets it for every model, as a name does; of several each goes to its own model. What the
    settings say themselves holds against the file.
    """
    told = values.get("latency_profile")
    place = named(told) if isinstance(told, str) else None
    if place is None:
        return dict(values)
    path, name = place
    found = read(path)
    if name and name not in found.profiles:
        raise SettingsError(f"there is no profile {name!r} in {path}; there are {', '.join(found.profiles)}")
    alone = name or (next(iter(found.profiles)) if len(found.profiles) == 1 else None)
    both = {**values, "latency_profile": alone, "profiles": {**found.profiles, **(values.get("profiles") or {})}}
    if alone is None:
        both["model_profiles"] = {**found.models, **(values.get("model_profiles") or {})}
    return both
