"""The response object, in every state it can be in.

Source: OpenAI's OpenAPI document, schema Response; the order of the keys is the live API's.
"""

from __future__ import annotations

from typing import Any

import orjson

from llmsim.conversation import Stop
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_responses_ids import Ids
from llmsim.dialects._openai_responses_wanted import Wanted
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Usage

INCOMPLETE = {Stop.LENGTH: b"max_output_tokens", Stop.FILTER: b"content_filter"}

# Kind of failure -> the response's error code.
_CODES = {"rate_limit": "rate_limit_exceeded", "quota": "rate_limit_exceeded", "invalid": "invalid_prompt"}


class Body:
    """Words one response, the one that `exchange` makes."""

    def __init__(self, exchange: Exchange, wanted: Wanted, ids: Ids) -> None:
        self._wanted = wanted
        self._model = exchange.ask.model
        self._head = b'{"id":"%b","object":"response","created_at":%d,"status":"' % (
            ids.response.encode(),
            exchange.wall,
        )
        self._background = b'","background":%b,"completed_at":' % (b"true" if wanted.background else b"false")

    def pending(self, status: bytes) -> bytes:
        """The response while it is worked on: nothing is said yet."""
        return self._worded(status, b"null", b"null", b"null", b"", b"null", self._wanted.echo.pending)

    def ended(self, stop: Stop | None, output: bytes, usage: Usage, moment: int) -> bytes:
        """The response at its end, complete or not; `moment` is in seconds since the epoch."""
        reason = INCOMPLETE.get(stop) if stop is not None else None
        moderation = self._moderation(output) if self._wanted.moderates else b""
        return self._worded(
            b"completed" if reason is None else b"incomplete",
            b"null" if reason else b"%d" % moment,
            b"null",
            b"null" if reason is None else b'{"reason":"%b"}' % reason,
            output,
            spent(usage),
            self._wanted.echo.final + moderation,
        )

    def failed(self, failure: Failure, output: bytes) -> bytes:
        """The response where something went wrong while it was worked on."""
        message = wire.error_body(failure, self._model)["error"]["message"]
        error = orjson.dumps({"code": _CODES.get(failure.kind, "server_error"), "message": message})
        return self._worded(b"failed", b"null", error, b"null", output, b"null", self._wanted.echo.final)

    def cancelled(self) -> bytes:
        """The response where the client has cancelled it."""
        return self._worded(b"cancelled", b"null", b"null", b"null", b"", b"null", self._wanted.echo.final)

    def _worded(
        self, status: bytes, moment: bytes, error: bytes, reason: bytes, output: bytes, usage: bytes, settings: bytes
    ) -> bytes:
        echo = self._wanted.echo
        return b'%b%b%b%b,"error":%b,"incomplete_details":%b%b,"output":[%b]%b,"usage":%b%b' % (
            self._head,
            status,
            self._background,
            moment,
            error,
            reason,
            echo.front,
            output,
            settings,
            usage,
            echo.tail,
        )

    def _moderation(self, output: bytes) -> bytes:
        """What a model thinks of what went in and out."""
        model = self._wanted.moderates
        told = {"input": _judged(self._wanted.hint, model), "output": _judged(output.decode(), model)}
        return b',"moderation":' + orjson.dumps(told)


def _judged(text: str, model: str) -> dict[str, Any]:
    # Imported when first needed: its patterns take their time.
    from llmsim.dialects import _openai_moderations_scores as moderations

    scores = moderations.scores([text])
    return {
        "type": "moderation_result",
        "model": model,
        "flagged": any(score > moderations.THRESHOLD for score in scores.values()),
        "categories": {name: score > moderations.THRESHOLD for name, score in scores.items()},
        "category_scores": scores,
        "category_applied_input_types": {name: ["text"] for name in scores},
    }


def spent(usage: Usage) -> bytes:
    """A usage object; thinking is part of the output."""
    return (
        b'{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d,"cache_write_tokens":0},'
        b'"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}'
    ) % (usage.prompt, usage.cached, usage.completion, usage.thinking, usage.prompt + usage.completion)
