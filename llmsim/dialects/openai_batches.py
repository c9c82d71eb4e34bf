"""OpenAI's batches: a file of requests that are served beside all other traffic, their answers written to a file.

Source: OpenAI API reference, batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, Literal, Required

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from llmsim.dialects import Answer, Desk, Dialect, Request, Route
from llmsim.dialects import _openai_files_kept as files
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_batch_lines import served
from llmsim.dialects._openai_batch_run import KIND, Batch, Run, headers_of
from llmsim.dialects._openai_files_kept import ExpiresAfter
from llmsim.dialects._openai_lists import page
from llmsim.dialects._openai_messages import exact
from llmsim.dialects._openai_objects import object_answer
from llmsim.dialects._openai_refusals import invalid, read_object, validated
from llmsim.dialects._openai_types import Metadata
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

_DAY = 86_400

MOST_WORKING = 32
"""Batches that are worked on at a time; the others wait as `validating`."""

MOST_WAITING = 200
"""Batches that wait; beyond it, new ones are refused."""

Endpoint = Literal[
    "/v1/responses",
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/completions",
    "/v1/moderations",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/videos",
]

# When a batch has come to each of its states, in the order in which the API tells of them.
_TIMES = ("in_progress", "expires", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


@exact
class BatchRequest(TypedDict, total=False):
    """The body of `POST /v1/batches`."""

    input_file_id: Required[str]
    endpoint: Required[Endpoint]
    completion_window: Required[Literal["24h"]]
    metadata: Metadata | None
    output_expires_after: ExpiresAfter


@cache
def _adapter() -> TypeAdapter[BatchRequest]:
    return TypeAdapter(BatchRequest)


class OpenAIBatches(Dialect):
    """`/v1/batches`, `/v1/batches/{id}` and `/v1/batches/{id}/cancel`."""

    kind: ClassVar[str] = "openai_batches"
    provider: ClassVar[str] = "openai"

    def __init__(self, desk: Desk | None = None) -> None:
        super().__init__(desk)
        self._working: dict[str, Run] = {}
        self._waiting: deque[Run] = deque()

    def routes(self) -> Sequence[Route]:
        """All of them are plain answers: the work is done on the side."""
        return [
            Route("POST", "/v1/batches", answer=self._create),
            Route("GET", "/v1/batches", answer=self._list),
            Route("GET", "/v1/batches/{batch_id}", answer=self._one),
            Route("POST", "/v1/batches/{batch_id}/cancel", answer=self._cancel),
        ]

    def _create(self, request: Request, exchange: Exchange) -> Answer:
        gateway = "/v1/" not in request.path  # Azure's path, which has no version
        body = read_object(request.body)
        endpoint = body.get("endpoint")
        if gateway and isinstance(endpoint, str):
            body = {**body, "endpoint": served(endpoint)}
        told = validated(_adapter(), body)
        file = files.find(self.desk, told["input_file_id"], "input_file_id")
        if file.meta["purpose"] != "batch":
            message = f"Invalid 'input_file_id': the file's purpose is '{file.meta['purpose']}', expected 'batch'."
            raise invalid(message, "input_file_id", "invalid_value")
        if len(self._waiting) >= MOST_WAITING:
            raise Refused(
                Failure("rate_limit", "Too many batches are waiting. Please try again later.", retry_after=1.0)
            )
        meta = self._meta({**told, "endpoint": endpoint}, exchange)
        batch = Batch(meta, file.data, headers_of(request), told.get("output_expires_after"), exchange, gateway)
        self.desk.store.put(KIND, meta["id"], batch, batch.size)
        answer = object_answer(meta, exchange)
        self._waiting.append(Run(self.desk, batch, self._over))
        self._next()
        return answer

    def _meta(self, told: dict[str, Any], exchange: Exchange) -> dict[str, Any]:
        now = self.desk.wall()
        return {
            "id": wire.new_id("batch_", exchange),
            "object": "batch",
            "endpoint": told["endpoint"],
            "model": None,
            "errors": None,
            "input_file_id": told["input_file_id"],
            "completion_window": told["completion_window"],
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            **{f"{state}_at": None for state in _TIMES},
            "expires_at": now + _DAY,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "usage": None,
            "metadata": told.get("metadata"),
        }

    def _next(self) -> None:
        """Has the batches that wait worked on, as many as may be."""
        while self._waiting and len(self._working) < MOST_WORKING:
            run = self._waiting.popleft()
            self._working[run.batch.meta["id"]] = run
            run.call()

    def _over(self, run: Run) -> None:
        self._working.pop(run.batch.meta["id"], None)
        self._next()

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        found: list[Batch] = self.desk.store.values(KIND)
        return object_answer(page([batch.meta for batch in found], request), exchange)

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        return object_answer(self._found(request).meta, exchange)

    def _cancel(self, request: Request, exchange: Exchange) -> Answer:
        batch = self._found(request)
        status = batch.meta["status"]
        if status in ("validating", "in_progress", "finalizing"):
            batch.meta |= {"status": "cancelling", "cancelling_at": self.desk.wall()}
            self._hurry(batch)
        elif status not in ("cancelling", "cancelled"):
            raise Refused(Failure("conflict", f"Cannot cancel a batch with status '{status}'."))
        return object_answer(batch.meta, exchange)

    def _hurry(self, batch: Batch) -> None:
        """Has a batch that is to be cancelled come to its end, also one that nobody has begun to work on."""
        run = self._working.get(batch.meta["id"])
        if run is None:
            run = next(run for run in self._waiting if run.batch is batch)
            self._waiting.remove(run)
        run.call()

    def _found(self, request: Request) -> Batch:
        id = request.params["batch_id"]
        batch: Batch | None = self.desk.store.get(KIND, id)
        if batch is None:
            raise Refused(Failure("not_found", f"No batch found with id '{id[:100]}'."))
        return batch

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)
