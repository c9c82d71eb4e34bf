from __future__ import annotations

from typing import Any

import orjson
from inprocess import Told

from adapters import Adapter, Calls, Usage


def ask(text: str, stream: bool, limit: int | None = None, tool: str = "", seed: int | None = None) -> Any:
    body: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], "stream": stream}
    if stream:
        body["stream_options"] = {"include_usage": True}
    if limit:
        body["max_tokens"] = limit
    if seed is not None:
        body["seed"] = seed
    if tool:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        body["tools"] = [{"type": "function", "function": {"name": tool, "parameters": schema}}]
    return "/v1/chat/completions", body


def choices(told: Told, streamed: bool) -> list[Any]:
    answers = [event for event in told.events if "choices" in event] if streamed else [told.json]
    return [choice for answer in answers for choice in answer["choices"]]


def words(told: Told, streamed: bool) -> str:
    key = "delta" if streamed else "message"
    return "".join(choice[key].get("content") or "" for choice in choices(told, streamed))


def calls(told: Told, streamed: bool) -> Calls:
    key = "delta" if streamed else "message"
    found: dict[int, list[str]] = {}
    for choice in choices(told, streamed):
        for place, call in enumerate(choice[key].get("tool_calls") or ()):
            parts = found.setdefault(call.get("index", place), ["", ""])
            parts[0] += call["function"].get("name", "")
            parts[1] += call["function"]["arguments"]
    return [(name, orjson.loads(arguments)) for name, arguments in found.values()]


def usage(told: Told, streamed: bool) -> Usage:
    usage = (told.events[-1] if streamed else told.json)["usage"]
    return usage["prompt_tokens"], usage["completion_tokens"]


def cut(told: Told, streamed: bool) -> bool:
    return any(choice["finish_reason"] == "length" for choice in choices(told, streamed))


def failed(told: Told, streamed: bool) -> str | None:
    last = told.events[-1] if streamed else told.json
    return str(last["error"]["message"]) if "error" in last else None


ADAPTER = Adapter(ask, words, calls, usage, cut, failed)
