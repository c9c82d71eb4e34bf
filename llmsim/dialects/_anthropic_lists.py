"""Pages of lists as Anthropic's APIs give them: a limit and a cursor before or after an id.

Source: Anthropic API reference, "List Models" and "List Message Batches".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from llmsim.dialects import Request
from llmsim.dialects._anthropic_wire import invalid

Json = dict[str, Any]

USUAL, MOST = 20, 1000
_INTEGER = re.compile("-?[0-9]{1,17}")


def page(values: Sequence[Json], request: Request) -> Json:
    """The page that the query asks for; `values` come as the API lists them. Raises Refused for bad parameters."""
    args = request.args
    count = limit(request)
    after, before = args.get("after_id"), args.get("before_id")
    if after and before:
        raise invalid("Only one of `before_id` and `after_id` may be specified.")
    start, end = 0, len(values)
    if after:
        start = _place(values, after, "after_id") + 1
        end = min(end, start + count)
        more = end < len(values)
    elif before:
        end = _place(values, before, "before_id")
        start = max(0, end - count)
        more = start > 0
    else:
        end = min(end, count)
        more = end < len(values)
    shown = list(values[start:end])
    return {
        "data": shown,
        "has_more": more,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
    }


def limit(request: Request) -> int:
    """How many items the query asks for at most; raises Refused for what is no such number."""
    told = request.args.get("limit") or str(USUAL)
    if not _INTEGER.fullmatch(told):
        raise invalid("limit: Input should be a valid integer, unable to parse string as an integer")
    if int(told) < 1:
        raise invalid("limit: Input should be greater than or equal to 1")
    if int(told) > MOST:
        raise invalid(f"limit: Input should be less than or equal to {MOST}")
    return int(told)


def _place(values: Sequence[Json], id: str, param: str) -> int:
    for at, value in enumerate(values):
        if value["id"] == id:
            return at
    raise invalid(f"{param}: no object with the ID '{id[:80]}' was found")
