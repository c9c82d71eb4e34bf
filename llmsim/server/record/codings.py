"""Reads bodies that are compressed, part by part as they come."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

_PART = 16
"""Bytes that are given at once to a library which knows no bound."""
_MOST = 4
"""Codings on top of one another."""


class Unread(Exception):
    """A body that cannot be decoded."""


class Coding(Protocol):
    """Decodes one body."""

    def feed(self, data: bytes, most: int) -> bytes:
        """What the next bytes say, at most so much and a little; raises Unread."""
        ...


class _Zlib:
    """gzip, and deflate with or without its head (RFC 9110, 8.4.1.2)."""

    def __init__(self, bits: int) -> None:
        self._inflate = zlib.decompressobj(bits)
        self._bits = bits

    def feed(self, data: bytes, most: int) -> bytes:
        try:
            return self._fed(data, most)
        except zlib.error as error:
            if self._bits != zlib.MAX_WBITS:
                raise Unread(str(error)) from None
        self._bits = -zlib.MAX_WBITS
        self._inflate = zlib.decompressobj(self._bits)
        try:
            return self._fed(data, most)
        except zlib.error as error:
            raise Unread(str(error)) from None

    def _fed(self, data: bytes, most: int) -> bytes:
        told = self._inflate.decompress(data, most + 1)
        while self._inflate.unused_data and len(told) <= most:  # another member
            data, self._inflate = self._inflate.unused_data, zlib.decompressobj(self._bits)
            told += self._inflate.decompress(data, most + 1 - len(told))
        return told


class _Library:
    """A coding of a library that may be there: brotli, zstandard."""

    def __init__(self, decode: Callable[[bytes], bytes]) -> None:
        self._decode = decode

    def feed(self, data: bytes, most: int) -> bytes:
        told = bytearray()
        try:
            # A few bytes at a time: they say how much they come to only when it is there, and 100 can be 100 MB.
            for at in range(0, len(data), _PART):
                told += self._decode(data[at : at + _PART])
                if len(told) > most:
                    break
        except Exception as error:
            raise Unread(str(error)) from None
        return bytes(told)


class _Both:
    """Codings on top of one another, the outermost last."""

    def __init__(self, codings: list[Coding]) -> None:
        self._codings = codings

    def feed(self, data: bytes, most: int) -> bytes:
        for one in reversed(self._codings):
            data = one.feed(data, most)
        return data


@cache
def _made() -> dict[str, Callable[[], Coding]]:
    def library(module: str, made: str, method: str) -> Callable[[], Coding] | None:
        try:
            found: Any = importlib.import_module(module)
        except ImportError:
            return None
        return lambda: _Library(getattr(getattr(found, made)(), method))

    def zstd() -> Callable[[], Coding] | None:
        try:
            found: Any = importlib.import_module("zstandard")
        except ImportError:
            return library("compression.zstd", "ZstdDecompressor", "decompress")
        return lambda: _Library(found.ZstdDecompressor().decompressobj().decompress)

    there: dict[str, Callable[[], Coding] | None] = {
        "gzip": lambda: _Zlib(16 + zlib.MAX_WBITS),
        "deflate": lambda: _Zlib(zlib.MAX_WBITS),
        "br": library("brotli", "Decompressor", "process"),
        "zstd": zstd(),
    }
    return {name: make for name, make in there.items() if make is not None}


def known() -> tuple[bytes, ...]:
    """The codings that can be read here."""
    return (*(name.encode() for name in _made()), b"identity")


def coding(told: str) -> Coding | None:
    """What reads a body with this `content-encoding`; None for one that is not coded; raises Unread."""
    names = [one.strip().lower().replace("x-gzip", "gzip") for one in told.split(",")]
    names = [one for one in names if one and one != "identity"]
    if not names:
        return None
    if len(names) > _MOST:
        raise Unread(f"it has {len(names):,} content codings on top of one another; {_MOST} are read")
    unknown = next((one for one in names if one not in _made()), None)
    if unknown is not None:
        raise Unread(f"the content coding {unknown[:40]!r} is not known here")
    made = [_made()[one]() for one in names]
    return made[0] if len(made) == 1 else _Both(made)
