"""Texts for a terminal: what would steer it, or pass for a line of ours, is shown by its escape and not obeyed."""

from __future__ import annotations

import json
from typing import Any


def safe(text: object, *, lines: bool = False) -> str:
    r"""The text with every sign that is none to be seen as it is written in Python: `\x1b`, `\u202e`, `\n`.

    Tabs stay, and with `lines` the ends of lines too, where a text may have several.
    """
    told = str(text)
    if told.isprintable():
        return told
    kept = "\t\n" if lines else "\t"
    return "".join(sign if sign.isprintable() or sign in kept else ascii(sign)[1:-1] for sign in told)


def in_json(text: str) -> str:
    r"""JSON that means the same, with every sign that is none to be seen as `\u202e`; its ends of lines stay."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text)


def seen(text: str) -> bool:
    """Whether all of a text of several lines is to be seen, so that nothing in it steers a terminal."""
    return text.replace("\n", "").isprintable()


def half(value: Any) -> str | None:
    """A text in a value of mappings and lists, or a key, with half a pair of surrogates in it; None if there is none.

    YAML and the environment can bring such a text; nothing that is written as UTF-8 can hold it.
    """
    waiting, seen_before = [value], set[int]()  # YAML's anchors can make one thing stand in very many places
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list | tuple):
            if id(one) in seen_before:
                continue
            seen_before.add(id(one))
        if isinstance(one, str):
            if not one.isascii() and any("\ud800" <= sign <= "\udfff" for sign in one):
                return one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one
    return None
