"""Writes the changes that were made by hand as a scenario, to be run again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmsim.history import FUSE, Change
from llmsim.settings import Settings


def recorded(changes: Iterable[Change], name: str = "recorded", since: float | None = None) -> dict[str, Any]:
    """The changes as a scenario's fields, its first one at 0 s unless `since` says when it began.

    What fuses did is left out, as the faults bring their own fuses along.
    """
    steps: list[dict[str, Any]] = []
    for change in changes:
        if change.who == FUSE or (since is not None and change.at < since):
            continue
        start = since if since is not None else steps[0]["at"] if steps else change.at
        told = step(change.before, change.after)
        if told:
            steps.append({"at": change.at, **told} if not steps else {"at": round(change.at - start, 3), **told})
    if steps:
        steps[0]["at"] = round(steps[0]["at"] - since, 3) if since is not None else 0.0
    return {"name": name, "steps": steps}


def step(before: Settings, after: Settings) -> dict[str, Any]:
    """What makes the one of the other: settings to `change`, faults to `arm` and to `lift`, as far as there are any."""
    new, old = (settings.model_dump(mode="json", exclude={"faults"}) for settings in (after, before))
    told: dict[str, Any] = {}
    if change := {name: _short(after, name, value) for name, value in new.items() if value != old[name]}:
        told["change"] = change
    there = {one.id: one for one in before.faults}
    if armed := [one.flat() for one in after.faults if there.get(one.id) != one]:
        told["arm"] = armed
    if lifted := [id for id in there if id not in {one.id for one in after.faults}]:
        told["lift"] = lifted
    return told


def _short(settings: Settings, name: str, value: Any) -> Any:
    """The setting without what says nothing in it."""
    return settings.model_dump(mode="json", include={name}, exclude_defaults=True).get(name, value)
