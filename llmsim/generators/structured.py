"""Structured output: a value, and its JSON text, that fits the client's schema and suits the names in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmsim.dice import Dice
from llmsim.schema.document import UnsatisfiableSchema
from llmsim.schema.values import Maker

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

__all__ = ["UnsatisfiableSchema", "text", "value"]


_HINT = 2000
"""Characters of the user's text that are searched for words to use; searching takes more than linear time."""


def value(schema: Mapping[str, Any] | bool, dice: Dice, *, hint: str = "", budget: int = 200) -> Any:
    """A value, made of what JSON has, that is valid for the schema and depends only on the dice.

    The schema is one of JSON Schema draft 2020-12, or of the dialects that clients of LLMs send: pydantic's, zod's,
    OpenAI's strict ones, draft 7, Google's with types in capitals. `hint` is the user's text, whose own words are used
    where they fit a property. `budget` is about how many values may be made before only what is required is added.
    Raises UnsatisfiableSchema where no valid value is found.
    """
    try:
        return Maker(schema, dice, hint[:_HINT], budget).make([schema])
    except RecursionError:
        raise UnsatisfiableSchema("The schema nests too deep.") from None
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as problem:
        if isinstance(problem, UnsatisfiableSchema):
            raise
        raise UnsatisfiableSchema(f"The schema is no valid JSON Schema: {problem}.") from None


def text(schema: Mapping[str, Any] | bool, dice: Dice, *, hint: str = "", budget: int = 200) -> str:
    """The value as JSON text in the compact form that models write; raises what `value` raises."""
    return _encode(value(schema, dice, hint=hint, budget=budget))
