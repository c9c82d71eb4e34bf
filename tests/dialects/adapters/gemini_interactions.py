from __future__ import annotations

from typing import Any

import orjson
from inprocess import Told

from adapters import Adapter, Calls, Usage

MODEL = "gemini-2.5-flash-lite"


def ask(text: str, stream: bool, limit: int | None = None, tool: str = "", seed: int | None = None) -> Any:
    config: dict[str, Any] = {}
    body: dict[str, Any] = {"model": MODEL, "input": text, "stream": stream, "generation_config": config}
    if limit:
        config["max_output_tokens"] = limit
    if seed is not None:
        config["seed"] = seed
    if tool:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        body["tools"] = [{"type": "function", "name": tool, "parameters": schema}]
    return "/v1/interactions", body


def interaction(told: Told, streamed: bool) -> Any:
    """The interaction as it ended; of a stream, without its steps."""
    return told.events[-1]["interaction"] if streamed else told.json


def steps(told: Told) -> list[Any]:
    """The steps as a client puts them together from a stream's events."""
    found: list[Any] = []
    for event in told.events:
        if event["event_type"] == "step.start":
            assert event["index"] == len(found)
            found.append({**event["step"], "text": "", "said": ""})
        elif event["event_type"] == "step.delta":
            delta, step = event["delta"], found[event["index"]]
            step["text"] += delta["text"] if delta["type"] == "text" else ""
            step["said"] += delta["arguments"] if delta["type"] == "arguments_delta" else ""
    return found


def words(told: Told, streamed: bool) -> str:
    if streamed:
        return "".join(step["text"] for step in steps(told))
    contents = [step["content"] for step in told.json["steps"] if step["type"] == "model_output"]
    return "".join(part["text"] for content in contents for part in content)


def calls(told: Told, streamed: bool) -> Calls:
    if streamed:
        return [(step["name"], orjson.loads(step["said"])) for step in steps(told) if step["type"] == "function_call"]
    found = [step for step in told.json["steps"] if step["type"] == "function_call"]
    assert interaction(told, streamed)["status"] == "requires_action"
    return [(step["name"], step["arguments"]) for step in found]


def usage(told: Told, streamed: bool) -> Usage:
    spent = interaction(told, streamed)["usage"]
    return spent["total_input_tokens"], spent["total_output_tokens"] + spent["total_thought_tokens"]


def cut(told: Told, streamed: bool) -> bool:
    return bool(interaction(told, streamed)["status"] == "incomplete")


def failed(told: Told, streamed: bool) -> str | None:
    last = told.events[-1] if streamed else told.json
    return str(last["error"]["message"]) if "error" in last else None


ADAPTER = Adapter(ask, words, calls, usage, cut, failed)
