"""Keys of one's own: a file that gives commands other keys, checked as a whole before any of them holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import yaml
from textual.keys import _character_to_key

from llmsim.errors import SettingsError
from llmsim_tui.commands import PLACES, TABLE, Command

Keymap = Mapping[str, str]
"""The keys of commands by their ids, comma between several."""


def usual() -> Path:
    """Where the file is: `$XDG_CONFIG_HOME/llmsim/keys.yaml`."""
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "llmsim" / "keys.yaml"


def load(path: Path | None = None) -> dict[str, str]:
    """The keys in a file, none where there is no file; raises SettingsError, one sentence, and then none holds."""
    path = path or usual()
    try:
        raw = yaml.safe_load(path.read_text("utf-8")) if path.is_file() else {}
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path.name}: not readable as YAML: {' '.join(str(error).split())}") from None
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise SettingsError(f"{path.name}: keys are a mapping such as live.freeze: f")
    return checked({str(name): value for name, value in raw.items()}, path.name)


def checked(raw: Mapping[str, object], name: str = "keys.yaml") -> dict[str, str]:
    """The keys with their names as Textual has them; raises SettingsError for what is unknown or comes twice."""
    known = {one.id: one for one in TABLE if "{key}" not in one.action}
    made: dict[str, str] = {}
    for id, value in raw.items():
        if id not in known:
            near = get_close_matches(id, known, 1)
            hint = f"; the nearest is {near[0]}" if near else "; llmsim-tui keys lists them all"
            raise SettingsError(f"{name}: there is no command {id!r}{hint}")
        if not isinstance(value, str) or not value.strip():
            raise SettingsError(f"{name}: {id}: {value!r} is not allowed: keys are such as f or ctrl+f,end")
        made[id] = ",".join(_named(key) for key in _split(value))
    _no_clash(made, name)
    return made


def _split(value: str) -> list[str]:
    return [","] if value.strip() == "," else [key for key in value.split(",") if key.strip()]


def _named(key: str) -> str:
    """A key as Textual names it: ? is question_mark."""
    key = key.strip() or "space"
    return _character_to_key(key) if len(key) == 1 else key


def _no_clash(made: Keymap, name: str) -> None:
    """Refuses a key that would do two things in one place."""
    for place in PLACES:
        taken: dict[str, Command] = {}
        for one in TABLE:
            if one.where != place:
                continue
            for key in made.get(one.id, one.keys).split(","):
                if key in taken and (one.id in made or taken[key].id in made):
                    raise SettingsError(f"{name}: {key} would be both {taken[key].id} and {one.id}")
                taken[key] = one


def listing() -> str:
    """Every command with its keys, as a file that could be edited."""
    lines = ["# Save as " + str(usual()) + " what is to be another key; leave the rest out."]
    for place, heading in PLACES.items():
        lines.append(f"\n# {heading}")
        for one in TABLE:
            if one.where == place and "{key}" not in one.action:
                lines.append(f"{one.id}: {one.keys!r}".ljust(44) + f"  # {one.help}")
    return "\n".join(lines)
