"""What every Gemini API has in common: headers, ids, times, and the pages of lists."""

from __future__ import annotations

import re
from base64 import b32encode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from llmsim.dialects import Answer, Headers, Request
from llmsim.dialects._openai_wire import ids
from llmsim.dice import mix
from llmsim.errors import Failure, Refused
from llmsim.exchange import Exchange

JSON = b"application/json; charset=UTF-8"
LONGEST_TOKEN = 100


def answer(
    value: Any, exchange: Exchange | None = None, status: int = 200, more: Iterable[tuple[bytes, bytes]] = ()
) -> Answer:
    """A JSON answer with Google's headers."""
    return Answer(status, orjson.dumps(value), [(b"content-type", JSON), *headers(exchange), *more])


_SAME = [
    (b"vary", b"Origin"),
    (b"vary", b"X-Origin"),
    (b"vary", b"Referer"),
    (b"server", b"scaffolding on HTTPServer2"),
    (b"x-xss-protection", b"0"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-content-type-options", b"nosniff"),
]


def headers(exchange: Exchange | None) -> Headers:
    """The headers of every answer, the time to the first token among them."""
    if exchange is None:
        return _SAME
    first = exchange.first if exchange.first is not None else exchange.started
    return [*_SAME, (b"server-timing", b"gfet4t7; dur=%d" % int((first - exchange.started) * 1000))]


def plain_path(request: Request) -> str:
    """The path without the name of the provider in front."""
    return request.path.removeprefix("/gemini")


# -- ids and times


def response_id(exchange: Exchange) -> bytes:
    """23 characters, as the API's ids have."""
    return urlsafe_b64encode(b"%b%b\x88" % tuple(part.to_bytes(8, "big") for part in ids(exchange)))[:23]


def resource_id(exchange: Exchange, length: int = 12, index: int = 0) -> str:
    """Small letters and digits, for the name of what the exchange makes."""
    high, low = ids(exchange)
    raw = b"".join(mix("resource", high, low, index, part).to_bytes(8, "big") for part in range(2))
    return b32encode(raw).decode().lower()[:length]


@lru_cache(maxsize=1024)
def signature(seed: int, index: int = 0) -> str:
    """A thought signature: bytes in base64 that mean nothing to the client."""
    raw = b"".join(mix("signature", seed, index, part).to_bytes(8, "big") for part in range(12))
    return b64encode(b"\x12\x60" + raw).decode()


def interaction_id(exchange: Exchange) -> str:
    """The id of an interaction: "v1_" and some bytes in base64."""
    high, low = ids(exchange)
    raw = b"".join(mix("interaction", high, low, part).to_bytes(8, "big") for part in range(6))
    return "v1_" + urlsafe_b64encode(raw).decode()


def timestamp(seconds: float, whole: bool = False) -> str:
    """A moment as google.protobuf.Timestamp has it, in microseconds or in whole seconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="seconds" if whole else "microseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """Seconds as google.protobuf.Duration has them: 17s, 0.300s."""
    return f"{seconds:.0f}s" if seconds == int(seconds) else f"{seconds:.3f}s"


def page(values: Sequence[Any], request: Request, usual: int, most: int) -> tuple[Sequence[Any], str | None]:
    """The page of a list that the query asks for, and the token of the next one; raises Refused for bad parameters."""
    args = request.args
    size = _number(args.get("pageSize") or args.get("page_size") or "0", "page_size")
    token = args.get("pageToken") or args.get("page_token") or ""
    start = _place(token)
    if start > len(values):
        raise Refused(Failure("invalid", "Page token is invalid."))
    end = start + min(size or usual, most)
    return values[start:end], _token(end) if end < len(values) else None


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        shown = orjson.dumps(text[:40]).decode()
        description = f"Invalid value at '{name}' (TYPE_INT32), {shown}"
        raise Refused(Failure("invalid", description, extra=((name, description),)))
    return int(text)


def _token(place: int) -> str:
    return urlsafe_b64encode(b"place %08d" % place).decode()


def _place(token: str) -> int:
    """The place that a page token stands for."""
    if not token:
        return 0
    try:
        found = re.fullmatch(rb"place (\d{8})", urlsafe_b64decode(token[:LONGEST_TOKEN].encode("ascii")))
    except ValueError:
        found = None
    if found is None:
        raise Refused(Failure("invalid", "Page token is invalid."))
    return int(found[1])


# -- requests

VERSIONS = ("/v1beta", "/v1", "/v1alpha")
"""Of the Gemini API: the SDK asks for `v1` unless told otherwise, older ones and others for `v1beta`."""
# Only these: OpenAI's ids of fine-tuned models have colons too, as in /v1/models/ft:gpt-4o-mini:acme::id.
_METHOD = re.compile(
    r"/(?:models|tunedModels|dynamic)/[^/]+:(?:generateContent|streamGenerateContent|countTokens|embedContent"
    r"|batchEmbedContents|batchGenerateContent|asyncBatchEmbedContent|predict|predictLongRunning)$"
)
_OWN = ("/v1beta/", "/v1alpha/", "/upload/")
_ALTS = ("", "json", "sse", "proto", "media")


def claims(request: Request) -> bool:
    """Whether a path that other providers have too is asked as Gemini's clients ask: by their key, or by the path."""
    path = plain_path(request)
    if path != request.path or b"x-goog-api-key" in request.headers or path.startswith(_OWN):
        return not path.startswith(("/v1beta/openai/", "/v1alpha/openai/"))
    if "key=" in request.query and "key" in request.args:
        return True
    return request.method == "POST" and _METHOD.search(path) is not None


def key_of(request: Request) -> str:
    """The key that stands in the query, empty where there is none."""
    return request.args.get("key", "") if "key=" in request.query else ""


def wants_array(path: str, query: str) -> bool:
    """Whether what is asked for comes as one JSON array: a stream without `alt=sse`."""
    return path.endswith(":streamGenerateContent") and _alt(query) != "sse"


def alt_of(query: str) -> str:
    """The form that the query asks for; raises Refused for one that there is not."""
    alt = _alt(query)
    name = alt.partition(";")[0]
    if name not in _ALTS:
        raise Refused(Failure("invalid", f"Invalid value \"{alt[:100]}\" for query parameter 'alt'"))
    return name


@lru_cache(maxsize=256)
def _alt(query: str) -> str:
    if "alt=" not in query:
        return ""
    told = dict(parse_qsl(query))
    return told.get("alt") or told.get("$alt") or ""
