"""Refuses requests to the Responses API whose fields are right each by itself and wrong together, in OpenAI's words.

The texts are those of the live API as of 2026, as users quote them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmsim.catalogue import resolve
from llmsim.dialects._openai_refusals import invalid, missing
from llmsim.dialects._openai_responses_choice import base, flat
from llmsim.dialects._openai_responses_input import CALLS, Item, Turn, text_of, type_of
from llmsim.dialects._openai_responses_items_checks import check_id, check_items
from llmsim.dialects._openai_responses_refusals import goes_on
from llmsim.dialects._openai_schemas import root_fault, strict_fault
from llmsim.errors import Refused

Told = dict[str, Any]


def is_linked(request: Told) -> bool:
    """Whether a request needs what the API keeps: an earlier response, a conversation, items by their ids."""
    if request.get("previous_response_id") or request.get("conversation"):
        return True
    told = request.get("input")
    return isinstance(told, list) and any(type_of(item) == "item_reference" or is_bare(item) for item in told)


def is_bare(item: Item) -> bool:
    """Whether a thought comes without its content, so that the API has to know it by its id."""
    return item.get("type") == "reasoning" and bool(item.get("id")) and not item.get("encrypted_content")


def check(request: Told) -> None:
    """Raises Refused where a valid request makes no sense, or none for its model; tells the first fault only."""
    _check_context(request)
    told = request.get("input")
    if isinstance(told, list):
        check_items(told)
    _check_tools(request)
    _check_choice(request)
    _check_format(request)
    _check_background(request)
    if request.get("stream_options") is not None and not request.get("stream") and "type" not in request:
        raise invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    _check_model(request)


def check_present(request: Told) -> None:
    """Raises Refused where there is nothing to answer: neither input nor anything that stands for it."""
    if request.get("input") in ("", []) and not goes_on(request):
        raise invalid(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided.",
            None,
            "missing_required_parameter",
        )


# -- the conversation


def _check_context(request: Told) -> None:
    previous, told = request.get("previous_response_id"), request.get("conversation")
    if previous and told:
        raise invalid(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing "
            "one of: 'previous_response_id' or 'conversation'.",
            None,
            "mutually_exclusive_parameters",
        )
    if previous:
        check_id("previous_response_id", previous, "resp")
    if told:
        check_id("conversation", told if isinstance(told, str) else told["id"], "conv")


def check_calls(own: Turn, earlier: Sequence[Turn]) -> None:
    """Raises Refused where a call has no answer or an answer no call, wherever in the conversation they stand."""
    called = frozenset().union(own.calls, *(turn.calls for turn in earlier))
    for kind, id in sorted(own.answers - called):
        raise invalid(f"No tool call found for {CALLS[kind]} output with call_id {id}.", "input")
    open_calls = called.difference(own.answers, *(turn.answers for turn in earlier))
    for kind, id in sorted(open_calls):
        raise invalid(f"No tool output found for {CALLS[kind]} {id}.", "input")


# -- tools


def _check_tools(request: Told) -> None:
    for index, tool in enumerate(request.get("tools") or ()):
        where = f"tools[{index}]"
        if tool["type"] == "function":
            _check_function(tool, f"{where}.parameters")
        elif tool["type"] == "namespace":
            for place, inner in enumerate(tool["tools"]):
                if inner["type"] == "function":
                    _check_function(inner, f"{where}.tools[{place}].parameters")
        elif tool["type"] == "mcp" and not any(tool.get(name) for name in ("server_url", "connector_id", "tunnel_id")):
            raise Refused(missing(f"{where}.server_url"))


def _check_function(tool: Told, where: str) -> None:
    schema = tool.get("parameters")
    if not schema:
        return
    fault = strict_fault(schema) if tool.get("strict") else root_fault(schema)
    if fault is not None:
        raise invalid(f"Invalid schema for function '{tool['name']}': {fault}", where, "invalid_function_parameters")


def _check_choice(request: Told) -> None:
    told, tools = request.get("tool_choice"), request.get("tools") or ()
    if told == "required" and not tools:
        raise invalid("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
    if not isinstance(told, dict):
        return
    for one in told["tools"] if told["type"] == "allowed_tools" else (told,):
        if not any(_is(one, tool) for tool in flat(tools)):
            raise invalid(f"Tool choice '{one.get('type')}' not found in 'tools' parameter.", "tool_choice")


def _is(chosen: Told, tool: Told) -> bool:
    kind = chosen.get("type")
    if kind in ("function", "custom"):
        return bool(tool["type"] == kind and tool["name"] == chosen.get("name"))
    if kind == "mcp":
        return bool(tool["type"] == kind and tool["server_label"] == chosen.get("server_label"))
    return base(tool["type"]) == base(str(kind))


# -- the reply


def _check_format(request: Told) -> None:
    told = (request.get("text") or {}).get("format") or {}
    if told.get("type") == "json_schema":
        schema = told["schema"]
        fault = strict_fault(schema) if told.get("strict") else root_fault(schema)
        if fault is not None:
            where = "text.format.schema"
            raise invalid(f"Invalid schema for response_format '{told['name']}': {fault}", where, "invalid_json_schema")
    if told.get("type") == "json_object" and "json" not in _words(request).lower():
        raise invalid(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
            "'json_object'.",
            "input",
        )


def _words(request: Told) -> str:
    """All that is said in a request; what an earlier response or a conversation says is taken to be right."""
    told = request.get("input")
    items = told if isinstance(told, list) else ()
    said = [text_of(item["content"]) for item in items if type_of(item) == "message"]
    linked = "json" if is_linked(request) or request.get("prompt") else ""
    return "\n".join([request.get("instructions") or "", told if isinstance(told, str) else "", *said, linked])


def _check_background(request: Told) -> None:
    options = request.get("background_options") or {}
    if not request.get("background"):
        if options.get("completion_window") in ("2h", "8h"):
            raise invalid(
                "The 'background_options.completion_window' parameter requires 'background' to be true.",
                "background_options.completion_window",
            )
        return
    if request.get("store") is False:
        raise invalid("Background mode requires 'store' to be true.", "store")
    if "type" in request:
        raise invalid("The 'background' parameter is not supported over WebSocket.", "background")


# -- what a model takes


def _check_model(request: Told) -> None:
    model = resolve(request.get("model") or "")
    if not model.known or model.provider != "openai":
        return
    if model.kind not in ("chat", "realtime"):
        raise invalid(f"The requested model '{model.id}' cannot be used with the Responses API.", "model")
    # The models of ChatGPT ("gpt-5.2-chat-latest") take what models take that do not reason.
    reasons = model.reasoning and "-chat" not in model.id
    told = request.get("reasoning") or {}
    if not reasons:
        for name in ("effort", "summary"):
            if told.get(name) not in (None, "none"):
                _unsupported(f"reasoning.{name}")
        if "reasoning.encrypted_content" in (request.get("include") or ()):
            raise invalid("Encrypted content is not supported with this model.", "include")
    elif told.get("effort") != "none":
        # A model that is told not to reason samples as others do.
        _check_sampling(request)


def _check_sampling(request: Told) -> None:
    """What a model does not take that reasons before it answers."""
    usual = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
    for name, value in usual.items():
        if request.get(name) not in (None, value):
            _unsupported(name, None)
    told = ("message.output_text.logprobs" in (request.get("include") or ()), bool(request.get("top_logprobs")))
    for name, asked in zip(("include", "top_logprobs"), told, strict=True):
        if asked:
            raise invalid("logprobs are not supported with reasoning models.", name, "unsupported_parameter")


def _unsupported(name: str, code: str | None = "unsupported_parameter") -> None:
    raise invalid(f"Unsupported parameter: '{name}' is not supported with this model.", name, code)
