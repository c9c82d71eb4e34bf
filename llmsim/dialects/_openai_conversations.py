"""What OpenAI keeps of a conversation: its items in order; shared by the APIs of conversations and of responses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from llmsim.store import Store

KIND = "openai.conversation"


@dataclass(slots=True)
class Conversation:
    """A conversation; `items` are output and input items as the API lists them, each with its `id`, oldest first."""

    id: str
    created_at: int
    metadata: dict[str, str] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0


def find(store: Store, id: str) -> Conversation | None:
    """The conversation of that id, if it is kept."""
    found: Conversation | None = store.get(KIND, id)
    return found


def add(store: Store, conversation: Conversation, items: list[dict[str, Any]]) -> None:
    """Adds items at the end, and counts them."""
    conversation.items.extend(items)
    conversation.size += len(orjson.dumps(items))
    store.put(KIND, conversation.id, conversation, conversation.size)


def remove(store: Store, conversation: Conversation, item: dict[str, Any]) -> None:
    """Takes an item out."""
    conversation.items.remove(item)
    conversation.size -= len(orjson.dumps([item]))
    store.put(KIND, conversation.id, conversation, conversation.size)


def describe(store: Store, conversation: Conversation, metadata: dict[str, str]) -> None:
    """Puts other metadata in place of what it has."""
    conversation.size += len(orjson.dumps(metadata)) - len(orjson.dumps(conversation.metadata))
    conversation.metadata = metadata
    store.put(KIND, conversation.id, conversation, conversation.size)
