"""Refuses chat requests whose fields are right each by itself and wrong together, in the words of OpenAI's API."""

from __future__ import annotations

from typing import Any

from llmsim import media
from llmsim.catalogue import Model, resolve
from llmsim.dialects._openai_refusals import invalid
from llmsim.dialects._openai_schemas import root_fault, shape_fault, strict_fault
from llmsim.errors import Failure, Refused

MOST_TOP_LOGPROBS = 20
_NO_CHAT = (
    "This is not a chat model and thus not supported in the v1/chat/completions endpoint. "
    "Did you mean to use v1/completions?"
)
IMAGE_TYPES = ("image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp")


def check(request: Any) -> None:
    """Raises Refused where a valid ChatRequest makes no sense, or none for its model; tells the first fault only."""
    for index, message in enumerate(request["messages"]):
        if message.get("content") is None:
            _check_silent(message, index)
    _check_calls(request["messages"])
    for index, message in enumerate(request["messages"]):
        if message["role"] == "user" and isinstance(message.get("content"), list):
            _check_media(message["content"], f"messages[{index}].content")
    _check_tools(request)
    _check_logprobs(request)
    check_bias(request)
    _check_format(request)
    if request.get("stream_options") is not None and not request.get("stream"):
        raise invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    _check_limits(request)


# -- the conversation


def _check_silent(message: Any, index: int) -> None:
    """Only who calls something, declines or speaks aloud may leave out the words; none at all is taken for null."""
    others = ("tool_calls", "function_call", "refusal", "audio")
    if message["role"] == "function" or any(message.get(name) for name in others):
        return
    raise invalid("Invalid value for 'content': expected a string, got null.", f"messages.[{index}].content")


def _check_calls(messages: Any) -> None:
    """Every call has its answers, every answer its call."""
    asked: set[str] = set()
    open_calls: dict[str, None] = {}
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            _check_answer(message["tool_call_id"], asked, index)
            open_calls.pop(message["tool_call_id"], None)
            continue
        _check_answered(open_calls)
        calls = message.get("tool_calls") if message["role"] == "assistant" else None
        open_calls = {call["id"]: None for call in calls or ()}
        asked = set(open_calls)
    _check_answered(open_calls)


def _check_answer(call_id: str, asked: set[str], index: int) -> None:
    if not asked:
        raise invalid(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
            "'tool_calls'.",
            f"messages.[{index}].role",
        )
    if call_id not in asked:
        raise invalid(
            f"Invalid parameter: 'tool_call_id' of '{call_id}' not found in 'tool_calls' of previous message.",
            f"messages.[{index}].tool_call_id",
        )


def _check_answered(open_calls: dict[str, None]) -> None:
    if open_calls:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. The following tool_call_ids did not have response messages: " + ", ".join(open_calls),
            "messages",
        )


def _check_media(parts: Any, where: str) -> None:
    for index, part in enumerate(parts):
        if part["type"] == "image_url":
            _check_image(part["image_url"]["url"], f"{where}[{index}].image_url.url")


def _check_image(url: str, where: str) -> None:
    if url[:5].lower() == "data:":
        found = media.data_url(url, media.HEADER_BYTES)
        if found is None:
            raise invalid("Invalid base64 image_url.", where, "invalid_base64")
        if not found[0].startswith("image/"):
            raise invalid("Invalid MIME type. Only image types are supported.", None, "invalid_image_format")
        if found[0] not in IMAGE_TYPES:
            raise invalid(
                "You uploaded an unsupported image. Please make sure your image is below 20 MB in size and is of one "
                "the following formats: ['png', 'jpeg', 'gif', 'webp'].",
                None,
                "invalid_image_format",
            )
    elif url[:8].lower() != "https://" and url[:7].lower() != "http://":
        raise invalid(
            f"Invalid '{where}'. Expected a valid URL, but got a value with an invalid format.", where, "invalid_value"
        )


# -- tools


def _check_tools(request: Any) -> None:
    tools = request.get("tools") or ()
    functions = request.get("functions") or ()
    for index, function in enumerate(functions):
        _check_function(function, f"functions[{index}].parameters")
    for index, tool in enumerate(tools):
        if tool["type"] == "function":
            _check_function(tool["function"], f"tools[{index}].function.parameters")
    if not tools:
        for field in ("tool_choice", "parallel_tool_calls"):
            if request.get(field) is not None:
                raise invalid(
                    f"Invalid value for '{field}': '{field}' is only allowed when 'tools' are specified.", field
                )
    if not functions and request.get("function_call") is not None:
        raise invalid(
            "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' are specified.",
            "function_call",
        )
    _check_names(chosen_names(request.get("tool_choice")), tools, "tool_choice", "tools")
    _check_names(chosen_names(request.get("function_call")), functions, "function_call", "functions")


def _check_names(names: tuple[str, ...], tools: Any, field: str, among: str) -> None:
    known = {tool_name(tool) for tool in tools}
    for name in names:
        if name not in known:
            raise invalid(
                f"Invalid value for '{field}': no function named '{name}' was specified in the '{among}' parameter.",
                field,
            )


def chosen_names(choice: Any) -> tuple[str, ...]:
    """The tools that a tool_choice or function_call names; none where it names no tool."""
    if not isinstance(choice, dict):
        return ()
    if choice.get("type") == "allowed_tools":
        return tuple(map(tool_name, choice["allowed_tools"]["tools"]))
    return (tool_name(choice),)


def tool_name(tool: Any) -> str:
    """The name of a tool, of any of the shapes that tools and choices of tools come in."""
    told = tool.get("function") or tool.get("custom") or tool
    return str(told.get("name", "")) if isinstance(told, dict) else ""


def _check_function(function: Any, where: str) -> None:
    parameters = function.get("parameters")
    if not parameters:
        return
    fault = strict_fault(parameters) if function.get("strict") else root_fault(parameters)
    if fault is not None:
        raise invalid(
            f"Invalid schema for function '{function['name']}': {fault}", where, "invalid_function_parameters"
        )


# -- the reply


def _check_logprobs(request: Any) -> None:
    top = request.get("top_logprobs")
    if top is None:
        return
    if top > MOST_TOP_LOGPROBS:
        raise invalid(
            f"Invalid value for 'top_logprobs': must be less than or equal to {MOST_TOP_LOGPROBS}.", "top_logprobs"
        )
    if not request.get("logprobs"):
        raise invalid("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", "top_logprobs")


def _check_format(request: Any) -> None:
    reply = request.get("response_format") or {}
    kind = reply.get("type")
    if kind == "json_object" and not any("json" in text_of(message).lower() for message in request["messages"]):
        raise invalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            "messages",
        )
    if kind == "json_schema" and reply["json_schema"].get("schema"):
        told = reply["json_schema"]
        fault = strict_fault(told["schema"]) if told.get("strict") else shape_fault(told["schema"])
        if fault is not None:
            raise invalid(f"Invalid schema for response_format '{told['name']}': {fault}", "response_format")


def text_of(message: Any) -> str:
    """All text of a message, its parts in lines of their own."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = (part.get("text") or part.get("refusal") for part in content or ())
    return "\n".join(part for part in parts if part)


# -- what a model takes


def _check_limits(request: Any) -> None:
    limit = request.get("max_tokens")
    if limit is not None and request.get("max_completion_tokens") is not None:
        raise invalid(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens",
            "invalid_parameter_combination",
        )
    model = resolve(request["model"])
    _check_model(model, request)
    # The models of ChatGPT ("gpt-5.2-chat-latest") take what models take that do not reason.
    if not (model.known and model.provider == "openai"):
        return
    if not model.reasoning or "-chat" in model.id:
        if request.get("reasoning_effort") is not None and not model.reasoning:
            raise invalid("Unrecognized request argument supplied: reasoning_effort")
        return
    if limit is not None:
        raise invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    for name in ("logit_bias", "stop", "prediction"):
        if request.get(name):
            raise _unsupported(name)
    # A model that is told not to reason samples as others do.
    if request.get("reasoning_effort") != "none":
        _check_sampling(request)


def _check_model(model: Model, request: Any) -> None:
    """That the model chats at all, and says as much as it is to."""
    if not model.known or model.provider != "openai":
        return
    if model.kind not in ("chat", "realtime"):
        raise Refused(Failure("not_found", _NO_CHAT, param="model"))
    if not model.vision:
        _check_blind(request["messages"])
    for field in ("max_tokens", "max_completion_tokens"):
        limit, most = request.get(field), model.max_output_tokens
        if limit is not None and most and limit > most:
            raise invalid(
                f"{field} is too large: {limit}. This model supports at most {most} completion tokens, "
                f"whereas you provided {limit}.",
                field,
                "invalid_value",
            )


def _check_blind(messages: Any) -> None:
    """No images for a model that sees none."""
    for index, message in enumerate(messages):
        parts = message.get("content")
        for at, part in enumerate(parts if isinstance(parts, list) else ()):
            if part["type"] == "image_url":
                raise invalid(
                    "Invalid content type. image_url is only supported by certain models.",
                    f"messages.[{index}].content.[{at}].type",
                )


def check_bias(request: Any) -> None:
    """Tokens that are made more or less likely are told by their numbers."""
    for key in request.get("logit_bias") or ():
        if not (key.isascii() and key.isdigit()):
            raise invalid(
                f"Invalid key in 'logit_bias': {key[:40]}. You should only be submitting non-negative integers.",
                "logit_bias",
            )


def _check_sampling(request: Any) -> None:
    temperature = request.get("temperature")
    if temperature is not None and temperature != 1:
        raise invalid(
            f"Unsupported value: 'temperature' does not support {temperature} with this model. "
            "Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        )
    if request.get("top_p") is not None and request["top_p"] != 1:
        raise _unsupported("top_p")
    for name in ("presence_penalty", "frequency_penalty", "logprobs"):
        if request.get(name):
            raise _unsupported(name)


def _unsupported(name: str) -> Refused:
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    return invalid(message, name, "unsupported_parameter")
