"""Works on one batch: looks through its file, serves its lines beside all other traffic, and writes what came of them.

It goes in turns, each a call of the clock, so that a batch of fifty thousand lines keeps nobody waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from llmsim.dialects import Answer, Desk, Request
from llmsim.dialects import _openai_files_kept as files
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_batch_lines import Spent, Validation, answered, lines, served
from llmsim.errors import Failure
from llmsim.exchange import Exchange

KIND = "openai.batch"

AT_ONCE = 16
"""Lines of one batch that are under way at a time."""

_LOOKED_AT, _LOOKED_BYTES = 500, 256 << 10
"""Lines that are looked through in one turn, and their bytes."""

_SENT_BYTES = 48 << 10
"""Bytes of lines after which no more are submitted in one turn: they are read where all other replies are played."""

_OWN_BYTES = 1500

_CARRIED = (
    b"authorization",
    b"api-key",
    b"x-api-key",
    b"openai-organization",
    b"openai-project",
    b"user-agent",
    b"x-llmsim-client",
    # Answers hold URLs of this server, by the name that the client knows it by.
    b"host",
    b"x-forwarded-host",
    b"x-forwarded-proto",
)


@dataclass(slots=True)
class Batch:
    """A batch: the object that clients are told of, what its file came to so far, and who works on it.

    `outcomes` are the lines that are answered, by their place in the input, each with whether it went well; `size`
    counts them, and the input, which outlives its file. Azure is a `gateway`: its batches have paths without version.
    """

    meta: dict[str, Any]
    input: bytes
    headers: dict[bytes, bytes]
    expires: dict[str, Any] | None
    exchange: Exchange
    gateway: bool = False
    outcomes: dict[int, tuple[bytes, bool]] = field(default_factory=dict)
    size: int = 0

    def __post_init__(self) -> None:
        """Counts what it is made of."""
        self.size = _OWN_BYTES + len(self.input)


def headers_of(request: Request) -> dict[bytes, bytes]:
    """The headers of the batch's own client that its requests carry on."""
    kept = {name: request.headers[name] for name in _CARRIED if name in request.headers}
    return {**kept, b"content-type": b"application/json"}


class Run:
    """Takes a batch from `validating` to its end; `over` is told when it has come to one."""

    def __init__(self, desk: Desk, batch: Batch, over: Callable[[Run], None]) -> None:
        self.batch = batch
        self._desk = desk
        self._over = over
        self._validation = Validation(batch.meta["endpoint"], batch.gateway)
        self._spent = Spent()
        self._lines: Iterator[tuple[int, bytes]] = lines(batch.input)
        self._place = 0
        self._under_way: dict[int, Exchange | None] = {}
        self._called = False
        self._ended = False

    def call(self) -> None:
        """Has the next turn come as soon as can be."""
        if not self._called:
            self._called = True
            self._desk.clock.call_at(self._desk.clock.now(), self._turn)

    def _turn(self) -> None:
        self._called = False
        if self._ended:
            return
        if self._desk.store.get(KIND, self.batch.meta["id"]) is not self.batch:
            self._stop()  # forgotten, as the store is full
            return
        steps: dict[str, Callable[[], None]] = {
            "validating": self._validate,
            "in_progress": self._progress,
            "finalizing": partial(self._close, "completed"),
            "cancelling": partial(self._close, "cancelled"),
        }
        steps[self.batch.meta["status"]]()
        self._keep()

    def _enter(self, status: str) -> None:
        self.batch.meta |= {"status": status, f"{status}_at": self._desk.wall()}

    def _keep(self) -> None:
        self._desk.store.put(KIND, self.batch.meta["id"], self.batch, self.batch.size)

    # -- looking through the file

    def _validate(self) -> None:
        looked = 0
        for _ in range(_LOOKED_AT):
            number, line = next(self._lines, (0, b""))
            looked += len(line)
            if not number:
                self._validation.end()
            if not number or not self._validation.take(number, line):
                self._validated()
                return
            if looked > _LOOKED_BYTES:
                break
        self.call()

    def _validated(self) -> None:
        found = self._validation
        if found.errors:
            self.batch.meta["errors"] = {"object": "list", "data": found.errors}
            self._enter("failed")
            self._stop()
            return
        self.batch.meta["model"] = found.model
        self.batch.meta["request_counts"]["total"] = found.total
        self._lines = lines(self.batch.input)
        self._enter("in_progress")
        self.call()

    # -- serving its lines

    def _progress(self) -> None:
        sent = 0
        for _ in range(AT_ONCE):
            if len(self._under_way) >= AT_ONCE:
                return
            number, line = next(self._lines, (0, b""))
            sent += len(line)
            if number:
                self._submit(orjson.loads(line))
                if sent > _SENT_BYTES:
                    break
            elif self._under_way:
                return
            else:
                self._enter("finalizing")
                break
        self.call()

    def _submit(self, told: dict[str, Any]) -> None:
        place, self._place = self._place, self._place + 1
        url = served(told["url"]) if self.batch.gateway else told["url"]
        request = Request("POST", url, headers=self.batch.headers, body=orjson.dumps(told["body"]))
        self._under_way[place] = None
        begun = self._desk.submit(request, partial(self._done, place, told["custom_id"]))
        if begun is None:
            failure = Failure("not_found", param=f"POST {told['url']}")
            self._done(place, told["custom_id"], None, wire.error_answer(failure, None, 0))
        elif place in self._under_way:
            self._under_way[place] = begun

    def _done(self, place: int, custom_id: str, exchange: Exchange | None, answer: Answer | None) -> None:
        """Told how a line's request ended; it may have ended while it was being submitted."""
        if self._under_way.pop(place, self) is self:
            return
        id = wire.new_id("batch_req_", self.batch.exchange, place)
        line, well = answered(id, custom_id, answer)
        self._spent.add(line)
        worded = orjson.dumps(line)
        self.batch.outcomes[place] = worded, well
        self.batch.size += len(worded) + 100
        self.batch.meta["request_counts"]["completed" if well else "failed"] += 1
        self.call()

    # -- the end

    def _close(self, status: str) -> None:
        """Writes the files of what has been answered, whatever the end."""
        batch, counts = self.batch, self.batch.meta["request_counts"]
        for name, well in (("output", True), ("error", False)):
            if counts["completed" if well else "failed"]:
                batch.meta[f"{name}_file_id"] = self._written(name, well)
        if batch.outcomes:
            batch.meta["usage"] = self._spent.worded()
        self._enter(status)
        self._stop()

    def _written(self, name: str, well: bool) -> str:
        batch = self.batch
        chosen = [batch.outcomes[place] for place in sorted(batch.outcomes)]
        data = b"".join([b"%b\n" % line for line, went_well in chosen if went_well is well])
        id, filename = wire.new_id("file-", batch.exchange, 1 + well), f"{batch.meta['id']}_{name}.jsonl"
        files.keep(self._desk, files.make(id, filename, "batch_output", data, self._desk.wall(), batch.expires))
        return id

    def _stop(self) -> None:
        """Lets go of everything; what is still under way ends at once."""
        self._ended = True
        under_way, self._under_way = self._under_way, {}
        for exchange in under_way.values():
            if exchange is not None:
                self._desk.stop(exchange)
        self.batch.outcomes.clear()
        self.batch.input, self.batch.size = b"", _OWN_BYTES
        self._lines = iter(())
        self._over(self)
