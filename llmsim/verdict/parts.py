"""Replies that broke off or were garbled, and what their client made of them, as far as a server can know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from llmsim.exchange import Exchange
from llmsim.metrics import outcome
from llmsim.plan import Garbled, Say, Script

How = Literal["cut", "garbled", "failed"]
Then = Literal["asked again", "went on", "unknown"]

_LATER = 50
"""Later requests of the client that are looked at for the words of the broken reply."""
_WORDS = 24
"""Letters that the reply must have had for its words to be looked for: shorter ones are said by chance."""
_BODY = 1 << 20


@dataclass(slots=True, frozen=True)
class Partial:
    """A reply that its client did not get as it was meant, and what came of it.

    `then` is `asked again` when the same request came again; `went on` when a later request holds the words that had
    arrived, so that the client took them for the reply, `seen` being its number; else `unknown`: the client may have
    taken them for all there is, or told its user of the error, and the server cannot see which. `tokens` of `planned`
    were sent, without thinking that the client is not shown.
    """

    number: int
    how: How
    tokens: int
    planned: int
    then: Then
    seen: int | None = None

    def json(self) -> dict[str, Any]:
        """The form that the control API tells."""
        return {
            "number": self.number,
            "how": self.how,
            "tokens": self.tokens,
            "planned": self.planned,
            "then": self.then,
            "seen": self.seen,
        }


def how(exchange: Exchange) -> How | None:
    """What was wrong with a reply that had begun; None where nothing was, or nothing of it had been sent."""
    if exchange.status != 200 or exchange.state == "live":
        return None
    pieces = exchange.plan.pieces
    if exchange.state in ("dropped", "failed"):
        begun = any(piece.tokens for piece in pieces[: exchange.cursor])
        return ("cut" if outcome(exchange) == "cut" else "failed") if begun else None
    if type(pieces) is Script:
        return None
    garbled = any(isinstance(piece, Garbled) for piece in pieces[: exchange.cursor])
    return "garbled" if garbled and exchange.state == "done" else None


def partial(exchange: Exchange, kind: How, again: int | None, later: Sequence[Exchange]) -> Partial:
    """What became of it, by the number of the next try, if there is one, and by the client's later requests."""
    then: Then = "unknown"
    seen = again
    if again is not None:
        then = "asked again"
    elif (number := went_on(exchange, later)) is not None:
        then, seen = "went on", number
    plan = exchange.plan
    shown = sum(piece.tokens for piece in plan.pieces[: exchange.cursor] if plan.seen(piece))
    planned = plan.usage.completion - (plan.usage.thinking if plan.hides_thinking else 0)
    return Partial(exchange.number, kind, shown, planned, then, seen)


def went_on(exchange: Exchange, later: Sequence[Exchange]) -> int | None:
    """The number of the first later request that holds the words that had arrived, as JSON writes them."""
    words = _words(exchange)
    if len(words) < _WORDS:
        return None
    forms = {orjson.dumps(words)[1:-1], _ascii(words)}
    for one in later[:_LATER]:
        body = one.request[:_BODY]
        if any(form in body for form in forms):
            return one.number
    return None


def _words(exchange: Exchange) -> str:
    """The text of the reply's first alternative as it arrived, up to a garbled piece."""
    said: list[str] = []
    for piece in exchange.plan.pieces[: exchange.cursor]:
        if isinstance(piece, Garbled):
            break
        if type(piece) is Say and not piece.choice:
            said.append(piece.text)
    return "".join(said).strip()


def _ascii(words: str) -> bytes:
    """As Python's json writes it by default: other letters as escapes."""
    import json

    return json.dumps(words)[1:-1].encode()
