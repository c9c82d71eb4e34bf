"""Items of an input as the API lists them: each with an id and a status, contents in parts.

Source: OpenAI's OpenAPI document, schema ItemResource.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from llmsim.dialects import Request
from llmsim.dialects._openai_refusals import invalid
from llmsim.dialects._openai_responses_ids import Ids
from llmsim.dialects._openai_responses_input import Item, type_of

# What an id begins with where the client gave none.
_PREFIXES = {
    "message": "msg_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "reasoning": "rs_",
    "compaction": "cmp_",
}
_WITHOUT_STATUS = ("compaction", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "additional_tools")

INCLUDED = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
"""What is shown only where it is asked for."""

# Items of the input are counted apart from those of the output.
_FIRST = 4096


def listed(item: Item, ids: Ids, index: int) -> Item:
    """The item at `index` of the input, as the API lists it."""
    kind = type_of(item)
    told: dict[str, Any] = {key: value for key, value in item.items() if value is not None}
    told = {"id": ids.item(_PREFIXES.get(kind, "item_"), _FIRST + index), **told, "type": kind}
    if kind not in _WITHOUT_STATUS:
        told.setdefault("status", "completed")
    if kind == "message":
        told["content"] = _content(told["content"], told["role"])
    elif kind == "function_call_output" and isinstance(told["output"], list):
        told["output"] = _content(told["output"], "user")
    return told


def _content(content: Any, role: str) -> list[Item]:
    if isinstance(content, str):
        kind = "output_text" if role == "assistant" else "input_text"
        return [_part({"type": kind, "text": content})]
    return [_part(part) for part in content]


def _part(part: Item) -> Item:
    told = {key: value for key, value in part.items() if value is not None and key != "parsed"}
    if told["type"] == "output_text":
        return {"annotations": [], "logprobs": [], **told}
    return {"detail": "auto", **told} if told["type"] == "input_image" else told


def shown(item: Item, include: frozenset[str]) -> Item:
    """The item without the addresses of images that the client did not ask for."""
    if item["type"] == "message" and "message.input_image.image_url" not in include:
        hidden = [
            {**part, "image_url": None} if part["type"] == "input_image" and part.get("image_url") else part
            for part in item["content"]
        ]
        return {**item, "content": hidden}
    if item["type"] == "computer_call_output" and "computer_call_output.output.image_url" not in include:
        return {**item, "output": {key: value for key, value in item["output"].items() if key != "image_url"}}
    return item


def included(request: Request) -> frozenset[str]:
    """What a query asks for beside the usual; raises Refused for what there is not."""
    told = [value for name, value in parse_qsl(request.query) if name in ("include", "include[]")]
    for index, value in enumerate(told):
        if value not in INCLUDED:
            *most, last = (f"'{one}'" for one in INCLUDED)
            raise invalid(
                f"Invalid value: '{value[:80]}'. Supported values are: {', '.join(most)}, and {last}.",
                f"include[{index}]",
                "invalid_value",
            )
    return frozenset(told)
