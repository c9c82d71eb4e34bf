"""A small API for tests of the server: its requests say what the server is to do with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import orjson

from llmsim import dialects
from llmsim.conversation import Ask, Message
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange
from llmsim.plan import Part, Piece, Say


class Toy(Dialect):
    """`POST /toy` with the fields of an Ask as its body; `GET /toy/{number}` tells how far an exchange is."""

    kind: ClassVar[str] = "toy"
    provider: ClassVar[str] = "toys"
    over: ClassVar[list[tuple[Exchange, Answer | None]]] = []
    submitted: ClassVar[list[Answer | None]] = []

    def routes(self) -> Sequence[Route]:
        return [
            Route("POST", "/toy", read=self.read),
            Route("GET", "/toy/{number}/stream", read=self.again),
            Route("GET", "/toy/{number}", answer=self.state),
            Route("POST", "/toy/submit", answer=self.submit),
            Route("DELETE", "/toy/{number}", answer=self.stop),
            Route("WEBSOCKET", "/toy", read=self.read),
            Route("GET", "/toy/open", answer=lambda request, exchange: Answer.json({}), public=True),
            Route("POST", "/toy/upload", read=self.read, uploads=True, heavy=True),
        ]

    def read(self, request: Request) -> Ask:
        told = orjson.loads(request.body)
        if "refuse" in told:
            raise Refused(Failure("invalid", told["refuse"]))
        text = told.pop("text", "Hello")
        return Ask("toy", (Message("user", text),), dialect="toy", endpoint="/toy", digest=request.body, **told)

    def again(self, request: Request) -> Ask:
        return Ask("toy", stream=True, follows=self._exchange(request))

    def _exchange(self, request: Request) -> Exchange:
        found = self.desk.store.get("toys", request.params["number"])
        if found is None:
            raise Refused(Failure("not_found", "There is no such toy."))
        assert isinstance(found, Exchange)
        return found

    def state(self, request: Request, exchange: Exchange) -> Answer:
        found = self._exchange(request)
        return Answer.json({"state": found.state, "said": found.text()}, 201)

    def submit(self, request: Request, exchange: Exchange) -> Answer:
        inner = Request("POST", request.args.get("path", "/toy"), headers=request.headers, body=request.body)
        begun = self.desk.submit(inner, lambda _, answer: self.submitted.append(answer))
        return Answer.json({"begun": begun is not None})

    def stop(self, request: Request, exchange: Exchange) -> Answer:
        self.desk.stop(self._exchange(request))
        return Answer.json({})

    def ended(self, exchange: Exchange, answer: Answer | None) -> None:
        self.over.append((exchange, answer))

    def encoder(self, exchange: Exchange) -> Encoder:
        followed = exchange.ask.follows
        if followed is not None:
            self.desk.store.put("toys", str(followed.number), followed, 100)
        return ToyEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        return Answer.json({"failure": failure.kind, "message": failure.message}, failure.status)


class ToyEncoder(Encoder):
    def open(self) -> bytes:
        return b"data: open\n\n"

    def frame(self, piece: Piece) -> bytes:
        return b"data: %b\n\n" % word(piece).encode()

    def close(self) -> bytes:
        return b"data: close\n\n"

    def fail(self, failure: Failure) -> bytes:
        return b"data: fail %b\n\n" % failure.kind.encode()

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        followed = self.exchange.ask.follows
        told: dict[str, Any] = {"said": "".join(map(word, pieces))}
        if followed is not None:
            told["number"] = followed.number
        return orjson.dumps(told)


class EarlyToy(Toy):
    """The same at another path, with streams that open at once."""

    kind: ClassVar[str] = "early_toy"
    early: ClassVar[bool] = True

    def routes(self) -> Sequence[Route]:
        return [Route("POST", "/early", read=self.read)]


def word(piece: Piece) -> str:
    if isinstance(piece, Part):
        return f"<{piece.index}>"
    return piece.text if isinstance(piece, Say) else "."


@contextlib.contextmanager
def toys() -> Iterator[type[Toy]]:
    """Puts the small API among the others."""
    found = dialects.kinds()
    Toy.over.clear()
    Toy.submitted.clear()
    found["toy"], found["early_toy"] = Toy, EarlyToy
    try:
        yield Toy
    finally:
        del found["toy"], found["early_toy"]
