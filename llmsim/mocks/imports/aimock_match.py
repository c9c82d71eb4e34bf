"""What a fixture of aimock matches, as llmsim's conditions."""

from __future__ import annotations

from typing import Any

from llmsim.mocks.imports.parts import Place, Report, When, containing, plain_model, together

_TEXTS = ("userMessage", "toolCallId", "toolResultContains", "toolName", "inputText", "responseFormat", "context")
_KNOWN = frozenset((*_TEXTS, "systemMessage", "model", "hasToolResult", "sequenceIndex", "turnIndex", "endpoint"))
_ENDPOINTS = {
    "chat": None,
    "embedding": "*embed*",
    "image": "*/images/*",
    "speech": "*/audio/speech",
    "transcription": "*/audio/transcriptions",
    "translation": "*/audio/translations",
}
_WORDLESS = ["*embed*", "*/images/*", "*/audio/*", "*/moderations"]
_SAID_BY_TOOL = (
    "messages[-1].content",
    "messages[-1].content[*].text",
    "messages[-1].content[-1].content",
    "messages[-1].content[-1].content[*].text",
    "messages[-1].content[-1].toolResult.content[*].text",
    "input[-1].output",
    "contents[-1].parts[-1].functionResponse.response..*",
)
_IDS = (
    "messages[-1].tool_call_id",
    "messages[-1].content[-1].tool_use_id",
    "messages[-1].content[-1].toolResult.toolUseId",
    "input[-1].call_id",
    "contents[-1].parts[-1].functionResponse.id",
)
_FORMATS = ("response_format.type", "text.format.type")
_ANSWERS = (
    "messages[?@.role=='assistant']",
    "input[?@.role=='assistant' || @.type=='function_call']",
    "contents[?@.role=='model']",
)


def when(match: dict[str, Any], place: Place, report: Report, *, fails: bool) -> When:
    """The conditions of a fixture; one that `fails` answers what asks for no words too, as aimock has it."""
    for name, value in match.items():
        kind = str if name in _TEXTS or name == "endpoint" else None
        if name not in _KNOWN:
            told = "a function cannot be read from a file" if name == "predicate" else "there is no such condition"
            report.refuse((*place, name), f"{name}: {told}")
        elif kind and not isinstance(value, kind | None):
            report.refuse((*place, name), f"{name} is a text, not {value!r}")
        elif name in ("sequenceIndex", "turnIndex") and (not isinstance(value, int) or isinstance(value, bool)):
            report.refuse((*place, name), f"{name} is a whole number, not {value!r}")
    given = {name: value for name, value in match.items() if name not in _TEXTS or isinstance(value, str)}
    parts = [*_texts(given), *_tools(given), *_system(given.get("systemMessage"), place, report)]
    parts += _model(given.get("model"), place, report)
    parts += _endpoint(given.get("endpoint"), place, report, fails=fails)
    return together(parts)


def _texts(given: dict[str, Any]) -> list[When]:
    parts: list[When] = [{"text": one} for one in containing(given.get("userMessage", ""))]
    if "context" in given:
        parts.append({"header": {"x-aimock-context": f"={given['context']}"}})
    if "responseFormat" in given:
        parts.append({"or": [{"json": {path: f"={given['responseFormat']}"}} for path in _FORMATS]})
    paths = ("input", "input[*]")
    parts += [{"or": [{"json": {path: one}} for path in paths]} for one in containing(given.get("inputText", ""))]
    return parts


def _tools(given: dict[str, Any]) -> list[When]:
    parts: list[When] = []
    if "toolName" in given:
        parts.append({"tool": given["toolName"]})
    if isinstance(given.get("hasToolResult"), bool):
        parts.append({"tool_result": given["hasToolResult"]})
    elif "toolCallId" in given or "toolResultContains" in given:
        parts.append({"tool_result": True})
    if "toolCallId" in given:
        parts.append({"or": [{"json": {path: f"={given['toolCallId']}"}} for path in _IDS]})
    for one in containing(given.get("toolResultContains", "")):
        parts.append({"or": [{"json": {path: one}} for path in _SAID_BY_TOOL]})
    return parts


def _system(told: Any, place: Place, report: Report) -> list[When]:
    texts = told if isinstance(told, list) else [] if told is None else [told]
    if not all(isinstance(one, str) for one in texts):
        report.refuse((*place, "systemMessage"), "systemMessage is a text or a list of texts")
        return []
    return [{"system": one} for text in texts for one in containing(text)]


def _model(told: Any, place: Place, report: Report) -> list[When]:
    """The model of that name, and those that are it with a date or a number behind."""
    if told is None:
        return []
    if not isinstance(told, str) or not plain_model(told):
        report.refuse((*place, "model"), f"model: {told!r} is no name of a model")
        return []
    return [{"model": [told, *(f"{told}-{digit}*" for digit in range(10))]}]


def _endpoint(told: Any, place: Place, report: Report, *, fails: bool) -> list[When]:
    if told is not None and told not in _ENDPOINTS:
        report.refuse((*place, "endpoint"), f"endpoint: llmsim has no API that answers to {told!r}")
        return []
    asked = _ENDPOINTS.get(told) if told else None
    if asked:
        return [{"endpoint": asked}]
    if not fails:
        return []
    return [{"not": {"endpoint": _WORDLESS if told == "chat" else _WORDLESS[1:]}}]


def after(when: When, turn: int) -> When:
    """The same once the model has answered at least so often in the conversation."""
    if turn <= 0:
        return when
    counted = [{"json": {f"$[?count($.{path}) >= {turn}]": "*"}} for path in _ANSWERS]
    return together([when, {"or": counted}])
