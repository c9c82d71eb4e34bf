"""Tells clients of the Responses API what is wrong with a request where its words are not those of OpenAI's other APIs.

Source: comparisons with the live API of August 2026 that others published, and errors as users quote them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from llmsim.dialects import _openai_refusals
from llmsim.dialects._openai_refusals import invalid, listed, missing
from llmsim.errors import Failure, Path, Refused

Told = dict[str, Any]

_MOVED = {
    "messages": "input",
    "max_completion_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
}
_REFERENCE = "https://platform.openai.com/docs/api-reference/responses/create"

_ITEM = re.compile(r"(?:input|items)\[(\d+)\](?:\.(type|role))?")
_PART = re.compile(r"(?:input|items)\[(\d+)\]\.content\[(\d+)\]\.type")
_ROLES = ("assistant", "system", "developer", "user")
_PARTS = (
    "input_text",
    "input_image",
    "input_audio",
    "output_text",
    "refusal",
    "input_file",
    "computer_screenshot",
    "summary_text",
    "encrypted_content",
)
_TO_MODEL = ("input_text", "input_image", "input_file", "scoped_content", "input_audio")
_INCLUDES = "'fil...lts', 'web...lts', 'web...ces', 'mes...url', 'com...url', 'cod...uts', 'rea...ent', or 'mes...obs'"
_SHAPES = {
    "input": ("array of objects", "array of input items"),
    "tools": ("an array of objects", "an array of tools"),
    "metadata": ("an object,", "a metadata object,"),
    "include": ("an array of objects", f"an array of one of {_INCLUDES}"),
    "tool_choice": (
        "one of 'none', 'auto', or 'required' or object",
        "one of an object or 'none', 'auto', or 'required'",
    ),
}


def goes_on(request: Told) -> bool:
    """Whether something stands for the input: an earlier response, a conversation, a prompt."""
    return any(request.get(name) for name in ("previous_response_id", "conversation", "prompt"))


def check_named(request: Told) -> None:
    """Raises Refused where a request has no model or no input, or calls its input as Chat does."""
    model = request.get("model")
    if "model" not in request:
        raise Refused(missing("model"))
    if model == "":
        raise invalid("The requested model '' does not exist.", "model", "model_not_found")
    opens = request.get("generate") is not False
    if "input" not in request and opens and not goes_on(request):
        raise Refused(missing("input"))
    for name in ("model", "input") if opens else ("model",):
        if name in request and request[name] is None:
            raise invalid(
                f"Invalid type for '{name}': expected a string, but got an object instead.", name, "invalid_type"
            )
    for name, now in _MOVED.items():
        if name in request:
            raise invalid(
                f"Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to '{now}'. Try "
                f"again with the new parameter. See the API documentation for more information: {_REFERENCE}.",
                None if name == "messages" else name,
                "unsupported_parameter",
            )


def validated(adapter: TypeAdapter[Any], request: Told) -> Told:
    """The request where it is valid; raises Refused with its foremost fault where it is not."""
    try:
        return _openai_refusals.validated(adapter, request)
    except Refused as refused:
        raise Refused(_reworded(refused.failure, request), partial(_unknown, refused, request)) from None


def _unknown(refused: Refused, request: Told) -> Sequence[Path]:
    """What the refusal finds that nobody knows; raises Refused with what else is wrong."""
    try:
        return refused.unknown() if refused.unknown is not None else ()
    except Refused as rest:
        raise Refused(_reworded(rest.failure, request)) from None


def _reworded(failure: Failure, request: Told) -> Failure:
    param = failure.param or ""
    part, item = _PART.fullmatch(param), _ITEM.fullmatch(param)
    if part is not None:
        return _part(failure, request, int(part[1]), int(part[2]))
    if item is not None:
        return _item(failure, request, int(item[1]), item[2])
    if param in _SHAPES and failure.message is not None:
        return replace(failure, message=failure.message.replace(*_SHAPES[param]))
    return failure


def _item(failure: Failure, request: Told, index: int, field: str | None) -> Failure:
    """Of an item that is none, or that has a type or a role that there is not, the item is told and not the field."""
    message, where = failure.message or "", (failure.param or "").removesuffix(f".{field}")
    if field is None:
        return replace(failure, message=message.replace("expected an object,", "expected an input item,"))
    item = request[where.partition("[")[0]][index]
    if field == "role" or item.get("type") is None:
        return _unsupported(where, item.get("role"), _ROLES)
    kinds = sorted(kind for kind in re.findall(r"'(\w+)'", message) if kind != item["type"])
    return _unsupported(where, item["type"], kinds)


def _part(failure: Failure, request: Told, index: int, place: int) -> Failure:
    """A part of no type there is, or of a type that parts of this role do not have."""
    param = failure.param or ""
    item = request[param.partition("[")[0]][index]
    kind = item["content"][place].get("type")
    if failure.code != "invalid_value":
        return failure
    if kind not in _PARTS:
        return _unsupported(param, kind, _PARTS)
    where = param.removesuffix(".type")
    return replace(failure, param=where) if item.get("role") == "assistant" else _unsupported(where, kind, _TO_MODEL)


def _unsupported(param: str, value: Any, supported: Sequence[str]) -> Failure:
    shown = value if isinstance(value, str) else ""
    return Failure(
        "invalid",
        f"Invalid value: '{shown}'. Supported values are: {listed(supported, 'and')}.",
        param=param,
        code="invalid_value",
    )
