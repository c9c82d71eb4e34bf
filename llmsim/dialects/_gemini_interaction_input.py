"""Turns the input of an interaction - a text, contents, or steps - into contents as generateContent has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from llmsim import media
from llmsim.dialects._gemini_interaction_checks import CONTENTS, STEPS, expect, invalid, one_of

Json = Mapping[str, Any]
Contents = list[dict[str, Any]]

_LEGACY = (
    "The legacy Interactions API schema is no longer supported. Please upgrade your client SDK to Python >= 2.0.0 or "
    "JavaScript/TypeScript >= 2.0.0 to adopt the new 'steps' schema. For details and migration examples, see: "
    "https://ai.google.dev/gemini-api/docs/interactions-breaking-changes-may-2026"
)


def steps_of(told: Any) -> list[dict[str, Any]]:
    """The steps that an input is; raises Refused where it is none."""
    if told is None or told == "":
        return []
    if isinstance(told, str):
        return [{"type": "user_input", "content": [{"type": "text", "text": told}]}]
    items = told if isinstance(told, list) else [told]
    for index, item in enumerate(items):
        where = f"input[{index}]" if items is told else "input"
        if not isinstance(item, dict):
            raise invalid(f"Invalid value for '{where}': expected an object.")
        if "role" in item:
            raise invalid(_LEGACY)
        one_of(item, "type", (*CONTENTS, *STEPS), where)
    contents = [item for item in items if item["type"] in CONTENTS]
    if contents and len(contents) < len(items):
        raise invalid("Invalid value for 'input': contents and steps cannot be mixed.")
    return [{"type": "user_input", "content": contents}] if contents else items


def contents_of(steps: Sequence[Json], before: Sequence[Json] = ()) -> Contents:
    """Steps as contents, those of one side as one; results of functions are named after their calls, also `before`."""
    names = {
        part["functionCall"].get("id", ""): part["functionCall"]["name"]
        for content in before
        for part in content["parts"]
        if "functionCall" in part
    }
    contents: Contents = []
    for index, step in enumerate(steps):
        role, parts = _parts(step, f"input[{index}]", names)
        if parts and contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    return contents


def _parts(step: Json, where: str, names: dict[str, str]) -> tuple[str, list[dict[str, Any]]]:
    kind = step["type"]
    if kind in ("user_input", "model_output"):
        content = step.get("content") or []
        items = [{"type": "text", "text": content}] if isinstance(content, str) else content
        expect(items, list, "content", where)
        parts = [_part(item, f"{where}.content[{at}]") for at, item in enumerate(items)]
        return "user" if kind == "user_input" else "model", parts
    if kind == "function_call":
        id, name = _text(step, "id", where), _text(step, "name", where)
        names[id] = name
        arguments = step.get("arguments") or {}
        expect(arguments, dict, "arguments", where)
        return "model", [{"functionCall": {"id": id, "name": name, "args": arguments}}]
    if kind == "function_result":
        id = _text(step, "call_id", where)
        name = _text(step, "name", where) if step.get("name") is not None else names.get(id, "tool")
        response = {"id": id, "name": name, "response": _result(step, where)}
        return "user", [{"functionResponse": response}]
    return "model", []


def _part(item: Any, where: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise invalid(f"Invalid value for '{where}': expected an object.")
    kind = one_of(item, "type", CONTENTS, where)
    if kind == "text":
        return {"text": _text(item, "text", where)}
    usual = {"document": "application/pdf"}.get(kind, f"{kind}/*")
    mime_type = _text(item, "mime_type", where) if item.get("mime_type") is not None else usual
    if item.get("data") is not None:
        if media.decode_base64(_text(item, "data", where)) is None:
            raise invalid(f"Invalid value for 'data' at '{where}': expected base64.")
        return {"inlineData": {"mimeType": mime_type, "data": item["data"]}}
    return {"fileData": {"mimeType": mime_type, "fileUri": _text(item, "uri", where)}}


def _text(item: Json, name: str, where: str) -> str:
    if name not in item:
        raise invalid(f"Missing required parameter '{name}' at '{where}'.")
    if not isinstance(item[name], str):
        raise invalid(f"Invalid value for '{name}' at '{where}': expected a string.")
    return str(item[name])


def _result(step: Json, where: str) -> dict[str, Any]:
    """What a function gave, as an object; contents count for their texts."""
    if "result" not in step:
        raise invalid(f"Missing required parameter 'result' at '{where}'.")
    result = step["result"]
    if isinstance(result, list):
        texts = [item["text"] for item in result if isinstance(item, dict) and isinstance(item.get("text"), str)]
        result = "\n".join(texts) if texts else orjson.dumps(result).decode()
    return result if isinstance(result, dict) else {"result": result}
