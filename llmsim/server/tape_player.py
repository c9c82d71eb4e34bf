"""Plays a take onto the wire: its own status, headers and bytes, at the moments of its plan."""

from __future__ import annotations

from collections.abc import Sequence

from llmsim.dialects import garbled
from llmsim.errors import Failure
from llmsim.plan import Drop, Fail, Garbled, Piece, Raw, Verbatim
from llmsim.server.player import Player


class TapePlayer(Player):
    """Sends what a take holds; a stream as it comes, a whole reply when its last piece is due."""

    @property
    def _streams(self) -> bool:
        return self.exchange.ask.stream

    def due(self) -> float | None:
        """The moment of the next piece, or of the last one of a whole reply."""
        if not self._streams:
            return self.exchange.end_due()
        return None if self.outlet.blocked else self.exchange.due()

    def play(self, now: float) -> float | None:
        """Sends what is due."""
        if self._severing is not None:
            return self.drop(self._severing, now)
        if self.outlet.blocked:
            return None
        exchange = self.exchange
        due = self.due()
        if due is None or due > now + 1e-6:
            return due
        pieces = exchange.take(now, whole=not self._streams)
        first, last = pieces[0], pieces[-1]
        if not self.outlet.started:
            if isinstance(first, Drop):
                return self.drop(first, now)
            if isinstance(first, Raw):
                self.raw(first)
                return None
            if isinstance(last, Fail) and (first is last or not self._streams):
                self.answer(self.dialect.failure(last.failure, exchange))
                return None
        return self._send(pieces, last, now)

    def _send(self, pieces: Sequence[Piece], last: Piece, now: float) -> float | None:
        data = b"".join(map(_bytes, pieces))
        if not self.outlet.started:
            self._begin(data, last)
        if not self.exchange.over:
            self.outlet.part(data)
            return self.exchange.due()
        if isinstance(last, Drop):
            if data:
                self.outlet.body(data, True)
            return self.drop(last, now)
        if isinstance(last, Fail):
            return self._failed(data, last.failure, now)
        self.outlet.body(data, False)
        self.end("done")
        return None

    def _begin(self, data: bytes, last: Piece) -> None:
        """The recorded head; a whole reply has its length, and one that is cut promises more than comes."""
        head = self.exchange.plan.head
        assert head is not None
        length = None if self._streams else len(data) + (isinstance(last, Drop) and max(1, len(data)))
        self.head(head.status, list(head.headers), length)

    def _failed(self, data: bytes, failure: Failure, now: float) -> float | None:
        """Tells of a failure in mid-stream in the API's own words; where it has none, the connection is closed."""
        told = self.dialect.encoder(self.exchange).fail(failure) if self._streams else None
        if told is None:
            if data:
                self.outlet.body(data, True)
            return self.drop(Drop(reset=False), now)
        self.outlet.body(data + told, False)
        self.end("failed")
        return None

    def finish(self, failure: Failure) -> None:
        """An error event where bytes were sent, else the failure as the answer."""
        if self.outlet.started:
            self._failed(b"", failure, self.simulator.clock.now())
        else:
            self.answer(self.dialect.failure(failure, self.exchange))


def _bytes(piece: Piece) -> bytes:
    if isinstance(piece, Garbled):
        return garbled(_bytes(piece.piece), piece.how)
    return piece.data if isinstance(piece, Verbatim) else b""


def plays(pieces: Sequence[Piece]) -> bool:
    """Whether there are bytes of a take among the pieces: a fault may have put others in their place."""
    return any(
        type(piece) is Verbatim or (type(piece) is Garbled and type(piece.piece) is Verbatim) for piece in pieces
    )
