"""Keeps the chat completions that clients want stored, with their messages and metadata.

Source: OpenAI's OpenAPI document, the examples of the operations below `/chat/completions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from llmsim.dialects import _openai_wire as wire
from llmsim.exchange import Exchange
from llmsim.store import Store

KIND = "openai.chat_completion"

# What of a request a stored completion tells, and what it tells where the request says nothing.
_ECHOED = {
    "tool_choice": None,
    "seed": None,
    "top_p": 1.0,
    "temperature": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "tools": None,
    "response_format": None,
}


@dataclass(slots=True)
class Stored:
    """A completion as it is listed, and the messages of its request as they are listed."""

    completion: dict[str, Any]
    messages: list[dict[str, Any]]

    @property
    def size(self) -> int:
        """Bytes that it counts for."""
        return len(orjson.dumps(self.completion)) + len(orjson.dumps(self.messages))


def keep(store: Store, exchange: Exchange, worded: bytes) -> None:
    """Keeps the completion that an exchange came to; `worded` is the reply as it is sent whole."""
    request = orjson.loads(exchange.request)
    completion = orjson.loads(worded) | {"object": "chat.completion"}
    told = {name: request.get(name, usual) for name, usual in _ECHOED.items()}
    completion |= told | {
        "request_id": "req_{:016x}{:016x}".format(*wire.ids(exchange)),
        "input_user": request.get("user"),
        "metadata": request.get("metadata") or {},
    }
    messages = [_listed(message, f"{completion['id']}-{index}") for index, message in enumerate(request["messages"])]
    stored = Stored(completion, messages)
    store.put(KIND, completion["id"], stored, stored.size)


def _listed(message: dict[str, Any], name: str) -> dict[str, Any]:
    """A message as the API lists it: parts stand apart from plain content."""
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    return {
        "refusal": None,
        "name": None,
        **message,
        "id": name,
        "content": content if parts is None else None,
        "content_parts": parts,
    }
