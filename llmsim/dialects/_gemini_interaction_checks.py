"""Checks the body of a request to Gemini's interactions, and tells of its first fault in the API's words.

Source: google-genai 3.4, the types of its interactions; Google's page "API errors".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llmsim.errors import Failure, Refused

Spec = Any
Fields = Mapping[str, Spec]

_NAMES = {str: "a string", bool: "a boolean", int: "an integer", float: "a number", dict: "an object", list: "an array"}

MODES = ("auto", "any", "none", "validated")
CONTENTS = ("text", "image", "audio", "document", "video")
STEPS = (
    "user_input",
    "model_output",
    "thought",
    "function_call",
    "function_result",
    *(
        f"{tool}_{side}"
        for tool in (
            "code_execution",
            "file_search",
            "google_maps",
            "google_search",
            "mcp_server_tool",
            "processing",
            "retrieval",
            "tool_search",
            "url_context",
        )
        for side in ("call", "result")
    ),
)
TOOLS = (
    "function",
    "code_execution",
    "mcp_server",
    "filesystem",
    "google_maps",
    "google_search",
    "bash",
    "computer_use",
    "file_search",
    "url_context",
    "retrieval",
    "tool_search",
)

# A type, the values there are, a list of one, the fields of an object; None takes anything.
_GENERATION_CONFIG: Fields = {
    "max_output_tokens": int,
    "seed": int,
    "stop_sequences": [str],
    "temperature": float,
    "top_p": float,
    "thinking_level": ("minimal", "low", "medium", "high", "xhigh"),
    "thinking_summaries": ("auto", "none"),
    "tool_choice": None,
    "image_config": dict,
    "speech_config": None,
    "transcription_config": dict,
    "video_config": dict,
}
REQUEST: Fields = {
    "model": str,
    "agent": str,
    "agent_config": dict,
    "background": bool,
    "cached_content": str,
    "continuation_token": str,
    "environment": None,
    "generation_config": _GENERATION_CONFIG,
    "input": None,
    "labels": dict,
    "previous_interaction_id": str,
    "response_format": None,
    "response_mime_type": str,
    "response_modalities": [CONTENTS],
    "safety_settings": [dict],
    "service_tier": ("flex", "standard", "priority", "deferred"),
    "store": bool,
    "stream": bool,
    "system_instruction": str,
    "tools": [dict],
    "webhook_config": dict,
}
_MOST = (1 << 31) - 1
_RANGES = {"temperature": (0, 2), "top_p": (0, 1), "max_output_tokens": (1, _MOST), "seed": (-_MOST - 1, _MOST)}


_FUNCTION: Fields = {
    "type": str,
    "name": str,
    "description": str,
    "short_description": str,
    "parameters": dict,
    "defer_loading": bool,
}
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")


def invalid(message: str, code: str | None = None) -> Refused:
    """The exception that refuses a request with these words."""
    return Refused(Failure("invalid", message, code=code))


def check(request: Any) -> None:
    """Raises Refused where a body is no request for an interaction."""
    if not isinstance(request, dict):
        raise invalid("The request body must be a JSON object.")
    _object(request, REQUEST, "")
    if bool(request.get("model")) == bool(request.get("agent")):
        raise invalid("Exactly one of 'model' and 'agent' must be set.")
    config = request.get("generation_config") or {}
    for name, (least, most) in _RANGES.items():
        value = config.get(name)
        if value is not None and not least <= value <= most:
            limit = f"must be between {least} and {most}"
            raise invalid(f"Invalid value for '{name}' at 'generation_config': {limit}.")
    if len(config.get("stop_sequences") or ()) > 5:
        raise invalid("Invalid value for 'stop_sequences' at 'generation_config': at most 5 are supported.")
    for index, tool in enumerate(request.get("tools") or ()):
        _tool(tool, f"tools[{index}]")
    _choice(config.get("tool_choice"), request.get("tools") or ())
    if request.get("background") and request.get("store") is False:
        raise invalid("'background' requires 'store' to be true.")


def _tool(tool: Mapping[str, Any], where: str) -> None:
    if one_of(tool, "type", TOOLS, where) != "function":
        return
    _object(tool, _FUNCTION, where)
    if not tool.get("name"):
        raise invalid(f"Missing required parameter 'name' at '{where}'.")
    if not _FUNCTION_NAME.fullmatch(tool["name"]):
        raise invalid(
            f"Invalid value for 'name' at '{where}': must start with a letter or an underscore, must be alphanumeric "
            "(a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128."
        )


def _choice(choice: Any, tools: Sequence[Mapping[str, Any]]) -> None:
    """Raises Refused where a choice among tools is none, or names functions that there are not."""
    if choice is None or isinstance(choice, str):
        return
    expect(choice, dict, "tool_choice", "generation_config")
    _object(choice, {"allowed_tools": {"mode": MODES, "tools": [str]}}, "generation_config.tool_choice")
    declared = {tool.get("name") for tool in tools if tool["type"] == "function"}
    for name in (choice.get("allowed_tools") or {}).get("tools") or ():
        if name not in declared:
            where = "generation_config.tool_choice.allowed_tools.tools"
            raise invalid(f"Invalid value at '{where}': no function '{name[:100]}' is declared.")


def one_of(value: Mapping[str, Any], name: str, known: Sequence[str], where: str) -> str:
    """The value of that field, which has to be one of those known."""
    if value.get(name) is None:
        raise invalid(f"Missing required parameter '{name}' at '{where}'.")
    told = value[name]
    if told not in known:
        raise _unsupported(told, name, known, where)
    return str(told)


def _unsupported(value: Any, name: str, known: Iterable[str], where: str) -> Refused:
    place = f" at '{where}'" if where else ""
    listed = ", ".join(f"'{one}'" for one in known)
    return invalid(f"The value '{str(value)[:100]}' is not supported for '{name}'{place}. Supported values: {listed}.")


def _object(value: Mapping[str, Any], fields: Fields, where: str) -> None:
    place = f" at '{where}'" if where else ""
    for name, inner in value.items():
        if name not in fields:
            raise invalid(f"Unknown parameter '{name[:100]}'{place}.", "parameter_unknown")
        if inner is not None and fields[name] is not None:
            _value(inner, fields[name], name, where)


def _value(value: Any, spec: Spec, name: str, where: str) -> None:
    if isinstance(spec, tuple):
        if value not in spec:
            raise _unsupported(value, name, spec, where)
    elif isinstance(spec, list):
        expect(value, list, name, where)
        for index, one in enumerate(value):
            _value(one, spec[0], f"{name}[{index}]", where)
    elif isinstance(spec, type):
        expect(value, spec, name, where)
    else:
        expect(value, dict, name, where)
        _object(value, spec, f"{where}.{name}" if where else name)


def expect(value: Any, kind: type, name: str, where: str) -> None:
    fits = isinstance(value, kind) and not (kind is not bool and isinstance(value, bool))
    if kind is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits:
        place = f" at '{where}'" if where else ""
        raise invalid(f"Invalid value for '{name}'{place}: expected {_NAMES[kind]}.")
