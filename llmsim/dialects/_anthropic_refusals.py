"""Tells clients of Anthropic's APIs what is wrong with a body, in Anthropic's own words.

The live API tells of one fault at a time: its path with dots, the shapes it tried among its steps
(`messages.0.content.0.text.text`, `tools.0.custom.input_schema`), and pydantic's own sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from llmsim.dialects._anthropic_tools import TYPES
from llmsim.dialects._anthropic_wire import invalid
from llmsim.dialects._faults import faults
from llmsim.dialects._unknown import without_place
from llmsim.errors import Path, Refused

Detail = Any
Steps = Path

_TRIED = ("str", "Container")
"""Names of types that pydantic names where a value could be of several."""


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; raises Refused where it is anything else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(f"The request body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise invalid("Input should be an object")
    return value


def validate(adapter: TypeAdapter[Any], body: dict[str, Any]) -> None:
    """Raises Refused with the foremost fault where the body is not valid."""
    try:
        adapter.validate_python(body)
    except ValidationError as error:
        refused = _told(error, adapter, body)
        refused.unknown = partial(_unknown, adapter, body)
        raise refused from None


def _unknown(adapter: TypeAdapter[Any], body: dict[str, Any]) -> Sequence[Path]:
    try:
        return without_place(body, adapter.validate_python(body, extra="ignore"))
    except ValidationError as rest:
        raise _told(rest, adapter, body) from None


def _told(error: ValidationError, adapter: TypeAdapter[Any], body: dict[str, Any]) -> Refused:
    return _refused(_foremost(faults(error, adapter, body)), body)


def _foremost(faults: Sequence[Detail]) -> Detail:
    """The fault to tell of: unknown fields come after all others, and a text is only asked for where nothing else is.

    Where a value could be a text or a list, pydantic tells of both.
    """
    known = [fault for fault in faults if fault["type"] != "extra_forbidden" or len(fault["loc"]) > 1] or faults
    telling = [fault for fault in known if fault["loc"][-1] != "str"]
    first = known[0]
    if first["loc"][-1] != "str":
        return first
    return next((fault for fault in telling if fault["loc"][: len(first["loc"]) - 1] == first["loc"][:-1]), first)


def _refused(fault: Detail, body: dict[str, Any]) -> Refused:
    steps = _path(fault["loc"], body)
    if fault["type"] == "union_tag_not_found":
        steps, sentence = (*steps, fault["ctx"]["discriminator"].strip("'")), "Field required"
    else:
        sentence = _sentence(fault)
    return invalid(f"{'.'.join(map(str, steps))}: {sentence}")


def _path(steps: Steps, body: dict[str, Any]) -> Steps:
    """The steps as Anthropic tells them: without the names of types, and with the types that tools say they are of."""
    shown = [step for step in steps if isinstance(step, int) or not (step in _TRIED or step.startswith("list["))]
    if len(shown) > 2 and shown[0] == "tools":
        tool = body["tools"][shown[1]]
        shown[2] = (tool.get("type") if isinstance(tool, dict) else None) or "custom"
    if "cache_control" in shown[:-1]:
        shown.insert(shown.index("cache_control") + 1, "ephemeral")
    return tuple(shown)


def _sentence(fault: Detail) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "union_tag_invalid":
        tag, field, tags = context["tag"], context["discriminator"], context["expected_tags"]
        if field == "_sort()":
            return _unknown_tool(fault["input"].get("type"))
        listed = ", ".join(sorted(tags.split(", ")))
        return f"Input tag '{tag}' found using {field} does not match any of the expected tags: {listed}"
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        return "Input should be an object"
    if kind in ("greater_than_equal", "less_than_equal") and fault["loc"][-1] in ("temperature", "top_p"):
        return "range: 0..1"
    return str(fault["msg"]).replace("a valid list", "a valid array")


def _unknown_tool(tag: Any) -> str:
    listed = ", ".join(f"'{kind}'" for kind in TYPES)
    return f"Input tag '{tag}' found using 'type' does not match any of the expected tags: {listed}"
