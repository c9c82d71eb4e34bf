"""Reads a request for a generation: from the body to an Ask, or to a refusal in Google's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from llmsim import catalogue
from llmsim.conversation import AUTO, TEXT, Ask, Format, Message, Tool, ToolCall, ToolChoice
from llmsim.dialects import _gemini_proto as proto
from llmsim.dialects._gemini_checks import check, invalid
from llmsim.dialects._gemini_cloud_checks import check_on_cloud
from llmsim.dialects._gemini_modalities import Medium, medium_of
from llmsim.dialects._gemini_models import Ability, ability, thinking_tokens
from llmsim.dialects._gemini_own_tools import own_tools
from llmsim.dialects._gemini_prompt_cost import Find, nowhere, prompt_cost
from llmsim.dialects._gemini_schemas import json_schema
from llmsim.errors import Failure, Refused

Json = Mapping[str, Any]

_LONGEST_KEPT = 8192
_MODES = {"NONE": "none", "ANY": "required"}


class Target(NamedTuple):
    """What a request is sent to: the model, the path with its names left open, and the form of the answer."""

    model: str
    endpoint: str
    dialect: str = "gemini"
    stream: bool = False
    array: bool = False


def read_generation(target: Target, body: bytes, find: Find = nowhere) -> Ask:
    """What the client wants; raises Refused where the API refuses. `find` gives type and bytes of a file by its URI."""
    if len(body) > _LONGEST_KEPT or b"file" in body:
        return _read(target, body, find)
    return _recent(target, body).again()


@lru_cache(maxsize=256)
def _recent(target: Target, body: bytes) -> Ask:
    """The ask of a body that comes again and again, as from clients that retry and from load generators."""
    return _read(target, body, nowhere)


def _read(target: Target, body: bytes, find: Find) -> Ask:
    request = proto.read("GenerateContentRequest", body)
    digest = blake2b(target.model.encode() + b"\n" + body, digest_size=16).digest()
    try:
        return ask_of(request, target, digest, find)
    except (orjson.JSONEncodeError, RecursionError):
        raise invalid("Invalid JSON payload received. Message too deep.") from None


def ask_of(request: Json, target: Target, digest: bytes, find: Find = nowhere) -> Ask:
    """The ask of a message GenerateContentRequest; raises Refused where it makes no sense."""
    able = ability(target.model)
    model = catalogue.resolve(target.model)
    if model.known and model.kind == "embedding":
        raise Refused(Failure("not_found", code="model_not_found", extra=target.model))
    if target.dialect == "vertex":
        check_on_cloud(request)
    check(request, able)
    config = request.get("generationConfig", {})
    thinking = config.get("thinkingConfig", {})
    spent = prompt_cost(request, target.model, find)
    messages = messages_of(request)
    medium = medium_of(config, _asked(messages), able)
    return Ask(
        model=target.model,
        messages=messages,
        dialect=target.dialect,
        endpoint=target.endpoint,
        tools=tools_of(request),
        tool_choice=choice_of(request),
        format=_format(config),
        max_tokens=config.get("maxOutputTokens"),
        stop=tuple(filter(None, config.get("stopSequences", ()))),
        n=config.get("candidateCount", 1),
        seed=config.get("seed"),
        stream=target.stream,
        thinking=thinking_tokens(thinking, able),
        shows_thinking=bool(thinking.get("includeThoughts")) and able.thinks,
        prompt_tokens=sum(spent.values()),
        parts=None if medium is None else 1,
        digest=digest,
        extra=_extra(request, config, target, able, spent, medium),
    )


def _asked(messages: tuple[Message, ...]) -> str:
    """What the user said last."""
    return next((message.text for message in reversed(messages) if message.role == "user"), "")


def _extra(
    request: Json, config: Json, target: Target, able: Ability, spent: Counter[str], medium: Medium | None
) -> dict[str, Any]:
    return {
        "array": target.array,
        "able": able,
        "spent": spent,
        "own_tools": own_tools(request),
        "enum": config.get("responseMimeType") == "text/x.enum",
        "logprobs": config.get("logprobs", 0) if config.get("responseLogprobs") else None,
        "medium": medium,
        "made": {} if medium is None else {medium.modality: medium.tokens},
        "tier": request.get("serviceTier", "standard").replace("unspecified", "standard"),
        "cached_content": request.get("cachedContent"),
        "with_tools": any(request.get(key) for key in ("systemInstruction", "tools", "toolConfig")),
    }


# -- messages


def messages_of(request: Json) -> tuple[Message, ...]:
    """The conversation, its instructions first; each result of a function is a message of its own."""
    found = []
    system = request.get("systemInstruction")
    if system is not None:
        found.append(Message("system", _text(system)))
    for content in request.get("contents", ()):
        found += _messages(content)
    return tuple(found)


def _messages(content: Json) -> list[Message]:
    parts = content["parts"]
    if content.get("role") == "model":
        calls = tuple(_call(part["functionCall"]) for part in parts if "functionCall" in part)
        return [Message("assistant", _text(content), calls=calls)]
    results = [_result(part["functionResponse"]) for part in parts if "functionResponse" in part]
    media = tuple(kind for part in parts if (kind := _kind(part)))
    if results and not media and not any("text" in part for part in parts):
        return results
    # What comes with results of functions is said before them, so that the results are what is answered.
    return [Message("user", _text(content), media=media), *results]


def _text(content: Json) -> str:
    said = (part["text"] for part in content.get("parts", ()) if "text" in part and not part.get("thought"))
    return "\n".join(said)


def _kind(part: Json) -> str:
    data = part.get("inlineData") or part.get("fileData")
    if data is None:
        return ""
    kind = str(data.get("mimeType", "")).partition("/")[0]
    return kind if kind in ("image", "audio", "video") else "file"


def _call(call: Json) -> ToolCall:
    return ToolCall(call.get("id", ""), call["name"], orjson.dumps(call.get("args", {})).decode())


def _result(result: Json) -> Message:
    told = orjson.dumps(result.get("response", {})).decode()
    return Message("tool", told, call_id=result.get("id"), name=result["name"])


# -- tools and the form of the reply


def tools_of(request: Json) -> tuple[Tool, ...]:
    """The functions that the model may call."""
    functions = (one for tool in request.get("tools", ()) for one in tool.get("functionDeclarations", ()))
    return tuple(Tool(one["name"], one.get("description", ""), _parameters(one)) for one in functions)


def _parameters(function: Json) -> Json:
    schema = function.get("parametersJsonSchema")
    return schema if isinstance(schema, dict) else dict(json_schema(function.get("parameters", {})))


def choice_of(request: Json) -> ToolChoice:
    """Which functions the reply may or must call."""
    config = request.get("toolConfig", {}).get("functionCallingConfig")
    if config is None:
        return AUTO
    mode = _MODES.get(config.get("mode", "AUTO"), "auto")
    return ToolChoice(mode=mode, names=tuple(config.get("allowedFunctionNames", ())))  # type: ignore[arg-type]


def _format(config: Json) -> Format:
    if config.get("responseMimeType") not in ("application/json", "text/x.enum"):
        return TEXT
    if "responseSchema" in config:
        return Format("schema", json_schema(config["responseSchema"]), "response")
    schema = config.get("responseJsonSchema", config.get("_responseJsonSchema"))
    if isinstance(schema, dict):
        return Format("schema", schema, "response")
    return Format("json") if config["responseMimeType"] == "application/json" else TEXT
