"""What is given on a command line: values, durations, `name=value` words, and files of YAML, JSON or TOML."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmsim.ctl.client import ControlError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """A duration such as `20s`, `500ms`, `2m`, `1h` or `20` in seconds; raises ControlError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", text.strip())
    if found is None:
        raise ControlError(f"{text!r} is no duration; it is written as in 20s, 500ms, 2m, 1h")
    return float(found[1]) * _UNITS[found[2] or "s"]


def value(text: str) -> Any:
    """A scalar as YAML has it, or a list or mapping in its flow form; raises ControlError for a broken one."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    if text.lower() in ("", "~", "null"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text[0] in "[{'\"":
        return _yaml(text, "the value")
    return text


def fields(words: Sequence[str]) -> dict[str, Any]:
    """`name=value` words; raises ControlError for a word that is none."""
    told = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name:
            raise ControlError(f"{word!r} is not allowed here; it is written as NAME=VALUE")
        told[name.strip()] = value(text)
    return told


def document(name: str) -> Any:
    """What is in a file, or with `-` in the standard input; raises LlmsimError in one sentence with its place."""
    if name == "-":
        return _yaml(sys.stdin.read(), "standard input")
    from llmsim.server.files import read_any  # late: few commands read a file

    return read_any(Path(name)).values


def _yaml(text: str, what: str) -> Any:
    import yaml  # late: most commands have none

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1} column {mark.column + 1}" if mark else ""
        raise ControlError(f"{what}{where}: this is not YAML: {getattr(error, 'problem', None) or error}") from None
