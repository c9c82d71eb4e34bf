"""Signatures: they carry a digest of the text they were made for, so that what was changed on its way is found out."""

from __future__ import annotations

import base64
from hashlib import blake2b

_KEY = b"llmsim thinking"
_HEAD = b"\x0a\x02\x18\x02\x12\x70"


def signature(text: str, seed: int) -> str:
    """A signature for a text; the same text and seed give the same."""
    filler = b"".join(blake2b(b"%d %d" % (seed, part), digest_size=64).digest() for part in range(2))
    return base64.b64encode(_HEAD + _mac(filler, 8) + _mac(text.encode("utf-8", "surrogatepass"), 16) + filler).decode()


def _mac(data: bytes, size: int) -> bytes:
    return blake2b(data, key=_KEY, digest_size=size).digest()


def is_ours(raw: bytes) -> bool:
    """Whether these are the bytes of a signature that was made here."""
    return raw.startswith(_HEAD) and raw[len(_HEAD) :][:8] == _mac(raw[len(_HEAD) + 24 :], 8)


def fits(raw: bytes, text: str) -> bool:
    """Whether a signature of ours was made for the text."""
    at = len(_HEAD) + 8
    return raw[at : at + 16] == _mac(text.encode("utf-8", "surrogatepass"), 16)
