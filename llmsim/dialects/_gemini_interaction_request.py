"""Reads a request for an interaction: from the body to an Ask, or to a refusal in the API's words.

Source: google-genai 3.4, the types of its interactions. Instructions, tools and settings are each request's own; of an
earlier interaction only what was said goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from llmsim.conversation import TEXT, Ask, Format, Tool, ToolChoice
from llmsim.dialects._gemini_interaction_checks import MODES, check, expect, invalid
from llmsim.dialects._gemini_interaction_input import contents_of, steps_of
from llmsim.dialects._gemini_interaction_kept import Kept, find
from llmsim.dialects._gemini_interaction_media import medium_for
from llmsim.dialects._gemini_kept import file_finder
from llmsim.dialects._gemini_models import ability, thinking_tokens
from llmsim.dialects._gemini_prompt_cost import prompt_cost
from llmsim.dialects._gemini_request import messages_of
from llmsim.store import Store

Json = Mapping[str, Any]

_MODES = {"none": "none", "any": "required"}


def read_interaction(body: bytes, store: Store, dialect: str, endpoint: str) -> Ask:
    """What the client wants; raises Refused where the API refuses."""
    try:
        request = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        raise invalid("Invalid JSON payload received.") from None
    try:
        check(request)
        return _ask(request, store, dialect, endpoint, body)
    except (orjson.JSONEncodeError, RecursionError):
        raise invalid("Invalid JSON payload received: it is nested too deep.") from None


def _ask(request: Json, store: Store, dialect: str, endpoint: str, body: bytes) -> Ask:
    model = (request.get("model") or request["agent"]).removeprefix("models/")
    config, able, tools = request.get("generation_config") or {}, ability(model), _tools(request)
    extra = _said(request, store)
    told = _content_request(request, extra["contents"], tools)
    spent, messages = prompt_cost(told, model, file_finder(store)), messages_of(told)
    medium = medium_for(request, next((one.text for one in reversed(messages) if one.role == "user"), ""), able)
    shows = config.get("thinking_summaries") == "auto" and able.thinks
    level = {"thinkingLevel": str(config.get("thinking_level", "")).upper(), "includeThoughts": shows}
    return Ask(
        model=model,
        messages=messages,
        dialect=dialect,
        endpoint=endpoint,
        tools=tools,
        tool_choice=_choice(config.get("tool_choice")),
        format=_format(request),
        max_tokens=config.get("max_output_tokens"),
        stop=tuple(filter(None, config.get("stop_sequences") or ())),
        seed=config.get("seed"),
        stream=bool(request.get("stream")),
        thinking=thinking_tokens(level, able),
        shows_thinking=shows,
        prompt_tokens=sum(spent.values()),
        digest=blake2b(body, digest_size=16).digest(),
        parts=None if medium is None else 1,
        detached=bool(request.get("background")),
        extra={**extra, "about": _about(request, model), "spent": spent, "medium": medium},
    )


def _said(request: Json, store: Store) -> dict[str, Any]:
    """What was said so far and is said now, as the dialect needs it again; raises Refused where nothing is said."""
    previous = _previous(request, store)
    steps = steps_of(request.get("input"))
    if not steps and not request.get("continuation_token"):
        raise invalid("Missing required parameter 'input'.")
    before = previous.contents if previous is not None else []
    contents = [*before, *contents_of(steps, before)]
    if not contents:
        raise invalid("Missing required parameter 'input'.")
    return {
        "contents": contents,
        "size_before": previous.size if previous is not None else 0,
        "input": steps,
        "cached_content": request.get("cached_content"),
        "with_tools": bool(request.get("system_instruction") or request.get("tools")),
    }


def _content_request(request: Json, contents: Sequence[Json], tools: Sequence[Tool]) -> dict[str, Any]:
    """The request as generateContent would have it, as far as tokens and messages go."""
    declared = [{"functionDeclarations": [{"name": tool.name, "parameters": tool.schema} for tool in tools]}]
    told: dict[str, Any] = {"contents": contents, "tools": declared}
    if request.get("system_instruction"):
        told["systemInstruction"] = {"parts": [{"text": request["system_instruction"]}]}
    return told


def _about(request: Json, model: str) -> dict[str, Any]:
    """What the answer says of the request again."""
    about = {
        "model" if request.get("model") else "agent": model,
        "service_tier": request.get("service_tier") or "standard",
        "previous_interaction_id": request.get("previous_interaction_id"),
        "store": request.get("store") is not False,
        "background": bool(request.get("background")),
    }
    return {name: value for name, value in about.items() if value is not None}


def _previous(request: Json, store: Store) -> Kept | None:
    id = request.get("previous_interaction_id")
    if not id:
        return None
    previous = find(store, id)
    if previous.told["status"] == "in_progress":
        raise invalid(f"Interaction {id[:100]} is still in progress.", "failed_precondition")
    return previous


def _tools(request: Json) -> tuple[Tool, ...]:
    functions = (tool for tool in request.get("tools") or () if tool["type"] == "function")
    return tuple(Tool(one["name"], one.get("description") or "", one.get("parameters") or {}) for one in functions)


def _choice(choice: Any) -> ToolChoice:
    names: tuple[str, ...] = ()
    mode = choice or "auto"
    if isinstance(choice, dict):
        allowed = choice.get("allowed_tools") or {}
        mode, names = allowed.get("mode") or "auto", tuple(allowed.get("tools") or ())
    if mode not in MODES:
        listed = ", ".join(f"'{one}'" for one in MODES)
        raise invalid(f"The value '{str(mode)[:100]}' is not supported for 'tool_choice'. Supported values: {listed}.")
    return ToolChoice(mode=_MODES.get(mode, "auto"), names=names)  # type: ignore[arg-type]


def _format(request: Json) -> Format:
    """The form of the text: one of several that are asked for, or, as it used to be, a JSON Schema by itself."""
    told = request.get("response_format")
    forms = told if isinstance(told, list) else [told] if told is not None else []
    for form in forms:
        if not isinstance(form, dict):
            raise invalid("Invalid value for 'response_format': expected an object.")
        if form.get("type") == "text":
            if form.get("mime_type") != "application/json" and not form.get("schema"):
                continue
            expect(form.get("schema") or {}, dict, "schema", "response_format")
            return Format("schema", form["schema"], "response") if form.get("schema") else Format("json")
        if form.get("type") not in ("image", "audio", "video"):
            return Format("schema", form, "response")
    return Format("json") if request.get("response_mime_type") == "application/json" and not forms else TEXT
