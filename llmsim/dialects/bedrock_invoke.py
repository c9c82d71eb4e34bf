"""Amazon Bedrock's InvokeModel for Anthropic's models: the Messages API in Amazon's envelope; and CountTokens.

Source: Amazon Bedrock API reference, InvokeModel, InvokeModelWithResponseStream and CountTokens; the SDK
anthropic[bedrock].
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import orjson

from llmsim import media
from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _bedrock_wire as wire
from llmsim.dialects._aws_events import event
from llmsim.dialects._bedrock_requests import invalid, read_converse, read_object
from llmsim.dialects.anthropic_messages import AnthropicMessages
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Garbled, Piece

_VERSIONS = {"bedrock-2023-05-31": b"2023-06-01", "2023-06-01": b"2023-06-01", "2026-10-21": b"2026-10-21"}

# `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, perhaps at the end of an ARN: where, whose, which, in which version.
_MODEL = re.compile(r"(?:.*/)?(?:(?:[a-z-]+\.)?anthropic\.)?(?P<model>claude.+?)(?:-v\d+(?::\d+)?)?$")


class BedrockInvoke(Dialect):
    """`POST /model/{model}/invoke` and `/invoke-with-response-stream` for models of Anthropic's, `/count-tokens`."""

    kind: ClassVar[str] = "bedrock_invoke"
    provider: ClassVar[str] = "bedrock"

    @cached_property
    def _messages(self) -> AnthropicMessages:
        return AnthropicMessages(self.desk, amazon=True)

    def routes(self) -> Sequence[Route]:
        """Both ways, and what they would count; a model may be an ARN, with slashes in it."""
        return [
            Route("POST", "/model/{model:path}/invoke", read=lambda request: self._read(request, False)),
            Route(
                "POST",
                "/model/{model:path}/invoke-with-response-stream",
                read=lambda request: self._read(request, True),
            ),
            Route("POST", "/model/{model:path}/count-tokens", answer=self._count),
        ]

    def _read(self, request: Request, stream: bool) -> Ask:
        """The ask of the message in the body, which Amazon's paths complete; raises Refused."""
        told = read_object(request.body)
        for key in ("model", "stream"):
            if key in told:
                raise invalid(
                    f"Malformed input request: #: extraneous key [{key}] is not permitted, please reformat your input "
                    "and try again."
                )
        name = request.params["model"]
        known = _MODEL.fullmatch(name)
        if known is None:
            raise invalid(f"Model ID {name[:200]} can't be invoked here: only Anthropic's models can; use Converse.")
        version = _VERSIONS.get(str(told.pop("anthropic_version", None)))
        if version is None:
            raise invalid(f"anthropic_version: it must be one of {', '.join(_VERSIONS)}")
        betas = told.pop("anthropic_beta", None) or []
        headers = {**request.headers, b"anthropic-version": version}
        if betas and isinstance(betas, list):
            headers[b"anthropic-beta"] = ",".join(map(str, betas)).encode("latin-1", "replace")
        body = orjson.dumps({**told, "model": known["model"], "stream": stream})
        ask = self._messages.read(Request("POST", "/v1/messages", "", headers, body, client=request.client))
        ask.endpoint = "/model/{model}/invoke"
        return ask

    def _count(self, request: Request, exchange: Exchange) -> Answer:
        """The tokens of a prompt, told as a conversation or as the body of an invocation."""
        told = read_object(request.body).get("input")
        way = next(iter(told)) if isinstance(told, dict) and len(told) == 1 else ""
        wanted = told[way] if isinstance(told, dict) and way in ("converse", "invokeModel") else None
        if not isinstance(wanted, dict):
            raise invalid("The input field must hold exactly one of invokeModel and converse.")
        if way == "converse":
            ask = read_converse(orjson.dumps(wanted), request.params["model"], False)
        else:
            told = wanted.get("body")
            body = media.decode_base64(told) if isinstance(told, str) else None
            ask = self._read(replace(request, body=body or b""), False)
        return Answer.json({"inputTokens": ask.prompt_tokens}, headers=wire.headers(exchange))

    def encoder(self, exchange: Exchange) -> Encoder:
        """Anthropic's, in Amazon's envelope."""
        return EnvelopeEncoder(exchange, self._messages.encoder(exchange))

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Bedrock's error: its name in a header."""
        return wire.error_answer(failure, exchange)


class EnvelopeEncoder(Encoder):
    """Puts each event of another encoder into a `chunk` of the binary stream."""

    media_type = b"application/vnd.amazon.eventstream"

    def __init__(self, exchange: Exchange, inner: Encoder) -> None:
        super().__init__(exchange)
        self._inner = inner

    def headers(self) -> Headers:
        """Bedrock's own headers, with what it cost."""
        spent = self.exchange.plan.usage
        return [
            *wire.headers(self.exchange),
            (b"x-amzn-bedrock-input-token-count", b"%d" % spent.prompt),
            (b"x-amzn-bedrock-output-token-count", b"%d" % spent.completion),
        ]

    def open(self) -> bytes:
        """What comes before the first piece."""
        return self._chunks(self._inner.open())

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Pieces that are due together, each a chunk of its own; what is garbled is the chunk, not what it holds."""
        if any(type(piece) is Garbled for piece in pieces):
            return super().frames(pieces)
        return self._chunks(self._inner.frames(pieces))

    def frame(self, piece: Piece) -> bytes:
        """One piece as a chunk."""
        return self._chunks(self._inner.frame(piece))

    def close(self) -> bytes:
        """What comes after the last piece."""
        return self._chunks(self._inner.close())

    def fail(self, failure: Failure) -> bytes:
        """An exception as an event of its own."""
        return wire.error_event(failure)

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The message as it is."""
        return self._inner.whole(pieces)

    def _chunks(self, events: bytes) -> bytes:
        lines = (line[6:] for line in events.split(b"\n") if line.startswith(b"data: "))
        return b"".join([event("chunk", b'{"bytes":"%b"}' % b64encode(self._told(line))) for line in lines])

    def _told(self, data: bytes) -> bytes:
        """An event's JSON; the last one of a message has Amazon's figures beside it."""
        if b'"type":"message_stop"' not in data:
            return data
        spent, end = self.exchange.plan.usage, self.exchange.plan.end
        first = self.exchange.plan.times[0] if self.exchange.plan.times else 0.0
        metrics: dict[str, Any] = {
            "inputTokenCount": spent.prompt,
            "outputTokenCount": spent.completion,
            "invocationLatency": max(1, round(end * 1000)),
            "firstByteLatency": max(1, round(first * 1000)),
        }
        return orjson.dumps({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics})
