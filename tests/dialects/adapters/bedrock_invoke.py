from __future__ import annotations

from base64 import b64decode
from typing import Any

import orjson
from inprocess import Told

from adapters import Adapter, Calls, Usage
from adapters import anthropic_messages as plain
from adapters.bedrock_converse import events


def ask(text: str, stream: bool, limit: int | None = None, tool: str = "", seed: int | None = None) -> Any:
    _, body, *_ = plain.ask(text, stream, limit, tool, seed)
    body = {name: value for name, value in body.items() if name not in ("model", "stream")}
    model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    way = "invoke-with-response-stream" if stream else "invoke"
    return f"/model/{model}/{way}", {**body, "anthropic_version": "bedrock-2023-05-31"}


def unwrapped(told: Told, streamed: bool) -> Told:
    """The answer as Anthropic's own API would have given it."""
    if not streamed:
        return told
    body = b""
    for kind, payload in events(told):
        data = b64decode(payload["bytes"]) if kind == "chunk" else orjson.dumps({"type": "error", "error": payload})
        body += b"event: %b\ndata: %b\n\n" % (orjson.loads(data)["type"].encode(), data)
    return Told(told.status, told.headers, body)


def words(told: Told, streamed: bool) -> str:
    return plain.words(unwrapped(told, streamed), streamed)


def calls(told: Told, streamed: bool) -> Calls:
    return plain.calls(unwrapped(told, streamed), streamed)


def usage(told: Told, streamed: bool) -> Usage:
    return plain.usage(unwrapped(told, streamed), streamed)


def cut(told: Told, streamed: bool) -> bool:
    return plain.cut(unwrapped(told, streamed), streamed)


def failed(told: Told, streamed: bool) -> str | None:
    if not streamed:
        return str(told.json["message"])
    return plain.failed(unwrapped(told, streamed), streamed)


ADAPTER = Adapter(ask, words, calls, usage, cut, failed, blank=False)
