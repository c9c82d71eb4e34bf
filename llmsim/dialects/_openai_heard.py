"""Hears what a recorded reply of OpenAI says: chat and text completions, and Responses, whole or streamed.

Source: OpenAI API reference, chat completions streaming; Responses, streaming events.
"""

from __future__ import annotations

from typing import Any

from llmsim.conversation import Stop
from llmsim.errors import Failure
from llmsim.plan import Usage
from llmsim.replay.heard import Heard, events

_STOPS = {
    "stop": Stop.END,
    "length": Stop.LENGTH,
    "tool_calls": Stop.END,
    "function_call": Stop.END,
    "content_filter": Stop.FILTER,
}


def chat(body: bytes) -> Heard:
    """A chat completion, or a completion of text."""
    heard = Heard()
    for at, event in events(body):
        if not isinstance(event, dict):
            continue
        heard.model = heard.model or str(event.get("model") or "")
        failed(heard, event)
        _spent(heard, event.get("usage"))
        for choice in event.get("choices") or ():
            _choice(heard, at, choice)
    return heard


def either(body: bytes) -> Heard:
    """A completion or a response, where the same API has both."""
    heard = chat(body)
    return heard if heard.words else responses(body)


def _choice(heard: Heard, at: int, choice: dict[str, Any]) -> None:
    index = int(choice.get("index") or 0)
    heard.choices = max(heard.choices, index + 1)
    said = choice.get("delta") or choice.get("message") or {}
    heard.say(at, "thought", said.get("reasoning_content") or said.get("reasoning"), index)
    heard.say(at, "text", said.get("content") or choice.get("text"), index)
    heard.say(at, "refusal", said.get("refusal"), index)
    for place, call in enumerate(said.get("tool_calls") or ()):
        told = call.get("function") or call.get("custom") or {}
        text = told.get("arguments", told.get("input"))
        which = call.get("index", place)
        heard.call(at, which, text, told.get("name") or "", call.get("id") or "", "custom" in call)
    if told := said.get("function_call"):
        heard.call(at, 0, told.get("arguments"), told.get("name") or "")
    if choice.get("finish_reason"):
        heard.stop = _STOPS.get(choice["finish_reason"], Stop.END)


def failed(heard: Heard, event: dict[str, Any]) -> None:
    """Notes an error object, as most APIs have it."""
    error = event.get("error")
    if isinstance(error, dict) and not heard.failure:
        code = error.get("code")
        heard.failure = Failure(
            "internal", str(error.get("message") or "") or None, code=code if isinstance(code, str) else None
        )


def _spent(heard: Heard, usage: Any) -> None:
    if isinstance(usage, dict):
        into = usage.get("prompt_tokens", usage.get("input_tokens")) or 0
        out = usage.get("completion_tokens", usage.get("output_tokens")) or 0
        before = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
        after = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
        heard.usage = Usage(into, out, after.get("reasoning_tokens") or 0, before.get("cached_tokens") or 0)


# -- Responses

_DELTAS = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "thought",
    "response.reasoning_text.delta": "thought",
}
_ARGUMENTS = ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta")
_ENDS = ("response.completed", "response.incomplete", "response.failed")


def responses(body: bytes) -> Heard:
    """A response, whole or as its events."""
    heard = Heard()
    for at, event in events(body):
        if not isinstance(event, dict):
            continue
        kind = event.get("type") or ""
        if kind in _DELTAS:
            heard.say(at, _DELTAS[kind], event.get("delta"))  # type: ignore[arg-type]
        elif kind in _ARGUMENTS:
            heard.call(at, event.get("item_id"), event.get("delta"))
        elif kind == "response.output_item.added":
            _opened(heard, at, event.get("item") or {})
        elif kind in _ENDS:
            _ended(heard, event.get("response") or {})
        elif kind == "error":
            heard.failure = Failure("internal", str(event.get("message") or "") or None)
        elif event.get("object") == "response":
            for item in event.get("output") or ():
                _item(heard, at, item)
            _ended(heard, event)
        else:
            failed(heard, event)
    return heard


def _opened(heard: Heard, at: int, item: dict[str, Any]) -> None:
    if item.get("type") in ("function_call", "custom_tool_call"):
        custom = item["type"] == "custom_tool_call"
        heard.call(at, item.get("id"), "", item.get("name") or "", item.get("call_id") or "", custom)


def _item(heard: Heard, at: int, item: dict[str, Any]) -> None:
    """A whole item of a response's output."""
    _opened(heard, at, item)
    heard.call(at, item.get("id"), item.get("arguments") or item.get("input"))
    for part in [*(item.get("summary") or ()), *(item.get("content") or ())]:
        kind = part.get("type") or ""
        if kind == "refusal":
            heard.say(at, "refusal", part.get("refusal"))
        else:
            heard.say(at, "text" if kind == "output_text" else "thought", part.get("text"))


def _ended(heard: Heard, response: dict[str, Any]) -> None:
    heard.model = str(response.get("model") or "")
    _spent(heard, response.get("usage"))
    failed(heard, response)
    reason = (response.get("incomplete_details") or {}).get("reason")
    if reason:
        heard.stop = Stop.FILTER if reason == "content_filter" else Stop.LENGTH
