"""How deeply the JSON of a body is nested: what is deeper than any real request is refused before anyone reads it.

orjson reads 1,024 levels and writes 254, so that what was read could not be written again into an answer or a file.
"""

from __future__ import annotations

from typing import Any

import orjson

DEEPEST = 200
"""Levels of a body; the rest of what orjson writes is left for what an answer puts around parts of it."""

TOO_DEEP = f"The request body is nested too deeply: at most {DEEPEST} levels are allowed."

_WRITTEN = 254


def deeper(value: Any) -> bool:
    """Whether mappings and lists stand in one another on more levels; what YAML's anchors repeat is looked at once."""
    level = [value]
    for _ in range(DEEPEST + 1):
        holders = (one.values() if isinstance(one, dict) else one for one in level)
        inner = {id(one): one for holder in holders for one in holder if isinstance(one, dict | list)}
        if not inner:
            return False
        level = [*inner.values()]
    return True


def too_deep(body: bytes) -> bool:
    """Whether a body is JSON of more levels; cheap for all that cannot be, which are nearly all."""
    if len(body) <= 2 * DEEPEST or body.count(b"{") + body.count(b"[") <= DEEPEST:
        return False
    try:
        value: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False  # for the dialect to say
    for _ in range(_WRITTEN - DEEPEST):
        value = [value]
    try:
        orjson.dumps(value)
    except TypeError:
        return True
    return False
