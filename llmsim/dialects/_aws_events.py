"""Amazon's binary event stream: each message with its headers, its payload and two checksums.

Source: Smithy's specification "application/vnd.amazon.eventstream"; botocore's reader is the judge.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from zlib import crc32

_TEXT = 7
"""The type of a header whose value is text."""

_PRELUDE = 8
_CHECKSUM = 4


def message(payload: bytes, **headers: str) -> bytes:
    """One message; names of headers are given without their colon and with underscores: `event_type`."""
    told = _headers(tuple(headers.items()))
    length = _PRELUDE + _CHECKSUM + len(told) + len(payload) + _CHECKSUM
    prelude = struct.pack(">II", length, len(told))
    start = b"%b%b%b%b" % (prelude, struct.pack(">I", crc32(prelude)), told, payload)
    return start + struct.pack(">I", crc32(start))


@lru_cache(maxsize=256)
def _headers(headers: tuple[tuple[str, str], ...]) -> bytes:
    parts = []
    for name, value in headers:
        key = f":{name.replace('_', '-')}".encode()
        parts.append(struct.pack(">B", len(key)) + key + struct.pack(">BH", _TEXT, len(value)) + value.encode())
    return b"".join(parts)


def event(kind: str, payload: bytes) -> bytes:
    """An event of a stream, its payload JSON."""
    return message(payload, event_type=kind, content_type="application/json", message_type="event")


def exception(kind: str, payload: bytes) -> bytes:
    """An error in the middle of a stream."""
    return message(payload, exception_type=kind, content_type="application/json", message_type="exception")
