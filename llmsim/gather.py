"""Finds everything of one kind - faults, generators, dialects - in a folder and in other installed packages."""

from __future__ import annotations

import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoints, distributions, entry_points
from types import ModuleType
from typing import Any, TypeVar

_T = TypeVar("_T")


def gather(package: str, group: str, base: Callable[..., _T]) -> dict[str, type[_T]]:
    """Every concrete class below `base`, by its `kind`, in order of name.

    Looks into each module of the package's folder, those with a leading underscore left out, and at every entry point
    of the group, which names a module or a class; so a new file, or another wheel, is found without an edit anywhere.
    Raises ValueError when two classes claim one kind.
    """
    assert isinstance(base, type)
    found: dict[str, Any] = {}
    for module in (*_folder(package), *elsewhere(group)):
        for item in vars(module).values() if isinstance(module, ModuleType) else (module,):
            kind = _kind(item, base)
            if kind and found.setdefault(kind, item) is not item:
                raise ValueError(f"{group}: both {found[kind]!r} and {item!r} claim the kind {kind!r}")
    return dict(sorted(found.items()))


def find(package: str, group: str, base: Callable[..., _T], kind: str) -> type[_T] | None:
    """The class of a kind from the file of its name, which alone is imported.

    None where that file has no such class, and where other packages bring some, which may claim the kind: `gather` then
    has to look into all of them.
    """
    if not kind.isidentifier() or kind.startswith("_") or elsewhere(group):
        return None
    name = f"{package}.{kind}"
    if name not in sys.modules and importlib.util.find_spec(name) is None:
        return None
    items = vars(importlib.import_module(name)).values()
    return next((one for one in items if getattr(one, "kind", "") == kind and _kind(one, base)), None)


def _kind(item: object, base: Any) -> str:
    """The kind of a concrete class below `base`; of anything else none."""
    if not (inspect.isclass(item) and issubclass(item, base)) or inspect.isabstract(item):
        return ""
    return str(getattr(item, "kind", ""))


def _folder(package: str) -> list[ModuleType]:
    path = importlib.import_module(package).__path__
    names = [entry.name for entry in pkgutil.iter_modules(path) if not entry.name.startswith("_")]
    return [importlib.import_module(f"{package}.{name}") for name in names]


@cache
def elsewhere(group: str) -> tuple[object, ...]:
    """The modules and classes that other packages bring under an entry point of the group."""
    return tuple(entry.load() for entry in _installed().select(group=group))


@cache
def _installed() -> Any:
    """Every entry point there is, where any is ours, else none: reading them takes a file a package, so once."""
    told = (one.read_text("entry_points.txt") for one in distributions())  # to take them apart costs more than to look
    return entry_points() if any("[llmsim." in text for text in told if text) else EntryPoints(())
