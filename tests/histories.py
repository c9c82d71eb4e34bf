"""Makes exchanges that have ended as a test tells it, without a simulator and without a clock."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import blake2b
from itertools import count
from typing import Any

import orjson

from llmsim.conversation import Ask, Message, Stop
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Drop, End, Fail, Garbled, Piece, Plan, Say, Usage

WALL = 1_700_000_000.0


class History:
    """Exchanges one after another, numbered from 1; moments in seconds from nought."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._numbers = count(1)

    def _add(
        self, pieces: Sequence[Piece], at: float, lasts: float, state: Any, status: int, cursor: int, **fields: Any
    ) -> Exchange:
        text = fields.pop("text", "Tell me a story.")
        extra = {name: fields.pop(name) for name in ("usage", "faults", "origin", "mock") if name in fields}
        body = fields.pop("body", None) or orjson.dumps({"messages": [{"role": "user", "content": text}]})
        ask = Ask(
            **{
                "model": "gpt-4o",
                "messages": (Message("user", text),),
                "dialect": "openai_chat",
                "provider": "openai",
                "endpoint": "/v1/chat/completions",
                "key": "sk-test1234567890abcd",
                "client": "app",
                "digest": blake2b(body, digest_size=16).digest(),
                "stream": True,
                **fields,
            }
        )
        times = array("d", [lasts * index / max(1, len(pieces) - 1) for index in range(len(pieces))])
        plan = Plan(pieces, times, **{"usage": Usage(10, sum(piece.tokens for piece in pieces)), **extra})
        exchange = Exchange(next(self._numbers), ask, plan, at, WALL + at)
        exchange.cursor, exchange.status, exchange.request = cursor, status, body
        if state != "live":
            exchange.state, exchange.ended = state, at + lasts
            ask.shed()
        if cursor:
            exchange.first = exchange.first_due = at
        self.exchanges.append(exchange)
        return exchange

    def ok(self, at: float, lasts: float = 0.1, said: str = "one two three", **fields: Any) -> Exchange:
        pieces = [*_said(said), End(Stop.END)]
        return self._add(pieces, at, lasts, "done", 200, len(pieces), **fields)

    def refused(self, at: float, status: int = 429, told: float | None = None, **fields: Any) -> Exchange:
        piece = Fail(Failure.of_status(status, retry_after=told))
        return self._add([piece], at, 0.0, "failed", status, 1, **fields)

    def cut(self, at: float, said: str = "one two three", lasts: float = 0.1, **fields: Any) -> Exchange:
        pieces = [*_said(said), Drop()]
        fields.setdefault("usage", Usage(10, 50))
        return self._add(pieces, at, lasts, "dropped", 200, len(pieces), **fields)

    def failed_midway(self, at: float, said: str = "one two three", **fields: Any) -> Exchange:
        pieces = [*_said(said), Fail(Failure.of_status(529))]
        return self._add(pieces, at, 0.1, "failed", 200, len(pieces), **fields)

    def garbled(self, at: float, said: str = "one two three", **fields: Any) -> Exchange:
        words: list[Piece] = list(_said(said))
        pieces = [words[0], Garbled(words[1], "broken"), *words[2:], End(Stop.END)]
        return self._add(pieces, at, 0.1, "done", 200, len(pieces), **fields)

    def left(self, at: float, after: float = 1.0, words: int = 100, sent: int = 10, **fields: Any) -> Exchange:
        """The client leaves after so many seconds of a reply that takes ten."""
        pieces = [*_said("word " * words), End(Stop.END)]
        exchange = self._add(pieces, at, 10.0, "abandoned", 200 if sent else 0, sent, **fields)
        exchange.ended = at + after
        return exchange

    def live(self, at: float, **fields: Any) -> Exchange:
        pieces = [*_said("one two three"), End(Stop.END)]
        return self._add(pieces, at, 1.0, "live", 200, 1, **fields)


def _said(text: str) -> list[Say]:
    words = text.split()
    return [Say(word + " " * (index < len(words) - 1)) for index, word in enumerate(words)]
