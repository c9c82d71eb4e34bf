"""A message batch: its requests are served among all others, at most sixteen at a time, each as if a client had come.

Source: Anthropic API reference, Message Batches, and its guide "Batch processing". Where a request meets a rate limit
it is tried again, as the limit is none of the batch's; any other failure is its result.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from llmsim.dialects import Answer, Desk, Request
from llmsim.dialects import _anthropic_wire as wire
from llmsim.exchange import Exchange

Json = dict[str, Any]

KIND = "anthropic.batch"
LIFE = 86_400
AT_ONCE = 16
_A_TURN = 32
"""Requests begun before the event loop gets its turn again."""

OUTCOMES = ("succeeded", "errored", "canceled", "expired")


@dataclass(slots=True)
class Batch:
    """A batch and how far it is; moments are seconds since the epoch.

    `waiting` are the requests that have not begun, by their own ids; `running` is how many have and are not over.
    """

    id: str
    created: int
    headers: dict[bytes, bytes]
    waiting: deque[tuple[str, Json]]
    size: int
    total: int
    running: int = 0
    results: list[bytes] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    canceled: int | None = None
    ended: int | None = None
    busy: bool = False

    @property
    def status(self) -> str:
        """Where it stands, in the API's words."""
        return "ended" if self.ended is not None else "canceling" if self.canceled is not None else "in_progress"


class Batches:
    """Works on batches."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def begin(self, batch: Batch) -> None:
        """Keeps the batch and begins with it."""
        self._keep(batch)
        self._soon(batch)

    def cancel(self, batch: Batch) -> None:
        """Begins no more of its requests; those that are under way still come to their end."""
        batch.canceled = self._desk.wall()
        self._soon(batch)

    def _keep(self, batch: Batch) -> None:
        self._desk.store.put(KIND, batch.id, batch, batch.size)

    def _soon(self, batch: Batch, after: float = 0.0) -> None:
        self._desk.clock.call_at(self._desk.clock.now() + after, partial(self._go_on, batch))

    def _go_on(self, batch: Batch) -> None:
        """Begins as many requests as may be under way at once."""
        if batch.busy or batch.ended is not None:
            return
        batch.busy = True
        begun = 0
        self._give_up(batch)
        while batch.waiting and batch.running < AT_ONCE and begun < _A_TURN:
            begun += 1
            self._serve(batch, *batch.waiting.popleft())
        batch.busy = False
        if batch.waiting and batch.running < AT_ONCE:
            self._soon(batch)
        elif not batch.waiting and not batch.running:
            self._end(batch)

    def _give_up(self, batch: Batch) -> None:
        """Lets go of what has not begun, where the client has canceled it or its day is over."""
        over = self._desk.wall() >= batch.created + LIFE
        outcome = "canceled" if batch.canceled is not None else "expired" if over else ""
        while outcome and batch.waiting:
            self._note(batch, batch.waiting.popleft()[0], {"type": outcome})

    def _serve(self, batch: Batch, custom_id: str, params: Json) -> None:
        batch.running += 1
        fault = _unbatched(params)
        if fault:
            self._over(batch, custom_id, _failed(_invalid(fault)))
            return
        request = Request("POST", "/v1/messages", headers=batch.headers, body=orjson.dumps(params), client="batch")
        if self._desk.submit(request, partial(self._done, batch, custom_id, params)) is None:
            self._over(batch, custom_id, _result(None))

    def _done(self, batch: Batch, custom_id: str, params: Json, exchange: Exchange, answer: Answer | None) -> None:
        wait = dict(answer.headers).get(b"retry-after") if answer is not None and answer.status == 429 else None
        if wait is not None:  # a quota that is spent, or a prompt above the limit, will be no other in a while
            moment = self._desk.clock.now() + max(1, int(wait))
            self._desk.clock.call_at(moment, partial(self._again, batch, custom_id, params))
            return
        self._over(batch, custom_id, _result(answer))

    def _again(self, batch: Batch, custom_id: str, params: Json) -> None:
        batch.running -= 1
        batch.waiting.appendleft((custom_id, params))
        self._go_on(batch)

    def _over(self, batch: Batch, custom_id: str, result: Json) -> None:
        batch.running -= 1
        self._note(batch, custom_id, result)
        if not batch.busy:
            self._soon(batch)

    def _note(self, batch: Batch, custom_id: str, result: Json) -> None:
        line = orjson.dumps({"custom_id": custom_id, "result": result}) + b"\n"
        batch.counts[result["type"]] += 1
        batch.results.append(line)
        batch.size += len(line)
        self._keep(batch)

    def _end(self, batch: Batch) -> None:
        batch.ended = self._desk.wall()
        batch.size = sum(map(len, batch.results))
        self._keep(batch)


def _result(answer: Answer | None) -> Json:
    """What became of a request; what was cut or arrived garbled is the server's fault."""
    try:
        told = orjson.loads(answer.body) if answer is not None else None
    except orjson.JSONDecodeError:
        told = None
    if answer is None or told is None:
        return _failed({"type": "error", "error": {"type": "api_error", "message": "Internal server error"}})
    if answer.status != 200:
        return _failed(told)
    told["usage"]["service_tier"] = "batch"
    return {"type": "succeeded", "message": told}


def _unbatched(params: Json) -> str:
    """What is right for a message by itself and not for one in a batch; empty where nothing is.

    Source: Anthropic's guide "Batch processing": `max_tokens: 0` and `fallbacks` are not supported there.
    """
    if params.get("stream"):
        return "stream: Streaming is not supported for requests in a Message Batch."
    if params.get("max_tokens") == 0 and not isinstance(params["max_tokens"], bool):
        return "max_tokens: Input should be greater than or equal to 1 for requests in a Message Batch."
    return "fallbacks: Extra inputs are not permitted" if params.get("fallbacks") is not None else ""


def _invalid(message: str) -> Json:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


def _failed(error: Json) -> Json:
    return {"type": "errored", "error": {"request_id": None, **error}}


def worded(batch: Batch, base: str) -> Json:
    """The batch as the API tells it; `base` is where this server is, as the client sees it."""
    over = batch.ended is not None
    counts = batch.counts if over else dict.fromkeys(OUTCOMES, 0)
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": batch.status,
        "request_counts": {"processing": 0 if over else batch.total, **counts},
        "created_at": wire.timestamp(batch.created),
        "expires_at": wire.timestamp(batch.created + LIFE),
        "ended_at": wire.timestamp(batch.ended) if batch.ended is not None else None,
        "cancel_initiated_at": wire.timestamp(batch.canceled) if batch.canceled is not None else None,
        "archived_at": None,
        "results_url": f"{base}/v1/messages/batches/{batch.id}/results" if over else None,
    }
