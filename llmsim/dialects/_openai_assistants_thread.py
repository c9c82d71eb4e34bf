"""A thread: messages and the runs on them, one entry of the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from llmsim.dialects import Request
from llmsim.dialects._openai_assistants_api import missing, told_id
from llmsim.dialects._openai_assistants_checks import check_content
from llmsim.dialects._openai_assistants_words import Json, message_json, text_part
from llmsim.store import Store

if TYPE_CHECKING:
    from llmsim.dialects._openai_assistants_run import Run

KIND = "openai.thread"


@dataclass(slots=True)
class Thread:
    """A thread; `messages` and `runs` by id, oldest first, `active` the run that has not ended, `size` in bytes."""

    id: str = ""
    created_at: int = 0
    metadata: dict[str, str] = field(default_factory=dict)
    tool_resources: Json = field(default_factory=dict)
    messages: dict[str, Json] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    active: Run | None = None
    size: int = 0

    @property
    def json(self) -> Json:
        """The thread as the API shows it."""
        return {
            "id": self.id,
            "object": "thread",
            "created_at": self.created_at,
            "metadata": self.metadata,
            "tool_resources": self.tool_resources,
        }

    def add(self, message: Json, id: str) -> Json:
        """Adds a message at the end, under this id."""
        message = self.messages[id] = {**message, "id": id, "thread_id": self.id}
        self.size += len(orjson.dumps(message))
        return message

    def replace(self, message: Json) -> Json:
        """Puts a message in place of the one with its id."""
        self.remove(message["id"], keep_place=True)
        return self.add(message, message["id"])

    def remove(self, id: str, keep_place: bool = False) -> None:
        """Takes a message out, or only its size while another one is put in its place."""
        self.size -= len(orjson.dumps(self.messages[id]))
        if not keep_place:
            del self.messages[id]

    def keep(self, store: Store) -> None:
        """Keeps the thread at the size it has now."""
        store.put(KIND, self.id, self, self.size + len(orjson.dumps(self.json)))


def find_thread(store: Store, request: Request) -> Thread:
    """The thread that the path names; raises Refused where there is none."""
    id = told_id(request, "thread")
    found: Thread | None = store.get(KIND, id)
    if found is None:
        raise missing("thread", id)
    return found


def written(told: dict[str, Any], at: int, where: str = "") -> Json:
    """The message that a client has written, not yet in a thread; raises Refused where it says nothing."""
    check_content(told["content"], f"{where}content")
    content = told["content"]
    parts = [text_part(content)] if isinstance(content, str) else [_part(part) for part in content]
    attachments = [
        {"file_id": one["file_id"], "tools": one.get("tools") or []} for one in told.get("attachments") or ()
    ]
    return message_json(told["role"], parts, at, attachments=attachments, metadata=told.get("metadata") or {})


def all_written(told: list[dict[str, Any]] | None, at: int, where: str) -> list[Json]:
    """The messages of a list in the field `where`."""
    return [written(one, at, f"{where}[{index}].") for index, one in enumerate(told or ())]


def _part(part: dict[str, Any]) -> Json:
    kind = part["type"]
    if kind == "text":
        return text_part(part["text"])
    return {"type": kind, kind: {**part[kind], "detail": part[kind].get("detail") or "auto"}}
