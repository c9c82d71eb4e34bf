"""Reads the bodies of Ollama's chats and completions: from bytes to an Ask, or to a refusal in Ollama's words.

Source: Ollama's docs/api.md and the types of its Python client.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from typing import Annotated, Any, Literal, Required

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from llmsim import media, tokens
from llmsim.conversation import TEXT, Ask, Format, Message, Role, Tool, ToolCall
from llmsim.dialects import remembered
from llmsim.dialects._faults import faults
from llmsim.dialects._ollama_known import known
from llmsim.errors import Failure, Refused

_THINKING = {"low": 64, "medium": 128, "high": 512, "max": 1024}
"""How long a model thinks, in tokens, by `think`; True is medium."""

_DURATION = re.compile(r"[+-]?(?:0|(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+")
_AT_ONCE = re.compile(r"[+-]?0+(?:\.0*)?[a-zµ]*")
_GO = {"bool": "bool", "int": "int", "float": "float32", "list": "array", "dict": "map[string]interface {}"}

_PER_MESSAGE = 4
"""Tokens that a chat template puts around each message, as most families' do."""


class Options(TypedDict, total=False):
    """What of the model's parameters has a meaning here; the others are let through, as Ollama does."""

    seed: int | None
    num_predict: int | None
    num_ctx: int | None
    stop: str | list[str] | None
    temperature: float | None


class Function(TypedDict, total=False):
    """A function the model may call."""

    name: Required[str]
    description: str | None
    parameters: dict[str, Any] | None


class FunctionTool(TypedDict, total=False):
    """A tool; only functions are."""

    type: str | None
    function: Required[Function]


class CalledFunction(TypedDict):
    """The function of a call."""

    name: str
    arguments: dict[str, Any]


class Called(TypedDict, total=False):
    """A call that the model made."""

    id: str
    function: Required[CalledFunction]


class ChatMessage(TypedDict, total=False):
    """One turn of a chat."""

    role: Required[Literal["system", "user", "assistant", "tool"]]
    content: str | None
    thinking: str | None
    images: list[str] | None
    tool_calls: list[Called] | None
    tool_name: str | None
    tool_call_id: str | None


@with_config(ConfigDict(strict=True))
class Common(TypedDict, total=False):
    """What both requests have."""

    model: Required[str]
    stream: bool | None
    format: Literal["", "json"] | dict[str, Any] | None
    options: Options | None
    think: bool | Literal["low", "medium", "high", "max"] | None
    keep_alive: float | str | None
    logprobs: bool | None
    top_logprobs: int | None


class ChatRequest(Common, total=False):
    """The body of `POST /api/chat`."""

    messages: list[ChatMessage] | None
    tools: list[FunctionTool] | None


class GenerateRequest(Common, total=False):
    """The body of `POST /api/generate`."""

    prompt: str | None
    suffix: str | None
    system: str | None
    images: list[str] | None
    context: Annotated[list[int] | None, Field(max_length=1_000_000)]
    raw: bool | None


@cache
def _adapter(api: str) -> TypeAdapter[Any]:
    return TypeAdapter(ChatRequest if api == "chat" else GenerateRequest)


@remembered
def read_chat(body: bytes) -> Ask:
    told = read_body(body, "chat")
    messages = tuple(map(_message, told.get("messages") or ()))
    tools = tuple(map(_tool, told.get("tools") or ()))
    images = [image for message in told.get("messages") or () for image in message.get("images") or ()]
    return _ask(told, body, "chat", messages, tools, images)


@remembered
def read_generate(body: bytes) -> Ask:
    told = read_body(body, "generate")
    system = told.get("system")
    before = (Message("system", system),) if system else ()
    prompt = (told.get("prompt") or "") + (told.get("suffix") or "")
    images = told.get("images") or []
    messages = (*before, Message("user", prompt, media=("image",) * len(images))) if prompt or images else before
    return _ask(told, body, "generate", messages, (), images)


def read_body(body: bytes, api: str) -> dict[str, Any]:
    """The valid request that a body is; raises Refused as Ollama does, by the words of Go's JSON reader."""
    if not body:
        raise Refused(Failure("invalid", "missing request body"))
    try:
        told = orjson.loads(body)
        _adapter(api).validate_python(told)
    except orjson.JSONDecodeError as error:
        raise Refused(Failure("invalid", f"invalid JSON: {error}")) from None
    except ValidationError as error:
        raise Refused(Failure("invalid", _fault(faults(error, _adapter(api), told)[0], api))) from None
    if not told["model"]:
        raise Refused(Failure("invalid", "model is required"))
    _check_values(told)
    _check_model(told, api)
    return dict(told)


def _check_values(told: dict[str, Any]) -> None:
    """Raises Refused for values that are of the right type and mean nothing."""
    alive = told.get("keep_alive")
    if isinstance(alive, str) and not _DURATION.fullmatch(alive):
        raise Refused(Failure("invalid", f'time: invalid duration "{alive[:80]}"'))
    if not 0 <= (told.get("top_logprobs") or 0) <= 20:
        raise Refused(Failure("invalid", "top_logprobs must be between 0 and 20"))
    for holder in (told, *(told.get("messages") or ())):
        for image in holder.get("images") or ():
            if media.decode_base64(image, media.HEADER_BYTES) is None:
                raise Refused(Failure("invalid", "illegal base64 data at input byte 0"))


def _check_model(told: dict[str, Any], api: str) -> None:
    """Raises Refused for what a model that is listed is known not to do; an unknown one can do everything."""
    model = known(told["model"])
    needs = {
        api: told.get("messages" if api == "chat" else "prompt") and "completion",
        "tools": told.get("tools") and "tools",
        "thinking": told.get("think") and "thinking",
    }
    for what, need in needs.items():
        if model.listed and need and need not in model.can:
            raise Refused(Failure("invalid", f'"{told["model"]}" does not support {what}'))


def _fault(fault: Any, api: str) -> str:
    if not fault["loc"]:
        return f"json: cannot unmarshal {_sort(fault['input'])} into Go value of type api.{api.title()}Request"
    field = ".".join(str(step) for step in fault["loc"] if isinstance(step, int) or step.islower())
    if fault["type"] == "missing":
        return f"{field} is required"
    if fault["loc"][0] == "think":
        told = orjson.dumps(fault["input"]).decode()[:80]
        levels = '"high", "medium", "low", "max", true, or false'
        return f"invalid think value: {told} (must be {levels})"
    if fault["loc"][0] == "format":
        told = orjson.dumps(fault["input"]).decode()[:80]
        return f'invalid format: {told}; expected "json" or a valid JSON Schema object'
    if fault["loc"][0] == "options" and len(fault["loc"]) > 1:
        return f'option "{fault["loc"][1]}" must be of type {_go(fault["type"])}'
    kind = _sort(fault["input"])
    if fault["type"] == "literal_error":
        return f"invalid {field} {fault['input']!r}: expected {fault['ctx']['expected']}"
    where = re.sub(r"\.\d+", "", f"{api.title()}Request.{field}").rstrip(".")
    return f"json: cannot unmarshal {kind} into Go struct field {where} of type {_go(fault['type'])}"


def _sort(value: Any) -> str:
    """What Go calls a value of JSON."""
    given = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
    return given.get(type(value), "null")


def _go(fault: str) -> str:
    """The type of Go's that the value should have had, by the kind of the fault."""
    return next((name for begin, name in _GO.items() if fault.startswith(begin)), "string")


def _ask(
    told: dict[str, Any],
    body: bytes,
    api: str,
    messages: tuple[Message, ...],
    tools: tuple[Tool, ...],
    images: list[str],
) -> Ask:
    model, options, think = told["model"], told.get("options") or {}, told.get("think")
    stop, limit = options.get("stop") or (), options.get("num_predict")
    return Ask(
        model=model,
        messages=messages,
        dialect="ollama",
        endpoint=f"/api/{api}",
        tools=tools,
        format=_format(told.get("format")),
        max_tokens=limit if limit is not None and limit > 0 else None,
        stop=(stop,) if isinstance(stop, str) else tuple(filter(None, stop)),
        seed=options.get("seed"),
        stream=told.get("stream") is not False and bool(messages),
        thinking=_thinking(model, think),
        shows_thinking=think is not False,
        prompt_tokens=_cost(model, messages, tools, images),
        # Without a conversation the model is only loaded.
        parts=None if messages else 0,
        digest=blake2b(api.encode() + body, digest_size=16).digest(),
        extra=_extra(told, api),
    )


def _extra(told: dict[str, Any], api: str) -> dict[str, Any]:
    """What the reply has to know; `empty` is why one that says nothing was asked for: to load a model or let it go."""
    alive = told.get("keep_alive")
    now = alive is not None and _AT_ONCE.fullmatch(str(alive))
    top = (told.get("top_logprobs") or 0) if told.get("logprobs") else None
    return {"api": api, "empty": "unload" if now else "load", "logprobs": top}


def _thinking(model: str, think: bool | str | None) -> int | None:
    """For how many tokens to think; a model that can thinks unless it is told not to."""
    if think is None:
        return _THINKING["medium"] if "thinking" in known(model).can else None
    return _THINKING.get(str(think), 128) if think else 0


def _message(told: dict[str, Any]) -> Message:
    role: Role = told["role"]
    calls = tuple(
        ToolCall(call.get("id") or "", call["function"]["name"], orjson.dumps(call["function"]["arguments"]).decode())
        for call in told.get("tool_calls") or ()
    )
    images = ("image",) * len(told.get("images") or ())
    return Message(role, told.get("content") or "", calls, told.get("tool_call_id"), told.get("tool_name"), images)


def _tool(told: dict[str, Any]) -> Tool:
    function = told["function"]
    return Tool(function["name"], function.get("description") or "", function.get("parameters") or {})


def _format(told: Any) -> Format:
    if not told:
        return TEXT
    return Format("json") if told == "json" else Format("schema", told)


def _cost(model: str, messages: Sequence[Message], tools: Sequence[Tool], images: Sequence[str]) -> int:
    """An estimate: Ollama's models have vocabularies of their own, of about the same grain as OpenAI's."""
    total = sum(_PER_MESSAGE + tokens.count_tokens(message.text, model) for message in messages)
    total += sum(tokens.count_tokens(call.arguments, model) for message in messages for call in message.calls)
    total += sum(tokens.count_tokens(f"{tool.name} {tool.description} {tool.schema}", model) for tool in tools)
    for image in images:
        size = media.image_size(media.decode_base64(image, media.HEADER_BYTES) or b"") or media.UNKNOWN_SIZE
        total += media.image_tokens(model, *size)
    return total
