"""What a reply took in tokens, to its end or until it broke off."""

from __future__ import annotations

from bisect import bisect_right

from llmsim.exchange import Exchange
from llmsim.plan import Script


def spent(exchange: Exchange) -> tuple[int, int]:
    """Tokens in and out that a provider would charge: a reply that ends early costs what was written until then.

    A client that leaves while it waits for a whole reply has been sent nothing, but the model had been writing. What
    is refused costs nothing.
    """
    plan = exchange.plan
    if exchange.ask.follows is not None or plan.failure is not None or not exchange.ask.model:
        return 0, 0
    if exchange.state == "done":
        return plan.usage.prompt, plan.usage.completion
    return plan.usage.prompt, written(exchange)


def written(exchange: Exchange) -> int:
    """Tokens that the model had written when the exchange ended, by its plan; all so far for one under way."""
    if exchange.ask.parts is not None:
        return 0
    pieces, at = exchange.plan.pieces, exchange.cursor
    if exchange.ended is not None:
        at = max(at, bisect_right(exchange.plan.times, exchange.time(exchange.ended)))
    return pieces.spent[at] if type(pieces) is Script else sum(piece.tokens for piece in pieces[:at])
