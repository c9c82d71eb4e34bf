from __future__ import annotations

from typing import Any

import orjson
from inprocess import Told

from adapters import Adapter, Calls, Usage


def ask(text: str, stream: bool, limit: int | None = None, tool: str = "", seed: int | None = None) -> Any:
    body: dict[str, Any] = {"model": "gpt-4o", "input": text, "stream": stream}
    if limit:
        body["max_output_tokens"] = limit
    if tool:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        body["tools"] = [{"type": "function", "name": tool, "parameters": schema}]
    return "/v1/responses", body


def response(told: Told, streamed: bool) -> Any:
    return told.events[-1]["response"] if streamed else told.json


def words(told: Told, streamed: bool) -> str:
    if streamed:
        return "".join(event["delta"] for event in told.events if event["type"] == "response.output_text.delta")
    parts = [part for item in told.json["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part["text"] for part in parts)


def calls(told: Told, streamed: bool) -> Calls:
    items = [item for item in response(told, streamed)["output"] if item["type"] == "function_call"]
    if streamed:
        kind = "response.function_call_arguments.delta"
        said = "".join(event["delta"] for event in told.events if event["type"] == kind)
        assert said == "".join(item["arguments"] for item in items)
    return [(item["name"], orjson.loads(item["arguments"])) for item in items]


def usage(told: Told, streamed: bool) -> Usage:
    usage = response(told, streamed)["usage"]
    return usage["input_tokens"], usage["output_tokens"]


def cut(told: Told, streamed: bool) -> bool:
    last = response(told, streamed)
    return bool(last["status"] == "incomplete" and last["incomplete_details"] == {"reason": "max_output_tokens"})


def failed(told: Told, streamed: bool) -> str | None:
    error = response(told, streamed).get("error")
    return str(error["message"]) if error else None


ADAPTER = Adapter(ask, words, calls, usage, cut, failed)
