"""Hears what a recorded reply of Gemini says: whole, as server-sent events, or as an array.

Source: Google's API reference, GenerateContentResponse.
"""

from __future__ import annotations

from typing import Any

import orjson

from llmsim.conversation import Stop
from llmsim.dialects._openai_heard import failed
from llmsim.plan import Usage
from llmsim.replay.heard import Heard, events

_FILTERED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY")


def content(body: bytes) -> Heard:
    """Generated content."""
    heard = Heard()
    calls = 0
    for at, event in events(body):
        if not isinstance(event, dict):
            continue
        failed(heard, event)
        heard.model = heard.model or str(event.get("modelVersion") or "")
        _spent(heard, event.get("usageMetadata"))
        for place, candidate in enumerate(event.get("candidates") or ()):
            index = int(candidate.get("index") or place)
            heard.choices = max(heard.choices, index + 1)
            for part in (candidate.get("content") or {}).get("parts") or ():
                calls += _part(heard, at, part, index, calls)
            reason = candidate.get("finishReason")
            if reason:
                heard.stop = Stop.FILTER if reason in _FILTERED else Stop.LENGTH if reason == "MAX_TOKENS" else Stop.END
    return heard


def _part(heard: Heard, at: int, part: dict[str, Any], index: int, calls: int) -> int:
    """Notes a part; gives 1 for a call."""
    call = part.get("functionCall")
    if call:
        arguments = orjson.dumps(call.get("args") or {}).decode()
        heard.call(at, calls, arguments, str(call.get("name") or ""), str(call.get("id") or ""))
        return 1
    heard.say(at, "thought" if part.get("thought") else "text", part.get("text"), index)
    return 0


def _spent(heard: Heard, usage: Any) -> None:
    if isinstance(usage, dict):
        thought = usage.get("thoughtsTokenCount") or 0
        heard.usage = Usage(
            usage.get("promptTokenCount") or 0,
            (usage.get("candidatesTokenCount") or 0) + thought,
            thought,
            usage.get("cachedContentTokenCount") or 0,
        )
