"""A profile file: YAML with `profiles` and which model has which, as a configuration has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmsim import __version__
from llmsim.fitting.fit import Fitted
from llmsim.fitting.needs import FitError
from llmsim.fitting.spread import Chosen
from llmsim.latency import Profile, Spread
from llmsim.signs import seen

BEGINS = "# Fitted by llmsim "
"""The first words of a file that was written here, so that the next fit may take its place."""


def profile(fitted: Fitted, source: str) -> Profile:
    """The profile that was fitted; what was not seen takes no time."""
    ttft = fitted.ttft.spread if fitted.ttft else Spread()
    tbt = fitted.tbt.spread if fitted.tbt else Spread()
    about = f"fitted to {source}: {fitted.replies} replies of {fitted.model}"
    return Profile.model_validate({"ttft": ttft, "tbt": tbt, "source": about, **fitted.load()})


def name_of(model: str, taken: Sequence[str] = ()) -> str:
    """What the profile of a model is called: its name, in signs that need no quoting."""
    plain = re.sub(r"[^\w.-]+", "-", model).strip("-.") or "fitted"
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}-{number}", number + 1
    return name


def text(fits: Sequence[Fitted], source: str, name: str = "") -> str:
    """The file for these fits; `name` is what the profile is called where there is one."""
    import yaml

    names: list[str] = []
    for one in fits:
        names.append(name_of(name if name and len(fits) == 1 else one.model, names))
    told: dict[str, Any] = {
        "profiles": {
            called: profile(one, source).model_dump(mode="json", exclude_defaults=True)
            for called, one in zip(names, fits, strict=True)
        },
        "model_profiles": {one.model: called for called, one in zip(names, fits, strict=True) if one.model},
    }
    remarks = [line for called, one in zip(names, fits, strict=True) for line in _evidence(called, one)]
    head = [f"{BEGINS}{__version__} to {source}. Use: llmsim serve --latency-profile THIS_FILE", *remarks]
    body = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)
    if not seen(body):  # what a tape or another's results have for a name
        body = yaml.safe_dump(told, sort_keys=False, width=100, default_flow_style=None)
    return "\n".join([head[0], *(f"# {' '.join(line.split())}" for line in head[1:]), "", str(body)])


def write(path: Path, told: str, *, force: bool = False) -> None:
    """Writes the file; raises FitError rather than overwrite one that was not written by a fit."""
    try:
        if path.exists() and not force and not path.read_text("utf-8", "replace").startswith(BEGINS):
            raise FitError(f"{path}: there is another file of that name; --force writes over it")
        path.write_text(told, encoding="utf-8")
    except OSError as error:
        raise FitError(f"{path}: it cannot be written: {error.strerror or error}") from None


def _evidence(called: str, fitted: Fitted) -> list[str]:
    lines = [f"{called}: {fitted.replies} replies"]
    for part, chosen in (("ttft", fitted.ttft), ("tbt", fitted.tbt)):
        if chosen is not None:
            lines.append(
                f"  {part}: {chosen.spread.kind}, {len(chosen.samples)} samples, {chosen.why}{_others(chosen)}"
            )
    return [*lines, *(f"  {note}" for note in fitted.notes)]


def _others(chosen: Chosen) -> str:
    told = [f"{one.family} A² = {one.ad:.3g}" for one in chosen.candidates if one.family != chosen.spread.kind]
    return f" (others: {', '.join(told)})" if told else ""
