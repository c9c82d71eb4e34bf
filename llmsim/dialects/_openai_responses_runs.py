"""One use of a built-in tool that OpenAI runs: its item and its events, and what is known when they are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llmsim.dialects._openai_responses_ids import Ids
from llmsim.dice import Dice

Told = dict[str, Any]
Step = tuple[str, Told]
Note = Callable[[int], Told]


class Run(NamedTuple):
    """One use of a tool: its item as it begins and as it ends, and the events between, before and after the waiting.

    `notes` are annotations that the reply's text gets, made for its length. Events that name no item of their own are
    those whose fields have an `item_id` of None.
    """

    start: Told
    end: Told
    waiting: Sequence[Step] = ()
    working: Sequence[Step] = ()
    notes: Sequence[Note] = ()


class Setting(NamedTuple):
    """What a use of a tool can know: what the user asks, what the client wants to be told, and chance."""

    ids: Ids
    dice: Dice
    hint: str
    include: frozenset[str]


def command_steps(commands: list[str]) -> list[Step]:
    """The events that tell of a shell's commands; they name no item."""
    steps: list[Step] = []
    for index, command in enumerate(commands):
        place = {"item_id": None, "command_index": index}
        steps += [
            ("shell_call_command.added", {**place, "command": ""}),
            ("shell_call_command.delta", {**place, "delta": command}),
            ("shell_call_command.done", {**place, "command": command}),
        ]
    return steps


def short(text: str) -> str:
    """The first line's worth of a text."""
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:120].rsplit(" ", 1)[0]


def slug(text: str) -> str:
    """A text's first words as a name for a file or a page."""
    return "_".join(re.findall(r"\w+", text)[:6])
