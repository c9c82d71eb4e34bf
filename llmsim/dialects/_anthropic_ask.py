"""Makes the Ask of a message: what the client wants of the model, and what its reply has to know to be worded."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import orjson

from llmsim.conversation import AUTO, TEXT, Ask, Format, Message, Tool, ToolCall, ToolChoice
from llmsim.dialects._anthropic_cache import Cached
from llmsim.dialects._anthropic_citations import citation
from llmsim.dialects._anthropic_compaction import goes_on_from_summary
from llmsim.dialects._anthropic_conversation import blocks_of, turns
from llmsim.dialects._anthropic_facts import Facts
from llmsim.dialects._anthropic_media import Files
from llmsim.dialects._anthropic_schemas import as_meant
from llmsim.dialects._anthropic_server_tools import called
from llmsim.dialects._anthropic_thinking import plans
from llmsim.dialects._anthropic_tool_changes import tool_name, tools_in_force
from llmsim.dialects._anthropic_tools import CLIENT_TOOLS, TOOLSETS

Json = dict[str, Any]

REFUSAL = "ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL_1FAEFB6177B4672DEE07F9D3AFC62588CCD2631EDCF22E8CCC1FB35B501C9C86"
"""A prompt with this in it is refused (Anthropic's guide "Streaming refusals")."""

_MODES: dict[str, Any] = {"auto": "auto", "any": "required", "tool": "named", "none": "none"}
_MEDIA = {"image": "image", "document": "file", "container_upload": "file"}


def made(body: Json, about: Facts, betas: frozenset[str], files: Files, cached: Cached, raw: bytes) -> Ask:
    """The ask of a message that is valid and makes sense; `raw` are the bytes it came as."""
    body = {**body, "tools": tools_in_force(body)}
    thinking, refuses = plans(body, about, betas), _refuses(body)
    extra = _extra(body, about, files, cached)
    return Ask(
        model=body["model"],
        messages=_messages(body),
        dialect="anthropic_messages",
        endpoint="/v1/messages",
        tools=_tools(body),
        tool_choice=ToolChoice("none") if extra["server"] is not None or _only_words(body) else _choice(body),
        format=_format(body),
        # What is refused has not a word; that is a reply that ends before its first token.
        max_tokens=0 if refuses else body["max_tokens"],
        stop=tuple(body.get("stop_sequences") or ()),
        stream=bool(body.get("stream")),
        thinking=0 if refuses else thinking.tokens,
        shows_thinking=thinking.tokens > 0 and thinking.display in ("summarized", "updates"),
        prompt_tokens=cached.input + cached.read + cached.written,
        cached=cached.read if cached.marks else None,
        digest=blake2b(raw, digest_size=16).digest(),
        extra={**extra, "display": thinking.display, "refuses": refuses},
    )


def _extra(body: Json, about: Facts, files: Files, cached: Cached) -> Json:
    """What the reply has to know besides; it is `plain` where it is no more than thinking, a text and calls."""
    cited, server, compacts = citation(body["messages"], files), called(body), body.get("compaction") is not None
    return {
        **_tool_extra(body),
        "answers_as": about.id,
        "cached": cached,
        "citation": cited,
        "compacts": compacts,
        "container": _container(body.get("container")),
        "skills": _skills(body.get("container")),
        "geo": body.get("inference_geo") or ("global" if about.version >= (4, 6) else "not_available"),
        "manages": body.get("context_management") is not None,
        "plain": cited is None and server is None and not compacts,
        "server": server,
        "speed": body.get("speed"),
        "thread": (None, None),
    }


def _tool_extra(body: Json) -> Json:
    """What the reply has to know of the tools: those found by a search, that search, and the families of toolsets."""
    tools = body.get("tools") or ()
    return {
        "deferred": frozenset(tool_name(tool) for tool in tools if tool.get("defer_loading")),
        "search": next((tool for tool in tools if tool_name(tool).startswith("tool_search")), None),
        "toolsets": frozenset(tool_name(tool) for tool in tools if tool.get("type") in TOOLSETS),
    }


def _container(told: Any) -> str | None:
    """The container that the client goes on with, if any."""
    return told.get("id") if isinstance(told, dict) else told


def _skills(told: Any) -> list[Json] | None:
    """The skills in the container, as the reply tells them."""
    skills = told.get("skills") if isinstance(told, dict) else None
    return [{"version": "latest", **skill} for skill in skills] if skills else None


def _refuses(body: Json) -> bool:
    """Whether the newest turn, or the system prompt, asks for a refusal."""
    last = [block["text"] for block in blocks_of(body["messages"][-1]) if block["type"] == "text"]
    return any(REFUSAL in text for text in (*last, _system(body)))


def _system(body: Json) -> str:
    system = body.get("system") or ""
    return system if isinstance(system, str) else "\n".join(block["text"] for block in system)


def _messages(body: Json) -> tuple[Message, ...]:
    """The conversation; results come last in a turn, so that a turn that brings any is an answer to calls."""
    system = [_system(body)] if body.get("system") else []
    system += [_text(blocks_of(message)) for message in body["messages"] if message["role"] == "system"]
    told = [Message("system", text) for text in system]
    for role, placed in turns(body["messages"]):
        blocks = [block for _, _, block in placed]
        if role == "assistant":
            told.append(Message("assistant", _text(blocks), tuple(map(_call, _of(blocks, "tool_use")))))
            continue
        results = _of(blocks, "tool_result")
        media = tuple(_MEDIA[block["type"]] for block in blocks if block["type"] in _MEDIA)
        text = _text(blocks)
        if text or media or not results:
            told.append(Message("user", text, media=media))
        told.extend(Message("tool", _result(block), call_id=block["tool_use_id"]) for block in results)
    return tuple(told)


def _of(blocks: Sequence[Json], kind: str) -> list[Json]:
    return [block for block in blocks if block["type"] == kind]


def _text(blocks: Sequence[Json]) -> str:
    return "\n".join(block["text"] for block in blocks if block["type"] == "text")


def _call(block: Json) -> ToolCall:
    return ToolCall(block["id"], block["name"], orjson.dumps(block["input"]).decode())


def _result(block: Json) -> str:
    content = block.get("content") or ""
    return content if isinstance(content, str) else _text(content)


def _tools(body: Json) -> tuple[Tool, ...]:
    """The tools that the client runs; of toolsets the one member that never needs arguments."""
    told = []
    for tool in body.get("tools") or ():
        kind = tool.get("type") or "custom"
        if kind == "custom":
            strict = bool(tool.get("strict"))
            told.append(Tool(tool["name"], tool.get("description") or "", tool["input_schema"], strict))
        elif kind in CLIENT_TOOLS:
            told.append(Tool(tool["name"], tool["name"].replace("_", " "), CLIENT_TOOLS[kind]))
        elif kind in TOOLSETS:
            told.append(Tool(TOOLSETS[kind], f"{TOOLSETS[kind]} screenshot", {"type": "object", "properties": {}}))
    return tuple(told)


def _choice(body: Json) -> ToolChoice:
    choice = body.get("tool_choice")
    if choice is None:
        return AUTO
    names = (choice["name"],) if choice["type"] == "tool" else ()
    return ToolChoice(_MODES[choice["type"]], names, not choice.get("disable_parallel_tool_use"))


def _only_words(body: Json) -> bool:
    """Whether the reply takes up a summary: like the results in it, it is answered in words, so that loops end."""
    return goes_on_from_summary(body["messages"]) and (body.get("tool_choice") or {}).get("type") in (None, "auto")


def _format(body: Json) -> Format:
    form = (body.get("output_config") or {}).get("format") or body.get("output_format")
    return Format("schema", as_meant(form["schema"])) if form else TEXT
