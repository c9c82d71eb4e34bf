"""Exchanges as an HTTP Archive (HAR 1.2), which browsers' developer tools and proxies open; secrets are masked.

The format: http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote_plus

import orjson

from llmsim import __version__, masks
from llmsim.exchange import Exchange
from llmsim.exports.entry import moment, times
from llmsim.metrics import outcome

Headers = Iterable[tuple[bytes, bytes]]
Replay = Callable[[Exchange], bytes | tuple[bytes, Headers] | None]
"""Words a reply once more, as its API did: the body, and its headers where they are known; None where it cannot."""

LIMIT = 1 << 20
"""Characters of a body that are told."""

_NOT_KEPT = "The bytes of a reply are not kept; this is its text, without the API's wording."
_REPLAYED = "The bytes of a reply are not kept; this is what the API words it as, made once more from its plan."
_CUT = "The body was longer; this is its beginning."


def har(
    exchanges: Iterable[Exchange],
    *,
    base: str = "http://localhost",
    replay: Replay | None = None,
    limit: int = LIMIT,
) -> dict[str, Any]:
    """The archive, whole; exchanges that are under way are left out. `base` is the server's address."""
    entries = [one for one in hars(exchanges, base=base, replay=replay, limit=limit) if one is not None]
    return {"log": {"version": "1.2", "creator": _creator(), "entries": entries}}


def hars(
    exchanges: Iterable[Exchange], *, base: str = "http://localhost", replay: Replay | None = None, limit: int = LIMIT
) -> Iterator[dict[str, Any] | None]:
    """The entries one by one; each None is a moment to let others have their turn."""
    for exchange in exchanges:
        if exchange.state != "live":
            yield _entry(exchange, base, replay, limit)
        yield None


def har_chunks(
    exchanges: Iterable[Exchange], *, base: str = "http://localhost", replay: Replay | None = None, limit: int = LIMIT
) -> Iterator[bytes]:
    """The archive as JSON in parts, for a file that is not to be held in memory whole."""
    yield b'{"log":{"version":"1.2","creator":' + orjson.dumps(_creator()) + b',"entries":['
    between = b""
    for one in hars(exchanges, base=base, replay=replay, limit=limit):
        if one is not None:
            yield between + orjson.dumps(one)
            between = b",\n"
    yield b"]}}\n"


def _creator() -> dict[str, str]:
    return {"name": "llmsim", "version": __version__}


def _entry(exchange: Exchange, base: str, replay: Replay | None, limit: int) -> dict[str, Any]:
    duration = 1000 * ((exchange.ended or exchange.started) - exchange.started)
    first = duration if exchange.first is None else min(duration, 1000 * (exchange.first - exchange.started))
    timings = {"blocked": -1, "dns": -1, "connect": -1, "send": 0, "wait": round(first, 3)}
    timings["receive"] = round(duration - first, 3)
    made: dict[str, Any] = {
        "startedDateTime": moment(exchange.wall),
        "time": round(timings["wait"] + timings["receive"], 3),
        "request": _request(exchange, base, limit),
        "response": _response(exchange, replay, limit),
        "cache": {},
        "timings": timings,
        "comment": f"#{exchange.number} {outcome(exchange)}",
        # HAR 1.2: fields of one's own begin with an underscore.
        "_llmsim": {
            "number": exchange.number,
            "outcome": outcome(exchange),
            "profile": exchange.plan.profile,
            "faults": list(exchange.plan.faults),
            **times(exchange),
        },
    }
    return made


def line_of(exchange: Exchange) -> tuple[str, str]:
    """The method and the path with its query as they came; without a server only the path that the API calls it by."""
    asked = getattr(exchange, "asked", None)
    if asked is None:
        return ("POST" if exchange.request else "GET"), exchange.ask.endpoint or "/"
    request = asked[-1]
    return request.method, request.path + (f"?{request.query}" if request.query else "")


def _request(exchange: Exchange, base: str, limit: int) -> dict[str, Any]:
    method, target = line_of(exchange)
    target = masks.target(target)
    path, _, query = target.partition("?")
    headers = masks.headers(exchange.ask.headers)
    made: dict[str, Any] = {
        "method": method,
        "url": base.rstrip("/") + quote(path, safe="/%:@!$&'()*+,;=~-._") + (f"?{query}" if query else ""),
        "httpVersion": "HTTP/1.1",
        "cookies": _cookies(headers, "cookie"),
        "headers": _pairs(headers),
        "queryString": _query(query),
        "headersSize": -1,
        "bodySize": len(exchange.request),
    }
    if exchange.request:
        text, cut = masks.body(exchange.request, exchange.ask.key, limit)
        kind = next((value for name, value in headers if name.lower() == "content-type"), "application/json")
        made["postData"] = {"mimeType": kind, "text": text, "params": [], **({"comment": _CUT} if cut else {})}
    return made


def _response(exchange: Exchange, replay: Replay | None, limit: int) -> dict[str, Any]:
    replayed = replay(exchange) if replay is not None else None
    body, told = replayed if isinstance(replayed, tuple) else (replayed, ())
    headers = masks.headers(told)
    kind = next((value for name, value in headers if name.lower() == "content-type"), _kind(exchange))
    if not headers and exchange.status:
        headers = [("content-type", kind)]
    content = {"size": 0, "mimeType": kind, **_content(exchange, body, limit)}
    return {
        "status": exchange.status,
        "statusText": _phrase(exchange.status),
        "httpVersion": "HTTP/1.1",
        "cookies": _cookies(headers, "set-cookie"),
        "headers": _pairs(headers),
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1 if body is None else len(body),
        "comment": _end(exchange, known=bool(told)),
    }


def _content(exchange: Exchange, body: bytes | None, limit: int) -> dict[str, Any]:
    """The reply's body as it is worded once more, or its text alone; what is no text in base64."""
    if body is None:
        text, cut = masks.body(exchange.text().encode("utf-8", "replace"), exchange.ask.key, limit)
        size, comment = len(text.encode()), _NOT_KEPT
    else:
        size, comment = len(body), _REPLAYED
        try:
            body[: 4 * limit].decode()
        except UnicodeDecodeError as error:
            if error.end < min(len(body), 4 * limit) - 4:
                return {"size": size, "text": _base64(body, limit), "encoding": "base64", "comment": comment}
        text, cut = masks.body(body, exchange.ask.key, limit)
    return {"size": size, "text": text, "comment": f"{comment} {_CUT}" if cut else comment}


def _base64(body: bytes, limit: int) -> str:
    from base64 import b64encode

    return b64encode(body[: limit * 3 // 4]).decode()


def _kind(exchange: Exchange) -> str:
    streams = exchange.ask.stream and exchange.status == 200
    return "text/event-stream; charset=utf-8" if streams else "application/json" if exchange.status else "x-unknown"


def _end(exchange: Exchange, known: bool) -> str:
    """How the response ended, where the archive has no field for it."""
    how = outcome(exchange)
    if not exchange.status:
        return "No response was sent: " + ("the connection was cut." if how == "cut" else "the client had left.")
    if how == "cut":
        return "The connection was cut before the end."
    if how == "abandoned":
        return "The client left before the end."
    return "" if known else "The headers of a response are not kept, but for its type."


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _pairs(told: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in told]


def _query(query: str) -> list[dict[str, str]]:
    pairs = [part.partition("=") for part in query.split("&") if part]
    return [{"name": unquote_plus(name), "value": unquote_plus(value)} for name, _, value in pairs]


def _cookies(headers: Iterable[tuple[str, str]], name: str) -> list[dict[str, str]]:
    """The cookies by name; their values are masked as the header's are."""
    told = [value for one, value in headers if one.lower() == name]
    parts = [
        part.strip().partition("=") for value in told for part in (value.split(";") if name == "cookie" else [value])
    ]
    return [{"name": cookie, "value": value.partition(";")[0]} for cookie, sign, value in parts if sign]
