"""Tells clients of OpenAI's APIs what is wrong with a request, in OpenAI's own words.

The texts are those of the live API as of 2026, as users quote them: one fault is told at a time, with the path of the
field (`messages[0].content[1].type`) and a code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from llmsim.dialects._faults import faults
from llmsim.dialects._unknown import without_place
from llmsim.errors import Failure, Path, Refused

Detail = Any
Steps = Path

_NOWHERE = object()

NOT_JSON = Failure(
    "invalid",
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble "
    "figuring out how to fix this, please contact us through our help center at help.openai.com.)",
)
NO_MODEL = Failure("invalid", "you must provide a model parameter")


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; raises Refused where it is anything else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(NOT_JSON) from None
    if not isinstance(value, dict):
        raise Refused(NOT_JSON)
    return value


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refused:
    """The exception that refuses a request with these words."""
    return Refused(Failure("invalid", message, param=param, code=code))


def validated(adapter: TypeAdapter[Any], request: dict[str, Any]) -> dict[str, Any]:
    """The request where it is valid; raises Refused with its foremost fault where it is not."""
    try:
        adapter.validate_python(request)
    except ValidationError as error:
        raise misfit(adapter, error, request) from None
    return request


def misfit(adapter: TypeAdapter[Any], error: ValidationError, body: Any) -> Refused:
    """The exception that refuses a body with its foremost fault; `error` is what validating it has come to."""

    def unknown() -> Sequence[Path]:
        try:
            return without_place(body, adapter.validate_python(body, extra="ignore"))
        except ValidationError as rest:
            raise Refused(refusal(rest, adapter, body)) from None

    return Refused(refusal(error, adapter, body), unknown)


def refusal(error: ValidationError, adapter: TypeAdapter[Any], body: Any) -> Failure:
    """The failure that tells of the foremost fault; `body` is what `adapter` validated."""
    found = [(_path(detail, body), detail) for detail in faults(error, adapter, body)]
    found.sort(key=_rank)
    steps, detail = found[0]
    if detail["type"] == "missing" and steps == ("model",):
        return NO_MODEL
    return _told(found)


def _rank(fault: tuple[Steps, Detail]) -> int:
    """Fields of the body that are missing come first, then unknown ones, then the rest in the order of the fields."""
    steps, detail = fault
    if len(steps) != 1:
        return 2
    return {"missing": 0, "extra_forbidden": 1}.get(detail["type"], 2)


def _told(found: Sequence[tuple[Steps, Detail]]) -> Failure:
    """The foremost fault; where a value fits none of several shapes, that of the shape it comes closest to."""
    steps, detail = found[0]
    deeper = [fault for fault in found[1:] if len(fault[0]) > len(steps) and fault[0][: len(steps)] == steps]
    if deeper:
        return _told(deeper)
    here = [other for where, other in found if where == steps]
    misfits = [other for other in here if other["type"] in _TYPES or other["type"] == "literal_error"]
    others = [other for other in here if other not in misfits]
    if others:
        return _SAID.get(others[0]["type"], _other)(_param(steps), others[0])
    literal = next((other for other in here if other["type"] == "literal_error"), None)
    if literal is not None and isinstance(detail["input"], str):
        return _unsupported(_param(steps), detail["input"], _quoted(literal["ctx"]["expected"]))
    return wrong_type(_param(steps), " or ".join(map(_shape, here)), detail["input"], several=len(here) > 1)


def _path(detail: Detail, body: Any) -> Steps:
    """The path of a fault in the body itself: pydantic's also names the shapes it tried on the way."""
    loc, kind = detail["loc"], detail["type"]
    if kind == "missing":
        return (*_steps(loc[:-1], detail["input"], body), loc[-1])
    if loc[-1:] == ("[key]",):
        return tuple(loc[:-1])
    steps = _steps(loc, detail["input"], body)
    if not kind.startswith("union_tag") or not isinstance(detail["input"], dict):
        return steps
    told = detail["ctx"]["discriminator"]
    # What is told apart by a function is told apart by its type, which the function fills in where it may be missing.
    return (*steps, "type" if told.endswith("()") else told.strip("'"))


def _steps(loc: Steps, value: Any, body: Any) -> Steps:
    found = _search(loc, value, body)
    return loc if found is None else found


def _search(loc: Steps, value: Any, at: Any) -> Steps | None:
    """The way through the body that leads to the very value, taking steps that lead nowhere for names of shapes."""
    if not loc:
        return () if at is value else None
    step, rest = loc[0], loc[1:]
    inner = at.get(step, _NOWHERE) if isinstance(at, dict) else _NOWHERE
    if isinstance(at, list) and isinstance(step, int):
        inner = at[step]
    if inner is not _NOWHERE:
        found = _search(rest, value, inner)
        if found is not None:
            return (step, *found)
    return _search(rest, value, at) if isinstance(step, str) else None


def _param(steps: Steps) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


# -- words

_TYPES = {
    "string_type": "string",
    "int_type": "integer",
    "int_from_float": "integer",
    "float_type": "decimal",
    "finite_number": "decimal",
    "bool_type": "boolean",
    "list_type": "array of objects",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
}
_ITEMS = {"list[str]": "array of strings", "list[int]": "array of integers", "list[list[int]]": "array of arrays"}
_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def wrong_type(param: str, expected: str, value: Any, several: bool = False) -> Failure:
    """The failure of a value of the wrong type; `expected` has no article ("string or array of objects")."""
    choice = expected.startswith("one of")
    article = "" if choice else "an " if expected[0] in "aeiou" else "a "
    expected = f"{'one of ' if several and not choice else ''}{article}{expected}"
    message = f"Invalid type for '{param}': expected {expected}, but got {_KINDS[type(value)]} instead."
    return Failure("invalid", message, param=param, code="invalid_type")


def missing(param: str) -> Failure:
    """The failure of a field that is required and not there."""
    return Failure("invalid", f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def _shape(detail: Detail) -> str:
    if detail["type"] == "literal_error":
        return f"one of {listed(_quoted(detail['ctx']['expected']), 'or')}"
    branch = str(detail["loc"][-1]).removeprefix("constrained-")
    return _ITEMS.get(branch, _TYPES[detail["type"]])


def _unsupported(param: str, value: str, supported: Iterable[str]) -> Failure:
    message = f"Invalid value: '{value}'. Supported values are: {listed(supported, 'and')}."
    return Failure("invalid", message, param=param, code="invalid_value")


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def listed(values: Iterable[str], word: str) -> str:
    """Values in quotes, one after the other, with a word before the last."""
    *most, last = (f"'{value}'" for value in values)
    if len(most) > 1:
        return f"{', '.join(most)}, {word} {last}"
    return f"{most[0]} {word} {last}" if most else last


def _missing(param: str, detail: Detail) -> Failure:
    if detail["type"] == "union_tag_not_found" and not isinstance(detail["input"], dict):
        return wrong_type(param, "object", detail["input"])
    return missing(param)


def _unknown(param: str, detail: Detail) -> Failure:
    return Failure("invalid", f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def _tag(param: str, detail: Detail) -> Failure:
    """A `type` or `role` that there is not, or that is no text."""
    value = detail["input"].get(param.rsplit(".", 1)[-1])
    supported = _quoted(detail["ctx"]["expected_tags"])
    if isinstance(value, str):
        return _unsupported(param, value, supported)
    return wrong_type(param, f"one of {listed(supported, 'or')}", value)


def _range(param: str, detail: Detail) -> Failure:
    name, bound = next((name, detail["ctx"][name]) for name in ("ge", "gt", "le", "lt") if name in detail["ctx"])
    whole = isinstance(bound, int)
    if whole and name in ("gt", "lt"):
        name, bound = ("ge", bound + 1) if name == "gt" else ("le", bound - 1)
    sort = "integer" if whole else "decimal"
    sign = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}[name]
    side, word = ("below", "minimum") if name[0] == "g" else ("above", "maximum")
    shown = bound if whole else f"{bound:g}"
    message = (
        f"Invalid '{param}': {sort} {side} {word} value. Expected a value {sign} {shown}, "
        f"but got {detail['input']} instead."
    )
    return Failure("invalid", message, param=param, code=f"{sort}_{side}_{word[:3]}_value")


def _too_short(param: str, detail: Detail) -> Failure:
    text = detail["type"] == "string_too_short"
    sort = "string" if text else "array"
    least = detail["ctx"]["min_length"]
    length = len(detail["input"])
    what = f"empty {sort}" if not length else f"{sort} too short"
    got = f"an empty {sort}" if not length else f"{'a' if text else 'an'} {sort} with length {length}"
    message = (
        f"Invalid '{param}': {what}. Expected {'a' if text else 'an'} {sort} with minimum length {least}, "
        f"but got {got} instead."
    )
    return Failure("invalid", message, param=param, code=f"empty_{sort}" if not length else f"{sort}_below_min_length")


def _too_long(param: str, detail: Detail) -> Failure:
    most, length = detail["ctx"]["max_length"], len(detail["input"])
    if isinstance(detail["input"], dict):
        message = (
            f"Invalid '{param}': too many properties. Expected an object with at most {most} properties, "
            f"but got an object with {length} properties instead."
        )
        return Failure("invalid", message, param=param, code="object_above_max_properties")
    if detail["loc"][-1] == "[key]":
        parent, name = param.rsplit(detail["input"], 1)[0].rstrip("."), detail["input"]
        message = (
            f"Invalid property name in '{parent}': '{name[:3]}...{name[-3:]}' is too long. Expected a string with "
            f"maximum length {most}, but got a string with length {length} instead."
        )
        return Failure("invalid", message, param=param, code="property_name_above_max_length")
    a, sort = ("an", "array") if isinstance(detail["input"], list) else ("a", "string")
    message = (
        f"Invalid '{param}': {sort} too long. Expected {a} {sort} with maximum length {most}, "
        f"but got {a} {sort} with length {length} instead."
    )
    return Failure("invalid", message, param=param, code=f"{sort}_above_max_length")


def _other(param: str, detail: Detail) -> Failure:
    return Failure("invalid", f"Invalid value for '{param}': {detail['msg']}.", param=param, code="invalid_value")


def _pattern(param: str, detail: Detail) -> Failure:
    pattern = detail["ctx"]["pattern"]
    message = (
        f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern '{pattern}'."
    )
    return Failure("invalid", message, param=param, code="invalid_value")


_SAID: dict[str, Callable[[str, Detail], Failure]] = {
    "missing": _missing,
    "union_tag_not_found": _missing,
    "union_tag_invalid": _tag,
    "extra_forbidden": _unknown,
    "greater_than_equal": _range,
    "greater_than": _range,
    "less_than_equal": _range,
    "less_than": _range,
    "too_short": _too_short,
    "string_too_short": _too_short,
    "too_long": _too_long,
    "string_too_long": _too_long,
    "string_pattern_mismatch": _pattern,
}
