"""The items of a conversation: as they are kept once a client has sent them, and as they are shown.

Source: OpenAI's OpenAPI document, schema ConversationItem and the parameter `include` of its operations.
"""

from __future__ import annotations

from llmsim.dialects._openai_responses_ids import Ids
from llmsim.dialects._openai_responses_input import Item, type_of
from llmsim.dialects._openai_responses_listing import listed
from llmsim.dialects._openai_responses_listing import shown as without_addresses

PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
    "file_search_call": "fs",
    "web_search_call": "ws",
    "image_generation_call": "ig",
    "code_interpreter_call": "ci",
    "computer_call": "cu",
    "computer_call_output": "cuo",
    "local_shell_call": "lsh",
    "local_shell_call_output": "lsho",
    "shell_call": "sh",
    "shell_call_output": "sho",
    "apply_patch_call": "apc",
    "apply_patch_call_output": "apco",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
    "mcp_approval_response": "mcpa",
    "mcp_call": "mcp",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
    "additional_tools": "at",
    "compaction": "cmp",
    "program": "prog",
    "program_output": "progo",
    "configuration_update": "cfg",
}
"""What the ids of items begin with, by type."""

MADE_ELSEWHERE = frozenset(
    {
        "file_search_call",
        "web_search_call",
        "image_generation_call",
        "code_interpreter_call",
        "computer_call",
        "local_shell_call",
        "mcp_list_tools",
        "mcp_approval_request",
        "mcp_call",
        "reasoning",
    }
)
"""Types that only models make, so that a client who sends one has its id."""

# What an item has besides what its client must send, where the client says nothing else.
_USUAL: dict[str, Item] = {
    "file_search_call": {"results": None},
    "web_search_call": {"action": {"type": "search", "query": ""}},
    "image_generation_call": {"result": None},
    "code_interpreter_call": {"container_id": "", "code": None, "outputs": None},
    "computer_call": {"pending_safety_checks": []},
    "shell_call": {"environment": None},
    "shell_call_output": {"max_output_length": None},
    "tool_search_call": {"call_id": None, "execution": "server"},
    "tool_search_output": {"call_id": None, "execution": "server"},
}
# What a call of the shell says of its limits where the client does not.
_NO_LIMITS = {"timeout_ms": None, "max_output_length": None}
# Types without a status of their own.
_BARE = ("program", "configuration_update", "custom_tool_call", "custom_tool_call_output")


def kept(item: Item, ids: Ids, index: int) -> Item:
    """The valid item at `index` of those that a client has sent, as the API keeps it: with an id and what is usual."""
    kind = type_of(item)
    told = {"type": kind, **_USUAL.get(kind, {}), **listed(item, ids, index)}
    if not item.get("id"):
        told["id"] = ids.item(f"{PREFIXES[kind]}_", index + 1)
    if kind == "shell_call":
        told["action"] = {**_NO_LIMITS, **item["action"]}
    if kind in _BARE and not item.get("status"):
        del told["status"]
    # What the SDK's parse() adds to what it was sent.
    told.pop("parsed_arguments", None)
    return told


def shown(item: Item, include: frozenset[str]) -> Item:
    """An item as it is told, without what has to be asked for and was not."""
    told = without_addresses(item, include)
    kind = item["type"]
    if kind == "message" and "message.output_text.logprobs" not in include:
        parts = [{**part, "logprobs": []} if part["type"] == "output_text" else part for part in told["content"]]
        return {**told, "content": parts}
    for name, field in (("file_search_call", "results"), ("code_interpreter_call", "outputs")):
        if kind == name and f"{name}.{field}" not in include:
            return {**told, field: None}
    if kind == "reasoning" and "reasoning.encrypted_content" not in include:
        return {name: value for name, value in told.items() if name != "encrypted_content"}
    if kind == "web_search_call" and "web_search_call.action.sources" not in include:
        return {
            **told,
            "action": {name: value for name, value in (told.get("action") or {}).items() if name != "sources"},
        }
    return told
