"""What a run asks of its model: the thread's messages as far as they fit, instructions, tools, calls and outputs.

The prompt is built as a chat request, so that its tokens are counted as the chat API's are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from llmsim.catalogue import resolve
from llmsim.conversation import TEXT, Ask, Format, Message, Tool, ToolCall, ToolChoice
from llmsim.dialects._openai_assistants_run import Run
from llmsim.dialects._openai_assistants_turn import Turn
from llmsim.dialects._openai_chat_request import EFFORT_TOKENS
from llmsim.dialects._openai_prompt_cost import PRIMING, prompt_cost

Chat = dict[str, Any]


def ask_for(turn: Turn, endpoint: str, stream: bool) -> Ask:
    """The ask of a turn, which goes on without its client; notes on the turn where no token is left for it."""
    run, settings = turn.run, turn.run.settings
    model = settings["model"]
    messages, prompt_tokens = _prompt(turn)
    left = settings["max_completion_tokens"]
    if left is not None:
        left = max(0, left - run.spent.completion)
    if turn.reason is None and left == 0:
        turn.reason = "max_completion_tokens"
    effort = run.effort if resolve(model).reasoning else None
    return Ask(
        model=model,
        messages=tuple(map(_message, messages)),
        dialect="openai_runs",
        endpoint=endpoint,
        tools=tuple(map(_tool, _functions(settings))),
        tool_choice=_choice(turn),
        format=_format(settings["response_format"]),
        max_tokens=left,
        stream=stream,
        thinking=EFFORT_TOKENS.get(effort) if effort else None,
        prompt_tokens=0 if turn.reason else prompt_tokens,
        digest=blake2b(orjson.dumps([settings, messages]), digest_size=16).digest(),
        parts=0 if turn.reason else None,
        detached=True,
        extra={"turn": turn},
    )


# -- what goes in


def _prompt(turn: Turn) -> tuple[list[Chat], int]:
    """The messages that fit and what they cost; the newest ones where not all do."""
    run, settings = turn.run, turn.run.settings
    model = settings["model"]
    instructions = settings["instructions"]
    first = [{"role": "system", "content": instructions}] if instructions else []
    last = list(_calls(turn))
    fixed = prompt_cost({**_tooling(settings), "messages": [*first, *last]}, model)
    said = [chat for message in (*run.thread.messages.values(), *turn.new) if (chat := _chat(message))]
    strategy = settings["truncation_strategy"]
    if strategy["type"] == "last_messages":
        said = said[-strategy["last_messages"] :]
    limit = settings["max_prompt_tokens"]
    left = None if limit is None else limit - run.spent.prompt
    window = resolve(model).context_window
    room = min(each for each in (left, window or None, 1 << 62) if each is not None) - fixed
    kept, cost = _newest(said, room, model)
    if left is not None and (fixed + cost > left or (said and not kept)):
        turn.reason = "max_prompt_tokens"
    return [*first, *kept, *last], fixed + cost


def _newest(said: Sequence[Chat], room: int, model: str) -> tuple[list[Chat], int]:
    """The newest messages that fit into so many tokens, and what they cost; one at least where there is any."""
    kept: list[Chat] = []
    cost = 0
    for chat in reversed(said):
        more = prompt_cost({"messages": [chat]}, model) - PRIMING
        if kept and cost + more > room:
            break
        kept.append(chat)
        cost += more
    return kept[::-1], cost


def _tooling(settings: dict[str, Any]) -> dict[str, Any]:
    reply = settings["response_format"]
    return {"tools": _functions(settings), "response_format": None if reply == "auto" else reply}


def _functions(settings: dict[str, Any]) -> list[dict[str, Any]]:
    return [tool for tool in settings["tools"] if tool["type"] == "function"]


def _chat(message: dict[str, Any]) -> Chat | None:
    """A message of the thread as one of a chat; None for one that has nothing in it."""
    parts = [_part(part) for part in message["content"]]
    if len(parts) == 1 and parts[0]["type"] == "text":
        return {"role": message["role"], "content": parts[0]["text"]}
    return {"role": message["role"], "content": parts} if parts else None


def _part(part: dict[str, Any]) -> dict[str, Any]:
    kind = part["type"]
    if kind == "text":
        return {"type": "text", "text": part["text"]["value"]}
    if kind == "refusal":
        return part
    return {"type": "image_url", "image_url": {"url": part[kind].get("url", ""), "detail": part[kind]["detail"]}}


def _calls(turn: Turn) -> Iterator[Chat]:
    """The calls of this run's earlier turns, each set with its outputs."""
    steps = list(turn.run.steps.values())
    for step in steps:
        calls = [call for call in step["step_details"].get("tool_calls", ()) if call["type"] == "function"]
        if not calls:
            continue
        yield {"role": "assistant", "content": None, "tool_calls": [_called(call) for call in calls]}
        for call in calls:
            output = call["function"]["output"]
            if step is steps[-1] and turn.outputs is not None:
                output = turn.outputs.get(call["id"])
            yield {"role": "tool", "tool_call_id": call["id"], "content": output or ""}


def _called(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    return {**call, "function": {"name": function["name"], "arguments": function["arguments"]}}


# -- the ask


def _message(chat: Chat) -> Message:
    content = chat["content"]
    parts = content if isinstance(content, list) else ()
    texts = [part.get("text") or part.get("refusal") or "" for part in parts]
    calls = [
        ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in chat.get("tool_calls") or ()
    ]
    return Message(
        role=chat["role"],
        text=content if isinstance(content, str) else "\n".join(filter(None, texts)),
        calls=tuple(calls),
        call_id=chat.get("tool_call_id"),
        media=tuple("image" for part in parts if part["type"] == "image_url"),
    )


def _tool(tool: dict[str, Any]) -> Tool:
    function = tool["function"]
    return Tool(
        function["name"],
        function.get("description") or "",
        function.get("parameters") or {},
        bool(function.get("strict")),
    )


def _choice(turn: Turn) -> ToolChoice:
    """Which functions may be called; a choice that was forced holds until a function has been called."""
    settings = turn.run.settings
    choice, parallel = settings["tool_choice"], settings["parallel_tool_calls"]
    if turn.forced is not None or choice == "none":
        return ToolChoice("none", parallel=parallel)
    if turn.outputs is not None or choice == "auto":
        return ToolChoice("auto", parallel=parallel)
    if choice == "required":
        return ToolChoice("required", parallel=parallel)
    return ToolChoice("named", (choice["function"]["name"],), parallel)


def _format(reply: Any) -> Format:
    if reply == "auto" or reply["type"] == "text":
        return TEXT
    if reply["type"] == "json_object":
        return Format("json")
    return Format("schema", reply["json_schema"].get("schema") or {}, reply["json_schema"]["name"])


def forced_tool(run: Run) -> dict[str, Any] | None:
    """The built-in tool that a new run has to use, if it has to."""
    choice, tools = run.settings["tool_choice"], run.settings["tools"]
    if isinstance(choice, dict) and choice["type"] != "function":
        tool: dict[str, Any] = next(tool for tool in tools if tool["type"] == choice["type"])
        return tool
    if choice == "required" and all(tool["type"] != "function" for tool in tools):
        return dict(tools[0])
    return None
