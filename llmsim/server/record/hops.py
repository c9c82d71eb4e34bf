"""Which headers go from one side to the other, and which are about one connection alone (RFC 9110, 7.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Pairs = list[tuple[bytes, bytes]]

_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding"
    b" upgrade".split()
)
_BODILESS = frozenset((204, 304))
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset((b"host", b"expect"))
_UNTAPED = _HOP | {b"content-length", b"content-encoding", b"host"}


def upwards(headers: Iterable[tuple[bytes, bytes]], codings: Sequence[bytes]) -> Pairs:
    """What a client sends, for the upstream: of codings only those that can be read here."""
    told = _through(headers, _OURS)
    return [(name, _readable(value, codings) if name == b"accept-encoding" else value) for name, value in told]


def downwards(headers: Iterable[tuple[bytes, bytes]], status: int = 200) -> Pairs:
    """What an upstream answers, for the client; the server says the date itself.

    A value with control characters is left out, as no server sends it, and so is the length of a body that cannot be.
    """
    besides = (b"date", b"content-length") if status in _BODILESS else (b"date",)
    return [(name, value) for name, value in _through(headers, frozenset(besides)) if not _CONTROL.search(value)]


def taped(headers: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Headers as a tape has them."""
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers if name.lower() not in _UNTAPED
    )


def _through(headers: Iterable[tuple[bytes, bytes]], besides: frozenset[bytes]) -> Pairs:
    told = [(name.lower(), value) for name, value in headers]
    named = {one.strip().lower() for name, value in told if name == b"connection" for one in value.split(b",")}
    dropped = _HOP | besides | named
    chunked = any(name == b"transfer-encoding" for name, _ in told)
    return [
        (name, value) for name, value in told if name not in dropped and not (chunked and name == b"content-length")
    ]


def _readable(value: bytes, codings: Sequence[bytes]) -> bytes:
    kept = [one for one in value.split(b",") if one.partition(b";")[0].strip().lower() in codings]
    return b",".join(kept).strip() or b"identity"
