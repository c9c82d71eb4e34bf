"""Bodies for Anthropic's Messages API, and asking it in this very process."""

from __future__ import annotations

from typing import Any

from inprocess import Told, ask

from llmsim.clock import ToldClock
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

OLD, NEW = "2023-06-01", "2026-10-21"
# A model that takes nearly everything and thinks only when it is told to, and one of the newest, which always thinks.
MODEL, NEWEST = "claude-sonnet-4-5", "claude-opus-5-5"
THREADS = "message-threads-2026-08-12"

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # 1 px, PNG
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Tells the weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CACHED = {"cache_control": {"type": "ephemeral"}}


def text(words: str = "Hi", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks) or "Hi"}


def said(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks) or "Hello"}


def call(id: str = "toolu_1", name: str = "get_weather", **input: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def result(id: str = "toolu_1", content: Any = "rainy") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": content}


def image(data: str = PIXEL, kind: str = "image/png") -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def document(data: str = "The sky is blue. Grass is green.", **more: Any) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": data}, **more}


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 1000, "messages": list(messages) or [user()], **fields}


def without(*names: str, **fields: Any) -> dict[str, Any]:
    return {name: value for name, value in body(**fields).items() if name not in names}


async def tell(
    app: Application,
    sent: Any,
    version: str = NEW,
    beta: str = "",
    path: str = "/v1/messages",
    method: str = "POST",
    **headers: str,
) -> Told:
    """The answer to a body, asked for under a version of the API."""
    told = {"anthropic-version": version, **headers}
    if beta:
        told["anthropic-beta"] = beta
    return await ask(app, path, sent, method, **told)


def application_at(clock: ToldClock, **fields: Any) -> Application:
    """The ASGI application by a told clock."""
    given = {"latency_profile": "instant", "target_tokens": 20, **fields}
    return Application(Simulator(Settings(**given), clock=clock))
