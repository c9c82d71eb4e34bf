"""One command of `llmsim ctl`: its name, its words, what does it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from llmsim.ctl.client import Client, ControlError
from llmsim.ctl.page import Page

Handler = Callable[[Client, Page, argparse.Namespace], int]
"""Does a command and gives the exit status; raises LlmsimError in one sentence."""


class Spoken(argparse.ArgumentParser):
    """A command whose words may stand before and behind its flags, and between them."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses; words that argparse gives up on behind a flag belong to those before it."""
        told, extras = super().parse_known_args(args, namespace)
        words = next((action.dest for action in self._actions if action.nargs == "*"), None)
        if words and not any(extra.startswith("-") for extra in extras):
            setattr(told, words, [*getattr(told, words), *extras])
            extras = []
        return told, extras


class Commands:
    """The commands, as they are added; each takes the shared flags too."""

    def __init__(self, added: Any, shared: argparse.ArgumentParser) -> None:
        self._added = added
        self._shared = shared

    def add(
        self, name: str, handler: Handler, help: str, examples: str = "", more: str = ""
    ) -> argparse.ArgumentParser:
        """Adds one: a line of help, `more` about it, and examples, a line each."""
        epilog = (
            "examples:\n" + "\n".join(f"  llmsim ctl {line}" for line in examples.split("\n")) if examples else None
        )
        parser: argparse.ArgumentParser = self._added.add_parser(
            name,
            parents=[self._shared],
            help=help,
            description=f"{help[:1].upper()}{help[1:]}." + (f"\n\n{more}" if more else ""),
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(handler=handler)
        return parser


def one_word(words: Sequence[str], what: str) -> str:
    """The only word behind a verb; raises ControlError where there is none, or more."""
    if len(words) != 1:
        raise ControlError(f"{what} is missing" if not words else f"one {what} at a time, not {' '.join(words)}")
    return words[0]


def no_words(words: Sequence[str], verb: str) -> None:
    """Raises ControlError where there are words behind a verb that takes none."""
    if words:
        raise ControlError(f"{verb} takes nothing more, not {' '.join(words)!r}")


def unknown(word: str, verbs: Sequence[str]) -> ControlError:
    """A verb that there is not."""
    return ControlError(f"there is no {word!r} here; there are {', '.join(verbs)}")
