"""Plain answers of Gemini's APIs whose requests may be long: read beside the other replies, made at their moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Encoder, Headers
from llmsim.dialects import _gemini_wire as wire
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Piece


class Made(NamedTuple):
    """An answer with headers of its own; `value` is JSON, or bytes that are sent as they are."""

    value: Any
    headers: Sequence[tuple[bytes, bytes]] = ()


Make = Callable[[Exchange], Made]


def ask_for(make: Make, dialect: str, endpoint: str, model: str = "") -> Ask:
    """The ask whose answer `make` gives."""
    return Ask(model, dialect=dialect, endpoint=endpoint, parts=0, extra={"make": make})


class MadeEncoder(Encoder):
    """Words what is made when its moment has come, if no fault came before."""

    whole_type = wire.JSON

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._more: Headers = []

    def headers(self) -> Headers:
        """Google's headers and the answer's own."""
        return [*wire.headers(self.exchange), *self._more]

    def frame(self, piece: Piece) -> bytes:
        """Nothing: it is never streamed."""
        return b""

    def fail(self, failure: Failure) -> bytes:
        """Nothing: it is never streamed."""
        return b""

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The answer."""
        made: Made = self.exchange.ask.extra["make"](self.exchange)
        self._more = list(made.headers)
        return made.value if isinstance(made.value, bytes) else orjson.dumps(made.value)
