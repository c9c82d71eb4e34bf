"""Finds the fields of a body that an API does not know, so that they can be ignored where that is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llmsim.errors import Path


def without_place(body: Any, kept: Any, at: Path = ()) -> list[Path]:
    """The ways to all that stands in a body and not in what was kept of it."""
    if isinstance(body, dict) and isinstance(kept, Mapping):
        return [path for name, inner in body.items() for path in _of_field(inner, kept, (*at, name))]
    if isinstance(body, list) and isinstance(kept, list) and len(body) == len(kept):
        pairs = enumerate(zip(body, kept, strict=True))
        return [path for place, (inner, beside) in pairs for path in without_place(inner, beside, (*at, place))]
    return []


def _of_field(inner: Any, kept: Mapping[str, Any], path: Path) -> list[Path]:
    return without_place(inner, kept[path[-1]], path) if path[-1] in kept else [path]  # type: ignore[index]


def taken_out(body: Any, paths: Iterable[Path]) -> dict[Path, Any]:
    """Takes what stands at these ways out of a body, and gives it; a way that leads nowhere takes nothing."""
    taken: dict[Path, Any] = {}
    for path in paths:
        at = body
        for step in path[:-1]:
            at = further(at, step)
        if isinstance(at, dict) and path[-1] in at:
            taken[path] = at.pop(str(path[-1]))
    return taken


def further(value: Any, step: int | str) -> Any:
    """What stands one step further; None where nothing does."""
    if isinstance(value, dict):
        return value.get(str(step))
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None
