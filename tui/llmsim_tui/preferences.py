"""The settings as people change them: each field of the model with its kind, what it means, and what it allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from llmsim import generators
from llmsim.settings import Settings
from llmsim_tui.backend import Backend

Kind = Literal["switch", "choice", "number", "text", "rules"]

ELSEWHERE: Final[Mapping[str, str]] = {
    "profiles": "latency",
    "model_profiles": "latency",
    "mocks": "mocks",
    "limits": "limits",
}
"""Settings that have a screen of their own, by its name."""
_NONE: Final = "none"


@dataclass(frozen=True)
class Preference:
    """One setting: its name, kind, value in words, meaning, and what is allowed; `options` of a choice or a text."""

    name: str
    kind: Kind
    shown: str
    meaning: str
    allowed: str
    options: tuple[str, ...] = ()
    usual: bool = True
    """Whether it has its default."""


def preferences(backend: Backend) -> list[Preference]:
    """Every setting there is, in the model's order."""
    settings, schema = backend.settings(), _schema()
    return [_preference(name, getattr(settings, name), schema[name], backend) for name in Settings.model_fields]


@cache
def _schema() -> Mapping[str, Any]:
    """The model's fields as JSON Schema has them: made once, as it takes longer than a frame may."""
    fields: Mapping[str, Any] = Settings.model_json_schema()["properties"]
    return fields


def _preference(name: str, value: Any, schema: Mapping[str, Any], backend: Backend) -> Preference:
    kind, options = _kind(name, schema, backend)
    field = Settings.model_fields[name]
    return Preference(
        name=name,
        kind=kind,
        shown=worded(value),
        meaning=str(schema.get("description", "")),
        allowed=_allowed(kind, schema, options),
        options=tuple(options),
        usual=value == field.get_default(call_default_factory=True),
    )


def _kind(name: str, schema: Mapping[str, Any], backend: Backend) -> tuple[Kind, Sequence[str]]:
    types = {one.get("type") for one in (schema, *schema.get("anyOf", ()))}
    if name == "latency_profile":
        return "choice", [_NONE, *backend.profiles()]
    if "array" in types or "object" in types:
        return "rules", ()
    if "boolean" in types:
        return "switch", ()
    if types & {"integer", "number"}:
        return "number", ()
    return "text", list(generators.kinds()) if name == "generator" else ()


def _allowed(kind: Kind, schema: Mapping[str, Any], options: Sequence[str]) -> str:
    """What may be typed, in words."""
    if kind in ("switch", "rules"):
        return ""
    if kind == "choice":
        return f"one of {len(options)}, or none"
    told = [_range(one) for one in (schema, *schema.get("anyOf", ()))]
    words = next((one for one in told if one), "any text")
    none = any(one.get("type") == "null" for one in schema.get("anyOf", ()))
    names = f": {', '.join(options)}" if options else ""
    return f"{words}{names}" + ", or nothing for none" * none


def _range(schema: Mapping[str, Any]) -> str:
    low, high = (
        schema.get("minimum", schema.get("exclusiveMinimum")),
        schema.get("maximum", schema.get("exclusiveMaximum")),
    )
    if low is None or high is None:
        return ""
    whole = "whole number" if schema.get("type") == "integer" else "number"
    return f"a {whole} from {low:,g} to {high:,g}" if abs(high) < 1e15 else f"a {whole} from {low:g} on"


def worded(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return _NONE
    if isinstance(value, tuple | list | Mapping):
        return f"{len(value)}" if value else _NONE
    return f"{value:g}" if isinstance(value, float) else str(value)


def read(preference: Preference, text: str) -> Any:
    """The value that was typed; a validator has the last word on it."""
    if preference.kind != "text" and text.strip().lower() in ("", _NONE):
        return None
    return text if preference.kind == "text" else text.strip()
