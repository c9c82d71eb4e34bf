"""Generators: who writes a reply's text, each in a file of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache, lru_cache
from typing import ClassVar

from llmsim.conversation import Ask, Reply
from llmsim.dice import Dice
from llmsim.errors import SettingsError
from llmsim.gather import find, gather


class Generator(ABC):
    """Writes replies; `argument` is what stands behind the colon in `generator: name:argument`."""

    kind: ClassVar[str]

    def __init__(self, argument: str = "") -> None:
        self.argument = argument

    @abstractmethod
    def reply(self, ask: Ask, dice: Dice, target_tokens: int) -> Reply:
        """A reply of about `target_tokens` tokens, where the generator is free in its length."""


@cache
def kinds() -> dict[str, type[Generator]]:
    """Every generator there is, by kind."""
    return gather("llmsim.generators", "llmsim.generators", Generator)


def of_kind(kind: str) -> type[Generator] | None:
    """The generator of that kind, without a look at the others where that can be."""
    return find("llmsim.generators", "llmsim.generators", Generator, kind) or kinds().get(kind)


@lru_cache(maxsize=64)
def make(spec: str) -> Generator:
    """The generator of a spec such as `lorem` or `fixed:Hello there`; raises SettingsError with the kinds there are."""
    kind, _, argument = spec.partition(":")
    found = of_kind(kind)
    if found is None:
        raise SettingsError(f"generator: there is no {kind!r}; there are {', '.join(kinds())}")
    try:
        return found(argument)
    except ValueError as error:
        raise SettingsError(f"generator: {error}") from None
