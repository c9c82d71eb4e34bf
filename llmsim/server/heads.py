"""Reads the heads of requests: what comes before the body, and who is to serve it.

A client's requests differ in their bodies, hardly in their heads, so a head that was read is kept by its bytes: finding
it again costs a hundredth of parsing it.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import httptools

from llmsim.dialects import Dialect, Request, Route
from llmsim.server.desk import Caller, calling
from llmsim.server.routes import Routes

_KEPT = 512
"""Heads that are kept; they come from clients, so with more of them all are forgotten."""

_LONGEST = 8192
"""Bytes of a head that is kept, and of one that is looked at here at all."""

_ASKING = frozenset((b"expect", b"transfer-encoding", b"origin"))
"""Headers that ask for more than the short way has; `Origin` is a web page's (see pages.py)."""

_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: ?(\d{1,8})\r\n")


@dataclass(slots=True, frozen=True)
class Head:
    """What the head of a request says, the dialect and route that serve it, and who asks.

    The length of the body is not among the headers: it is not the same for all requests with this head.
    """

    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    params: Mapping[str, str]
    dialect: Dialect
    route: Route
    caller: Caller


class Found(NamedTuple):
    """A head at the beginning of some bytes: what it says, where its body begins and ends, its own bytes."""

    head: Head
    start: int
    end: int
    raw: bytes


class Heads:
    """The heads of requests that are as plain as can be.

    These are HTTP/1.1, the connection stays open, the body's length is told or there is none, some API has the path and
    needs no thread to read the body, the answer has a body, no web page asks, and nothing else is asked of the
    connection: no `Expect`, no other coding, no upgrade. All others are uvicorn's.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._kept: dict[bytes, Head] = {}

    def find(self, data: bytes) -> Found | None:
        """The head that the data begins with; None where it is not plain."""
        start = data.find(b"\r\n\r\n", 0, _LONGEST) + 4
        if start < 4:
            return None
        told = _LENGTH.search(data, 0, start)
        if told is None:
            key, length = data[:start], 0
        else:
            at, end = told.span(1)
            key, length = data[:at] + data[end:start], int(data[at:end])
        head = self._kept.get(key) or self._read(data[:start], key, told is not None)
        return None if head is None else Found(head, start, start + length, data[:start])

    def _read(self, raw: bytes, key: bytes, told: bool) -> Head | None:
        lines = _Lines()
        parser = httptools.HttpRequestParser(lines)
        try:
            parser.feed_data(raw)
            head = self._routed(parser, lines) if _plain(raw, parser, lines, told) else None
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, UnicodeDecodeError):
            return None  # uvicorn refuses it in its own words
        if head is not None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[key] = head
        return head

    def _routed(self, parser: httptools.HttpRequestParser, lines: _Lines) -> Head | None:
        url = httptools.parse_url(lines.url)
        path = url.path.decode("ascii")
        if "%" in path:
            path = urllib.parse.unquote(path)
        headers = joined(lines.headers)
        headers.pop(b"content-length", None)
        request = Request(parser.get_method().decode("ascii"), path, (url.query or b"").decode("latin-1"), headers)
        found = self._routes.find(request)
        if found is None or found[1].heavy:
            return None
        caller = calling(headers, request.query)
        return Head(request.method, path, request.query, headers, request.params, *found, caller)


def _plain(raw: bytes, parser: httptools.HttpRequestParser, lines: _Lines, told: bool) -> bool:
    """Whether a head asks for nothing unusual; `told` says that one length of the body was found in it."""
    names = [name for name, _ in lines.headers]
    # A line that does not end as all others might end the head before the place where its end was looked for.
    even = raw[:1] not in (b"\r", b"\n") and raw.count(b"\n") == raw.count(b"\r\n")
    usual = _ASKING.isdisjoint(names) and names.count(b"content-length") == told
    stays = parser.get_http_version() == "1.1" and parser.should_keep_alive() and not parser.should_upgrade()
    return lines.complete and even and usual and stays and parser.get_method() != b"HEAD"


class _Lines:
    """What httptools tells of a head."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.complete = True


def joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name, those of one name joined."""
    by_name: dict[bytes, bytes] = {}
    for name, value in headers:
        by_name[name] = b"%b, %b" % (by_name[name], value) if name in by_name else value
    return by_name
