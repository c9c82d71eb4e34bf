"""Generations and counts of Gemini, as its own paths and Google Cloud's have them alike."""

from __future__ import annotations

from collections.abc import Callable

from llmsim.conversation import Ask
from llmsim.dialects import Dialect, Encoder, Request
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_count import CountEncoder, read_count
from llmsim.dialects._gemini_encoder import GeminiEncoder
from llmsim.dialects._gemini_kept import file_finder, with_cached
from llmsim.dialects._gemini_request import Target, read_generation
from llmsim.exchange import Exchange

METHODS = ("generateContent", "streamGenerateContent", "countTokens")


def read(dialect: Dialect, path: str, model: str, request: Request) -> Ask:
    """The ask of a request for one of the methods, whose name ends the path; raises Refused as Google refuses."""
    desk, method, alt = dialect.desk, path.rpartition(":")[2], wire.alt_of(request.query)
    stream = method == "streamGenerateContent"
    target = Target(model, path, dialect.kind, stream, stream and alt != "sse")
    reader: Callable[..., Ask] = read_count if method == "countTokens" else read_generation
    ask = reader(target, request.body, file_finder(desk.store))
    ask.key = wire.key_of(request)
    return with_cached(ask, desk.store, desk.clock.wall())


def encoder(exchange: Exchange) -> Encoder:
    """What words the exchange: a reply, or a count."""
    return CountEncoder(exchange) if exchange.ask.parts == 0 else GeminiEncoder(exchange)


def in_list(exchange: Exchange | None) -> bool:
    """Whether the answer would have been a JSON array; also of a request that was refused before it was an ask."""
    if exchange is None:
        return False
    ask = exchange.ask
    return bool(ask.extra.get("array")) or ("query" in ask.extra and wire.wants_array(ask.endpoint, ask.extra["query"]))
