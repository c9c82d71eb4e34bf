"""Counts the tokens of a prompt for Claude, piece by piece in the order in which prompts are cached.

Source: Anthropic's guides "Token counting" (its examples give what a message costs beside its words) and "Tool use"
(section "Pricing": the system prompt that tools bring with them, and what its own tools cost).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from llmsim.dialects._anthropic_conversation import blocks_of
from llmsim.dialects._anthropic_media import Files, document_cost, image_cost
from llmsim.tokens import count_tokens

Json = dict[str, Any]

PRIMING = 3
PER_MESSAGE = 4
PER_CALL = 12
WITH_TOOLS = 346
FORCED = 313

# The beginning of a tool's type -> what its definition costs; those that are not here cost their JSON.
_DEFINED = (
    ("text_editor_", 700),
    ("computer_", 735),
    ("browser_toolset_", 2_100),
    ("bash_", 245),
    ("memory_", 450),
    ("code_execution_", 500),
    ("tool_search_tool_", 150),
    ("web_search_", 480),
    ("web_fetch_", 420),
    ("advisor_", 300),
)


class Piece(NamedTuple):
    """A part of the prompt that a cache could end with: where it is, the part itself, its tokens, and who says it."""

    path: str
    block: Json
    tokens: int
    role: str = ""


def prompt_cost(request: Json, model: str, files: Files) -> int:
    """All tokens that go in."""
    return base_cost(request, model) + sum(piece.tokens for piece in pieces(request, model, files))


def base_cost(request: Json, model: str) -> int:
    """What belongs to no piece: the beginning of the reply, and the schema that it is to follow."""
    config = request.get("output_config") or {}
    form = config.get("format") or request.get("output_format")
    return PRIMING + (count_tokens(orjson.dumps(form["schema"]).decode(), model) if form else 0)


def pieces(request: Json, model: str, files: Files) -> Iterator[Piece]:
    """Tools, system prompt, messages: the order in which prompts are cached."""
    tools = request.get("tools") or ()
    choice = (request.get("tool_choice") or {}).get("type")
    lead = (FORCED if choice in ("any", "tool") else WITH_TOOLS) if tools else 0
    for at, tool in enumerate(tools):
        yield Piece(f"tools.{at}", tool, lead + tool_cost(tool, model))
        lead = 0
    for at, block in enumerate(_system(request)):
        yield Piece(f"system.{at}", block, count_tokens(block["text"], model))
    for at, message in enumerate(request["messages"]):
        lead = PER_MESSAGE
        for place, block in enumerate(blocks_of(message)):
            tokens = lead + block_cost(block, model, files)
            yield Piece(f"messages.{at}.content.{place}", block, tokens, message["role"])
            lead = 0


def _system(request: Json) -> list[Json]:
    system = request.get("system") or []
    return [{"type": "text", "text": system}] if isinstance(system, str) else system


def block_cost(block: Json, model: str, files: Files) -> int:
    """The tokens of one block of a message."""
    kind = block["type"]
    if kind in ("text", "thinking"):
        return count_tokens(block[kind], model)
    if kind == "image":
        return image_cost(block, model, files)
    if kind == "document":
        return document_cost(block, model, files) + _inner(block["source"].get("content"), model, files)
    if kind == "tool_use":
        return PER_CALL + count_tokens(block["name"], model) + _json_cost(block["input"], model)
    if kind == "tool_result":
        content = block.get("content")
        said = count_tokens(content, model) if isinstance(content, str) else _inner(content, model, files)
        return PER_CALL + said
    if kind == "search_result":
        return count_tokens(f"{block['title']} {block['source']}", model) + _inner(block["content"], model, files)
    if kind == "redacted_thinking":
        return len(block["data"]) // 8
    return _json_cost({key: value for key, value in block.items() if key != "cache_control"}, model)


def _inner(content: Any, model: str, files: Files) -> int:
    return sum(block_cost(block, model, files) for block in content) if isinstance(content, list) else 0


def tool_cost(tool: Json, model: str) -> int:
    """The tokens of a tool's definition; none of one that is only loaded when a search for tools finds it."""
    if tool.get("defer_loading"):
        return 0
    kind = tool.get("type") or "custom"
    known = next((tokens for beginning, tokens in _DEFINED if kind.startswith(beginning)), None)
    if known is not None:
        return known
    return _tool_cost(orjson.dumps({key: tool[key] for key in tool if key not in ("cache_control", "type")}), model)


@lru_cache(maxsize=1024)
def _tool_cost(source: bytes, model: str) -> int:
    """A tool by its JSON: programs send the same ones with every request."""
    return count_tokens(source.decode(), model)


def _json_cost(value: Any, model: str) -> int:
    return count_tokens(orjson.dumps(value).decode(), model)
