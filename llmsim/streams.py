"""Builds a provider's answers without a server: the bytes of a stream at their moments, or of a whole reply."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from llmsim.dialects import Desk, Encoder, Request, kinds, of_kind
from llmsim.errors import LlmsimError, Refused
from llmsim.exchange import Exchange
from llmsim.plan import Drop, Fail
from llmsim.simulator import Simulator


async def stream(
    request: Mapping[str, Any], *, dialect: str = "openai_chat", simulator: Simulator | None = None
) -> AsyncIterator[bytes]:
    """The events of a streamed reply as bytes, each when it is due; `request` is the body a client would send.

    Ends early where a fault cuts the reply. Raises Refused where the provider refuses the request, LlmsimError for a
    dialect that there is not.
    """
    simulator = simulator or Simulator()
    exchange, encoder = _begin({**request, "stream": True}, dialect, simulator)
    opening, last = encoder.open(), None
    async for pieces in simulator.play(exchange):
        last = pieces[-1]
        told = pieces[:-1] if isinstance(last, Fail | Drop) else pieces
        yield opening + encoder.frames(told) + ((encoder.fail(last.failure) or b"") if isinstance(last, Fail) else b"")
        opening = b""
    if not isinstance(last, Fail | Drop):
        yield encoder.close()


async def whole(
    request: Mapping[str, Any], *, dialect: str = "openai_chat", simulator: Simulator | None = None
) -> bytes:
    """The body of a whole reply, when its last token is due.

    Raises as `stream` does, Refused for any failure, and LlmsimError where a fault cuts the reply.
    """
    simulator, last = simulator or Simulator(), None
    exchange, encoder = _begin({**request, "stream": False}, dialect, simulator)
    async for pieces in simulator.play(exchange):
        last = pieces[-1]
    if isinstance(last, Fail):
        raise Refused(last.failure)
    if isinstance(last, Drop):
        raise LlmsimError("the reply was cut, as planned")
    return encoder.whole(exchange.plan.pieces)


def _begin(request: Mapping[str, Any], kind: str, simulator: Simulator) -> tuple[Exchange, Encoder]:
    found = of_kind(kind)
    if found is None:
        raise LlmsimError(f"dialect: there is no {kind!r}; there are {', '.join(kinds())}")
    dialect = found(Desk(simulator.store, simulator.clock))
    route = next((route for route in dialect.routes() if route.read is not None), None)
    if route is None or route.read is None:
        raise LlmsimError(f"dialect: {kind!r} has no generations")
    body = bytes(memoryview(orjson.dumps(request)))  # a copy: what orjson gives holds 4 kB for as long as it is kept
    ask = route.read(Request(route.method, route.path, body=body))
    exchange = simulator.begin(ask, body)
    if exchange.plan.failure is not None:
        simulator.end(exchange, "failed")
        raise Refused(exchange.plan.failure)
    return exchange, dialect.encoder(exchange)
