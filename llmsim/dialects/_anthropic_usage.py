"""What a message cost, as Claude's API tells it at its beginning, at its end, and of one that is whole.

Input, and what was read from the cache and written to it, add up to the prompt (Anthropic API reference, Messages).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from llmsim.dialects._anthropic_cache import Cached
from llmsim.plan import Usage

Json = dict[str, Any]


def at_start(cached: Cached, tokens: int, geo: str, speed: str | None) -> bytes:
    """The usage in `message_start`: all that went in, and the first token."""
    return b"{%b,%b,%b}" % (_input(cached), _first(cached, tokens), _served(geo, speed))


def at_end(cached: Cached, spent: Usage, counts: Json | None) -> bytes:
    """The usage in `message_delta`: cumulative, without what does not change."""
    return b'{%b,"output_tokens":%d,%b}' % (_input(cached), spent.completion, _details(spent, counts))


def whole(cached: Cached, spent: Usage, counts: Json | None, geo: str, speed: str | None) -> bytes:
    """The usage of a whole message."""
    return b"{%b,%b,%b,%b}" % (
        _input(cached),
        _first(cached, spent.completion),
        _details(spent, counts),
        _served(geo, speed),
    )


def _input(cached: Cached) -> bytes:
    told = b'"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d'
    return told % (cached.input, cached.written, cached.read)


def _first(cached: Cached, tokens: int) -> bytes:
    told = b'"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":%d},"output_tokens":%d'
    return told % (cached.short, cached.long, tokens)


def _details(spent: Usage, counts: Json | None) -> bytes:
    told = b'"output_tokens_details":{"thinking_tokens":%d}' % spent.thinking
    return told + b',"server_tool_use":' + orjson.dumps(counts) if counts else told


@lru_cache(maxsize=64)
def _served(geo: str, speed: str | None) -> bytes:
    """Where and how the request was served."""
    told = b'"service_tier":"standard","inference_geo":%b' % orjson.dumps(geo)
    return told + (b',"speed":%b' % orjson.dumps(speed) if speed else b"")
