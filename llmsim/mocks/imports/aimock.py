"""Fixtures of aimock (npm @copilotkit/aimock 1.43): `{"fixtures": [{"match": …, "response": …}]}`."""

from __future__ import annotations

import json
from typing import Any

from llmsim.mocks.imports import aimock_answer, aimock_match
from llmsim.mocks.imports.parts import Fields, Made, Place, Report, When, failing

_KNOWN = frozenset(
    "match response latency chunkSize streamingProfile recordedTimings replaySpeed truncateAfterChunks"
    " disconnectAfterMs chaos".split()
)
_FAULTS = {
    "truncateAfterChunks": "the fault cut",
    "disconnectAfterMs": "the fault cut",
    "chaos": "the faults refuse, garble and cut with a probability",
}
_POSITIONED = 1000
"""The priority of a fixture that is due at the conversation's beginning; a later one is asked before it."""

_LATEST = 100_000


def mine(raw: dict[str, Any]) -> bool:
    """Whether the file has aimock's form."""
    return isinstance(raw.get("fixtures"), list)


def mocks(raw: dict[str, Any], report: Report) -> list[Made]:
    """Its fixtures as mocks; of those that match, aimock too takes the first."""
    report.others((), raw, ("fixtures",))
    made: list[Made] = []
    plain: list[dict[str, Any]] = []
    for at, one in enumerate(raw["fixtures"]):
        place: Place = ("fixtures", at)
        if not isinstance(one, dict) or not isinstance(one.get("match"), dict):
            report.refuse(place, "a fixture has a match and a response")
        elif not isinstance(one.get("response"), dict):
            report.refuse((*place, "response"), "a fixture's response is a mapping")
        else:
            made += _fixture(one, place, report)
            positioned = one["match"].get("turnIndex") is not None
            if positioned and any(_wider(match, one["match"]) for match in plain):
                told = "turnIndex: at exactly that turn aimock asks a fixture without one first if it comes earlier"
                report.note((*place, "match", "turnIndex"), f"{told}; llmsim asks this one first")
            plain += [] if positioned else [one["match"]]
    return made


def _wider(match: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether all that the other matches is matched by this one too, as far as texts within each other tell."""

    def holds(wanted: Any, found: Any) -> bool:
        return bool(wanted == found or (isinstance(wanted, str) and isinstance(found, str) and wanted in found))

    return all(holds(value, other.get(name)) for name, value in match.items())


def _fixture(one: dict[str, Any], place: Place, report: Report) -> list[Made]:
    before = len(report.problems)
    report.others(place, one, _KNOWN)
    for name, fault in _FAULTS.items():
        if one.get(name):
            report.refuse((*place, name), f"{name} is no part of a mock in llmsim; arm {fault} for these requests")
    match, response = one["match"], one["response"]
    when = aimock_match.when(match, (*place, "match"), report, fails="error" in response)
    pairs = _answers(one, when, place, report)
    extra = _sequence(match)
    if len(report.problems) > before:
        return []
    made: list[Made] = []
    for also, reply in pairs:
        made += [Made(place, {**fields, **extra, "reply": reply}) for fields in _positions(match, also)]
    return made


def _answers(one: dict[str, Any], when: When, place: Place, report: Report) -> list[tuple[When, Fields]]:
    response = one["response"]
    error = response.get("error")
    if error is None:
        return [(when, aimock_answer.reply(one, place, report))]
    status, after = response.get("status", 500), response.get("retryAfter")
    report.others((*place, "response"), response, ("error", "status", "retryAfter"))
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        report.refuse((*place, "response", "error"), "an error has a message")
    elif not isinstance(status, int) or not 200 <= status <= 599:
        report.refuse((*place, "response", "status"), f"status {status!r} is not allowed; it is 200 to 599")
    elif not isinstance(after, int | float | None):
        report.refuse((*place, "response", "retryAfter"), "retryAfter is a number of seconds")
    else:
        body = {"error": {"message": error["message"], "type": error.get("type"), "param": error.get("param")}}
        body["error"]["code"] = error.get("code")
        return failing(when, status, body, 1 if after is None and status == 429 else after)
    return []


def _sequence(match: dict[str, Any]) -> Fields:
    """The machine that counts how often fixtures of the same match have answered, as aimock counts them."""
    index = match.get("sequenceIndex")
    if not isinstance(index, int):
        return {}
    same = {name: value for name, value in sorted(match.items()) if name != "sequenceIndex"}
    machine = f"aimock {json.dumps(same, sort_keys=True)}"
    if len(machine) > 200:
        import hashlib

        machine = f"{machine[:150]} {hashlib.sha256(machine.encode()).hexdigest()[:16]}"
    return {"state": {"machine": machine, "when": _count(index), "to": _count(index + 1)}}


def _count(index: int) -> str:
    return "start" if index == 0 else f"answered {index}"


def _positions(match: dict[str, Any], when: When) -> list[Fields]:
    """A fixture for a turn is asked at that turn and later, the latest first; before it only if nothing else is."""
    turn = match.get("turnIndex")
    if not isinstance(turn, int):
        return [{"when": when}]
    turn = max(-_POSITIONED + 1, min(turn, _LATEST))
    due: Fields = {"when": aimock_match.after(when, turn), "priority": _POSITIONED + turn}
    return [due] if turn <= 0 else [due, {"when": when, "priority": -turn}]
