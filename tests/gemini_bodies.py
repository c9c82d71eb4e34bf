"""Bodies for Gemini's generateContent, and asking it in this very process."""

from __future__ import annotations

from typing import Any

import orjson
from inprocess import Told, ask

from llmsim.server.handlers import Application

# A model that thinks only as far as it is told to, and one of the newest, whose calls are signed.
MODEL, NEWEST = "gemini-2.5-flash", "gemini-3-pro-preview"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # 1 px, PNG
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Tells the weather of a city",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}
TIME: dict[str, Any] = {
    "name": "get_time",
    "parametersJsonSchema": {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]},
}
QUIET = {"thinkingConfig": {"thinkingBudget": 0}}


def text(words: str = "Hi") -> dict[str, Any]:
    return {"text": words}


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts) or [text()]}


def said(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts) or [text("Hello")]}


def call(name: str = "get_weather", **args: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args}}


def result(name: str = "get_weather", **response: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": response or {"result": "rainy"}}}


def data(kind: str = "image/png", content: str = PIXEL) -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": content}}


def body(*contents: Any, config: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A request that asks for no thoughts unless `config` says so."""
    return {"contents": list(contents) or [user()], "generationConfig": {**QUIET, **(config or {})}, **fields}


def functions(*declared: Any, mode: str = "", names: Any = ()) -> dict[str, Any]:
    """The fields that offer functions, and how they are to be called."""
    told: dict[str, Any] = {"tools": [{"functionDeclarations": list(declared) or [WEATHER]}]}
    if mode:
        told["toolConfig"] = {"functionCallingConfig": {"mode": mode}}
    if names:
        told["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] = list(names)
    return told


async def tell(
    app: Application,
    sent: Any,
    method: str = "generateContent",
    model: str = MODEL,
    version: str = "v1",
    **headers: str,
) -> Told:
    """The answer to a body; `method` may bring a query with it."""
    given = {"authorization": "", "x_goog_api_key": "AIza-test", **headers}
    return await ask(app, f"/{version}/models/{model}:{method}", sent, **given)


SSE, ARRAY = "streamGenerateContent?alt=sse", "streamGenerateContent"


def chunks(told: Told) -> list[Any]:
    """The responses of a stream of either form, whose framing has to be as it should."""
    if told.body.startswith(b"["):
        return list(orjson.loads(told.body))
    events = told.body.split(b"\r\n\r\n")
    assert events.pop() == b""
    assert all(event.startswith(b"data: {") and b"\n" not in event for event in events)
    return told.events


def parts(told: Told) -> list[Any]:
    """The parts of the first candidate of a whole reply."""
    return list(told.json["candidates"][0]["content"].get("parts", ()))


def words(told: Told) -> str:
    """What the first candidate of a whole reply says, thoughts left out."""
    return "".join(part.get("text", "") for part in parts(told) if not part.get("thought"))
