"""Responses told again: as they stand at a moment, or streamed from a certain event on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llmsim.dialects import Encoder, Headers
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_responses_encoder import ResponsesEncoder
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Piece


class StateEncoder(Encoder):
    """Words a response as it stands at this moment; `tell` gives its JSON."""

    def __init__(self, exchange: Exchange, tell: Callable[[], bytes]) -> None:
        super().__init__(exchange)
        self._tell = tell

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
        """The response."""
        return self._tell()


class ResumedEncoder(Encoder):
    """Words a stream from its event number `first` on; all before it have been told to the client earlier."""

    def __init__(self, inner: ResponsesEncoder, first: int) -> None:
        super().__init__(inner.exchange)
        self._inner = inner
        self._left = first

    def headers(self) -> Headers:
        """Those of the stream."""
        return self._inner.headers()

    def open(self) -> bytes:
        """What comes before the first piece."""
        return self._rest(self._inner.open())

    def frame(self, piece: Piece) -> bytes:
        """One piece."""
        return self._rest(self._inner.frame(piece))

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Pieces that are due together."""
        return self._rest(self._inner.frames(pieces))

    def close(self) -> bytes:
        """What comes after the last piece."""
        return self._rest(self._inner.close())

    def fail(self, failure: Failure) -> bytes:
        """A failure."""
        return self._rest(self._inner.fail(failure))

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The body of a reply that is sent whole."""
        return self._inner.whole(pieces)

    def _rest(self, told: bytes) -> bytes:
        """What is left of these events."""
        while told and self._left:
            _, _, told = told.partition(b"\n\n")
            self._left -= 1
        return told
