"""Anthropic's Messages API, whole and streamed, and the counting of tokens.

Source: Anthropic API reference, Messages and Count tokens, versions 2023-06-01 and 2026-10-21.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Desk, Dialect, Encoder, Request, Route
from llmsim.dialects import _anthropic_wire as wire
from llmsim.dialects._anthropic_request import Reader
from llmsim.dialects._anthropic_stream import CountEncoder, MessageEncoder
from llmsim.errors import Failure
from llmsim.exchange import Exchange

if TYPE_CHECKING:
    from llmsim.replay.heard import Heard


class AnthropicMessages(Dialect):
    """`POST /v1/messages` and `/v1/messages/count_tokens`.

    A stream opens with its first token: the live API's `message_start` tells of a token already.
    """

    kind: ClassVar[str] = "anthropic_messages"
    provider: ClassVar[str] = "anthropic"

    def __init__(self, desk: Desk | None = None, amazon: bool = False) -> None:
        super().__init__(desk)
        self._reader = Reader(self.desk, amazon)

    def routes(self) -> Sequence[Route]:
        """Messages, and what they would count."""
        return [
            Route("POST", "/v1/messages", read=self.read),
            Route("POST", "/v1/messages/count_tokens", read=self._reader.count),
        ]

    def claims(self, request: Request) -> bool:
        """Whether an unknown path is meant for Anthropic."""
        return wire.claims(request)

    def read(self, request: Request) -> Ask:
        """The ask of a request; raises Refused as Anthropic refuses."""
        return self._reader.message(request)

    def hear(self, body: bytes) -> Heard:
        """What a recorded reply says."""
        from llmsim.dialects import _anthropic_heard

        return _anthropic_heard.message(body)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange."""
        if "count" in exchange.ask.extra:
            return CountEncoder(exchange)
        return MessageEncoder(exchange, self._reader.cache, self._reader.threads)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Anthropic's error object."""
        return wire.error_answer(failure, exchange)
