"""Reads the items of a conversation as the model does: who said what, what was called and answered, what it costs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from llmsim import media
from llmsim.conversation import Message, Role, ToolCall
from llmsim.dialects._openai_prompt_cost import PER_CALL, PER_MESSAGE, PER_ROLE, file_cost, image_cost
from llmsim.tokens import count_tokens

Item = dict[str, Any]
Call = tuple[str, str]

_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_MEDIA = {"input_image": "image", "input_file": "file"}

CALLS = {
    "function_call": "function call",
    "custom_tool_call": "custom tool call",
    "computer_call": "computer call",
    "local_shell_call": "local shell call",
    "shell_call": "shell call",
    "apply_patch_call": "apply patch call",
}
"""Calls that the client answers, by type, in the words of the API's errors."""

_ANSWERS = {f"{kind}_output": kind for kind in CALLS}

_SEALED = "gAAAAAB"
_SHORT = 4096


class Turn(NamedTuple):
    """Items as the model reads them: messages with their costs in tokens, calls and answers by type and call id.

    `servers` are the MCP servers whose tools are listed, `requests` the calls that wait for the user's approval.
    """

    messages: tuple[Message, ...] = ()
    costs: tuple[int, ...] = ()
    calls: frozenset[Call] = frozenset()
    answers: frozenset[Call] = frozenset()
    servers: frozenset[str] = frozenset()
    requests: Mapping[str, Item] | None = None


def read_turn(items: Iterable[Item], model: str) -> Turn:
    """The items as one turn; they must be valid."""
    messages, costs = [], []
    calls, answers, servers, requests = set(), set(), set(), {}
    for item in items:
        kind = type_of(item)
        message, cost = _read(kind, item, model)
        if message is not None:
            messages.append(message)
            costs.append(cost)
        if kind in CALLS:
            calls.add((kind, item["call_id"]))
        elif kind in _ANSWERS:
            answers.add((_ANSWERS[kind], answered(item) or ""))
        elif kind == "mcp_list_tools":
            servers.add(item["server_label"])
        elif kind == "mcp_approval_request":
            requests[item.get("id") or ""] = item
    named = frozenset(answer for answer in answers if answer[1])
    return Turn(tuple(messages), tuple(costs), frozenset(calls), named, frozenset(servers), requests)


def type_of(item: Item) -> str:
    """An item's type, which messages and references need not say."""
    kind = item.get("type") or ("message" if "role" in item else "item_reference")
    return str(kind)


def answered(item: Item) -> str | None:
    """The id of the call that an output belongs to; the first shell tool's outputs have it as their own id."""
    return item.get("call_id") or (item.get("id") if item.get("type") == "local_shell_call_output" else None)


def text_of(content: Any) -> str:
    """All text of a message's content, its parts in lines of their own."""
    if isinstance(content, str):
        return content
    parts = (part.get("text") or part.get("refusal") for part in content or ())
    return "\n".join(part for part in parts if part)


# -- one item


def _read(kind: str, item: Item, model: str) -> tuple[Message | None, int]:
    if kind == "message":
        return _said(item, model)
    if kind == "function_call":
        return _called(item, item["arguments"], model)
    if kind == "custom_tool_call":
        return _called(item, item["input"], model, custom=True)
    if kind in ("function_call_output", "custom_tool_call_output"):
        return _answer(item, item["output"], model)
    if kind in _OUTPUTS:
        return _answer(item, _OUTPUTS[kind](item), model)
    if kind == "mcp_approval_response":
        verdict = "approved" if item["approve"] else f"denied {item.get('reason') or ''}".strip()
        return Message("tool", verdict, call_id=item["approval_request_id"], name="mcp"), PER_CALL
    if kind == "compaction":
        return Message("assistant"), count_tokens(unsealed(item["encrypted_content"]), model)
    if kind in ("reasoning", "item_reference", "compaction_trigger", "configuration_update"):
        return None, 0
    return Message("assistant"), _weight(kind, item, model)


def _said(item: Item, model: str) -> tuple[Message, int]:
    content = item["content"]
    cost = PER_MESSAGE + PER_ROLE + content_cost(content, model)
    kinds = (
        () if isinstance(content, str) else tuple(_MEDIA[part["type"]] for part in content if part["type"] in _MEDIA)
    )
    return Message(_ROLES[item["role"]], text_of(content), media=kinds), cost


def _called(item: Item, text: str, model: str, custom: bool = False) -> tuple[Message, int]:
    call = ToolCall(item["call_id"], item["name"], text, custom)
    return Message("assistant", calls=(call,)), PER_CALL + count_tokens(item["name"], model) + count_tokens(text, model)


def _answer(item: Item, output: Any, model: str) -> tuple[Message, int]:
    kinds = () if isinstance(output, str) else tuple(_MEDIA[part["type"]] for part in output if part["type"] in _MEDIA)
    message = Message("tool", text_of(output), call_id=answered(item), name=item.get("name"), media=kinds)
    return message, PER_MESSAGE + PER_ROLE + content_cost(output, model)


def _printed(item: Item) -> str:
    """What a shell's commands printed."""
    texts = (str(part.get(stream) or "") for part in item["output"] for stream in ("stdout", "stderr"))
    return "\n".join(text for text in texts if text)


_OUTPUTS: dict[str, Callable[[Item], Any]] = {
    "shell_call_output": _printed,
    "local_shell_call_output": lambda item: item["output"],
    "apply_patch_call_output": lambda item: item.get("output") or item["status"],
    "computer_call_output": lambda item: [{"type": "input_image", "image_url": item["output"].get("image_url")}],
}


# -- costs


def content_cost(content: Any, model: str) -> int:
    """The tokens of a message's or a result's content."""
    if isinstance(content, str):
        return count_tokens(content, model)
    return sum(_part_cost(part, model) for part in content)


def _part_cost(part: Item, model: str) -> int:
    kind = part["type"]
    if kind == "input_image":
        return image_cost(part.get("image_url") or "", part.get("detail"), model)
    if kind == "input_file":
        return file_cost(part.get("file_data"))
    return count_tokens(part.get("text") or part.get("refusal") or "", model)


def _weight(kind: str, item: Item, model: str) -> int:
    """A built-in call by the tokens of its JSON, an image by its size."""
    if kind == "image_generation_call":
        return media.image_tokens(model, *media.UNKNOWN_SIZE, "auto") if item.get("result") else 0
    source = orjson.dumps(item)
    return count_tokens(source.decode(), model) if len(source) <= _SHORT else len(source) // 4


# -- what only this API can read again


def sealed(text: str) -> str:
    """A text as the API's encrypted contents look."""
    return _SEALED + base64.urlsafe_b64encode(text.encode()).decode()


def unsealed(text: str) -> str:
    """The text behind an encrypted content of this server's; of another's, as much text as it may stand for."""
    try:
        return base64.b64decode(text[len(_SEALED) :], altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "word " * (len(text) // 8)


def total(turns: Sequence[Turn]) -> int:
    """What turns cost together, in tokens."""
    return sum(cost for turn in turns for cost in turn.costs)
