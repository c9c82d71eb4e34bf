"""What a response says again of the request that it answers, as JSON made once for a request.

Source: OpenAI's OpenAPI document, schema Response; the order of the keys is the live API's. The penalties are Open
Responses' (openresponses.org, ResponseResource).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from llmsim.catalogue import resolve
from llmsim.dialects._openai_responses_choice import strictened

Told = dict[str, Any]

# The tier that serves a request, by the one that was asked for.
_TIERS = {"auto": "default", "fast": "priority"}

_ANYWHERE = {"type": "approximate", "city": None, "country": "US", "region": None, "timezone": None}
_DEFAULTS: dict[str, Told] = {
    "file_search": {
        "filters": None,
        "max_num_results": 20,
        "ranking_options": {"ranker": "auto", "score_threshold": 0.0},
    },
    "web_search": {"filters": None, "search_context_size": "medium", "user_location": _ANYWHERE},
    "web_search_preview": {"search_context_size": "medium", "user_location": _ANYWHERE},
    "image_generation": {
        "background": "auto",
        "moderation": "auto",
        "output_compression": 100,
        "output_format": "png",
        "quality": "auto",
        "size": "auto",
    },
    "mcp": {"require_approval": "always"},
}
# What a response does not say again.
_UNSAID = ("input", "stream", "stream_options", "include", "type", "stream_id")
# What the API keeps to itself.
_SECRET = ("authorization", "headers")


class Echo(NamedTuple):
    """The keys of a response in four parts, each beginning with a comma.

    `front` stands before the output; behind it `pending` while the response is worked on, or `final`; `tail` stands
    behind the usage and closes the object.
    """

    front: bytes
    pending: bytes
    final: bytes
    tail: bytes


def echo(request: Told, model: str, conversation: str | None) -> Echo:
    """The settings of a valid request, with the values of those that it does not set.

    Those of at most 2 kB are kept: clients send other input with the same settings.
    """
    told = {name: value for name, value in request.items() if name not in _UNSAID}
    source = orjson.dumps(told)
    return _kept(source, model, conversation) if len(source) <= 2048 else _made(told, model, conversation)


@lru_cache(maxsize=256)
def _kept(source: bytes, model: str, conversation: str | None) -> Echo:
    return _made(orjson.loads(source), model, conversation)


def _made(request: Told, model: str, conversation: str | None) -> Echo:
    front = {
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "max_tool_calls": request.get("max_tool_calls"),
        "model": model,
    }
    settings = _settings(request, model, conversation)
    asked = request.get("service_tier") or "auto"
    final = {**settings, "service_tier": _TIERS.get(asked, asked)}
    tail = {"user": request.get("user"), "metadata": request.get("metadata") or {}}
    return Echo(_part(front), _part({**settings, "service_tier": asked}), _part(final), _part(tail) + b"}")


def _part(fields: Told) -> bytes:
    return b"," + orjson.dumps(fields)[1:-1]


def _settings(request: Told, model: str, conversation: str | None) -> Told:
    settings = {
        "parallel_tool_calls": request.get("parallel_tool_calls") is not False,
        "frequency_penalty": float(request.get("frequency_penalty") or 0),
        "presence_penalty": float(request.get("presence_penalty") or 0),
        "previous_response_id": request.get("previous_response_id"),
        "prompt_cache_key": request.get("prompt_cache_key"),
        "prompt_cache_retention": request.get("prompt_cache_retention"),
        "reasoning": _reasoning(request, model),
        "safety_identifier": request.get("safety_identifier"),
        "service_tier": None,
        "store": request.get("store") is not False,
        "temperature": _number(request.get("temperature")),
        "text": _text(request),
        "tool_choice": request.get("tool_choice") or "auto",
        "tools": [_tool(tool) for tool in request.get("tools") or ()],
        "top_logprobs": request.get("top_logprobs") or 0,
        "top_p": _number(request.get("top_p")),
        "truncation": request.get("truncation") or "disabled",
    }
    return settings | _now_and_then(request, conversation)


def _now_and_then(request: Told, conversation: str | None) -> Told:
    """What is only there where it was asked for."""
    found: Told = {}
    if conversation:
        found["conversation"] = {"id": conversation}
    prompt = request.get("prompt")
    if prompt:
        found["prompt"] = {"id": prompt["id"], "variables": prompt.get("variables"), "version": prompt.get("version")}
    cache = request.get("prompt_cache_options")
    if cache is not None:
        compared = (
            {"comparison_response_id": cache["comparison_response_id"]} if cache.get("comparison_response_id") else {}
        )
        found["prompt_cache_options"] = {
            "mode": cache.get("mode") or "implicit",
            "ttl": cache.get("ttl") or "30m",
            **compared,
        }
    if (request.get("access_programs") or {}).get("cyber"):
        found["access_programs"] = request["access_programs"]
    compression = (request.get("image") or {}).get("context_compression")
    if compression:
        found["image"] = {"context_compression": "enabled" if compression == "enabled" else "disabled"}
    return found


def _number(told: float | None) -> float:
    return 1.0 if told is None else float(told)


def _reasoning(request: Told, model: str) -> Told:
    told = {key: value for key, value in (request.get("reasoning") or {}).items() if value is not None}
    usual = "medium" if resolve(model).reasoning else None
    return {"effort": usual, "summary": told.get("generate_summary"), **told}


def _text(request: Told) -> Told:
    told = request.get("text") or {}
    form = told.get("format") or {"type": "text"}
    if form["type"] == "json_schema":
        form = {key: value for key, value in form.items() if value is not None} | {"strict": bool(form.get("strict"))}
    return {"format": form, "verbosity": told.get("verbosity") or "medium"}


def _tool(tool: Told) -> Told:
    given = {key: value for key, value in tool.items() if value is not None and key not in _SECRET}
    if tool["type"] == "namespace":
        return {**given, "tools": [_tool(inner) for inner in tool["tools"]]}
    if tool["type"] != "function":
        return {"type": tool["type"], **_DEFAULTS.get(tool["type"].partition("_2025")[0], {}), **given}
    schema, strict = strictened(tool)
    return {**given, "description": tool.get("description"), "parameters": schema, "strict": strict}
