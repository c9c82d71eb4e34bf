from __future__ import annotations

from typing import Any

import pytest
from inprocess import Told

from adapters import Adapter, Calls, Usage


def ask(text: str, stream: bool, limit: int | None = None, tool: str = "", seed: int | None = None) -> Any:
    if tool:
        pytest.skip("legacy completions know no tools")
    body: dict[str, Any] = {"model": "gpt-3.5-turbo-instruct", "prompt": text, "stream": stream}
    body["max_tokens"] = limit or 1000
    if stream:
        body["stream_options"] = {"include_usage": True}
    if seed is not None:
        body["seed"] = seed
    return "/v1/completions", body


def choices(told: Told, streamed: bool) -> list[Any]:
    answers = [event for event in told.events if "choices" in event] if streamed else [told.json]
    return [choice for answer in answers for choice in answer["choices"]]


def words(told: Told, streamed: bool) -> str:
    return "".join(choice["text"] for choice in choices(told, streamed))


def calls(told: Told, streamed: bool) -> Calls:
    return []


def usage(told: Told, streamed: bool) -> Usage:
    usage = (told.events[-1] if streamed else told.json)["usage"]
    return usage["prompt_tokens"], usage["completion_tokens"]


def cut(told: Told, streamed: bool) -> bool:
    return any(choice["finish_reason"] == "length" for choice in choices(told, streamed))


def failed(told: Told, streamed: bool) -> str | None:
    last = told.events[-1] if streamed else told.json
    return str(last["error"]["message"]) if "error" in last else None


ADAPTER = Adapter(ask, words, calls, usage, cut, failed)
