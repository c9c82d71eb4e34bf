"""Plays an exchange onto the wire: as a stream of events, or whole, or as a plain answer, at the due moments."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from llmsim import explain
from llmsim.dialects import Answer, Dialect, Encoder, Headers, Request, garbled
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange, State
from llmsim.plan import Drop, End, Fail, Garbled, Piece, Raw, Script
from llmsim.server.drip import DripChannel
from llmsim.simulator import Simulator

logger = logging.getLogger("llmsim")

_FLUSH = 0.02
"""Seconds between the last bytes and a reset, which would overtake them in the client's socket."""


_BARE = (Fail, Drop, Raw)
"""What a reply is without anything of what a model says."""


class Channel(Protocol):
    """Where a player's bytes go: a client's connection, its web socket, or a tray for replies without a client."""

    started: bool

    @property
    def blocked(self) -> bool:
        """Whether the client reads more slowly than it is written to; what is due then waits in the plan."""
        ...

    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        """Sends the status and the headers; `length` is the body's in bytes where it is known."""
        ...

    def body(self, data: bytes, more: bool) -> None:
        """Sends a part of the body, the last one if not `more`."""
        ...

    def part(self, data: bytes) -> None:
        """Sends a part of a stream, with more to come."""
        ...

    def sever(self, reset: bool) -> None:
        """Ends the connection in mid-response."""
        ...

    def shut(self) -> None:
        """Lets go of everything that was still to be sent."""
        ...


class Player:
    """What streamed and whole replies have in common: failures, cuts, flow control and the end."""

    told: Callable[[Exchange], None] | None = None
    _severing: Drop | None = None

    def __init__(self, simulator: Simulator, dialect: Dialect, exchange: Exchange, outlet: Channel) -> None:
        self.slot = 0
        self.simulator = simulator
        self.dialect = dialect
        self.exchange = exchange
        drip = exchange.plan.drip
        self.outlet = DripChannel(outlet, simulator.clock, drip) if drip else outlet

    def play(self, now: float) -> float | None:
        """Plays what is due; gives the next moment."""
        raise NotImplementedError

    def next_moment(self) -> float | None:
        """When it is to be played next, by the pace of this moment."""
        if self._severing is not None:
            return self.simulator.clock.now() + _FLUSH
        return self.due()

    def due(self) -> float | None:
        """When the next piece is to be played; nothing is while the client does not read."""
        raise NotImplementedError

    def begin(self) -> None:
        """Plays what is due at once and leaves the rest to the pacer."""
        try:
            moment = self.play(self.simulator.clock.now())
        except Exception as error:
            logger.exception("a reply could not be played", extra={"exchange": self.exchange})
            self.broken(error)
            return
        if self.exchange.state == "live":
            self.simulator.schedule(self.exchange, self, moment)
            self.waits()

    def waits(self) -> None:
        """Told that not all of the reply was due at once."""

    def answer(self, answer: Answer, state: State = "failed") -> None:
        """Sends a complete answer and ends the exchange, as failed if not told otherwise."""
        self.head(answer.status, answer.headers, len(answer.body))
        self.outlet.body(answer.body, False)
        self.end(state)

    def head(self, status: int, headers: Headers, length: int | None = None) -> None:
        """Begins the response: the exchange's number comes with it, and why it is as it is where that is asked for."""
        exchange = self.exchange
        exchange.status = status
        headers = [*headers, (b"x-llmsim-exchange", b"%d" % exchange.number)]
        if exchange.plan.content_type:
            label = exchange.plan.content_type.encode("ascii")
            headers = [(name, label if name == b"content-type" else value) for name, value in headers]
        overrides = exchange.ask.overrides
        if overrides is not None and overrides.explain and self.simulator.settings.overrides:
            headers.append((b"x-llmsim-why", explain.header(explain.why(exchange, self.simulator.near(exchange)))))
        self.outlet.start(status, headers, length)

    def end(self, state: State) -> None:
        """Ends the exchange, on a slow line once all has gone out."""
        outlet = self.outlet
        if type(outlet) is DripChannel and not outlet.empty:
            outlet.drained = partial(self.simulator.end, self.exchange, state)
        else:
            self.simulator.end(self.exchange, state)

    def raw(self, piece: Raw) -> None:
        """Sends an answer that a mock has byte by byte."""
        self.answer(Answer(piece.status, piece.body, piece.headers), "done" if piece.status < 400 else "failed")

    def drop(self, piece: Drop, now: float) -> float | None:
        """Ends the connection, a moment later where bytes are still on their way."""
        if piece.reset and self.outlet.started and self._severing is None:
            self._severing = piece
            return now + _FLUSH
        self.outlet.sever(piece.reset)
        self.simulator.end(self.exchange, "dropped")
        return None

    def finish(self, failure: Failure) -> None:
        """Ends the reply early but in good order, telling the client why."""
        raise NotImplementedError

    def broken(self, error: Exception) -> None:
        """Told that playing raised: the client gets the provider's 500, or a closed connection."""
        if self.exchange.state != "live":
            return
        if self.outlet.started:
            self.drop(Drop(reset=False), self.simulator.clock.now())
        else:
            self.answer(self.dialect.failure(Failure("internal"), self.exchange))

    def over(self) -> None:
        """Told that the exchange has ended, once it was scheduled; whatever ended it has seen to the connection."""
        if type(self.outlet) is DripChannel:
            self.outlet.shut()
        if self.told is not None:
            self.told(self.exchange)

    def drained(self) -> None:
        """Told that the client takes more again."""
        self.exchange.hindered = True
        if self.exchange.state == "live":
            self.simulator.pacer.at(self.simulator.clock.now(), self)


class StreamPlayer(Player):
    """Plays the plan as events, everything that is due in one write."""

    encoder: Encoder
    _opening: bytes
    _opens_later = False
    _flows = False
    """Whether it is in mid-stream, where one token after the other is all there is to do."""

    def waits(self) -> None:
        """Opens the stream where its dialect does so before the first piece is due."""
        if self.dialect.early and not self.outlet.started:
            if self.exchange.queued or self._held:
                self._opens_later = True
            else:
                self._try_to_open()

    def next_moment(self) -> float | None:
        """When it is to be played next; one that has had to wait for a slot, or was held, is opened once it is not."""
        if self._opens_later and not (self.exchange.queued or self._held):
            self._opens_later = False
            if not self.outlet.started:
                self._try_to_open()
        return super().next_moment()

    @property
    def _held(self) -> bool:
        return self.exchange.plan.hold > 0 and self.exchange.holds(self.simulator.clock.now())

    def _try_to_open(self) -> None:
        try:
            self._open_early()
        except Exception as error:
            logger.exception("a reply could not be opened", extra={"exchange": self.exchange})
            self.broken(error)

    def _open_early(self) -> None:
        if isinstance(self.exchange.plan.pieces[0], _BARE):
            return
        self._open()
        self.outlet.part(self._opening)
        self._opening = b""

    def play(self, now: float) -> float | None:
        """Writes all events that are due."""
        outlet, exchange = self.outlet, self.exchange
        if self._flows and not outlet.blocked and (moment := exchange.advance(now)):
            outlet.part(self.encoder.following())
            return moment
        if self._severing is not None:
            return self.drop(self._severing, now)
        if outlet.blocked:
            return None
        pieces = exchange.take(now)
        if not pieces:
            return exchange.due()
        if not outlet.started and not self._start(pieces[0], now):
            return None
        if exchange.cursor < len(exchange.plan.pieces):
            data = self.encoder.frames(pieces)
            if self._opening:
                data, self._opening = self._opening + data, b""
            outlet.part(data)
            self._flows = True
            return exchange.due()
        self._flows = False
        return self._last(pieces, pieces[-1], now)

    def _start(self, first: Piece, now: float) -> bool:
        """Sends the headers; False when there is no stream, only a failure or a cut."""
        if not isinstance(first, _BARE):
            self._open()
            return True
        if isinstance(first, Fail):
            self.answer(self.dialect.failure(first.failure, self.exchange))
        elif isinstance(first, Raw):
            self.raw(first)
        else:
            self.drop(first, now)
        return False

    def _open(self) -> None:
        self.encoder = encoder = self.dialect.encoder(self.exchange)
        self.head(200, [(b"content-type", encoder.media_type), *encoder.headers()])
        self._opening = encoder.open()

    def _last(self, pieces: Sequence[Piece], last: Piece, now: float) -> float | None:
        """Writes the last events and ends the response as the plan says."""
        if type(last) is End:
            self.outlet.body(self._opening + self.encoder.last(pieces), False)
            self.end("done")
            return None
        if isinstance(last, Drop):
            data = self._opening + self.encoder.frames(pieces[:-1])
            if data:
                self.outlet.body(data, True)
            self._opening = b""
            return self.drop(last, now)
        if isinstance(last, Fail):
            return self._failed(self._opening + self.encoder.frames(pieces[:-1]), last.failure, now)
        self.outlet.body(self._opening + self.encoder.last(pieces), False)
        self.end("done")
        return None

    def _failed(self, data: bytes, failure: Failure, now: float) -> float | None:
        """Tells of a failure in mid-stream; where the wire has no words for one, the connection is closed."""
        told = self.encoder.fail(failure)
        if told is None:
            if data:
                self.outlet.body(data, True)
            self._opening = b""
            return self.drop(Drop(reset=False), now)
        self.outlet.body(data + told, False)
        self.end("failed")
        return None

    def due(self) -> float | None:
        """The moment of the next piece."""
        return None if self.outlet.blocked else self.exchange.due()

    def finish(self, failure: Failure) -> None:
        """An error event, then the ordinary end of the HTTP response."""
        if not self.outlet.started:
            self.answer(self.dialect.failure(failure, self.exchange))
            return
        self._failed(b"", failure, self.simulator.clock.now())


class WholePlayer(Player):
    """Sends the plan as one body when its last piece is due."""

    def play(self, now: float) -> float | None:
        """Sends the answer if it is due."""
        if self._severing is not None:
            return self.drop(self._severing, now)
        exchange = self.exchange
        due = exchange.end_due()
        if due is None or due > now + 1e-6:
            return due
        pieces = exchange.take(now, whole=True)
        last = pieces[-1]
        if isinstance(last, Fail):
            self.answer(self.dialect.failure(last.failure, exchange))
            return None
        if isinstance(last, Raw):
            self.raw(last)
            return None
        if isinstance(last, Drop):
            return self._cut(pieces[:-1], last, now)
        answer = self.made(pieces)
        body = self._spoiled(answer.body, pieces)
        self.head(answer.status, answer.headers, len(body))
        self.outlet.body(body, False)
        self.end("done" if answer.status < 400 else "failed")
        return None

    def made(self, pieces: Sequence[Piece]) -> Answer:
        """The answer that these pieces come to."""
        encoder = self.dialect.encoder(self.exchange)
        body = encoder.whole(pieces)
        return Answer(200, body, [(b"content-type", encoder.whole_type), *encoder.headers()])

    def _spoiled(self, body: bytes, pieces: Sequence[Piece]) -> bytes:
        if type(pieces) is Script:
            return body
        spoiled = next((piece for piece in pieces if type(piece) is Garbled), None)
        return garbled(body, spoiled.how) if spoiled else body

    def _cut(self, pieces: Sequence[Piece], last: Drop, now: float) -> float | None:
        """As much of the body as tokens were spoken before the cut, which is less than the length it promised."""
        if pieces:
            answer = self.made(pieces)
            self.head(answer.status, answer.headers, len(answer.body))
            self.outlet.body(answer.body[: len(answer.body) // 2], True)
        return self.drop(last, now)

    def due(self) -> float | None:
        """The moment of the last piece."""
        return self.exchange.end_due()

    def finish(self, failure: Failure) -> None:
        """The failure as the answer."""
        self.answer(self.dialect.failure(failure, self.exchange))


Make = Callable[[Request, Exchange], Answer]


class AnswerPlayer(WholePlayer):
    """Sends a plain answer of the dialect, made at its moment if no fault came before."""

    def __init__(
        self, simulator: Simulator, dialect: Dialect, exchange: Exchange, outlet: Channel, make: Make, request: Request
    ) -> None:
        super().__init__(simulator, dialect, exchange, outlet)
        self._make = make
        self._request = request

    def made(self, pieces: Sequence[Piece]) -> Answer:
        """The dialect's answer, or its refusal."""
        try:
            return self._make(self._request, self.exchange)
        except Refused as refused:
            return self.dialect.failure(refused.failure, self.exchange)
