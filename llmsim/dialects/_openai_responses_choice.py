"""Which tools a reply of the Responses API may or must use: functions by the engine, built-in ones by this API itself.

Built-in tools are used where the request forces them: by name, or as the only ones of a required choice. Those that
OpenAI runs leave an item each before the words; those that the client runs take the words' place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from llmsim.conversation import AUTO, Tool, ToolChoice
from llmsim.dialects._openai_schemas import strict_fault, strict_form

Told = dict[str, Any]

_SAME = {
    "web_search_2025_08_26": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
    "computer_use": "computer",
    "computer_use_preview": "computer",
}

_CALLED = ("function", "custom")

_COMMANDS = (["ls -la"], ["pwd", "git status"], ["cat README.md"])
_ACTIONS: tuple[Told, ...] = (
    {"type": "screenshot"},
    {"type": "click", "button": "left", "x": 640, "y": 360},
    {"type": "scroll", "x": 640, "y": 360, "scroll_x": 0, "scroll_y": 400},
    {"type": "keypress", "keys": ["ENTER"]},
)
_PATCHES = (
    {"type": "create_file", "path": "notes.md", "diff": "+# Notes\n+\n+A first line.\n"},
    {"type": "update_file", "path": "README.md", "diff": "@@\n-# Readme\n+# Read me\n"},
)

# What the engine may fill in as the arguments of a built-in tool that the client runs.
_ARGUMENTS: dict[str, Told] = {
    "shell": {"commands": {"enum": [list(commands) for commands in _COMMANDS]}},
    "local_shell": {"command": {"enum": [str(commands[0]).split() for commands in _COMMANDS]}},
    "computer": {"action": {"enum": list(_ACTIONS)}},
    "apply_patch": {"operation": {"enum": list(_PATCHES)}},
}


class Use(NamedTuple):
    """A built-in tool that OpenAI runs: its kind, how the client described it, and for an approved call the call."""

    kind: str
    tool: Told
    call: Told | None = None


class Choice(NamedTuple):
    """What the engine is told, which built-in tools OpenAI runs, and which one the client does, if any.

    `namespaces` are those of functions by name.
    """

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = AUTO
    uses: tuple[Use, ...] = ()
    runs: Use | None = None
    namespaces: tuple[tuple[str, str], ...] = ()


def base(kind: str) -> str:
    """A built-in tool's kind without its version."""
    return _SAME.get(kind, kind)


def flat(tools: Iterable[Told]) -> list[Told]:
    """All tools, those in namespaces among them."""
    return [inner for tool in tools for inner in (tool["tools"] if tool["type"] == "namespace" else (tool,))]


def choose(request: Told, tools: Sequence[Told]) -> Choice:
    """What a valid request comes to; `tools` are its own and those of its input."""
    told: Any = request.get("tool_choice") or "auto"
    parallel = request.get("parallel_tool_calls") is not False
    functions = tuple(_tool(tool) for tool in flat(tools) if tool["type"] in _CALLED)
    spaces = tuple((one["name"], space["name"]) for space in tools if "tools" in space for one in space["tools"])
    if told in ("auto", "none"):
        return Choice(functions, ToolChoice(told, parallel=parallel), namespaces=spaces)
    if told == "required":
        if functions:
            return Choice(functions, ToolChoice("required", parallel=parallel), namespaces=spaces)
        return _built_in(tools, tools, parallel)
    if told["type"] in _CALLED:
        return Choice(functions, ToolChoice("named", (told["name"],), parallel), namespaces=spaces)
    if told["type"] != "allowed_tools":
        return _built_in((told,), tools, parallel)
    names = tuple(one["name"] for one in told["tools"] if one.get("type") in _CALLED)
    if names:
        return Choice(functions, ToolChoice(told["mode"], names, parallel), namespaces=spaces)
    return Choice() if told["mode"] == "auto" else _built_in(told["tools"], tools, parallel)


def _built_in(chosen: Sequence[Told], tools: Sequence[Told], parallel: bool) -> Choice:
    """A choice that forces a built-in tool: the first that was chosen."""
    wanted = chosen[0]
    kind = base(wanted["type"])
    tool: Told = next((tool for tool in tools if _fits(wanted, tool)), {"type": kind})
    if kind == "mcp":
        tool = {**tool, "wanted": wanted.get("name")}
        if needs_approval(tool):
            return _client_runs(Use(kind, tool), {"query": {"type": "string"}}, parallel)
    elif kind in _ARGUMENTS and not _in_container(tool):
        return _client_runs(Use(kind, tool), _ARGUMENTS[kind], parallel)
    return Choice(uses=(Use(kind, tool),))


def _in_container(tool: Told) -> bool:
    """Whether a shell's commands run at OpenAI and not at the client."""
    place = tool.get("environment")
    return tool["type"] == "shell" and place is not None and place["type"] != "local"


def _fits(wanted: Told, tool: Told) -> bool:
    if wanted["type"] == "mcp":
        return bool(tool["type"] == "mcp" and tool["server_label"] == wanted["server_label"])
    return base(tool["type"]) == base(wanted["type"])


def _client_runs(use: Use, properties: Told, parallel: bool) -> Choice:
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return Choice((Tool(use.kind, schema=schema),), ToolChoice("named", (use.kind,), parallel), runs=use)


def needs_approval(tool: Told) -> bool:
    """Whether a call of an MCP server's tool waits for the user's approval, as it does by default."""
    rule = tool.get("require_approval")
    if not isinstance(rule, dict):
        return rule != "never"
    name = mcp_name(tool)
    if name in ((rule.get("always") or {}).get("tool_names") or ()):
        return True
    return name not in ((rule.get("never") or {}).get("tool_names") or ())


def mcp_name(tool: Told) -> str:
    """The tool of an MCP server to call: the one that was named, else the first that is allowed."""
    return str(tool.get("wanted") or next(iter(mcp_names(tool)), "search"))


def mcp_names(tool: Told) -> list[str]:
    """The tools of an MCP server that the client allows by name."""
    allowed = tool.get("allowed_tools") or []
    return list((allowed.get("tool_names") or ()) if isinstance(allowed, dict) else allowed)


# -- functions


def _tool(tool: Told) -> Tool:
    if tool["type"] == "custom":
        return Tool(tool["name"], tool.get("description") or "", schema=None)
    return Tool(
        tool["name"], tool.get("description") or "", schema=strictened(tool)[0] or {}, strict=bool(tool.get("strict"))
    )


def strictened(tool: Told) -> tuple[Told | None, bool]:
    """A function's parameters and whether it is strict: where nothing is said it is, if its schema can be made so.

    Source: OpenAI's guide "Function calling", section "Strict mode".
    """
    schema = tool.get("parameters")
    if tool.get("strict") is not None or schema is None:
        return schema, tool.get("strict") is not False
    strict = strict_form(schema)
    return (strict, True) if strict_fault(strict) is None else (schema, False)
