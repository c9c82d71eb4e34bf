"""Rules of mock-llm (npm @dwmkerr/mock-llm 0.1): `{"rules": [{"path", "match", "sequence", "response"}]}`."""

from __future__ import annotations

import json
import re
from typing import Any

from llmsim.mocks.imports import jmespath, mock_llm_content
from llmsim.mocks.imports.jmespath_paths import Unread
from llmsim.mocks.imports.parts import Fields, Made, Place, Report, When, together

_PATH = re.compile(r"\^?(?:[\w/.-]|\\[/.-]|\.\*)*\$?")


def mine(raw: dict[str, Any]) -> bool:
    """Whether the file has mock-llm's form."""
    rules = raw.get("rules")
    return isinstance(rules, list) and all(isinstance(one, dict) and "path" in one for one in rules)


def mocks(raw: dict[str, Any], report: Report) -> list[Made]:
    """Its rules as mocks, the last one first: of those that match, mock-llm takes the last."""
    report.others((), raw, ("rules",))
    made: list[Made] = []
    for at, one in reversed([*enumerate(raw["rules"])]):
        place: Place = ("rules", at)
        before = len(report.problems)
        response = one.get("response")
        if not isinstance(response, dict) or not isinstance(response.get("content"), str):
            report.refuse((*place, "response"), "a rule has a response with a content")
            continue
        if _elsewhere(one):
            report.note(place, f"{one.get('method', 'GET')} {one['path']}: llmsim answers this by itself")
            continue
        report.others(place, one, ("path", "method", "match", "sequence", "response"))
        parts = [_path(one["path"], place, report), _match(one.get("match"), place, report)]
        fields: Fields = _sequence(one, place, report)
        for when, reply in mock_llm_content.answers(response, together(parts), (*place, "response"), report):
            made += [Made(place, {**fields, "when": when, "reply": reply})] if len(report.problems) == before else []
    report.problems.sort(key=lambda told: told.place[1] if len(told.place) > 1 else -1)
    return made


def _elsewhere(one: dict[str, Any]) -> bool:
    """Whether no request to a model ever comes by the rule, such as one for the list of models."""
    return str(one.get("method", "POST")).upper() != "POST" or bool(re.search(r"/models\b", str(one["path"])))


def _path(told: Any, place: Place, report: Report) -> When:
    """The expression for the path as a pattern of names; it may be found anywhere in the path."""
    if not isinstance(told, str) or not _PATH.fullmatch(told):
        report.refuse((*place, "path"), f"path: {told!r} is more than a path with .* in it, which alone can be read")
        return {}
    front = "" if told.startswith("^") else "*"
    back = "" if told.endswith("$") else "*"
    body = re.sub(r"\\(.)|(\.\*)|(\.)", _sign, told.removeprefix("^").removesuffix("$"))
    pattern = re.sub(r"\*+", "*", f"{front}{body}{back}")
    return {} if pattern == "*" else {"endpoint": pattern}


def _sign(found: re.Match[str]) -> str:
    return found[1] if found[1] else "*" if found[2] else "?"


def _match(told: Any, place: Place, report: Report) -> When:
    if told is None or told == "":
        return {}
    try:
        return jmespath.when(str(told))
    except Unread as error:
        report.refuse((*place, "match"), f"match: {error}")
        return {}


def _sequence(one: dict[str, Any], place: Place, report: Report) -> Fields:
    """A machine that counts the answers of rules with a sequence, for each path as it is written."""
    index = one.get("sequence")
    if index is None:
        return {}
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        report.refuse((*place, "sequence"), f"sequence: {index!r} is no number of a request")
        return {}
    machine = f"mock-llm {json.dumps(one['path'])}"[:200]
    return {"state": {"machine": machine, "when": _count(index), "to": _count(index + 1)}}


def _count(index: int) -> str:
    return "start" if index == 0 else f"answered {index}"
