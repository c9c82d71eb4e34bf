"""What cannot be in what somebody has written, as sentences that name the field, the value and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from llmsim.signs import safe

LONGEST = 200
"""Characters of a name or a value in a sentence."""
MOST_TOLD = 50
"""Problems of one document that are told; of more it is said how many."""
_MOST_DETAILED = 5_000
"""Problems of which the first are told; to find them all takes a millisecond for some 300."""


def explain(error: ValidationError) -> str:
    """A validation error as one sentence a field: where, what was given, what is allowed."""
    return "; ".join(sentence for _, sentence in sentences(error))


def sentences(error: ValidationError) -> list[tuple[tuple[str | int, ...], str]]:
    """Each problem: the path to the field, and a sentence that names the field, the value and what is allowed.

    Of very many the first `MOST_TOLD`; the last of them says how many more there are.
    """
    if (count := error.error_count()) > _MOST_DETAILED:  # pydantic makes all of their sentences or none
        return [((), f"{count:,} things in it cannot be; that is more than are told apart")]
    details = error.errors(include_url=False)
    told = [(detail["loc"], _sentence(detail)) for detail in details[:MOST_TOLD]]
    if len(details) > MOST_TOLD:
        told[-1] = (told[-1][0], f"{told[-1][1]} (and {len(details) - MOST_TOLD:,} more)")
    return told


def _sentence(detail: Any) -> str:
    where = ""
    for step in detail["loc"]:
        name = safe(str(step)[:LONGEST])
        where += f"[{step}]" if isinstance(step, int) else f".{name}" if where else name
    message = detail["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:] if message.startswith("Input") else message
    if detail["type"] == "extra_forbidden":
        return f"{where}: there is no such setting"
    given = detail["input"]
    if detail["type"] == "value_error":
        return message if message.startswith(where.partition("[")[0]) and where else f"{where}: {message}".lstrip(": ")
    if isinstance(given, (Mapping, BaseModel)):
        return f"{where}: {message}"
    # Of a text or list of millions no more is written than is told.
    shown = repr(given[: LONGEST + 1] if isinstance(given, str | bytes | list | tuple) else given)
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    return f"{where}: {shown} is not allowed: {message}"
