"""Finds the texts of a JSON document and their places in it, also of one that is broken or breaks off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# A text, what stands behind it if it is a name, and a short number behind that; brackets; commas; long numbers.
_TOKEN = re.compile(
    r'"(?P<text>[^"\\]*(?:\\.[^"\\]*)*)(?:"(?P<name>\s*:(?:\s*(?P<tag>\d{1,6})(?=[\s,}]))?)?|\\?\Z)'
    r"|(?P<open>[{\[])|(?P<close>[}\]])|(?P<comma>,)|(?P<number>[\d.+-]{8,})",
    re.DOTALL,
)
_DEEPEST = 40
_TAGS = frozenset(("index", "output_index", "content_index", "summary_index"))
"""Fields that tell one stream of deltas from another beside it; at the top of an event also its type."""

_WORDS = frozenset(("object", "type", "role", "finish_reason", "finishReason", "stop_reason", "service_tier"))
"""Fields that hold one of a few words."""

_PLAIN = re.compile(r"[A-Za-z_$-]{0,40}")
"""A name of a field that is no secret."""

_LEAST_DIGITS = 8

Path = tuple[object, ...]


class Leaf(NamedTuple):
    """A text, or a long number: where it stands, the field it is in, and a path that deltas of one text share."""

    start: int
    end: int
    name: str
    path: Path | None


class _Level:
    """An object or a list that is being read."""

    __slots__ = ("count", "list", "name", "tags")

    def __init__(self, is_list: bool) -> None:
        self.list = is_list
        self.name = ""
        self.count = 0
        self.tags: list[object] = []

    def begin(self, token: re.Match[str]) -> None:
        """Goes on to the field of that name; a number behind it may tell this object from others."""
        self.name = token["text"]
        if token["tag"] is not None and self.name in _TAGS:
            self.tags.append((self.name, token["tag"]))

    def step(self, top: bool) -> object:
        """What leads from here to what is within; the items of a list at the top are as good as documents each."""
        return (None if top else self.count) if self.list else self.name


def leaves(text: str, start: int, end: int) -> Iterator[Leaf]:
    """The texts of the document in that part of a text, names of fields among them where they may be secrets."""
    levels: list[_Level] = []
    found: list[tuple[int, int, str, list[tuple[_Level, object]]]] = []
    for token in _TOKEN.finditer(text, start, end):
        kind = token.lastgroup
        level = levels[-1] if levels else None
        if kind == "open":
            levels.append(_Level(token[0] == "["))
        elif kind == "close":
            if levels:
                levels.pop()
        elif kind == "comma":
            if level:
                level.count += 1
        elif kind == "number":
            if sum(map(str.isdigit, token[0])) >= _LEAST_DIGITS:
                yield Leaf(*token.span(), level.name if level else "", None)
        elif kind == "text":
            name = level.name if level and not level.list else ""
            if level and name == "type" and len(levels) == 1:
                level.tags.append(token["text"])
            if name not in _WORDS:
                found.append((*token.span("text"), name, _chain(levels)))
        else:
            if level:
                level.begin(token)
            if _PLAIN.fullmatch(token["text"]) is None:
                yield Leaf(*token.span("text"), "", None)
    for first, last, name, chain in found:
        yield Leaf(first, last, name, tuple((step, *level.tags) for level, step in chain))


def _chain(levels: list[_Level]) -> list[tuple[_Level, object]]:
    return [(level, level.step(at == 0)) for at, level in enumerate(levels[:_DEEPEST])]
