from __future__ import annotations

from typing import Any

import orjson
from inprocess import Told

from adapters import Adapter, Calls, Usage


def ask(text: str, stream: bool, limit: int | None = None, tool: str = "", seed: int | None = None) -> Any:
    """Anthropic's API takes no seed; a model that does not think by itself says nothing but its words."""
    body: dict[str, Any] = {
        "model": "claude-sonnet-4-5",
        "max_tokens": limit or 1000,
        "messages": [{"role": "user", "content": text}],
        "stream": stream,
    }
    if tool:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        body["tools"] = [{"name": tool, "input_schema": schema}]
    return "/v1/messages", body


def blocks(told: Told, streamed: bool) -> list[Any]:
    """The content blocks; those of a stream put together of their deltas."""
    if not streamed:
        return list(told.json.get("content", ()))
    found: list[Any] = []
    for event in told.events:
        if event["type"] == "content_block_start":
            found.append({**event["content_block"], "json": ""})
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            found[event["index"]]["text"] = found[event["index"]].get("text", "") + delta.get("text", "")
            found[event["index"]]["json"] += delta.get("partial_json", "")
    return [{**block, "input": orjson.loads(block["json"] or b"{}")} for block in found]


def words(told: Told, streamed: bool) -> str:
    return "".join(block["text"] for block in blocks(told, streamed) if block["type"] == "text")


def calls(told: Told, streamed: bool) -> Calls:
    return [(block["name"], block["input"]) for block in blocks(told, streamed) if block["type"] == "tool_use"]


def last(told: Told) -> Any:
    return next(event for event in told.events if event["type"] == "message_delta")


def usage(told: Told, streamed: bool) -> Usage:
    usage = last(told)["usage"] if streamed else told.json["usage"]
    return usage["input_tokens"], usage["output_tokens"]


def cut(told: Told, streamed: bool) -> bool:
    return bool((last(told)["delta"] if streamed else told.json)["stop_reason"] == "max_tokens")


def failed(told: Told, streamed: bool) -> str | None:
    body = told.events[-1] if streamed else told.json
    return str(body["error"]["message"]) if "error" in body else None


ADAPTER = Adapter(ask, words, calls, usage, cut, failed, {"anthropic-version": "2026-10-21"}, blank=False)
