"""What clients keep with Gemini - files and cached contents - as generations find it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llmsim.conversation import Ask, Message, Tool, ToolChoice
from llmsim.dialects._gemini_checks import invalid
from llmsim.dialects._gemini_prompt_cost import Media
from llmsim.errors import Failure, Refused
from llmsim.store import Store

FILE = "gemini.file"
CACHE = "gemini.cache"
_FILE_URI = re.compile(r"^(?:https?://[^/]+/)?(?:v1(?:beta)?/)?files/([^/?:]+)$")


@dataclass(slots=True)
class File:
    """An uploaded file: `told` is how the API tells of it."""

    told: dict[str, Any]
    data: bytes


@dataclass(slots=True)
class Cached:
    """A cached content: `told` is how the API tells of it, the rest what a reply needs of it; `until` in seconds."""

    told: dict[str, Any]
    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    tool_choice: ToolChoice
    spent: Counter[str]
    until: float


def file_finder(store: Store) -> Callable[[str], Media | None]:
    """Finds type and bytes of a file by its URI; raises Refused for a file of this API that there is not."""

    def find(uri: str) -> Media | None:
        match = _FILE_URI.match(uri)
        if match is None:
            return None
        kept: File | None = store.get(FILE, match[1])
        if kept is None:
            text = f"You do not have permission to access the File {match[1][:100]} or it may not exist."
            raise Refused(Failure("forbidden", text))
        return kept.told["mimeType"], kept.data

    return find


def find_cached(store: Store, name: str, now: float) -> Cached:
    """The cached content of that name, unless its time is up; raises Refused where there is none."""
    kept: Cached | None = store.get(CACHE, name.rpartition("/")[2])
    if kept is None or kept.until <= now:
        raise Refused(Failure("forbidden", "CachedContent not found (or permission denied)"))
    return kept


def with_cached(ask: Ask, store: Store, now: float) -> Ask:
    """The ask with what its cached content holds before it; raises Refused where the two do not go together."""
    name = ask.extra.get("cached_content")
    if not name:
        return ask
    cached = find_cached(store, name, now)
    if ask.extra.get("with_tools"):
        raise invalid(
            "CachedContent can not be used with GenerateContent request setting system_instruction, tools or "
            "tool_config.\n\nProposed fix: move those values to CachedContent from GenerateContent request."
        )
    if cached.model != ask.model:
        raise invalid(
            f"Model used by GenerateContent request (models/{ask.model}) and CachedContent (models/{cached.model}) has "
            "to be the same."
        )
    ask.messages = (*cached.messages, *ask.messages)
    ask.tools, ask.tool_choice = cached.tools, cached.tool_choice
    spent: Counter[str] = ask.extra["spent"] + cached.spent
    ask.cached = sum(cached.spent.values())
    ask.extra = {**ask.extra, "spent": spent, "cached": cached.spent}
    if ask.parts is None:
        ask.prompt_tokens = sum(spent.values())
    return ask
