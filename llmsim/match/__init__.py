"""Which requests a rule is about: one model for mocks, fault scopes, rate limits, journal queries and filters."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from llmsim import masks
from llmsim.errors import SettingsError
from llmsim.match import line, mapping
from llmsim.match.subject import FIELDS, Outcome, Subject
from llmsim.match.tree import All, Condition, Node, settled

_SECRET = 8
"""Characters from which on a key is taken for a secret; what is shorter is a name."""

__all__ = ["ALWAYS", "FIELDS", "Condition", "Match", "Outcome", "Subject"]


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
        return line.written(self.tree)

    def mapping(self) -> dict[str, Any]:
        """The YAML form."""
        return mapping.written(self.tree) if not self.always else {}

    def __repr__(self) -> str:
        """How it is made."""
        return f"Match({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        """Matches are values."""
        return isinstance(other, Match) and self.tree == other.tree

    def __hash__(self) -> int:
        """The same for equal ones."""
        return hash(self.tree)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validated from a line or a mapping, written as a line."""
        told = core_schema.plain_serializer_function_ser_schema(str)
        return core_schema.no_info_plain_validator_function(_made, serialization=told)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Either form."""
        return {"anyOf": [{"type": "string"}, {"type": "object"}], "description": "a line or a mapping of conditions"}


def _made(raw: Any) -> Match:
    return raw if isinstance(raw, Match) else Match(raw)


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
