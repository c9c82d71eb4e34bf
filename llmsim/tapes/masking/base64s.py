"""Looks into base64 in a body: what is text there is masked there."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

_TEXT = re.compile(r'(?<=["\',])[A-Za-z0-9+/]{24,}={0,2}(?=["\'\\])')


def inner(body: str, mask: Callable[[bytes], bytes]) -> str:
    """The body with each text in base64 masked, in as many characters; pictures and the like stay as they are."""
    return _TEXT.sub(lambda found: _masked(found[0], mask), body)


def _masked(told: str, mask: Callable[[bytes], bytes]) -> str:
    if len(told) % 4:
        return told
    try:
        data = base64.b64decode(told, validate=True)
        data.decode()
    except (binascii.Error, UnicodeDecodeError):
        return told
    masked = mask(data)
    return told if masked == data else base64.b64encode(masked).decode()
