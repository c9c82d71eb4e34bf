"""The tools that a client of Claude may offer: its own, those that Anthropic defines, and those that the server runs.

Source: the types of the SDK anthropic 2.14 (`ToolUnionParam`, `BetaToolUnionParam`, `ToolChoiceParam`).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Required

from pydantic import Discriminator, Field, Tag
from typing_extensions import TypedDict

from llmsim.dialects._anthropic_blocks import CacheControl, Json, echoed, exact

CUSTOM = "custom"

# Anthropic's own definitions of tools that the client runs -> the schema of their input, which clients do not send.
_COMMAND = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
_SCREENSHOT = {"type": "object", "properties": {"action": {"const": "screenshot"}}, "required": ["action"]}


def _view(path: str) -> Json:
    properties = {"command": {"const": "view"}, "path": {"const": path}}
    return {"type": "object", "properties": properties, "required": ["command", "path"]}


CLIENT_TOOLS: dict[str, Json] = {
    "bash_20241022": _COMMAND,
    "bash_20250124": _COMMAND,
    "computer_20241022": _SCREENSHOT,
    "computer_20250124": _SCREENSHOT,
    "computer_20251124": _SCREENSHOT,
    "memory_20250818": _view("/memories"),
    "text_editor_20241022": _view("/"),
    "text_editor_20250124": _view("/"),
    "text_editor_20250429": _view("/"),
    "text_editor_20250728": _view("/"),
}
# Toolsets have no name of their own: the model calls their members.
TOOLSETS = {"browser_toolset_20260801": "browser", "computer_toolset_20260801": "computer"}
SERVER_TOOLS = (
    "advisor_20260301",
    "code_execution_20250522",
    "code_execution_20250825",
    "code_execution_20260120",
    "code_execution_20260521",
    "tool_search_tool_bm25",
    "tool_search_tool_bm25_20251119",
    "tool_search_tool_regex",
    "tool_search_tool_regex_20251119",
    "web_fetch_20250910",
    "web_fetch_20260209",
    "web_fetch_20260309",
    "web_fetch_20260318",
    "web_search_20250305",
    "web_search_20260209",
    "web_search_20260318",
)
_NAMES = {
    "text_editor_20241022": "str_replace_editor",
    "text_editor_20250124": "str_replace_editor",
    "text_editor_20250429": "str_replace_based_edit_tool",
    "text_editor_20250728": "str_replace_based_edit_tool",
}
_DATED = re.compile(r"_20\d{6}$")
TYPES = tuple(sorted((CUSTOM, *CLIENT_TOOLS, *TOOLSETS, *SERVER_TOOLS, "mcp_toolset")))


@echoed
class InputSchema(TypedDict, total=False):
    """A JSON Schema of an object."""

    type: Required[Literal["object"]]
    properties: Json | None
    required: list[str] | None


@exact
class CustomTool(TypedDict, total=False):
    """A tool of the client's own."""

    type: Literal["custom"] | None
    name: Required[Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]]
    description: str | None
    input_schema: Required[InputSchema]
    allowed_callers: list[str] | None
    cache_control: CacheControl | None
    defer_loading: bool | None
    eager_input_streaming: bool | None
    input_examples: list[Json] | None
    strict: bool | None


@exact
class DefinedTool(TypedDict, total=False):
    """A tool that Anthropic defines and the client runs."""

    type: Required[str]
    name: Required[str]
    allowed_callers: list[str] | None
    cache_control: CacheControl | None
    defer_loading: bool | None
    display_height_px: Annotated[int, Field(ge=1)]
    display_number: int | None
    display_width_px: Annotated[int, Field(ge=1)]
    enable_zoom: bool | None
    input_examples: list[Json] | None
    max_characters: Annotated[int, Field(ge=1)] | None
    strict: bool | None


@exact
class Toolset(TypedDict, total=False):
    """A set of tools that Anthropic defines and the client runs, or that an MCP server has."""

    type: Required[str]
    cache_control: CacheControl | None
    configs: Json | None
    default_config: Json | None
    mcp_server_name: str
    tools: list[Json] | None


@exact
class ServerTool(TypedDict, total=False):
    """A tool that the server runs."""

    type: Required[str]
    name: Required[
        Literal[
            "advisor", "code_execution", "tool_search_tool_bm25", "tool_search_tool_regex", "web_fetch", "web_search"
        ]
    ]
    allowed_callers: list[str] | None
    allowed_domains: list[str] | None
    blocked_domains: list[str] | None
    cache_control: CacheControl | None
    caching: CacheControl | None
    citations: Json | None
    defer_loading: bool | None
    max_content_tokens: Annotated[int, Field(ge=1)] | None
    max_tokens: int | None
    max_uses: Annotated[int, Field(ge=1)] | None
    model: str
    response_inclusion: Literal["full", "excluded"]
    strict: bool | None
    url_sources: Json | None
    use_cache: bool | None
    user_location: Json | None


def tool_fault(tool: Json) -> str | None:
    """What is wrong with a tool of Anthropic's own that has the shape of one, beginning with the field; else None."""
    kind = tool.get("type")
    if kind not in CLIENT_TOOLS and kind not in SERVER_TOOLS:
        return None
    name = _NAMES.get(kind) or _DATED.sub("", kind)
    if tool["name"] != name:
        return f".name: Input should be '{name}'"
    lacking = [field for field in ("display_height_px", "display_width_px") if field not in tool]
    if name == "computer" and lacking:
        return f".{lacking[0]}: Field required"
    if tool.get("allowed_domains") and tool.get("blocked_domains"):
        return ": Only one of `allowed_domains` and `blocked_domains` may be specified"
    return None


def _sort(tool: Any) -> str:
    """Which of the shapes a tool has: by its type, or a tool of the client's own where it has none."""
    kind = (tool.get("type") or CUSTOM) if isinstance(tool, dict) else CUSTOM
    return _SORTS.get(kind, "unknown") if isinstance(kind, str) else "unknown"


_SORTS = {
    CUSTOM: CUSTOM,
    **dict.fromkeys(CLIENT_TOOLS, "defined"),
    **dict.fromkeys(SERVER_TOOLS, "server"),
    **dict.fromkeys((*TOOLSETS, "mcp_toolset"), "toolset"),
}

AnyTool = Annotated[
    Annotated[CustomTool, Tag(CUSTOM)]
    | Annotated[DefinedTool, Tag("defined")]
    | Annotated[ServerTool, Tag("server")]
    | Annotated[Toolset, Tag("toolset")],
    Discriminator(_sort),
]


@exact
class ToolChoiceAuto(TypedDict, total=False):
    """The model chooses whether to call a tool."""

    type: Required[Literal["auto"]]
    disable_parallel_tool_use: bool | None


@exact
class ToolChoiceAny(TypedDict, total=False):
    """The model calls some tool."""

    type: Required[Literal["any"]]
    disable_parallel_tool_use: bool | None


@exact
class ToolChoiceTool(TypedDict, total=False):
    """The model calls this tool."""

    type: Required[Literal["tool"]]
    name: Required[str]
    disable_parallel_tool_use: bool | None


@exact
class ToolChoiceNone(TypedDict):
    """The model calls no tool."""

    type: Literal["none"]


AnyToolChoice = Annotated[ToolChoiceAuto | ToolChoiceAny | ToolChoiceTool | ToolChoiceNone, Field(discriminator="type")]
