from __future__ import annotations

from dataclasses import replace
from typing import Any

from inprocess import Told

from adapters import openai_chat

MODEL = "gemini-2.5-flash-lite"


def ask(*asked: Any, **more: Any) -> Any:
    path, body = openai_chat.ask(*asked, **more)
    return path.replace("/v1/", "/v1beta/openai/"), {**body, "model": MODEL}


def failed(told: Told, streamed: bool) -> str | None:
    """Google puts an error into a list of one."""
    last = told.events[-1] if streamed else told.json
    if isinstance(last, list):
        (last,) = last
    return str(last["error"]["message"]) if "error" in last else None


ADAPTER = replace(openai_chat.ADAPTER, ask=ask, failed=failed)
