from __future__ import annotations

from typing import Any

from inprocess import Told

from adapters import Adapter, Calls, Usage

MODEL = "gemini-2.5-flash"


def ask(text: str, stream: bool, limit: int | None = None, tool: str = "", seed: int | None = None) -> Any:
    config: dict[str, Any] = {"thinkingConfig": {"thinkingBudget": 0}}
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": text}]}], "generationConfig": config}
    if limit:
        config["maxOutputTokens"] = limit
    if seed is not None:
        config["seed"] = seed
    if tool:
        schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
        body["tools"] = [{"functionDeclarations": [{"name": tool, "parameters": schema}]}]
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/v1beta/models/{MODEL}:{method}", body


def answers(told: Told, streamed: bool) -> list[Any]:
    return told.events if streamed else [told.json]


def parts(told: Told, streamed: bool) -> list[Any]:
    found = [candidate for answer in answers(told, streamed) for candidate in answer.get("candidates", ())]
    return [part for candidate in found for part in candidate["content"].get("parts", ())]


def words(told: Told, streamed: bool) -> str:
    return "".join(part.get("text", "") for part in parts(told, streamed))


def calls(told: Told, streamed: bool) -> Calls:
    found = [part["functionCall"] for part in parts(told, streamed) if "functionCall" in part]
    return [(call["name"], call["args"]) for call in found]


def usage(told: Told, streamed: bool) -> Usage:
    spent = answers(told, streamed)[-1]["usageMetadata"]
    return spent["promptTokenCount"], spent.get("candidatesTokenCount", 0) + spent.get("thoughtsTokenCount", 0)


def cut(told: Told, streamed: bool) -> bool:
    candidates = answers(told, streamed)[-1]["candidates"]
    return bool(candidates[0]["finishReason"] == "MAX_TOKENS")


def failed(told: Told, streamed: bool) -> str | None:
    last = answers(told, streamed)[-1]
    return str(last["error"]["message"]) if "error" in last else None


ADAPTER = Adapter(ask, words, calls, usage, cut, failed)
