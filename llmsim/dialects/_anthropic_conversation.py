"""Refuses conversations that Claude's API refuses: roles, empty content, tool calls and results that do not pair up.

The texts are those of the live API, as users quote them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llmsim.dialects._anthropic_facts import Facts
from llmsim.dialects._anthropic_wire import NEW, invalid
from llmsim.errors import Refused

Json = dict[str, Any]
Placed = tuple[int, int, Json]

_ONLY_USER = ("document", "image", "search_result", "tool_result", "container_upload")
_ONLY_ASSISTANT = ("redacted_thinking", "server_tool_use", "thinking", "tool_use")


def blocks_of(message: Json) -> list[Json]:
    """The content of a message as blocks, also where it is a text."""
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def turns(messages: Sequence[Json]) -> list[tuple[str, list[Placed]]]:
    """Who says what: messages of the same role in a row are one turn; system messages belong to no turn.

    Each block comes with the place of its message and its own place in that.
    """
    found: list[tuple[str, list[Placed]]] = []
    for at, message in enumerate(messages):
        role = message["role"]
        if role == "system":
            continue
        if not found or found[-1][0] != role:
            found.append((role, []))
        found[-1][1].extend((at, place, block) for place, block in enumerate(blocks_of(message)))
    return found


def check_conversation(messages: Sequence[Json], facts: Facts, version: str, compacts: bool = False) -> None:
    """Raises Refused where the messages, each valid by itself, make no conversation.

    One that is to be summed up (`compacts`) may end with the assistant's last word.
    """
    if not messages:
        raise invalid("messages: at least one message is required")
    for at, message in enumerate(messages):
        _check_role(message, at, facts)
        _check_content(message, at, last=at == len(messages) - 1)
        _check_places(message, at, version)
    _check_calls(turns(messages))
    if not compacts:
        _check_end(messages, facts)


def _check_role(message: Json, at: int, facts: Facts) -> None:
    role = message["role"]
    if role == "system" and (at == 0 or not facts.hears_system):
        raise invalid(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" '
            "as an input message role."
        )
    if role not in ("user", "assistant", "system"):
        raise invalid(f'messages: Unexpected role "{role[:80]}". Allowed roles are "user" or "assistant"')
    if at == 0 and role != "user" and not _sums_up(message):
        raise invalid('messages: first message must use the "user" role')
    if role != "system":
        for field in ("clear_at", "output_config"):
            if field in message:
                raise invalid(f"messages.{at}.{field}: Extra inputs are not permitted")


def _sums_up(message: Json) -> bool:
    """Whether a message begins with what stands for all that was said before."""
    blocks = blocks_of(message)
    return bool(blocks) and blocks[0]["type"] == "compaction" and bool(blocks[0].get("content"))


def _check_content(message: Json, at: int, last: bool) -> None:
    if "content" not in message:
        if message["role"] == "system" and message.get("output_config"):
            return
        raise invalid(f"messages.{at}.content: Field required")
    content = message["content"]
    if not content:
        if not (last and message["role"] == "assistant"):
            raise invalid(
                f"messages.{at}: all messages must have non-empty content except for the optional final assistant "
                "message"
            )
        return
    for place, block in enumerate(blocks_of(message)):
        if block["type"] != "text":
            continue
        text = block["text"]
        if not text and block.get("cache_control"):
            raise invalid(f"messages.{at}.content.{place}.text: cache_control cannot be set for empty text blocks")
        if not text:
            raise invalid("messages: text content blocks must be non-empty")
        if text.isspace():
            raise invalid("messages: text content blocks must contain non-whitespace text")


def _check_places(message: Json, at: int, version: str) -> None:
    """Each block in the messages of those who can say it."""
    role = message["role"]
    for place, block in enumerate(blocks_of(message)):
        kind, where = block["type"], f"messages.{at}.content.{place}"
        if role == "system" and kind not in ("text", "tool_addition", "tool_removal"):
            raise invalid(f"{where}: `{kind}` blocks are not permitted in `system` messages")
        if role == "user" and kind in _ONLY_ASSISTANT:
            raise invalid(f"messages.{at}: `{kind}` blocks can only be in `assistant` messages")
        if role == "assistant" and kind in _ONLY_USER and (kind != "document" or version == NEW):
            raise invalid(f"messages.{at}: `{kind}` blocks can only be in `user` messages")
        if role == "user" and kind == "text" and block.get("citations") and version == NEW:
            raise invalid(
                f"{where}.text.citations: citations are only permitted on `text` blocks of `assistant` messages"
            )


# -- calls


def _check_calls(told: Sequence[tuple[str, list[Placed]]]) -> None:
    """Every call has its result at the very beginning of the next turn, every result its call."""
    called: list[str] = []
    before: Placed | None = None
    seen: set[str] = set()
    for role, blocks in told:
        if role == "user":
            _check_results(blocks, called, before)
            called = []
            continue
        called = [block["id"] for _, _, block in blocks if block["type"] == "tool_use"]
        if len(set(called)) < len(called) or seen & set(called):
            raise invalid("messages: `tool_use` ids must be unique")
        seen.update(called)
        before = blocks[-1] if blocks else None
    if called and before is not None:
        raise _unanswered(before[0], called)


def _check_results(blocks: Sequence[Placed], called: Sequence[str], before: Placed | None) -> None:
    answered: set[str] = set()
    leading = True
    for at, place, block in blocks:
        if block["type"] != "tool_result":
            leading = False
            continue
        id = block["tool_use_id"]
        if id not in called:
            raise invalid(
                f"messages.{at}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if id in answered:
            raise invalid(
                f"messages.{at}.content.{place}: each tool_use must have a single result. Found multiple `tool_result` "
                f"blocks with id: {id}"
            )
        if leading:
            answered.add(id)
    missing = [id for id in called if id not in answered]
    if missing and before is not None:
        raise _unanswered(before[0], missing)


def _unanswered(at: int, ids: Sequence[str]) -> Refused:
    return invalid(
        f"messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(ids)}. "
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def _check_end(messages: Sequence[Json], facts: Facts) -> None:
    """What a conversation may end with: of an assistant's message only what the model can go on from."""
    last = next(message for message in reversed(messages) if message["role"] != "system")
    if last["role"] != "assistant":
        return
    blocks = blocks_of(last)
    # A paused turn of the server's own tools is sent back as it is, to be gone on with.
    if blocks and blocks[-1]["type"] != "text":
        return
    if not facts.prefill:
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    if blocks and blocks[-1]["text"] != blocks[-1]["text"].rstrip():
        raise invalid("messages: final assistant content cannot end with trailing whitespace")


def every_block(messages: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """All blocks with the paths of each, those in tool results and in documents of blocks too."""
    for at, message in enumerate(messages):
        for place, block in enumerate(blocks_of(message)):
            yield from _inner(f"messages.{at}.content.{place}", block)


def _inner(path: str, block: Json) -> Iterator[tuple[str, Json]]:
    yield f"{path}.{block['type']}", block
    source = block.get("source")
    nested: Any = ()
    if block["type"] == "tool_result":
        nested, path = block.get("content"), f"{path}.tool_result.content"
    elif block["type"] == "document" and isinstance(source, dict) and source["type"] == "content":
        nested, path = source["content"], f"{path}.document.source.content.content"
    for place, part in enumerate(nested if isinstance(nested, list) else ()):
        yield from _inner(f"{path}.{place}", part)
