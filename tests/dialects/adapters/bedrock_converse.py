from __future__ import annotations

from typing import Any

import orjson
from botocore.eventstream import EventStreamBuffer
from inprocess import Told

from adapters import Adapter, Calls, Usage


def ask(text: str, stream: bool, limit: int | None = None, tool: str = "", seed: int | None = None) -> Any:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": text}]}], "inferenceConfig": {}}
    if limit:
        body["inferenceConfig"]["maxTokens"] = limit
    if tool:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        body["toolConfig"] = {"tools": [{"toolSpec": {"name": tool, "inputSchema": {"json": schema}}}]}
    return f"/model/amazon.nova-pro-v1:0/converse{'-stream' * stream}", body


def events(told: Told) -> list[tuple[str, Any]]:
    """The events as botocore reads them: kind and payload."""
    buffer = EventStreamBuffer()
    buffer.add_data(told.body)
    read = []
    for event in buffer:
        kind = event.headers.get(":event-type") or event.headers[":exception-type"]
        read.append((kind, orjson.loads(event.payload)))
    return read


def deltas(told: Told) -> list[Any]:
    return [payload for kind, payload in events(told) if kind == "contentBlockDelta"]


def words(told: Told, streamed: bool) -> str:
    if streamed:
        return "".join(delta["delta"].get("text", "") for delta in deltas(told))
    return "".join(block.get("text", "") for block in told.json["output"]["message"]["content"])


def calls(told: Told, streamed: bool) -> Calls:
    if not streamed:
        blocks = [block["toolUse"] for block in told.json["output"]["message"]["content"] if "toolUse" in block]
        return [(block["name"], block["input"]) for block in blocks]
    starts = [payload for kind, payload in events(told) if kind == "contentBlockStart"]
    found = []
    for start in starts:
        parts = [one["delta"] for one in deltas(told) if one["contentBlockIndex"] == start["contentBlockIndex"]]
        given = "".join(part["toolUse"]["input"] for part in parts)
        found.append((start["start"]["toolUse"]["name"], orjson.loads(given)))
    return found


def usage(told: Told, streamed: bool) -> Usage:
    spent = (events(told)[-1][1] if streamed else told.json)["usage"]
    return spent["inputTokens"], spent["outputTokens"]


def cut(told: Told, streamed: bool) -> bool:
    if not streamed:
        return bool(told.json["stopReason"] == "max_tokens")
    return ("messageStop", {"stopReason": "max_tokens"}) in events(told)


def failed(told: Told, streamed: bool) -> str | None:
    if not streamed:
        return str(told.json["message"])
    kind, payload = events(told)[-1]
    return str(payload["message"]) if kind.endswith("Exception") else None


ADAPTER = Adapter(ask, words, calls, usage, cut, failed, blank=False)
