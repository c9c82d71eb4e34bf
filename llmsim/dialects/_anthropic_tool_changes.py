"""Tools that come and go in the middle of a conversation: blocks of system messages that add and remove them.

Source: the betas mid-conversation-tool-changes-2026-07-01 and inline-tools-2026-09-15, as the SDK anthropic 2.12 has
them in its types (`BetaRequestToolAdditionBlockParam`, `BetaRequestToolRemovalBlockParam`).
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from llmsim.dialects._anthropic_conversation import blocks_of
from llmsim.dialects._anthropic_tools import TOOLSETS
from llmsim.dialects._anthropic_types import tool_definition
from llmsim.dialects._anthropic_wire import invalid
from llmsim.dialects._faults import faults

Json = dict[str, Any]


def tool_name(tool: Json) -> str:
    """The name of a tool; a toolset has the name of its family."""
    return str(tool.get("name") or TOOLSETS.get(tool.get("type") or "") or tool.get("mcp_server_name") or "")


def tools_in_force(request: Json) -> list[Json]:
    """The tools that the model is offered at the end of the conversation; raises Refused for what is no tool."""
    tools: list[Json] = list(request.get("tools") or ())
    gone: set[str] = set()
    for at, message in enumerate(request["messages"]):
        for place, block in enumerate(blocks_of(message) if message["role"] == "system" else ()):
            if block["type"] not in ("tool_addition", "tool_removal"):
                continue
            where = f"messages.{at}.content.{place}.{block['type']}.tool"
            name = _named(block.get("tool"), where, tools)
            (gone.discard if block["type"] == "tool_addition" else gone.add)(name)
    return [tool for tool in tools if tool_name(tool) not in gone]


def _named(told: Any, where: str, tools: list[Json]) -> str:
    """The name of the tool that a block is about; one that is defined there comes to the others."""
    if not isinstance(told, dict):
        raise invalid(f"{where}: Field required")
    if told.get("type") == "tool_definition":
        definition = told.get("definition")
        try:
            tool_definition().validate_python(definition)
        except ValidationError as error:
            raise invalid(
                f"{where}.tool_definition.definition: {faults(error, tool_definition(), definition)[0]['msg']}"
            ) from None
        assert isinstance(definition, dict)
        tools.append(definition)
        return tool_name(definition)
    name = told.get("name") or told.get("server_name")
    if not isinstance(name, str) or name not in map(tool_name, tools):
        raise invalid(f"{where}: Tool reference '{name}' not found in available tools", "tool_reference_unresolved")
    return name
