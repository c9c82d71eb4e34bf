"""How the suite over every dialect speaks each of them: a module of the dialect's kind, with an `ADAPTER` in it.

A dialect whose answers are no words - images, numbers - has None for one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inprocess import Told

Usage = tuple[int, int]
Calls = list[tuple[str, Any]]


@dataclass(frozen=True)
class Adapter:
    """How this suite speaks a dialect: `ask` gives path and body, sent with `headers`; the rest read answers.

    `words` gives the text, `calls` the names and arguments of tool calls, `usage` tokens in and out, `cut` whether the
    reply ended at its limit, `failed` the message of an error event or body, None where there is none. `blank` is
    whether the API takes a text of nothing but blanks.
    """

    ask: Callable[..., tuple[str, dict[str, Any]]]
    words: Callable[[Told, bool], str]
    calls: Callable[[Told, bool], Calls]
    usage: Callable[[Told, bool], Usage]
    cut: Callable[[Told, bool], bool]
    failed: Callable[[Told, bool], str | None]
    headers: Mapping[str, str] = field(default_factory=dict)
    blank: bool = True


def adapters() -> dict[str, Adapter | None]:
    """All of them by kind."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return {name: importlib.import_module(f"{__name__}.{name}").ADAPTER for name in names}
