"""Pages of what is kept, as OpenAI's APIs list it: cursors, limits, order.

Source: OpenAI's OpenAPI document, the parameters `after`, `before`, `limit` and `order` of its list operations.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from llmsim.dialects import Request
from llmsim.dialects._openai_refusals import invalid


def page(
    values: Sequence[dict[str, Any]], request: Request, *, usual: int = 20, most: int = 100, order: str = "desc"
) -> dict[str, Any]:
    """The list object that the query asks for; `values` come oldest first. Raises Refused for bad parameters."""
    args = request.args
    limit = _limit(args.get("limit"), usual, most)
    order = args.get("order") or order
    if order not in ("asc", "desc"):
        raise invalid(f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.", "order", "invalid_value")
    ordered = list(values) if order == "asc" else list(reversed(values))
    start, end = 0, len(ordered)
    if args.get("after"):
        start = _place(ordered, args["after"], "after") + 1
    before = args.get("before")
    if before:
        end = _place(ordered, before, "before")
        start = max(start, end - limit) if not args.get("after") else start
    shown = ordered[start : min(end, start + limit)]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": start > 0 if before and not args.get("after") else start + limit < end,
    }


def _limit(told: str | None, usual: int, most: int) -> int:
    limit = whole_number(told, "limit", 1)
    if limit is None:
        return usual
    if limit > most:
        raise invalid(
            f"Invalid 'limit': integer above maximum value. Expected a value <= {most}, but got {limit} instead.",
            "limit",
            "integer_above_max_value",
        )
    return limit


def whole_number(told: str | None, name: str, least: int) -> int | None:
    """A number of the query, None where there is none; raises Refused for what is no number, or too small."""
    if told in (None, ""):
        return None
    assert told is not None
    if re.fullmatch("-?[0-9]{1,18}", told) is None:
        raise invalid(
            f"Invalid type for '{name}': expected an integer, but got '{told[:40]}' instead.", name, "invalid_type"
        )
    number = int(told)
    if number < least:
        raise invalid(
            f"Invalid '{name}': integer below minimum value. Expected a value >= {least}, but got {number} instead.",
            name,
            "integer_below_min_value",
        )
    return number


def _place(values: Sequence[dict[str, Any]], id: str, param: str) -> int:
    for index, value in enumerate(values):
        if value["id"] == id:
            return index
    raise invalid(f"Invalid '{param}': there is no item with the id '{id[:80]}'.", param, "invalid_value")
