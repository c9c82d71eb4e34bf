"""A rule as a person writes it: YAML text, read into a mock or a limit, with the place of each problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from llmsim.errors import SettingsError
from llmsim.server import files
from llmsim.settings import sentences

Made = TypeVar("Made", bound=BaseModel)

_PLACED: Final = re.compile(r"\S+ line (\d+)(?: column (\d+))?: (.*)", re.DOTALL)
_NAMED: Final = re.compile(r"\S+: (.*)", re.DOTALL)


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where; line and column from 1, 0 where they are not known."""

    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        """The place, then the sentence."""
        return f"{self.line}:{max(1, self.column)} {self.sentence}" if self.line else self.sentence


@dataclass(frozen=True)
class Draft(Generic[Made]):
    """A text as far as it could be read: what it says, or why it says nothing yet."""

    made: Made | None
    problems: tuple[Problem, ...] = ()


def read(text: str, kind: type[Made]) -> Draft[Made]:
    """The rule that the text describes."""
    try:
        document = files.of(text, "text")  # of the texts that people write, it knows the places
    except SettingsError as error:
        return Draft(None, (_placed(str(error)),))
    if not isinstance(document.values, dict):
        return Draft(None, (Problem(1, 1, "write a mapping, a field a line, such as name: greeting"),))
    try:
        return Draft(kind.model_validate(document.values))
    except ValidationError as error:
        found = []
        for loc, sentence in sentences(error):
            place = document.place(["json" if step == "json_" else step for step in loc]) or (1, 1)
            found.append(Problem(*place, sentence.removeprefix(": ")))
        return Draft(None, tuple(found))


def _placed(told: str) -> Problem:
    found = _PLACED.fullmatch(told)
    if found:
        return Problem(int(found[1]), int(found[2] or 1), found[3])
    named = _NAMED.fullmatch(told)
    return Problem(0, 0, named[1] if named else told)


class _Writer(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that they can be edited."""


def _text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Writer.add_representer(str, _text)


def written(fields: Mapping[str, Any]) -> str:
    """The text of a rule's fields."""
    return yaml.dump(dict(fields), Dumper=_Writer, sort_keys=False, allow_unicode=True, width=66)
