"""Hears what a recorded reply of Anthropic's Messages API says, whole or streamed.

Source: Anthropic API reference, Messages and Streaming Messages.
"""

from __future__ import annotations

from typing import Any

import orjson

from llmsim.conversation import Stop
from llmsim.dialects._openai_heard import failed
from llmsim.plan import Usage
from llmsim.replay.heard import Heard, events

_STOPS = {
    "end_turn": Stop.END,
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.LENGTH,
    "stop_sequence": Stop.SEQUENCE,
    "tool_use": Stop.END,
    "refusal": Stop.FILTER,
}


def message(body: bytes) -> Heard:
    """A message, whole or as its events."""
    heard = Heard()
    for at, event in events(body):
        if not isinstance(event, dict):
            continue
        kind = event.get("type")
        if kind == "message_start":
            _told(heard, event.get("message") or {})
        elif kind == "content_block_start":
            _block(heard, at, event.get("index"), event.get("content_block") or {}, begun=True)
        elif kind == "content_block_delta":
            _delta(heard, at, event.get("index"), event.get("delta") or {})
        elif kind == "message_delta":
            _told(heard, {**(event.get("delta") or {}), "usage": event.get("usage")})
        elif kind == "message":
            for index, block in enumerate(event.get("content") or ()):
                _block(heard, at, index, block)
            _told(heard, event)
        else:
            failed(heard, event)
    return heard


def _block(heard: Heard, at: int, index: Any, block: dict[str, Any], begun: bool = False) -> None:
    """A block of content; of one that has only begun the arguments follow."""
    kind = block.get("type")
    if kind == "text":
        heard.say(at, "text", block.get("text"))
    elif kind == "thinking":
        heard.say(at, "thought", block.get("thinking"))
    elif kind == "tool_use":
        arguments = "" if begun else orjson.dumps(block.get("input") or {}).decode()
        heard.call(at, index, arguments, block.get("name") or "", block.get("id") or "")


def _delta(heard: Heard, at: int, index: Any, delta: dict[str, Any]) -> None:
    kind = delta.get("type") or ""
    if kind == "text_delta":
        heard.say(at, "text", delta.get("text"))
    elif kind == "thinking_delta":
        heard.say(at, "thought", delta.get("thinking"))
    elif kind == "input_json_delta":
        heard.call(at, index, delta.get("partial_json"))


def _told(heard: Heard, message: dict[str, Any]) -> None:
    """Notes the model, why it ended, and what it cost so far."""
    heard.model = heard.model or str(message.get("model") or "")
    if message.get("stop_reason"):
        heard.stop = _STOPS.get(message["stop_reason"], Stop.END)
    usage = message.get("usage")
    if isinstance(usage, dict):
        before = heard.usage or Usage()
        read, made = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
        into = (usage.get("input_tokens") or 0) + read + made
        thought = (usage.get("output_tokens_details") or {}).get("thinking_tokens") or before.thinking
        out = usage.get("output_tokens") or before.completion
        heard.usage = Usage(into or before.prompt, out, thought, read or before.cached)
