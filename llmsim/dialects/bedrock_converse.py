"""Amazon Bedrock's Converse, whole and as a binary event stream; signatures are taken unread.

Source: Amazon Bedrock API reference, Converse and ConverseStream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import orjson

from llmsim.conversation import Ask, Stop
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _bedrock_wire as wire
from llmsim.dialects._aws_events import event
from llmsim.dialects._bedrock_requests import read_converse
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Call, End, Garbled, Piece, Say, Think

_STOP = {
    Stop.END: "end_turn",
    Stop.LENGTH: "max_tokens",
    Stop.SEQUENCE: "stop_sequence",
    Stop.CALLS: "tool_use",
    Stop.FILTER: "content_filtered",
}


class BedrockConverse(Dialect):
    """`POST /model/{model}/converse` and `/converse-stream`."""

    kind: ClassVar[str] = "bedrock_converse"
    provider: ClassVar[str] = "bedrock"

    def routes(self) -> Sequence[Route]:
        """Both ways; a model may be an ARN, with slashes in it."""
        return [
            Route("POST", "/model/{model:path}/converse", read=_whole),
            Route("POST", "/model/{model:path}/converse-stream", read=_streamed),
        ]

    def claims(self, request: Request) -> bool:
        """Whatever stands below /model, and whatever is signed for Bedrock."""
        signed = b"/bedrock/aws4_request" in request.headers.get(b"authorization", b"")
        return signed or request.path.startswith(("/model/", "/bedrock/"))

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        return ConverseEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Bedrock's error: its name in a header."""
        return wire.error_answer(failure, exchange)


def _whole(request: Request) -> Ask:
    return read_converse(request.body, request.params["model"], False)


def _streamed(request: Request) -> Ask:
    return read_converse(request.body, request.params["model"], True)


class ConverseEncoder(Encoder):
    """Words one reply as blocks: thinking, text, then a block for each call."""

    media_type = b"application/vnd.amazon.eventstream"

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._block: object = None
        self._index = -1
        self._echo: dict[str, Any] = exchange.ask.extra["echo"]
        self._paths: tuple[str, ...] = exchange.ask.extra["paths"]

    def headers(self) -> Headers:
        """Bedrock's own headers."""
        return wire.headers(self.exchange)

    # -- streamed

    def open(self) -> bytes:
        """The message's role."""
        return event("messageStart", b'{"role":"assistant"}')

    def frame(self, piece: Piece) -> bytes:
        """One piece as a delta, after the start of its block where it is the first of it."""
        if isinstance(piece, End):
            return self._stopped() + self._end(piece)
        if isinstance(piece, Call):
            opening = self._begin(piece.index, _tool_start(piece)) if piece.opens else b""
            return opening + self._delta({"toolUse": {"input": piece.text}})
        if isinstance(piece, Think):
            if not self.exchange.ask.shows_thinking:
                return b""
            return self._begin(Think) + self._delta({"reasoningContent": {"text": piece.text}})
        if isinstance(piece, Say):
            return self._begin(Say) + self._delta({"text": piece.text})
        return b""

    def _begin(self, block: object, start: dict[str, Any] | None = None) -> bytes:
        """Ends the block before, where there is one, and starts this one; only a call's start is told."""
        if block == self._block:
            return b""
        ended = self._stopped()
        self._block = block
        self._index += 1
        if start is None:
            return ended
        return ended + event("contentBlockStart", orjson.dumps({"start": start, "contentBlockIndex": self._index}))

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return event("contentBlockDelta", orjson.dumps({"delta": delta, "contentBlockIndex": self._index}))

    def _stopped(self) -> bytes:
        if self._block is None:
            return b""
        signed = (
            self._delta({"reasoningContent": {"signature": _signature(self.exchange)}}) if self._block is Think else b""
        )
        self._block = None
        return signed + event("contentBlockStop", b'{"contentBlockIndex":%d}' % self._index)

    def _end(self, end: End) -> bytes:
        stopped = event("messageStop", orjson.dumps({"stopReason": _STOP[end.stop], **self._fields(end)}))
        told = {"usage": self._usage(), "metrics": self._metrics(), **self._echo}
        return stopped + event("metadata", orjson.dumps(told))

    def fail(self, failure: Failure) -> bytes:
        """An exception as an event of its own."""
        return wire.error_event(failure)

    # -- whole

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The reply as one object."""
        plain = [piece.piece if isinstance(piece, Garbled) else piece for piece in pieces]
        content: list[dict[str, Any]] = []
        thought = "".join(piece.text for piece in plain if isinstance(piece, Think))
        if thought and self.exchange.ask.shows_thinking:
            told = {"text": thought, "signature": _signature(self.exchange)}
            content.append({"reasoningContent": {"reasoningText": told}})
        said = "".join(piece.text for piece in plain if isinstance(piece, Say) and not isinstance(piece, Think | Call))
        if said:
            content.append({"text": said})
        content += _calls([piece for piece in plain if isinstance(piece, Call)])
        end = next((piece for piece in reversed(plain) if isinstance(piece, End)), End(Stop.END))
        return orjson.dumps(
            {
                "output": {"message": {"role": "assistant", "content": content}},
                "stopReason": _STOP[end.stop],
                "usage": self._usage(),
                "metrics": self._metrics(),
                **self._fields(end),
                **self._echo,
            }
        )

    def _fields(self, end: End) -> dict[str, Any]:
        """The model's own fields that the client asked for; the one there is, is the stop sequence of Claude's."""
        if "/stop_sequence" not in self._paths:
            return {}
        return {"additionalModelResponseFields": {"stop_sequence": end.sequence}}

    def _usage(self) -> dict[str, int]:
        spent = self.exchange.plan.usage
        return {
            "inputTokens": spent.prompt - spent.cached,
            "outputTokens": spent.completion,
            "totalTokens": spent.prompt + spent.completion,
            "cacheReadInputTokens": spent.cached,
            "cacheWriteInputTokens": 0,
        }

    def _metrics(self) -> dict[str, int]:
        return {"latencyMs": max(1, round(self.exchange.plan.end * 1000))}


def _tool_start(piece: Call) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": _tool_id(piece), "name": piece.call.name}}


def _tool_id(piece: Call) -> str:
    """Bedrock's own form of a call's id."""
    return "tooluse_" + piece.call.id.removeprefix("call_")[:22]


def _calls(fragments: Sequence[Call]) -> list[dict[str, Any]]:
    """The blocks of calls; one that a limit cut short has what came of its input as far as it can be read."""
    by_index: dict[int, list[Call]] = {}
    for fragment in fragments:
        by_index.setdefault(fragment.index, []).append(fragment)
    worded = []
    for parts in by_index.values():
        try:
            given = orjson.loads("".join(part.text for part in parts) or "{}")
        except orjson.JSONDecodeError:
            given = {}
        worded.append({"toolUse": {"toolUseId": _tool_id(parts[0]), "name": parts[0].call.name, "input": given}})
    return worded


def _signature(exchange: Exchange) -> str:
    """What stands for the signature of a thought; the same for the same exchange."""
    return f"{exchange.seed:016x}" * 4
