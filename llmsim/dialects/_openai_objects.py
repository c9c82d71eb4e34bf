"""Answers that are one object, whatever the API: worded when they are due, with OpenAI's headers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from llmsim.dialects import Answer, Encoder, Headers
from llmsim.dialects import _openai_wire as wire
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Piece


def object_answer(value: dict[str, Any], exchange: Exchange) -> Answer:
    """A plain answer that is this object."""
    return Answer.json(value, headers=wire.headers(exchange, 0))


class ObjectEncoder(Encoder):
    """Words a reply that is never streamed; `make` gives its object when it is due."""

    def __init__(self, exchange: Exchange, make: Callable[[Exchange], dict[str, Any]]) -> None:
        super().__init__(exchange)
        self._make = make

    def headers(self) -> Headers:
        """OpenAI's headers."""
        return wire.headers(self.exchange, 0)

    def frame(self, piece: Piece) -> bytes:
        """Nothing, as nothing is streamed."""
        return b""

    def fail(self, failure: Failure) -> bytes:
        """Nothing, as nothing is streamed."""
        return b""

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The object."""
        return orjson.dumps(self._make(self.exchange))
