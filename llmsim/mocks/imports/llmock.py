"""Behaviours of llmock (PyPI llmock 0.2): `{"behaviors": [{"type": "reply" or "fail", …}]}`, each for some requests."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from llmsim.mocks.imports.parts import STATUSES, Fields, Made, Place, Report, When, calls, failing, together

_CONFIGURED = ("chaos", "limits", "stream", "latency_ms", "error_rates", "response_style")
_FAULTS = {
    "delay": "the fault slow",
    "slow_first_token": "the fault slow",
    "stream_fault": "the faults cut, stall and garble",
    "tool_fault": "the fault miscall",
}
_PROVIDERS = ("openai", "anthropic", "gemini")
_FINISH = ("stop", "length", "tool_calls", "content_filter")
_WAITS = (429, 503, 504, 529)
_MATCH = ("provider", "path", "model", "stream", "tools")


def mine(raw: dict[str, Any]) -> bool:
    """Whether the file has llmock's form: its behaviours, or its settings, which hold no answers."""
    styled = isinstance(raw.get("responses"), dict) and bool({"response_style", "style"} & raw["responses"].keys())
    return (
        isinstance(raw.get("behaviors"), list) or styled or ("mocks" not in raw and any(n in raw for n in _CONFIGURED))
    )


def mocks(raw: dict[str, Any], report: Report) -> list[Made]:
    """Each behaviour as a mock: an error is asked before any reply, and of either the first."""
    if not isinstance(raw.get("behaviors"), list):
        report.refuse((), "this is llmock's configuration, which has no replies; llmsim has settings for what it says")
        return []
    report.others((), raw, ("behaviors",))
    made: list[Made] = []
    for at, one in enumerate(raw["behaviors"]):
        place: Place = ("behaviors", at)
        kind = one.get("type") if isinstance(one, dict) else None
        if kind in _FAULTS:
            report.refuse((*place, "type"), f"{kind} is no part of a mock in llmsim; arm {_FAULTS[kind]}")
        elif kind not in ("reply", "fail"):
            report.refuse(place, f"type: {kind!r} is none of reply, fail")
        else:
            before = len(report.problems)
            rules = (_fail if kind == "fail" else _reply)(one, place, report)
            made += [Made(place, rule) for rule in rules] if len(report.problems) == before else []
    return made


def _fail(one: dict[str, Any], place: Place, report: Report) -> list[Fields]:
    report.others(place, one, ("type", "status", "retry_after", "message", "code", "times", "match"))
    status, after = one.get("status"), one.get("retry_after")
    if not isinstance(status, int) or not 400 <= status <= 599:
        report.refuse((*place, "status"), f"status: {status!r} is no status of an error")
        return []
    error = {name: one.get(name) for name in ("message", "code")}
    if status not in STATUSES:
        family = "invalid_request_error" if status < 500 else "server_error"
        message, code = error["message"] or _phrase(status), error["code"] or f"http_{status}"
        error = {"message": message, "type": family, "param": None, "code": code}
    after = 1 if after is None and status in _WAITS else after
    fields = {"priority": 1, **_times(one, place, report)}
    rules = failing(_when(one, place, report), status, {"error": error}, after)
    return [{**fields, "when": when, "reply": reply} for when, reply in rules]


def _phrase(status: int) -> str:
    """What llmock says for a status that no provider has."""
    try:
        return f"{HTTPStatus(status).phrase}."
    except ValueError:
        return f"HTTP {status} error."


def _reply(one: dict[str, Any], place: Place, report: Report) -> list[Fields]:
    report.others(place, one, ("type", "text", "tool_calls", "finish_reason", "times", "match"))
    reply: Fields = {}
    if one.get("text") is not None:
        reply["text"] = one["text"]
    if one.get("tool_calls"):
        told = calls(one["tool_calls"], (*place, "tool_calls"), report)
        reply["tool_calls"] = [{**call, "arguments": _written(call["arguments"])} for call in told]
    if not reply:
        report.refuse(place, "a reply has a text or tool_calls")
    finish = one.get("finish_reason")
    if finish is not None and finish not in _FINISH:
        report.refuse((*place, "finish_reason"), f"finish_reason: {finish!r} is none of {', '.join(_FINISH)}")
    elif finish is not None:
        reply["finish"] = finish
    return [{"when": _when(one, place, report), "reply": reply, **_times(one, place, report)}]


def _written(arguments: Any) -> str:
    """Arguments with the blanks that llmock writes between them."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _times(one: dict[str, Any], place: Place, report: Report) -> Fields:
    """Once, unless it says otherwise; null stands for always."""
    times = one.get("times", 1)
    if times is not None and (not isinstance(times, int) or times < 1):
        report.refuse((*place, "times"), f"times: {times!r} is neither a number of requests nor null")
    return {} if times is None else {"times": times}


def _when(one: dict[str, Any], place: Place, report: Report) -> When:
    match, parts = one.get("match") or {}, list[When]()
    for name, value in match.items() if isinstance(match, dict) else [("match", match)]:
        where = (*place, "match", str(name))
        if value is None:
            continue
        if name == "provider" and value in _PROVIDERS:
            parts.append({"provider": value})
        elif name in ("path", "model") and isinstance(value, str) and not set("[]") & set(value):
            parts.append({"endpoint" if name == "path" else "model": value})
        elif name in ("stream", "tools") and isinstance(value, bool):
            parts.append({name: value})
        elif name in _MATCH:
            report.refuse(where, f"{name}: llmsim has nothing for {value!r}")
        else:
            report.refuse(where, f"{name}: there is no such condition; there are {', '.join(_MATCH)}")
    return together(parts)
