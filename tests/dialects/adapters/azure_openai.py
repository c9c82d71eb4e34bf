from __future__ import annotations

from typing import Any

from adapters import Adapter, openai_chat

PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"


def ask(*told: Any, **more: Any) -> Any:
    _, body = openai_chat.ask(*told, **more)
    return PATH, body


inner = openai_chat.ADAPTER
ADAPTER = Adapter(ask, inner.words, inner.calls, inner.usage, inner.cut, inner.failed)
