"""Amazon's binary event streams: what their messages say is masked, and their checksums are made right again.

The encoding (Amazon Transcribe's guide, "Event stream encoding"): two lengths, their checksum, headers, the payload,
and the checksum of it all.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Callable

_HEAD = struct.Struct(">III")
_SUM = struct.Struct(">I")
_LEAST = _HEAD.size + _SUM.size
_WRAPPED = re.compile(rb'("bytes"\s*:\s*")([A-Za-z0-9+/=]+)(")')


def messages(data: bytes) -> list[tuple[int, int]]:
    """Where the payloads stand; empty for what is no event stream."""
    found, at = [], 0
    while len(data) - at >= _LEAST:
        total, headers, checksum = _HEAD.unpack_from(data, at)
        if zlib.crc32(data[at : at + 8]) != checksum or total < _LEAST + headers or at + total > len(data):
            break
        found.append((at + _HEAD.size + headers, at + total - _SUM.size))
        at += total
    return found


def masked(data: bytes, payloads: list[tuple[int, int]], mask: Callable[[bytes], bytes]) -> bytes:
    """The stream with all payloads masked together, a line each, as one text may go over many of them.

    What stands in `bytes` of a payload is base64 of what is meant. A message that broke off is a line as well.
    """
    told = [_meant(data[start:end]) for start, end in payloads]
    rest = data[payloads[-1][1] + _SUM.size :]
    lines = b"\n".join((*told, rest))
    hidden = mask(lines)
    out, line, at = bytearray(data), 0, 0
    for (start, end), meant in zip(payloads, told, strict=True):
        out[start:end] = _wrapped(data[start:end], hidden[line : line + len(meant)])
        out[end : end + _SUM.size] = _SUM.pack(zlib.crc32(out[at:end]))
        line, at = line + len(meant) + 1, end + _SUM.size
    out[at:] = hidden[line:]
    return bytes(out)


def _meant(payload: bytes) -> bytes:
    found = _WRAPPED.search(payload)
    if found is None:
        return payload
    try:
        return base64.b64decode(found[2], validate=True)
    except binascii.Error:
        return payload


def _wrapped(payload: bytes, meant: bytes) -> bytes:
    """The payload with what is meant put in, in as many bytes."""
    if len(meant) == len(payload):
        return meant
    return _WRAPPED.sub(lambda found: found[1] + base64.b64encode(meant) + found[3], payload, count=1)
