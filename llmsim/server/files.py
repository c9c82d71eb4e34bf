"""Reads YAML and TOML files and knows on which line each value stands."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from llmsim.errors import SettingsError
from llmsim.server.nesting import DEEPEST, deeper
from llmsim.signs import half

Step = str | int
_LIMIT = 4 << 20


Place = tuple[int, int]
"""A line and a column, both from 1; the column is 0 where it is not known."""


@dataclass(slots=True, frozen=True)
class Document:
    """A file's values, and the place of the value at a path, or of the nearest thing around it."""

    values: Any
    place: Callable[[Sequence[Step]], Place | None]

    def line(self, steps: Sequence[Step]) -> int | None:
        """The line alone."""
        place = self.place(steps)
        return place[0] if place else None


def usual() -> Path | None:
    """The file that is read when none is named: in the working directory, else in the user's configuration."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    places = [Path("llmsim.yaml"), Path("llmsim.toml"), home / "llmsim" / "config.yaml"]
    return next((place for place in places if place.is_file()), None)


def read(path: Path) -> Document:
    """The document in a file; raises SettingsError when it cannot be read or is no mapping."""
    document = read_any(path)
    if not isinstance(document.values, dict):
        raise SettingsError(f"{path}: a configuration is a mapping of settings, not a {type(document.values).__name__}")
    return Document({str(name): value for name, value in document.values.items()}, document.place)


def read_any(path: Path, limit: int = _LIMIT) -> Document:
    """The document in a YAML, JSON or TOML file, whatever it holds; raises SettingsError when it cannot be read."""
    try:
        if path.stat().st_size > limit:
            raise SettingsError(f"{path}: the file is larger than {limit >> 20} MB")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"{path}: cannot be read: {reason}") from None
    return _toml(path, text) if path.suffix == ".toml" else of(text, str(path))


def of(text: str, name: str) -> Document:
    """The document that a YAML text is; raises SettingsError, with its `name` and the place, when it is none."""
    import yaml  # here, as most servers start without a file

    try:
        values = _parsed(text, yaml.load)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise SettingsError(f"{name}{where}: {error.problem or 'this is not YAML'}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(f"{name}: this is not YAML: {error}") from None
    if deeper([values]):
        raise SettingsError(f"{name}: it is nested too deeply: at most {DEEPEST} levels are allowed")
    if (found := half(values)) is not None:
        raise SettingsError(f"{name}: {found[:200]!r} is not allowed: half a surrogate pair is no text")
    root = cache(lambda: _parsed(text, yaml.compose))  # read when first asked for, as most files have no mistakes
    return Document({} if values is None else values, lambda steps: _yaml_place(root(), steps))


def _parsed(text: str, parse: Callable[..., Any]) -> Any:
    """By libyaml, which takes a tenth of the time; by Python where that is not there, and for its words on mistakes."""
    import yaml

    if yaml.__with_libyaml__:
        with suppress(yaml.YAMLError, ValueError, RecursionError):
            return parse(text, Loader=yaml.CSafeLoader)
    return parse(text, Loader=yaml.SafeLoader)


def _yaml_place(node: Any, steps: Sequence[Step]) -> Place | None:
    place = None
    for step in steps:
        kind = getattr(node, "id", "")
        if kind == "mapping":
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        elif kind == "sequence" and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            mark = node.start_mark
        else:
            break
        place = (mark.line + 1, mark.column + 1)
    return place


def _toml(path: Path, text: str) -> Document:
    import tomllib

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: this is not TOML: {error}") from None
    return Document(values, lambda steps: _toml_place(text, steps))


def _toml_place(text: str, steps: Sequence[Step]) -> Place | None:
    """The line whose table and key lead farthest along the steps."""
    best, depth = None, 0
    table: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[(\[?)([^\]]+)\]", line):
            name = header[2].strip()
            table = _keys(name)
            if header[1]:
                table.append(str(counts.get(name, 0)))
                counts[name] = counts.get(name, 0) + 1
            place = table
        elif key := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            place = [*table, *_keys(key[1])]
        else:
            continue
        wanted = [str(step) for step in steps[: len(place)]]
        if place == wanted and len(place) > depth:
            best, depth = number, len(place)
    return None if best is None else (best, 0)


def _keys(dotted: str) -> list[str]:
    """The parts of a dotted TOML key, quotes taken off."""
    return [part.strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[\w-]+", dotted)]
