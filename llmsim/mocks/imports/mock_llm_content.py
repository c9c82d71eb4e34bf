"""What a rule of mock-llm replies with: a completion's own words, an error, or whatever else it says, as it stands."""

from __future__ import annotations

import json
import re
from typing import Any

from llmsim.mocks.imports.parts import Fields, Place, Report, When, calls, failing

_SLOT = re.compile(r"\{\{(?:(timestamp)|jmes\s+(\w+)\s+([^}]+))\}\}")
_PATH = re.compile(r"(?:body|headers)(?:\.\w+|\.\"[^\"]+\"|\[-?\d+\])+")
_MARK = re.compile("\ue000(\\d+)\ue001")
_BARE = re.compile("(?<=[:,\\[])(\\s*)(\ue000\\d+\ue001)(?=\\s*[,}\\]])")
_FINISH = ("stop", "length", "tool_calls", "content_filter")


def answers(response: dict[str, Any], when: When, place: Place, report: Report) -> list[tuple[When, Fields]]:
    """The matches and replies of a response; `{{jmes …}}` in it becomes a template."""
    status, content = response.get("status", 200), response["content"]
    report.others(place, response, ("status", "content"))
    if not isinstance(status, int) or not 200 <= status <= 599:
        report.refuse((*place, "status"), f"status: {status!r} is not allowed; it is 200 to 599")
        return []
    slots: list[str] = []

    def taken(found: re.Match[str]) -> str:
        slots.append("0" if found[1] else _jinja(found[2], found[3].strip(), (*place, "content"), report))
        return f"\ue000{len(slots) - 1}\ue001"

    marked = _SLOT.sub(taken, content)
    try:
        body = json.loads(_BARE.sub(r'\1"\2"', marked))
    except ValueError as error:
        report.refuse((*place, "content"), f"content is no JSON: {error}")
        return []
    if status < 400 and (answer := _completion(body, place, report)) is not None:
        return [(when, _filled(answer, slots))]
    if status >= 400 and isinstance(body, dict) and isinstance(body.get("error"), dict):
        return [(also, _filled(reply, slots)) for also, reply in failing(when, status, body, None)]
    raw = {"status": status, "body": marked, "content_type": "application/json"}
    return [(when, _filled({"raw": raw}, slots) if slots else {"raw": {"status": status, "body": body}})]


def _jinja(root: str, path: str, place: Place, report: Report) -> str:
    """The same value in a template; a text as it is, all else as JSON."""
    if root != "request" or not (path in ("path", "method") or _PATH.fullmatch(path)):
        report.refuse(place, f"{{{{jmes {root} {path}}}}}: only a plain path into body or headers can be read")
    if path == "method":
        return "POST"
    if path == "path":
        report.refuse(place, "{{jmes request path}}: a template does not know the path")
    told = re.sub(r"\.\"([^\"]+)\"|(?<=headers)\.(\w+)", lambda one: f"[{json.dumps(one[1] or one[2])}]", path)
    return f"{{{{ {told} if {told} is string else {told} | default(none) | tojson }}}}"


def _filled(answer: Any, slots: list[str]) -> Any:
    """The answer with templates where the marks are, said to be a template where there is any."""
    if not any(_MARK.search(one) for one in _texts(answer)):
        return answer
    return {**_each(answer, slots), "template": True}


def _texts(raw: Any) -> list[str]:
    if isinstance(raw, str):
        return [raw]
    inner = raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ()
    return [text for one in inner for text in _texts(one)]


def _each(raw: Any, slots: list[str]) -> Any:
    if isinstance(raw, str):
        plain = re.sub(r"\{(?=[{%#])", "{{ '{' }}", raw)
        return _MARK.sub(lambda one: slots[int(one[1])], plain)
    if isinstance(raw, dict):
        return {name: _each(value, slots) for name, value in raw.items()}
    return [_each(one, slots) for one in raw] if isinstance(raw, list) else raw


def _completion(body: Any, place: Place, report: Report) -> Fields | None:
    """The answer in a chat completion of one choice; None for what is none."""
    choices = body.get("choices") if isinstance(body, dict) else None
    message = (
        choices[0].get("message") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    )
    if not isinstance(message, dict) or len(choices or ()) != 1:
        return None
    known = ("role", "content", "tool_calls", "reasoning_content", "refusal")
    if any(value for name, value in message.items() if name not in known):
        return None
    answer: Fields = {}
    if isinstance(message.get("refusal"), str):
        answer["refusal"] = message["refusal"]
    elif isinstance(message.get("content"), str):
        answer["text"] = message["content"]
    if isinstance(message.get("reasoning_content"), str):
        answer["thinking"] = message["reasoning_content"]
    if isinstance(message.get("tool_calls"), list):
        told = [{**(one.get("function") or {}), "id": one.get("id")} for one in message["tool_calls"]]
        answer["tool_calls"] = calls(told, (*place, "content"), report)
    if not answer:
        return None
    if choices and (finish := choices[0].get("finish_reason")) in _FINISH:
        answer["finish"] = finish
    return {**answer, **_usage(body.get("usage"))}


def _usage(told: Any) -> Fields:
    if not isinstance(told, dict):
        return {}
    names = {"prompt_tokens": "input", "completion_tokens": "output"}
    return {"usage": {own: told[name] for name, own in names.items() if isinstance(told.get(name), int)}}
