"""OpenAI's threads and their messages, which runs of assistants read and write.

Source: OpenAI API reference, threads and messages (version 2 of the assistants beta), and OpenAI's OpenAPI document,
schemas ThreadObject and MessageObject.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from llmsim.dialects import Request, Route
from llmsim.dialects._openai_assistants_api import (
    AssistantsApi,
    metadata_of,
    missing,
    new_id,
    read_body,
    told_id,
)
from llmsim.dialects._openai_assistants_resources import resources
from llmsim.dialects._openai_assistants_run import busy, refreshed, stop
from llmsim.dialects._openai_assistants_thread import KIND, Thread, all_written, find_thread, written
from llmsim.dialects._openai_assistants_types import CreateMessage, CreateThread, ModifyMetadata, ModifyThread, adapter
from llmsim.dialects._openai_assistants_words import Json
from llmsim.dialects._openai_lists import page
from llmsim.dialects._openai_refusals import invalid
from llmsim.exchange import Exchange


class OpenAIThreads(AssistantsApi):
    """`/v1/threads` and `/v1/threads/{id}/messages`: create, get, modify, delete; messages can be listed, too."""

    kind: ClassVar[str] = "openai_threads"

    def routes(self) -> Sequence[Route]:
        """Threads, and the messages of one."""
        thread = "/v1/threads/{thread_id}"
        message = f"{thread}/messages/{{message_id}}"
        return [
            self.plain("POST", "/v1/threads", self._create),
            self.plain("GET", thread, self._get),
            self.plain("POST", thread, self._modify),
            self.plain("DELETE", thread, self._delete),
            self.plain("POST", f"{thread}/messages", self._add),
            self.plain("GET", f"{thread}/messages", self._list),
            self.plain("GET", message, self._message),
            self.plain("POST", message, self._modify_message),
            self.plain("DELETE", message, self._delete_message),
        ]

    # -- threads

    def _create(self, request: Request, exchange: Exchange) -> Any:
        told = read_body(request, adapter(CreateThread))
        at = self.desk.wall()
        new = all_written(told.get("messages"), at, "messages")
        resourced = resources(told.get("tool_resources"), (), self.desk, exchange)
        thread = Thread(new_id("thread", exchange), at, metadata_of(told), resourced)
        for index, message in enumerate(new):
            thread.add(message, new_id("message", exchange, index))
        thread.keep(self.desk.store)
        return thread.json

    def _get(self, request: Request, exchange: Exchange) -> Any:
        return self._thread(request).json

    def _modify(self, request: Request, exchange: Exchange) -> Any:
        thread = self._thread(request)
        told = read_body(request, adapter(ModifyThread))
        if "metadata" in told:
            thread.metadata = metadata_of(told)
        if "tool_resources" in told:
            thread.tool_resources = resources(told["tool_resources"], (), self.desk, exchange)
        thread.keep(self.desk.store)
        return thread.json

    def _delete(self, request: Request, exchange: Exchange) -> Any:
        thread = self._thread(request)
        self.desk.store.pop(KIND, thread.id)
        run = busy(thread, self.desk)
        if run is not None:
            stop(run, "cancelled", self.desk)
        return {"id": thread.id, "object": "thread.deleted", "deleted": True}

    def _thread(self, request: Request) -> Thread:
        return find_thread(self.desk.store, request)

    # -- messages

    def _add(self, request: Request, exchange: Exchange) -> Any:
        thread = self._thread(request)
        told = read_body(request, adapter(CreateMessage))
        run = busy(thread, self.desk)
        if run is not None:
            raise invalid(f"Can't add messages to {thread.id} while a run {run.id} is active.")
        message = thread.add(written(told, self.desk.wall()), new_id("message", exchange))
        thread.keep(self.desk.store)
        return message

    def _list(self, request: Request, exchange: Exchange) -> Any:
        messages = self._messages(self._thread(request))
        run_id = request.args.get("run_id")
        return page([message for message in messages if not run_id or message["run_id"] == run_id], request)

    def _message(self, request: Request, exchange: Exchange) -> Any:
        id = told_id(request, "message")
        for message in self._messages(self._thread(request)):
            if message["id"] == id:
                return message
        raise missing("message", id)

    def _messages(self, thread: Thread) -> list[Json]:
        """All messages, the one last that a run is writing."""
        run = thread.active and refreshed(thread.active, self.desk)
        writing = run.turn.progress(self.desk.clock.now())[0] if run is not None and run.turn is not None else []
        return [*thread.messages.values(), *writing]

    def _modify_message(self, request: Request, exchange: Exchange) -> Any:
        thread, message = self._own(request)
        told = read_body(request, adapter(ModifyMetadata))
        if "metadata" in told:
            message = thread.replace({**message, "metadata": metadata_of(told)})
            thread.keep(self.desk.store)
        return message

    def _delete_message(self, request: Request, exchange: Exchange) -> Any:
        thread, message = self._own(request)
        thread.remove(message["id"])
        thread.keep(self.desk.store)
        return {"id": message["id"], "object": "thread.message.deleted", "deleted": True}

    def _own(self, request: Request) -> tuple[Thread, Json]:
        """The thread and the message that the path names; one that is being written cannot be changed yet."""
        thread, id = self._thread(request), told_id(request, "message")
        message = thread.messages.get(id)
        if message is None:
            raise missing("message", id)
        return thread, message
