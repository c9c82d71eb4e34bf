"""Which requests a rule is about: one model for mocks, fault scopes, rate limits, journal queries and filters."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from llmsim import masks
from llmsim.errors import SettingsError, TooMany
from llmsim.match import line, mapping
from llmsim.match.subject import FIELDS, Outcome, Subject
from llmsim.match.tree import All, Condition, Node, settled

_SECRET = 8
"""Characters from which on a key is taken for a secret; what is shorter is a name."""

__all__ = ["ALWAYS", "FIELDS", "Allowance", "Condition", "Match", "Outcome", "Subject"]


class Allowance:
    """How many conditions and replies may yet be read; given to pydantic as the context of what it reads."""

    def __init__(self, most: int) -> None:
        self.most = self.left = most

    def take(self, count: int) -> None:
        """Takes the place of so many; raises TooMany where there is none left, which ends the reading."""
        self.left -= count
        if self.left < 0:
            raise TooMany(f"there are more than {self.most:,} conditions and replies in all; that many are allowed")


class Match:
    """Conditions on a request, written as one line or as a mapping, with the same meaning; a value, never changed.

    `Match("model:gpt-4o* !key:ci")` and `Match({"model": "gpt-4o*", "not": {"key": "ci"}})` are equal. Raises
    SettingsError in one sentence for what cannot be read. Nothing at all matches every request.
    """

    def __init__(self, raw: Any = "") -> None:
        self.tree: Node = settled(raw) if isinstance(raw, Node) else mapping.read(raw)
        if self.tree.height > line.DEEPEST:  # or what is written of it could not be read again
            raise SettingsError(f"a match has at most {line.DEEPEST} levels of and, or and not")

    def holds(self, subject: Subject) -> bool:
        """Whether the request is one of those that are meant."""
        return self.tree.holds(subject)

    @cached_property
    def always(self) -> bool:
        """Whether it asks for nothing."""
        return self.tree == All(())

    @cached_property
    def size(self) -> int:
        """How many conditions it has."""
        return sum(1 for _ in self.tree.conditions())

    @cached_property
    def required(self) -> tuple[Node, ...]:
        """The parts that must all hold."""
        return self.tree.parts if isinstance(self.tree, All) else (self.tree,)

    def failing(self, subject: Subject) -> list[str]:
        """The parts that do not hold for the request, each as a line: why it is none of those that are meant.

        The request's client and the journal are told them, so that keys and the secrets of headers are masked.
        """
        return [_told(part) for part in self.required if not part.holds(subject)]

    def refuse_late(self) -> None:
        """Raises SettingsError for a condition that only the journal can answer, in a rule that is asked before."""
        late = next((one for one in self.tree.conditions() if one.field.late), None)
        if late is not None:
            raise SettingsError(
                f"{late.name}: it is known once a request has been answered, so only the journal has it"
            )

    def __str__(self) -> str:
        """The one-line form."""
        return self._line

    @cached_property
    def _line(self) -> str:
        return line.written(self.tree)

    def mapping(self) -> dict[str, Any]:
        """The YAML form."""
        return mapping.written(self.tree) if not self.always else {}

    def __repr__(self) -> str:
        """How it is made."""
        return f"Match({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        """Matches are values; as a line reads as the same tree, what differs has different lines."""
        return self is other or (isinstance(other, Match) and self._line == other._line)

    def __hash__(self) -> int:
        """The same for equal ones."""
        return hash(self._line)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validated from a line or a mapping, written as a line."""
        told = core_schema.plain_serializer_function_ser_schema(str)
        return core_schema.with_info_plain_validator_function(_made, serialization=told)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Either form."""
        return {"anyOf": [{"type": "string"}, {"type": "object"}], "description": "a line or a mapping of conditions"}


def _made(raw: Any, info: ValidationInfo) -> Match:
    if isinstance(raw, Match):
        return raw
    made = Match(raw)
    if isinstance(info.context, Allowance):
        info.context.take(made.size)
    return made


ALWAYS = Match()


def _told(part: Node) -> str:
    told = line.written(part)
    for one in part.conditions():
        secret = one.value.told
        hidden = masks.header(one.key, secret) if one.name == "header" else masks.text(secret)
        if one.name == "key" and len(secret) >= _SECRET:
            hidden = masks.key(secret)
        if hidden != secret:
            told = told.replace(secret, hidden)
    return told
