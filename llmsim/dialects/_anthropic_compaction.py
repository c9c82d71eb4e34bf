"""Compaction: what a request for a summary cannot ask for besides, and how its block has to come back.

Source: the beta compact-2026-09-04 in the SDK anthropic 2.14: `BetaCompactionConfigParam`, the codes of its errors
(`types/compaction_*_error_details.py`), and what its tool runner leaves out of such a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmsim import media
from llmsim.dialects._anthropic_conversation import blocks_of
from llmsim.dialects._anthropic_signatures import fits, is_ours
from llmsim.dialects._anthropic_wire import invalid

Json = dict[str, Any]

BETA = "compact-2026-09-04"


def check_compaction(request: Json, betas: frozenset[str]) -> None:
    """Raises Refused where a summary cannot be made, or an earlier one does not come back as it was given."""
    if BETA not in betas:
        return
    _check_blocks(request["messages"])
    if request.get("compaction") is not None:
        _check_fields(request)
        _check_messages(request["messages"])


def _check_fields(request: Json) -> None:
    """Nothing is asked for that only shapes a reply."""
    config = request.get("output_config") or {}
    choice = (request.get("tool_choice") or {}).get("type")
    told = {
        "context_management": request.get("context_management") is not None,
        "stop_sequences": bool(request.get("stop_sequences")),
        "output_format": request.get("output_format") is not None,
        "output_config.format": config.get("format") is not None,
        "tool_choice": choice in ("any", "tool"),
    }
    for field, there in told.items():
        if there:
            raise invalid(f"compaction: `{field}` is not supported when compaction is set.")


def _check_messages(messages: list[Json]) -> None:
    spoken = [message for message in messages if message["role"] != "system" and blocks_of(message)]
    if not spoken:
        raise invalid(
            "compaction: `messages` holds no `user` or `assistant` content to summarize.",
            "compaction_nothing_to_summarize",
        )
    last = spoken[-1]
    if last["role"] == "assistant" and any(block["type"] == "tool_use" for block in blocks_of(last)):
        raise invalid(
            "compaction: the conversation ends on an `assistant` turn that is not finished. Send the results of its "
            "tool calls, then compact.",
            "compaction_incomplete_turn",
        )


def _check_blocks(messages: list[Json]) -> None:
    """There is one summary, it comes first, and nobody changed it."""
    found = list(_summaries(messages))
    if len(found) > 1:
        raise invalid(
            "messages: more than one `compaction` block with content was found. Send only the block the conversation "
            "returned last.",
            "compaction_block_ambiguous",
        )
    for at, place, role, block in found:
        where = f"messages.{at}.content.{place}"
        if (at, place) != (0, 0) or role == "system":
            raise invalid(
                f"{where}: a `compaction` block must be the first block of the conversation.",
                "compaction_block_misplaced",
            )
        raw = media.decode_base64(block.get("signature") or "") or b""
        if not is_ours(raw):
            raise invalid(f"{where}: Invalid `signature` in `compaction` block", "compaction_signature_invalid")
        if not fits(raw, block["content"]):
            raise invalid(
                f"{where}: the `content` of the `compaction` block differs from the text that its `signature` was "
                "made for.",
                "compaction_content_mismatch",
            )


def _summaries(messages: list[Json]) -> Iterator[tuple[int, int, str, Json]]:
    """The blocks that hold a summary, each with its place; one without content stands for a failed one."""
    for at, message in enumerate(messages):
        for place, block in enumerate(blocks_of(message)):
            if block["type"] == "compaction" and isinstance(block.get("content"), str):
                yield at, place, message["role"], block


def goes_on_from_summary(messages: list[Json]) -> bool:
    """Whether the conversation is a summary and nothing since."""
    spoken = [block for message in messages if message["role"] != "system" for block in blocks_of(message)]
    return bool(spoken) and all(block["type"] == "compaction" for block in spoken)
