"""Reads JSON as Google's servers read it into protocol buffers, and tells of every field that does not fit.

Fields come in camel case or as in the proto file, numbers as text or with a point, enums in any case, and null stands
for nothing (protobuf.dev, "ProtoJSON format"); a list may be given as its one element. The texts are those of the live
API as users quote them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple

import orjson

from llmsim.dialects import _gemini_fields as fields
from llmsim.dialects._unknown import further
from llmsim.errors import Failure, Path, Refused
from llmsim.media import decode_base64

PACKAGE = "type.googleapis.com/google.ai.generativelanguage.v1beta."
_MOST_FAULTS = 100
_LONGEST_SHOWN = 200
_SECONDS = re.compile(r"(-?\d{1,9}(?:\.\d{1,9})?)s")
_FIRST_OF_WORD = re.compile(r"(?<=.)(?=[A-Z])")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Violation(NamedTuple):
    """A fault and where it is; what stands at the top of the body has no place.

    `unknown` is the name of a field that there is not.
    """

    field: str
    description: str
    unknown: str | None = None


Violations = list[Violation]
Reader = Callable[[Any, str, Violations], Any]


class _Enough(Exception):
    """More faults than anybody wants to read."""


class _Field(NamedTuple):
    name: str
    snake: str
    read: Reader


def read(message: str, body: bytes) -> dict[str, Any]:
    """The message of that name that a body is, its fields in camel case; raises Refused with all that is wrong."""
    return checked(message, read_json(body))


def checked(message: str, value: Any) -> dict[str, Any]:
    """The message of that name that a JSON value is; raises Refused with all that is wrong in it."""
    violations: Violations = []
    if type(value) is not dict:
        raise refused(
            [Violation("", 'Invalid JSON payload received. Unknown name "": Root element must be a message.')]
        )
    told: dict[str, Any] = {}
    try:
        told = _reader(message)(value, "", violations)
    except _Enough:
        pass
    except RecursionError:
        violations = [Violation("", "Invalid JSON payload received. Message too deep.")]
    if violations:
        raise Refused(refused(violations).failure, partial(_strangers, value, violations))
    return told


def _strangers(value: Any, violations: Violations) -> list[Path]:
    """The ways to all fields that there are not; raises Refused with what else is wrong."""
    if rest := [one for one in violations if one.unknown is None]:
        raise refused(rest)
    return [(*_way(value, one.field), one.unknown or "") for one in violations]


def _way(value: Any, place: str) -> Path:
    """The way to a place in a body, whose fields may be in camel case or as in the proto file."""
    steps: list[int | str] = []
    for name, at in _STEP.findall(place):
        step: int | str = int(at) if at else _spelled(value, name)
        steps.append(step)
        value = further(value, step)
    return tuple(steps)


def _spelled(value: Any, name: str) -> str:
    keys = value if isinstance(value, dict) else ()
    return next((key for key in keys if _FIRST_OF_WORD.sub("_", key).lower() == name), name)


def read_json(body: bytes) -> Any:
    """The JSON of a body, an empty one standing for an empty message; raises Refused where it is none."""
    if not body.strip():
        return {}
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        shown = body.decode("utf-8", "replace")
        start = max(0, error.pos - 20)
        line = re.sub(r"[\r\n\t]", " ", shown[start : error.pos + 20])
        text = f"Invalid JSON payload received. Unexpected token.\n{line}\n{' ' * (error.pos - start)}^"
        raise refused([Violation("", text)]) from None


def refused(violations: Violations) -> Refused:
    """The exception that tells of all the faults at once."""
    return Refused(
        Failure("invalid", "\n".join(one.description for one in violations), extra=tuple(one[:2] for one in violations))
    )


# -- messages


@cache
def _reader(spec: str) -> Reader:
    """What reads values of a type: `[x]` is a list, `{x}` a map, capitals begin messages and enums."""
    if spec[0] == "[":
        return _list_of(spec[1:-1])
    if spec[0] == "{":
        return _map_of(spec[1:-1])
    if spec in fields.MESSAGES:
        return _message(spec)
    return _enum(spec) if spec in fields.ENUMS else _SCALARS[spec]


@cache
def _fields(message: str) -> Mapping[str, _Field]:
    """The fields of a message by either of their names."""
    found: dict[str, _Field] = {}
    for name, spec in fields.MESSAGES[message].items():
        snake = _FIRST_OF_WORD.sub("_", name).lower()
        found[name] = found[snake] = _Field(name, snake, _reader(spec))
    return found


def _message(name: str) -> Reader:
    known: Mapping[str, _Field] = {}
    one_of = fields.ONE_OF.get(name, frozenset())

    def read(value: Any, where: str, violations: Violations) -> Any:
        nonlocal known
        if type(value) is not dict:
            _misfit(value, where, PACKAGE + name, violations)
            return {}
        known = known or _fields(name)
        told: dict[str, Any] = {}
        for key, inner in value.items():
            field = known.get(key)
            if field is None:
                _tell(violations, where, _unknown(key, where, "Cannot find field."), key)
            elif inner is not None:
                if field.name in one_of:
                    _alone(told, field.name, one_of, where, violations)
                told[field.name] = field.read(inner, f"{where}.{field.snake}" if where else field.snake, violations)
        return told

    return read


def _alone(told: Mapping[str, Any], name: str, one_of: frozenset[str], where: str, violations: Violations) -> None:
    if not one_of.isdisjoint(told):
        text = f"Invalid value at '{where}' (oneof), oneof field 'data' is already set. Cannot set '{name}'"
        _tell(violations, where, text)


def _list_of(spec: str) -> Reader:
    one = _reader(spec)

    def read(value: Any, where: str, violations: Violations) -> list[Any]:
        if type(value) is not list:
            return [one(value, where, violations)]
        return [one(inner, f"{where}[{index}]", violations) for index, inner in enumerate(value)]

    return read


def _map_of(spec: str) -> Reader:
    """A map, whose entries the live API names by their places."""

    def read(value: Any, where: str, violations: Violations) -> dict[str, Any]:
        if type(value) is not dict:
            _misfit(value, where, f"{PACKAGE}{spec}", violations)
            return {}
        one = _reader(spec)
        return {
            key: one(inner, f"{where}[{index}].value", violations) for index, (key, inner) in enumerate(value.items())
        }

    return read


# -- scalars


def _string(value: Any, where: str, violations: Violations) -> Any:
    if type(value) is not str:
        _misfit(value, where, "TYPE_STRING", violations)
    return value


def _bool(value: Any, where: str, violations: Violations) -> bool:
    if value in ("true", "false"):
        return bool(value == "true")
    if type(value) is not bool:
        _misfit(value, where, "TYPE_BOOL", violations)
    return bool(value)


def _float(value: Any, where: str, violations: Violations) -> float:
    try:
        if type(value) is not bool:
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    _misfit(value, where, "TYPE_FLOAT", violations)
    return 0.0


def _integer(bits: int) -> Reader:
    least, most = -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def read(value: Any, where: str, violations: Violations) -> int:
        number = _whole(value)
        if number is None or not least <= number <= most:
            _misfit(value, where, f"TYPE_INT{bits}", violations)
            return 0
        return number

    return read


def _whole(value: Any) -> int | None:
    """The whole number that a number or a text stands for, if it stands for one."""
    if type(value) is int:
        return value
    if type(value) is str and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if type(value) is float and value.is_integer():
        return int(value)
    return None


def _bytes(value: Any, where: str, violations: Violations) -> Any:
    if type(value) is not str:
        _misfit(value, where, "TYPE_BYTES", violations)
    elif decode_base64(value) is None:
        shown = orjson.dumps(value[:_LONGEST_SHOWN]).decode()
        _tell(violations, where, f"Invalid value at '{where}' (TYPE_BYTES), Base64 decoding failed for {shown}")
    return value


def _duration(value: Any, where: str, violations: Violations) -> float:
    """Seconds, from "3.5s"."""
    match = _SECONDS.fullmatch(value) if type(value) is str else None
    if match is None:
        _misfit(value, where, "type.googleapis.com/google.protobuf.Duration", violations)
        return 0.0
    return float(match[1])


def _timestamp(value: Any, where: str, violations: Violations) -> float:
    """Seconds since the epoch, from RFC 3339."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        pass
    _misfit(value, where, "type.googleapis.com/google.protobuf.Timestamp", violations)
    return 0.0


def _struct(value: Any, where: str, violations: Violations) -> Any:
    if type(value) is not dict:
        _misfit(value, where, "type.googleapis.com/google.protobuf.Struct", violations)
        return {}
    return value


def _any(value: Any, where: str, violations: Violations) -> Any:
    return value


def _enum(name: str) -> Reader:
    """An enum, read by name in any case, or by number."""
    values = {value.lower(): value for value in fields.ENUMS[name]}
    numbered = fields.ENUMS[name]

    def read(value: Any, where: str, violations: Violations) -> str:
        if type(value) is str and (found := values.get(value.lower().replace("-", "_"))) is not None:
            return found
        if type(value) is int and 0 <= value < len(numbered):
            return numbered[value]
        _misfit(value, where, PACKAGE + name, violations)
        return numbered[0]

    return read


_SCALARS: dict[str, Reader] = {
    "string": _string,
    "bool": _bool,
    "float": _float,
    "int32": _integer(32),
    "int64": _integer(64),
    "bytes": _bytes,
    "duration": _duration,
    "timestamp": _timestamp,
    "struct": _struct,
    "any": _any,
}


# -- words


def _misfit(value: Any, where: str, kind: str, violations: Violations) -> None:
    """Tells of a value of the wrong kind."""
    if type(value) is list:
        place, _, name = where.rpartition(".")
        reason = "Proto field is not repeating, cannot start list."
        return _tell(violations, place, _unknown(name, place, reason))
    if type(value) is dict:
        shown = "Starting an object on a scalar field"
    else:
        shown = orjson.dumps(value if type(value) is not str else value[:_LONGEST_SHOWN]).decode()
    return _tell(violations, where, f"Invalid value at '{where}' ({kind}), {shown}")


def _unknown(name: str, where: str, reason: str) -> str:
    place = f" at '{where}'" if where else ""
    return f'Invalid JSON payload received. Unknown name "{name[:_LONGEST_SHOWN]}"{place}: {reason}'


def _tell(violations: Violations, where: str, description: str, unknown: str | None = None) -> None:
    violations.append(Violation(where, description, unknown))
    if len(violations) >= _MOST_FAULTS:
        raise _Enough
