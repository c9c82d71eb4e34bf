"""Message threads: conversations that the server keeps, so that each next request brings only what is new.

Source: Anthropic's guide "Message threads" (beta message-threads-2026-08-12) and the SDK's own thread helper.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Desk
from llmsim.dialects._anthropic_facts import Facts
from llmsim.dialects._anthropic_wire import invalid
from llmsim.errors import Failure, Refused

Json = dict[str, Any]

KIND = "anthropic.thread"
LIFE = 300.0
"""Seconds from its last request for which a thread can be gone on with."""

MOST_MARKED = 3
"""Blocks that a request may mark for the cache; the server marks one more itself."""

_UNSUPPORTED = ("context_management",)
_FIXED = ("output_config",)
_KEPT = ("system", "tools")


@dataclass(slots=True)
class Thread:
    """A conversation up to a reply, and what of its request has to stay as it was.

    `going` is the ask that goes on from here, as long as it is under way; `continued` says that one did, after which
    nothing of the conversation is kept here any more.
    """

    key: str
    messages: list[Json]
    kept: Json = field(default_factory=dict)
    fixed: Json = field(default_factory=dict)
    expires: float = 0.0
    continued: bool = False
    going: Ask | None = None

    @property
    def under_way(self) -> bool:
        """Whether a request is going on from here at this moment; an ask that is over has shed what it came with."""
        return self.going is not None and bool(self.going.extra)


class Threads:
    """All threads, each by the id of its newest reply."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def joined(self, request: Json, key: str, facts: Facts) -> tuple[Json, Thread | None]:
        """The whole conversation that the request is part of, and the thread it goes on from; raises Refused."""
        told = request["thread"]
        _check(request, facts)
        if told["type"] == "create":
            return request, None
        thread = self._found(told["previous_message_id"], key)
        for name in _KEPT:
            if name in request:
                raise invalid(
                    f"thread: `{name}` cannot be set when a Thread is continued; the Thread keeps the value it was "
                    "created with"
                )
        differing = [name for name in _FIXED if request.get(name) != thread.fixed.get(name)]
        if differing:
            raise invalid(
                "thread: the request does not match the Thread that `previous_message_id` names; differing field(s): "
                f"{', '.join(differing)}. Send the stored values, or replay the full conversation with thread: "
                '{"type": "create"} to change them.',
                "thread_fingerprint_mismatch",
            )
        thread.expires = self._desk.clock.now() + LIFE
        return {**request, **thread.kept, "messages": [*thread.messages, *request["messages"]]}, thread

    def _found(self, id: str, key: str) -> Thread:
        thread = self._desk.store.get(KIND, id)
        if not isinstance(thread, Thread) or thread.key != key or thread.expires <= self._desk.clock.now():
            raise Refused(
                Failure(
                    "not_found",
                    "No thread state was found for the requested `previous_message_id`. Replay the full conversation "
                    'with thread: {"type": "create"} to start a new Thread.',
                    extra={"error_code": "thread_not_found"},
                )
            )
        if thread.continued:
            raise invalid(
                "The response that `previous_message_id` names has already been continued, and each response can be "
                "continued only once. Continue from the Thread's most recent response `id`.",
                "thread_already_continued",
            )
        if thread.under_way:
            raise invalid(
                "Another request is still continuing from the same `previous_message_id`. Wait for it to complete and "
                'continue from its response `id`, or replay the full conversation with thread: {"type": "create"}.',
                "thread_continue_in_flight",
            )
        return thread

    def keep(self, id: str, thread: Thread, before: Thread | None, content: list[Json]) -> None:
        """Keeps the conversation with the reply at its end under the reply's id, and no more under the last one's."""
        reply = [{"role": "assistant", "content": content}] if content else []
        thread.messages = [*map(_unmarked, thread.messages), *reply]
        thread.expires = self._desk.clock.now() + LIFE
        if before is not None:
            before.continued, before.messages, before.kept, before.going = True, [], {}, None
        self._desk.store.put(KIND, id, thread, len(orjson.dumps([thread.messages, thread.kept])))


def opened(request: Json, key: str) -> Thread:
    """The thread that a request with its whole conversation opens or goes on with, the reply still to come."""
    kept = {name: request[name] for name in _KEPT if name in request}
    fixed = {name: request[name] for name in _FIXED if name in request}
    return Thread(key, request["messages"], kept, fixed)


def _check(request: Json, facts: Facts) -> None:
    """Raises Refused for what threads do not go together with."""
    if not facts.threads:
        raise invalid("thread: Threads are not supported for this model.", "thread_unsupported_request")
    for name in _UNSUPPORTED:
        if request.get(name) is not None:
            raise invalid(
                f"thread: `{name}` is not supported when thread is set.",
                "thread_unsupported_request",
                unsupported=[name],
            )
    marked = orjson.dumps(request["messages"]).count(b'"cache_control":{')
    marked += orjson.dumps([request.get(name) for name in _KEPT]).count(b'"cache_control":{')
    if marked > MOST_MARKED:
        raise invalid(
            f"thread: a maximum of {MOST_MARKED} blocks with cache_control may be provided when thread is set -- the "
            "fourth marker slot is reserved for the marker the server places on the conversation's last cache-eligible "
            f"block. Found {marked}.",
            "thread_unsupported_request",
            unsupported=["cache_control"],
        )


def _unmarked(part: Json) -> Json:
    """A message or a block without its marks for the cache, which were for the request that brought them."""
    plain = {key: value for key, value in part.items() if key != "cache_control"}
    if isinstance(plain.get("content"), list):
        plain["content"] = [_unmarked(block) for block in plain["content"]]
    return plain
