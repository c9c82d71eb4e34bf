"""Reads the body of a chat completion request: from bytes to an Ask, or to a refusal in OpenAI's words."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import orjson
from pydantic import ValidationError

from llmsim.catalogue import resolve
from llmsim.conversation import AUTO, TEXT, Ask, Format, Message, Role, Tool, ToolCall, ToolChoice
from llmsim.dialects import remembered
from llmsim.dialects._openai_chat_checks import check, chosen_names, text_of
from llmsim.dialects._openai_prompt_cost import prompt_cost
from llmsim.dialects._openai_refusals import NO_MODEL, NOT_JSON, misfit, read_object
from llmsim.dialects._openai_types import CHAT_REQUEST
from llmsim.errors import Refused

_validate = CHAT_REQUEST.validate_python

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_MEDIA = {"image_url": "image", "input_audio": "audio", "file": "file"}

EFFORT_TOKENS = {"none": 0, "minimal": 16, "low": 64, "high": 512, "xhigh": 1024, "max": 1024}
"""How long a model thinks, in tokens, by `reasoning_effort`; at "medium" as long as it does by itself."""

# The tier that serves a request, by the one that was asked for.
_TIERS = {"auto": "default", "fast": "priority", "scale": "scale", "flex": "flex", "priority": "priority"}


@remembered
def read_chat(body: bytes) -> Ask:
    """What the client wants; raises Refused where OpenAI's API refuses."""
    request = read_object(body)
    if request.get("model") in (None, ""):
        raise Refused(NO_MODEL)
    try:
        _validate(request)
    except ValidationError as error:
        raise misfit(CHAT_REQUEST, error, request) from None
    try:
        check(request)
        return _ask(request, blake2b(body, digest_size=16).digest())
    except (orjson.JSONEncodeError, RecursionError):
        # Schemas nested deeper than any real one: read, but no more to be written.
        raise Refused(NOT_JSON) from None


def _ask(request: dict[str, Any], digest: bytes) -> Ask:
    model, stop, choice = request["model"], request.get("stop") or (), _choice(request)
    return Ask(
        model=model,
        messages=tuple(map(_message, request["messages"])),
        dialect="openai_chat",
        endpoint="/v1/chat/completions",
        tools=_tools(request),
        tool_choice=choice,
        format=_format(request.get("response_format")),
        max_tokens=request.get("max_completion_tokens") or request.get("max_tokens"),
        stop=(stop,) if isinstance(stop, str) else tuple(filter(None, stop)),
        n=request.get("n") or 1,
        seed=request.get("seed"),
        stream=bool(request.get("stream")),
        thinking=_thinking(request),
        prompt_tokens=prompt_cost(request, model),
        digest=digest,
        extra=_extra(request, choice.mode == "named"),
    )


def _extra(request: dict[str, Any], named: bool) -> dict[str, Any]:
    streamed = request.get("stream_options") or {}
    return {
        "include_usage": bool(streamed.get("include_usage")),
        "obfuscate": bool(request.get("stream")) and streamed.get("include_obfuscation") is not False,
        "logprobs": bool(request.get("logprobs")),
        "top_logprobs": request.get("top_logprobs") or 0,
        "service_tier": _TIERS.get(request.get("service_tier") or "default"),
        "legacy_functions": bool(request.get("functions")),
        "named": named,
        "encoder": "storing" if request.get("store") else None,
        "metadata": request.get("metadata"),
        "audio": request.get("audio"),
        "modalities": request.get("modalities"),
        "prompt_cache_key": request.get("prompt_cache_key"),
    }


def _thinking(request: dict[str, Any]) -> int | None:
    effort = request.get("reasoning_effort")
    return EFFORT_TOKENS.get(effort) if effort and resolve(request["model"]).reasoning else None


def _message(message: dict[str, Any]) -> Message:
    role, content = message["role"], message.get("content")
    calls: tuple[ToolCall, ...] = ()
    if role == "assistant":
        calls = _calls(message)
    parts = content if isinstance(content, list) else ()
    return Message(
        role=_ROLES[role],
        text=content if isinstance(content, str) else text_of(message),
        calls=calls,
        call_id=message.get("tool_call_id"),
        name=message.get("name"),
        media=tuple(_MEDIA[part["type"]] for part in parts if part["type"] in _MEDIA),
    )


def _calls(message: dict[str, Any]) -> tuple[ToolCall, ...]:
    legacy = message.get("function_call")
    first = (ToolCall("", legacy["name"], legacy["arguments"]),) if legacy else ()
    return first + tuple(map(_call, message.get("tool_calls") or ()))


def _call(call: dict[str, Any]) -> ToolCall:
    if call["type"] == "custom":
        return ToolCall(call["id"], call["custom"]["name"], call["custom"]["input"], custom=True)
    return ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])


def _tools(request: dict[str, Any]) -> tuple[Tool, ...]:
    functions = [*(request.get("functions") or ()), *(request.get("tools") or ())]
    return tuple(map(_tool, functions))


def _tool(tool: dict[str, Any]) -> Tool:
    if "custom" in tool:
        return Tool(tool["custom"]["name"], tool["custom"].get("description") or "", schema=None)
    function = tool.get("function", tool)
    return Tool(
        name=function["name"],
        description=function.get("description") or "",
        schema=function.get("parameters") or {},
        strict=bool(function.get("strict")),
    )


def _choice(request: dict[str, Any]) -> ToolChoice:
    choice = request.get("tool_choice") or request.get("function_call")
    parallel = request.get("parallel_tool_calls") is not False
    if choice is None:
        return AUTO if parallel else ToolChoice(parallel=False)
    if isinstance(choice, str):
        return ToolChoice(mode=choice, parallel=parallel)  # type: ignore[arg-type]
    limited = choice.get("type") == "allowed_tools"
    return ToolChoice(
        mode=choice["allowed_tools"]["mode"] if limited else "named", names=chosen_names(choice), parallel=parallel
    )


def _format(told: dict[str, Any] | None) -> Format:
    if told is None or told["type"] == "text":
        return TEXT
    if told["type"] == "json_object":
        return Format("json")
    return Format("schema", told["json_schema"].get("schema") or {}, told["json_schema"]["name"])
