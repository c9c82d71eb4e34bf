"""Anthropic's Message Batches API; results are fetched from this very server.

Source: Anthropic API reference, Message Batches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, ClassVar

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Desk, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _anthropic_wire as wire
from llmsim.dialects._anthropic_batch import KIND, Batch, Batches, worded
from llmsim.dialects._anthropic_lists import page
from llmsim.dialects._anthropic_refusals import read_object, validate
from llmsim.dialects._anthropic_types import batch_request
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.plan import Piece

Json = dict[str, Any]

PATH = "/v1/messages/batches"
_PASSED_ON = (b"authorization", b"x-api-key", b"user-agent", b"x-llmsim-client")


class AnthropicBatches(Dialect):
    """`/v1/messages/batches`: creates, lists, tells of, cancels and deletes batches, and gives their results."""

    kind: ClassVar[str] = "anthropic_batches"
    provider: ClassVar[str] = "anthropic"

    def __init__(self, desk: Desk | None = None) -> None:
        super().__init__(desk)
        self.batches = Batches(self.desk)

    def routes(self) -> Sequence[Route]:
        """All of the batches API; a batch is read in a thread where it is long."""
        return [
            Route("POST", PATH, read=self.read),
            Route("GET", PATH, answer=self._list),
            Route("GET", f"{PATH}/{{batch_id}}", answer=self._one),
            Route("DELETE", f"{PATH}/{{batch_id}}", answer=self._delete),
            Route("POST", f"{PATH}/{{batch_id}}/cancel", answer=self._cancel),
            Route("GET", f"{PATH}/{{batch_id}}/results", answer=self._results),
        ]

    def claims(self, request: Request) -> bool:
        """Whether the request is meant for Anthropic."""
        return wire.claims(request)

    def read(self, request: Request) -> Ask:
        """The batch that a client creates; raises Refused where it cannot be one. Its requests are looked at later."""
        wire.version_of(request)
        body = read_object(request.body)
        validate(batch_request(), body)
        items: list[tuple[str, Json]] = [(item["custom_id"], item["params"]) for item in body["requests"]]
        seen: set[str] = set()
        for at, (custom_id, _) in enumerate(items):
            if custom_id in seen:
                raise wire.invalid(f"requests.{at}.custom_id: duplicate custom_id '{custom_id}'; they must be unique")
            seen.add(custom_id)
        passed = {
            name: value
            for name, value in request.headers.items()
            if name in _PASSED_ON or name.startswith(b"anthropic-")
        }
        return Ask(
            "",
            dialect=self.kind,
            endpoint=PATH,
            digest=blake2b(request.body, digest_size=16).digest(),
            parts=0,
            extra={"items": items, "headers": passed, "size": len(request.body), "base": _base(request)},
        )

    def encoder(self, exchange: Exchange) -> Encoder:
        """Words the batch that was created."""
        return _Creation(exchange, self)

    def created(self, exchange: Exchange) -> Batch:
        """The batch of an ask, at work from now on."""
        extra = exchange.ask.extra
        batch = Batch(
            id=wire.new_id("msgbatch_", exchange),
            created=self.desk.wall(),
            headers=extra["headers"],
            waiting=deque(extra["items"]),
            size=extra["size"],
            total=len(extra["items"]),
        )
        self.batches.begin(batch)
        return batch

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        wire.version_of(request)
        base = _base(request)
        told = [worded(batch, base) for batch in reversed(self.desk.store.values(KIND))]
        return Answer.json(page(told, request), headers=wire.headers(exchange))

    def _one(self, request: Request, exchange: Exchange) -> Answer:
        return Answer.json(worded(self._found(request), _base(request)), headers=wire.headers(exchange))

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        batch = self._found(request)
        if batch.ended is None:
            raise wire.invalid(f"Message Batch {batch.id} cannot be deleted until its processing has ended.")
        self.desk.store.pop(KIND, batch.id)
        told = {"id": batch.id, "type": "message_batch_deleted"}
        return Answer.json(told, headers=wire.headers(exchange))

    def _cancel(self, request: Request, exchange: Exchange) -> Answer:
        batch = self._found(request)
        if batch.ended is not None:
            raise wire.invalid(f"Message Batch {batch.id} cannot be canceled because its processing has ended.")
        if batch.canceled is None:
            self.batches.cancel(batch)
        return Answer.json(worded(batch, _base(request)), headers=wire.headers(exchange))

    def _results(self, request: Request, exchange: Exchange) -> Answer:
        batch = self._found(request)
        if batch.ended is None:
            raise wire.invalid(f"Message Batch {batch.id} has no results until its processing has ended.")
        return Answer(
            200, b"".join(batch.results), [(b"content-type", b"application/x-jsonl"), *wire.headers(exchange)]
        )

    def _found(self, request: Request) -> Batch:
        wire.version_of(request)
        id = request.params["batch_id"]
        batch = self.desk.store.get(KIND, id)
        if not isinstance(batch, Batch):
            raise Refused(Failure("not_found", f"Message Batch {id[:200]} not found."))
        return batch

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Anthropic's error object."""
        return wire.error_answer(failure, exchange)


class _Creation(Encoder):
    """Words the batch that a request has created."""

    def __init__(self, exchange: Exchange, batches: AnthropicBatches) -> None:
        super().__init__(exchange)
        self._batches = batches

    def headers(self) -> Headers:
        """Anthropic's headers."""
        return wire.headers(self.exchange)

    def frame(self, piece: Piece) -> bytes:
        """Nothing: a batch is not streamed."""
        return b""

    def fail(self, failure: Failure) -> bytes:
        """An error as an event of its own."""
        return wire.error_event(failure, self.exchange)

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The batch at its beginning."""
        return orjson.dumps(worded(self._batches.created(self.exchange), self.exchange.ask.extra["base"]))


def _base(request: Request) -> str:
    """Where this server is, as the client sees it, a mount below `/anthropic` included."""
    host = request.headers.get(b"x-forwarded-host") or request.headers.get(b"host", b"localhost")
    scheme = request.headers.get(b"x-forwarded-proto", b"http").decode("latin-1").partition(",")[0].strip()
    return f"{scheme}://{host.decode('latin-1')}{request.path.partition('/v1/')[0]}"
