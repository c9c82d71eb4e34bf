"""How Claude thinks: for how long, whether it shows it, and how its thinking has to be given back.

Source: Anthropic's guides "Thinking", "Extended thinking" and "Effort".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llmsim import media
from llmsim.dialects._anthropic_conversation import blocks_of, turns
from llmsim.dialects._anthropic_facts import Facts
from llmsim.dialects._anthropic_signatures import fits, is_ours
from llmsim.dialects._anthropic_wire import invalid

Json = dict[str, Any]

REDACTED = (
    "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB"
)
"""A prompt with this in it has its thinking redacted (Anthropic's guide "Extended thinking")."""

_EFFORT = {"low": 32, "medium": 64, "high": 128, "xhigh": 256, "max": 512}
"""How long a model thinks, in tokens, where it decides so itself; `high` is the default."""

_LEAST = 32
_DOCS = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"


class Plans(NamedTuple):
    """How a reply's thinking is to be: its tokens, and whether it is shown, left out or made unreadable."""

    tokens: int = 0
    display: str = "omitted"


def plans(request: Json, facts: Facts, betas: frozenset[str]) -> Plans:
    """How the model thinks about this request."""
    thinking = request.get("thinking")
    kind = thinking["type"] if thinking else "adaptive" if facts.thinks else "disabled"
    forced = (request.get("tool_choice") or {}).get("type") in ("any", "tool")
    if kind not in ("adaptive", "enabled") or forced or request.get("compaction") is not None:
        return Plans()
    if kind == "enabled":
        if _in_a_turn(request) and not any(beta.startswith("interleaved-thinking-") for beta in betas):
            return Plans()
        tokens = min(1024, max(64, request["thinking"]["budget_tokens"] // 16))
    else:
        tokens = _EFFORT[(request.get("output_config") or {}).get("effort") or "high"]
    if any(REDACTED in block["text"] for block in blocks_of(request["messages"][-1]) if block["type"] == "text"):
        display = "redacted"
    else:
        display = (thinking or {}).get("display") or ("summarized" if facts.shows else "omitted")
    # A model sees to it that it gets to its answer.
    return Plans(min(tokens, request.get("max_tokens", tokens * 4) // 4), display)


def _in_a_turn(request: Json) -> bool:
    """Whether the newest message answers calls, so that the turn, and its thinking, has begun before."""
    return any(block["type"] == "tool_result" for block in blocks_of(request["messages"][-1]))


# -- what comes back


def check_replayed(request: Json) -> None:
    """Raises Refused where thinking that is given back is not as it was, or is missing where it has to be."""
    messages = request["messages"]
    latest = max((at for at, message in enumerate(messages) if message["role"] == "assistant"), default=-1)
    for at, message in enumerate(messages):
        for place, block in enumerate(blocks_of(message) if message["role"] == "assistant" else ()):
            _check_block(block, f"messages.{at}.content.{place}", at == latest)
    if (request.get("thinking") or {}).get("type") == "enabled":
        _check_start(messages)


def _check_block(block: Json, where: str, latest: bool) -> None:
    if block["type"] == "redacted_thinking" and len(media.decode_base64(block["data"]) or b"") < _LEAST:
        raise invalid(f"{where}: Invalid `data` in `redacted_thinking` block")
    if block["type"] != "thinking":
        return
    raw = media.decode_base64(block["signature"]) or b""
    if len(raw) < _LEAST:
        raise invalid(f"{where}: Invalid `signature` in `thinking` block")
    if is_ours(raw) and not fits(raw, block["thinking"]):
        if latest:
            raise invalid(
                f"{where}: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be "
                "modified. These blocks must remain as they were in the original response."
            )
        raise invalid(f"{where}: Invalid `signature` in `thinking` block")


def _check_start(messages: list[Json]) -> None:
    """A turn of calls that is under way has to begin with the thinking it began with."""
    told = turns(messages)
    asked = [
        at
        for at, (role, blocks) in enumerate(told)
        if role == "user" and not any(block["type"] == "tool_result" for _, _, block in blocks)
    ]
    under_way = told[asked[-1] + 1 :] if asked else []
    if not under_way or not any(block["type"] == "tool_use" for _, _, block in under_way[0][1]):
        return
    at, place, block = under_way[0][1][0]
    if block["type"] not in ("thinking", "redacted_thinking"):
        raise invalid(
            f"messages.{at}.content.{place}.type: Expected `thinking` or `redacted_thinking`, but found "
            f"`{block['type']}`. When `thinking` is enabled, a final `assistant` message must start with a thinking "
            "block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend you include "
            "thinking blocks from previous turns. To avoid this requirement, disable `thinking`. Please consult our "
            f"documentation at {_DOCS}"
        )
