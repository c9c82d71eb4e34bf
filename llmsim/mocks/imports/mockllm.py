"""Responses of mockllm (PyPI mockllm 0.0.8): `responses` by the whole prompt, `defaults`, and `settings` of a lag."""

from __future__ import annotations

from typing import Any

from llmsim.mocks.imports.parts import Fields, Made, Report, exactly, together

_DEFAULT = "I don't know the answer to that."
_LAST = -1000
"""The priority of the answer to all else, so that the mocks of other files are asked before it."""


def mine(raw: dict[str, Any]) -> bool:
    """Whether the file has mockllm's form."""
    known = raw.keys() <= {"responses", "defaults", "settings"}
    return known and isinstance(raw.get("responses"), dict) and "response_style" not in raw["responses"]


def mocks(raw: dict[str, Any], report: Report) -> list[Made]:
    """A mock for each prompt, and one for all others."""
    latency = _lag(raw.get("settings"), report)
    made: list[Made] = []
    for prompt, text in raw["responses"].items():
        place = ("responses", str(prompt))
        if not isinstance(prompt, str) or not isinstance(text, str):
            report.refuse(place, f"a response is a text for a text; {text!r} for {prompt!r} is none")
            continue
        when = together([{"text": one} for one in exactly(prompt)])
        made.append(Made(place, {"when": when, "reply": {"text": text, **latency}}))
    defaults = raw.get("defaults") or {}
    told = defaults.get("unknown_response", _DEFAULT) if isinstance(defaults, dict) else defaults
    if not isinstance(told, str):
        report.refuse(("defaults", "unknown_response"), "unknown_response is a text")
    else:
        made.append(Made(("defaults",), {"priority": _LAST, "reply": {"text": told, **latency}}))
    return made


def _lag(settings: Any, report: Report) -> Fields:
    """A profile for ten characters a second, times the factor; about four are a token."""
    if not isinstance(settings, dict) or not settings.get("lag_enabled"):
        return {}
    report.others(("settings",), settings, ("lag_enabled", "lag_factor"))
    factor = settings.get("lag_factor", 10)
    if not isinstance(factor, int | float) or factor <= 0:
        report.refuse(("settings", "lag_factor"), f"lag_factor is a number above 0, not {factor!r}")
        return {}
    wait = {"kind": "fixed", "mean": 4000 / (factor * 10)}
    return {"latency": {"ttft": wait, "tbt": wait}}
