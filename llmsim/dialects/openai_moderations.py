"""OpenAI's moderations: what in a text or a picture is harmful, by category.

Source: OpenAI API reference, moderations. What is flagged, and why, is told in _openai_moderations_scores.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_moderations_request import read_moderation
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Piece


class OpenAIModerations(Dialect):
    """`POST /v1/moderations`."""

    kind: ClassVar[str] = "openai_moderations"
    provider: ClassVar[str] = "openai"

    def routes(self) -> Sequence[Route]:
        """The one path there is."""
        return [Route("POST", "/v1/moderations", read=self.read)]

    def read(self, request: Request) -> Ask:
        """The ask of a request body; raises Refused as OpenAI refuses."""
        return read_moderation(request.body)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        return ModerationEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """OpenAI's error object."""
        return wire.error_answer(failure, exchange, 0)


class ModerationEncoder(Encoder):
    """Words the results that were made when the request was read."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._told: dict[str, Any] = exchange.ask.extra

    def headers(self) -> Headers:
        """OpenAI's headers, the time it took as processing time."""
        exchange = self.exchange
        first = exchange.first if exchange.first is not None else exchange.started
        return wire.headers(exchange, int((first - exchange.started) * 1000))

    def frame(self, piece: Piece) -> bytes:
        """Moderations are not streamed."""
        return b""

    def fail(self, failure: Failure) -> bytes:
        """An error object."""
        return orjson.dumps(wire.error_body(failure, self.exchange.ask.model))

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The results, one for each text, or one for all parts."""
        told = self._told
        name = wire.new_id("modr-", self.exchange)
        return orjson.dumps({"id": name, "model": told["model"], "results": told["results"]})
