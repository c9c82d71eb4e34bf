"""Refuses what is right field by field and wrong together in requests for assistants and runs, in OpenAI's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmsim.catalogue import resolve
from llmsim.dialects._openai_refusals import invalid, missing
from llmsim.dialects._openai_schemas import root_fault, shape_fault, strict_fault
from llmsim.errors import Refused


def check_tools(tools: Sequence[dict[str, Any]]) -> None:
    """Raises Refused where a function's schema is none that the API takes, or two functions share a name."""
    names: set[str] = set()
    for index, tool in enumerate(tools):
        if tool["type"] != "function":
            continue
        function = tool["function"]
        name, parameters = function["name"], function.get("parameters") or {}
        fault = strict_fault(parameters) if function.get("strict") and parameters else root_fault(parameters)
        if fault is not None:
            where = f"tools[{index}].function.parameters"
            raise invalid(f"Invalid schema for function '{name}': {fault}", where, "invalid_function_parameters")
        if name in names:
            raise invalid(f"Invalid 'tools': duplicate function name '{name}'.", "tools", "invalid_value")
        names.add(name)


def check_choice(choice: Any, tools: Sequence[dict[str, Any]]) -> None:
    """Raises Refused where a forced tool is not among those of the run."""
    if choice == "required" and not tools:
        raise invalid(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.", "tool_choice"
        )
    if not isinstance(choice, dict):
        return
    kind = choice["type"]
    if kind != "function":
        if all(tool["type"] != kind for tool in tools):
            raise invalid(
                f"Invalid value for 'tool_choice': no tool of type '{kind}' was specified in the 'tools' parameter.",
                "tool_choice",
            )
        return
    if not choice.get("function"):
        raise Refused(missing("tool_choice.function"))
    name = choice["function"]["name"]
    if all(tool["type"] != "function" or tool["function"]["name"] != name for tool in tools):
        raise invalid(
            f"Invalid value for 'tool_choice': no function named '{name}' was specified in the 'tools' parameter.",
            "tool_choice",
        )


def check_format(reply: Any, tools: Sequence[dict[str, Any]]) -> None:
    """Raises Refused where the form of the reply cannot be had: with these tools, or at all."""
    if not isinstance(reply, dict):
        return
    if reply["type"] == "json_object" and any(tool["type"] != "function" for tool in tools):
        raise invalid(
            "Invalid tools: all tools must be of type `function` when `response_format` is of type `json_object`.",
            "response_format",
        )
    if reply["type"] == "json_schema":
        told = reply["json_schema"]
        schema = told.get("schema") or {}
        fault = strict_fault(schema) if told.get("strict") and schema else shape_fault(schema)
        if fault is not None:
            raise invalid(f"Invalid schema for response_format '{told['name']}': {fault}", "response_format")


def check_sampling(model: str, told: dict[str, Any]) -> None:
    """Raises Refused where a model that reasons is told how to sample."""
    found = resolve(model)
    # The models of ChatGPT ("gpt-5.2-chat-latest") take what models take that do not reason.
    if not (found.known and found.provider == "openai" and found.reasoning) or "-chat" in found.id:
        return
    for name in ("temperature", "top_p"):
        if told.get(name) not in (None, 1):
            raise invalid(
                f"Unsupported parameter: '{name}' is not supported with this model.", name, "unsupported_parameter"
            )


def check_truncation(strategy: dict[str, Any] | None) -> None:
    """Raises Refused where the last messages are wanted, but not how many."""
    if strategy and strategy["type"] == "last_messages" and strategy.get("last_messages") is None:
        raise Refused(missing("truncation_strategy.last_messages"))


def check_content(content: Any, where: str = "content") -> None:
    """Raises Refused where a message says nothing."""
    if content == "":
        raise invalid("Message content must be non-empty.", where)
    if isinstance(content, list):
        for index, part in enumerate(content):
            if part["type"] == "text" and not part["text"]:
                raise invalid("Message content must be non-empty.", f"{where}[{index}].text")
