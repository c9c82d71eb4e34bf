from __future__ import annotations

from typing import Any

import orjson
from inprocess import Told

from adapters import Adapter, Calls, Usage


def ask(text: str, stream: bool, limit: int | None = None, tool: str = "", seed: int | None = None) -> Any:
    body: dict[str, Any] = {"model": "llama3.2", "messages": [{"role": "user", "content": text}], "stream": stream}
    body["options"] = {name: value for name, value in (("num_predict", limit), ("seed", seed)) if value is not None}
    if tool:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        body["tools"] = [{"type": "function", "function": {"name": tool, "parameters": schema}}]
    return "/api/chat", body


def lines(told: Told) -> list[Any]:
    return [orjson.loads(line) for line in told.body.splitlines()]


def words(told: Told, streamed: bool) -> str:
    return "".join(line["message"]["content"] for line in lines(told) if "message" in line)


def calls(told: Told, streamed: bool) -> Calls:
    found = [call for line in lines(told) for call in line.get("message", {}).get("tool_calls") or ()]
    return [(call["function"]["name"], call["function"]["arguments"]) for call in found]


def usage(told: Told, streamed: bool) -> Usage:
    last = lines(told)[-1]
    return last["prompt_eval_count"], last["eval_count"]


def cut(told: Told, streamed: bool) -> bool:
    return bool(lines(told)[-1]["done_reason"] == "length")


def failed(told: Told, streamed: bool) -> str | None:
    message = lines(told)[-1].get("error")
    return None if message is None else str(message)


ADAPTER = Adapter(ask, words, calls, usage, cut, failed)
