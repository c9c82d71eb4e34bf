"""Refuses requests whose fields are right each by itself and wrong together, or none for their model or version.

The texts are those of the live API, as its guides and its users quote them.
"""

from __future__ import annotations

from typing import Any

from llmsim.dialects._anthropic_compaction import check_compaction
from llmsim.dialects._anthropic_conversation import blocks_of, check_conversation, every_block
from llmsim.dialects._anthropic_facts import Facts
from llmsim.dialects._anthropic_media import Files, check_block
from llmsim.dialects._anthropic_schemas import is_schema, strict_fault
from llmsim.dialects._anthropic_thinking import check_replayed
from llmsim.dialects._anthropic_tool_changes import tool_name, tools_in_force
from llmsim.dialects._anthropic_tools import SERVER_TOOLS, TYPES, tool_fault
from llmsim.dialects._anthropic_types import OF_BETAS, SAMPLING
from llmsim.dialects._anthropic_wire import NEW, invalid
from llmsim.errors import Refused

Json = dict[str, Any]

_THINKING = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"


def check_fields(request: Json, version: str, betas: frozenset[str]) -> None:
    """Raises Refused for fields that this version of the API does not have, or that need a beta."""
    for field in SAMPLING if version == NEW else ():
        if field in request:
            raise _extra(field)
    for field, names in OF_BETAS.items():
        if request.get(field) is not None and not any(beta.startswith(name) for beta in betas for name in names):
            raise _extra(field)


def _extra(field: str) -> Refused:
    """The exception for a field that this version, or a version without betas, does not know."""
    refused = invalid(f"{field}: Extra inputs are not permitted")
    refused.unknown = lambda: [(field,)]
    return refused


def check(request: Json, facts: Facts, version: str, betas: frozenset[str], files: Files) -> None:
    """Raises Refused where a valid request makes no sense, or none for its model; tells of the first fault only."""
    check_compaction(request, betas)
    check_conversation(request["messages"], facts, version, request.get("compaction") is not None)
    for path, block in every_block(request["messages"]):
        check_block(path, block, files)
    for at, block in enumerate(request["system"] if isinstance(request.get("system"), list) else ()):
        if not block["text"] and block.get("cache_control"):
            raise invalid(f"system.{at}: cache_control cannot be set for empty text blocks")
        if not block["text"]:
            raise invalid("system: text content blocks must be non-empty")
    _check_tools(request, facts, betas)
    _check_tool_choice(request, facts)
    _check_effort(request, facts)
    _check_thinking(request, facts, betas)
    check_replayed(request)
    _check_sampling(request, facts)
    _check_format(request)
    _check_limits(request, facts)


# -- tools


def _check_tools(request: Json, facts: Facts, betas: frozenset[str]) -> None:
    lacking = [tool["type"] for tool in request.get("tools") or () if tool.get("type") in facts.lacks]
    if lacking:
        there = ", ".join(kind for kind in TYPES if kind not in facts.lacks)
        raise invalid(f"'{facts.id}' does not support tool types: {', '.join(lacking)}. Did you mean one of {there}?")
    names: set[str] = set()
    for at, tool in enumerate(request.get("tools") or ()):
        name = tool_name(tool)
        if name in names:
            raise invalid("tools: Tool names must be unique.")
        names.add(name)
        fault = tool_fault(tool)
        if fault is not None:
            raise invalid(f"tools.{at}.{tool['type']}{fault}")
        if "input_schema" in tool:
            _check_schema(tool, f"tools.{at}.custom")
    _check_servers(request, betas)


def _check_servers(request: Json, betas: frozenset[str]) -> None:
    """Each MCP server has one toolset and each toolset a server (Anthropic's guide "MCP connector")."""
    servers = [server["name"] for server in request.get("mcp_servers") or ()]
    used = [tool.get("mcp_server_name") for tool in request.get("tools") or () if tool.get("type") == "mcp_toolset"]
    for name in used:
        if name not in servers:
            raise invalid(f"tools: MCP server '{str(name)[:200]}' not found in mcp_servers definitions")
    for name in servers:
        if "mcp-client-2025-11-20" in betas and name not in used:
            raise invalid(f"mcp_servers: MCP server '{name[:200]}' is defined but not referenced by any mcp_toolset")


def _check_schema(tool: Json, where: str) -> None:
    schema = tool["input_schema"]
    for word in ("oneOf", "allOf", "anyOf"):
        if word in schema:
            raise invalid(
                f"{where}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
            )
    plain = {key: part for key, part in schema.items() if part is not None}
    if not is_schema(plain):
        raise invalid(
            f"{where}.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
            "(https://json-schema.org/draft/2020-12). Learn more about tool use at "
            "https://docs.claude.com/en/docs/tool-use."
        )
    fault = strict_fault(schema) if tool.get("strict") else None
    if fault is not None:
        raise invalid(f"{where}: {fault}")


def _check_tool_choice(request: Json, facts: Facts) -> None:
    choice = request.get("tool_choice")
    if choice is None or choice["type"] == "none":
        return
    tools = tools_in_force(request)
    if not tools:
        raise invalid("tool_choice: tool_choice may only be specified while providing tools")
    if choice["type"] == "auto":
        return
    if not facts.forces:
        raise invalid('tool_choice: type "tool" and "any" are not supported for this model.')
    if choice["type"] == "tool" and choice["name"] not in map(tool_name, tools):
        raise invalid(f"Tool '{choice['name'][:200]}' not found in provided tools")


def server_tools(request: Json) -> list[Json]:
    """The tools of the request that the server runs."""
    return [tool for tool in request.get("tools") or () if tool.get("type") in SERVER_TOOLS]


# -- thinking


def _check_effort(request: Json, facts: Facts) -> None:
    effort = (request.get("output_config") or {}).get("effort")
    if effort is None or effort in facts.efforts:
        return
    if not facts.efforts:
        raise invalid("This model does not support the effort parameter.")
    raise invalid(f'output_config.effort: "{effort}" is not supported for this model.')


def _check_thinking(request: Json, facts: Facts, betas: frozenset[str]) -> None:
    thinking = request.get("thinking")
    if thinking is None:
        return
    kind = thinking["type"]
    if kind not in facts.thinking:
        raise invalid(_not_thought(kind, facts))
    if thinking.get("display") == "updates" and "thinking-display-updates-2026-08-18" not in betas:
        raise invalid(f"thinking.{kind}.display: Input should be 'summarized' or 'omitted'")
    effort = (request.get("output_config") or {}).get("effort")
    limited = kind == "between_tools" or (kind == "disabled" and (facts.line, facts.version) == ("opus", (5, 0)))
    if limited and effort in ("xhigh", "max"):
        raise invalid(f'"thinking.type.{kind}" is not supported with effort "{effort}" for this model.')
    if kind not in ("adaptive", "enabled"):
        return
    if (request.get("tool_choice") or {}).get("type") in ("any", "tool"):
        raise invalid("Thinking may not be enabled when tool_choice forces tool use.")
    interleaves = any(beta.startswith("interleaved-thinking-") for beta in betas)
    limit = request.get("max_tokens")
    if kind == "enabled" and limit is not None and limit <= thinking["budget_tokens"] and not interleaves:
        raise invalid(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
            f"{_THINKING}#max-tokens-and-context-window-size"
        )


def _not_thought(kind: str, facts: Facts) -> str:
    """The sentence for a way of thinking that the model does not have."""
    if kind == "adaptive":
        return "adaptive thinking is not supported on this model"
    told = f'"thinking.type.{kind}" is not supported for this model.'
    if kind == "disabled" and "between_tools" in facts.thinking:
        return f'{told} Use "thinking.type.between_tools" for the lowest thinking setting.'
    if kind == "disabled" and "enabled" in facts.thinking:
        return (
            f'{told} Thinking defaults to adaptive mode when not specified; use "thinking.type.enabled" with '
            '"budget_tokens" for extended thinking.'
        )
    if "adaptive" in facts.thinking:
        return f'{told} Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
    return told


def _check_sampling(request: Json, facts: Facts) -> None:
    """Only the older version of the API comes here with these fields."""
    temperature, top_p, top_k = (request.get(field) for field in SAMPLING)
    if not facts.sampling:
        if temperature is not None and temperature != 1:
            raise invalid("`temperature` is deprecated for this model.")
        if top_p is not None and top_p < 0.99:
            raise invalid("`top_p` is deprecated for this model.")
        if top_k is not None:
            raise invalid("`top_k` is deprecated for this model.")
    elif temperature is not None and top_p is not None and facts.version >= (4, 1):
        raise invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    if (request.get("thinking") or {}).get("type") not in ("enabled", "adaptive"):
        return
    about = f"Please consult our documentation at {_THINKING}#important-considerations-when-using-extended-thinking"
    if temperature is not None and temperature != 1:
        raise invalid(f"`temperature` may only be set to 1 when thinking is enabled. {about}")
    if top_p is not None and top_p < 0.95:
        raise invalid(f"`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled. {about}")
    if top_k is not None:
        raise invalid(f"`top_k` must be unset when thinking is enabled. {about}")


# -- the reply


def _check_format(request: Json) -> None:
    config = request.get("output_config") or {}
    where = "output_config.format" if config.get("format") else "output_format"
    form = config.get("format") or request.get("output_format")
    if form is None:
        return
    if config.get("format") and request.get("output_format"):
        raise invalid("output_format: `output_format` and `output_config.format` cannot both be specified")
    fault = strict_fault(form["schema"])
    if fault is not None:
        raise invalid(f"{where}.schema: {fault}")
    last = request["messages"][-1]
    if last["role"] == "assistant" and any(block["type"] == "text" for block in blocks_of(last)[-1:]):
        raise invalid(f"{where}: Prefilling assistant messages is not supported together with structured outputs.")
    if any(cites(block) for _, block in every_block(request["messages"])):
        raise invalid(f"{where}: Citations are not supported together with structured outputs.")


def cites(block: Json) -> bool:
    """Whether the reply may cite the block."""
    config = block.get("citations")
    return isinstance(config, dict) and bool(config.get("enabled"))


def _check_limits(request: Json, facts: Facts) -> None:
    limit = request.get("max_tokens")
    if limit == 0:
        _check_warming(request)
    if limit is not None and facts.max_tokens and limit > facts.max_tokens:
        raise invalid(
            f"max_tokens: {limit} > {facts.max_tokens}, which is the maximum allowed number of output tokens for "
            f"{facts.id}"
        )
    for sequence in request.get("stop_sequences") or ():
        if not sequence.strip():
            raise invalid("stop_sequences: each stop sequence must contain non-whitespace")


def _check_warming(request: Json) -> None:
    """What only warms the cache has no reply that could be streamed, thought about, shaped or a call."""
    config = request.get("output_config") or {}
    told = {
        "`stream` is true": bool(request.get("stream")),
        '`thinking.type` is "enabled"': (request.get("thinking") or {}).get("type") == "enabled",
        "`output_config.format` is set": bool(config.get("format") or request.get("output_format")),
        "`tool_choice` forces tool use": (request.get("tool_choice") or {}).get("type") in ("any", "tool"),
    }
    for what, there in told.items():
        if there:
            raise invalid(f"max_tokens: 0 is not supported when {what}")
