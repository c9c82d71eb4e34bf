"""Words a run's turn as events: of the run, of its steps, of the message it writes.

Source: OpenAI API reference, assistants streaming, and OpenAI's OpenAPI document, schema AssistantStreamEvent.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from llmsim.dialects import Desk, Encoder, Headers
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_assistants_api import new_id
from llmsim.dialects._openai_assistants_spoken import Spoken
from llmsim.dialects._openai_assistants_turn import Turn
from llmsim.dialects._openai_assistants_words import Json
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Call, Decline, End, Piece, Say, Think

DONE = b"event: done\ndata: [DONE]\n\n"


class RunEncoder(Encoder):
    """Words one turn: whole as the run that it has begun, streamed event by event."""

    def __init__(self, exchange: Exchange, desk: Desk) -> None:
        super().__init__(exchange)
        self._desk = desk
        self._turn: Turn = exchange.ask.extra["turn"]
        self._turn.begin(exchange.ask.follows or exchange, desk)
        self._writes = False
        self._calls = False
        self._noted = False
        source = self._turn.exchange or exchange
        message, step = new_id("message", source), new_id("step", source, 2)
        self._delta = _head("thread.message.delta", message) + b'{"content":[{"index":0,"type":'
        self._call = _head("thread.run.step.delta", step)

    def headers(self) -> Headers:
        """OpenAI's headers."""
        return wire.headers(self.exchange, 0)

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The run as it is when it has just been queued."""
        return orjson.dumps(self._turn.run.json(self._turn.queued))

    def open(self) -> bytes:
        """The run's own events up to its being in progress; before them a new thread, or the step it goes on from."""
        turn, run = self._turn, self._turn.run
        queued = run.json(turn.queued)
        events = [event("thread.created", run.thread.json)] if turn.opens_thread else []
        if turn.answered is not None:
            events.append(event("thread.run.step.completed", turn.answered))
        else:
            events.append(event("thread.run.created", queued))
        events.append(event("thread.run.queued", queued))
        events.append(event("thread.run.in_progress", run.json(turn.state(float("inf")))))
        return b"".join(events)

    def frame(self, piece: Piece) -> bytes:
        """One piece's event, after those that open the message or the step of calls; at the end those that close."""
        if isinstance(piece, Think):
            return b""
        if isinstance(piece, Call):
            return self._open_calls() + self._fragment(piece)
        if isinstance(piece, Decline):
            return self._open_message() + self._delta + b'"refusal","refusal":%b}]}}\n\n' % piece.json
        if isinstance(piece, Say):
            opening = self._open_message()
            notes = b"" if self._noted else b',"annotations":[]'
            self._noted = True
            return opening + self._delta + b'"text","text":{"value":%b%b}}]}}\n\n' % (piece.json, notes)
        if isinstance(piece, End):
            self._turn.settle(self.exchange.plan.pieces, self._desk.wall())
            return self._closing()
        return b""

    def close(self) -> bytes:
        """The end mark."""
        return DONE

    def fail(self, failure: Failure) -> bytes:
        """The run has failed, unless it was cancelled or has expired before; either way the stream ends in order."""
        exchange, turn = self.exchange, self._turn
        said = exchange.plan.pieces[: exchange.cursor]
        told = wire.error_body(failure, exchange.ask.model)["error"]
        turn.settle(said, self._desk.wall(), error=last_error(failure.status, told["message"]))
        return self._closing() + DONE

    # -- parts

    def _open_message(self) -> bytes:
        """What comes before a message's first words, once: the built-in tool's step, the message's step, itself."""
        if self._writes:
            return b""
        self._writes = True
        turn = self._turn
        step, message = turn.step("message"), turn.message()
        return b"".join(
            [
                self._forced(turn.call) if turn.call else b"",
                event("thread.run.step.created", step),
                event("thread.run.step.in_progress", step),
                event("thread.message.created", message),
                event("thread.message.in_progress", message),
            ]
        )

    def _forced(self, call: Json) -> bytes:
        """The step of a built-in tool, from its start to its end."""
        turn, kind = self._turn, call["type"]
        step = turn.step("forced")
        parts: list[Json] = [{"id": call["id"], kind: {}}]
        if kind == "code_interpreter":
            logs = [{"index": index, **output} for index, output in enumerate(call[kind]["outputs"])]
            parts = [
                {"id": call["id"], kind: {"input": "", "outputs": []}},
                {kind: {"input": call[kind]["input"]}},
                {kind: {"outputs": logs}},
            ]
        deltas = [{"index": 0, "type": kind, **part} for part in parts]
        return b"".join(
            [
                event("thread.run.step.created", step),
                event("thread.run.step.in_progress", step),
                *(event("thread.run.step.delta", _step_delta(step["id"], delta)) for delta in deltas),
                event("thread.run.step.completed", turn.forced_step()),
            ]
        )

    def _open_calls(self) -> bytes:
        """What comes before the first call, once: the end of a message before it, the step of the calls."""
        if self._calls:
            return b""
        self._calls = True
        step = self._turn.step("calls")
        opening = (("thread.run.step.created", step), ("thread.run.step.in_progress", step))
        written = self._turn.close_message(Spoken.of(self.exchange.plan.pieces))
        return b"".join(event(name, value) for name, value in (*written, *opening))

    def _fragment(self, piece: Call) -> bytes:
        """A part of a call; its id and its name come with the first."""
        function: Json = {"arguments": piece.text}
        told: Json = {"index": piece.index, "type": "function", "function": function}
        if piece.opens:
            function = {"name": piece.call.name, "arguments": piece.text, "output": None}
            told = {"index": piece.index, "id": piece.call.id, "type": "function", "function": function}
        return self._call + b'{"step_details":{"type":"tool_calls","tool_calls":[%b]}}}\n\n' % orjson.dumps(told)

    def _closing(self) -> bytes:
        """The events that end the turn; a message among them has been opened before."""
        events = self._turn.events or []
        opening = self._open_message() if any(name.startswith("thread.message.") for name, _ in events) else b""
        return opening + b"".join(event(name, value) for name, value in events)


def event(name: str, value: Json) -> bytes:
    """One event."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(value))


def last_error(status: int, message: str) -> Json:
    """What went wrong, as a run tells of it."""
    codes = {429: "rate_limit_exceeded", 400: "invalid_prompt"}
    return {"code": codes.get(status, "server_error"), "message": message}


def _head(kind: str, id: str) -> bytes:
    """A delta's event up to its delta."""
    return f'event: {kind}\ndata: {{"id":"{id}","object":"{kind}","delta":'.encode()


def _step_delta(id: str, call: Json) -> Json:
    delta = {"step_details": {"type": "tool_calls", "tool_calls": [call]}}
    return {"id": id, "object": "thread.run.step.delta", "delta": delta}
