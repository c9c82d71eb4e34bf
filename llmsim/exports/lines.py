"""Exchanges as JSON Lines: one entry a line, readable by jq, pandas and every log tool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from llmsim.exchange import Exchange
from llmsim.exports.entry import LIMIT, entry
from llmsim.verdict.tries import Linker


def jsonl(exchanges: Iterable[Exchange], *, limit: int = LIMIT, bodies: bool = True) -> Iterator[bytes]:
    """A line for each exchange, ended by a newline; retries name the try before them where it is among these.

    An empty line's worth of nothing (b"") is a moment to let others have their turn.
    """
    kept = list(exchanges)
    linker = Linker()
    for _ in linker.link(kept):
        yield b""
    for exchange in kept:
        earlier = linker.earlier.get(exchange.number)
        told = entry(exchange, earlier=None if earlier is None else earlier.number, limit=limit, bodies=bodies)
        yield orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
