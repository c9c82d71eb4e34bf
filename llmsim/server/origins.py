"""Which web pages are meant by the `origins` of a configuration: where a page came from, as browsers say it."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

_WORDS = ("*", "localhost", "null")


def checked(origins: Collection[str]) -> None:
    """Raises ValueError where one of them is no origin and none of the words `*`, `localhost` and `null`."""
    for origin in origins:
        try:
            told = urlsplit(origin)
            whole = bool(told.scheme and told.hostname) and origin == f"{told.scheme}://{told.netloc}"
        except ValueError:
            whole = False
        if origin not in _WORDS and (not whole or "@" in origin):
            raise ValueError(f"{origin!r} is no origin such as https://app.example; there are also * and localhost")


def is_among(origin: str, origins: Collection[str]) -> bool:
    """Whether a page from there is meant by one of them; `localhost` means all that this machine serves."""
    return "*" in origins or origin in origins or ("localhost" in origins and _is_here(origin))


def _is_here(origin: str) -> bool:
    """Whether a page was served by this machine, under a name or an address that cannot be another's."""
    try:
        host = urlsplit(origin).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
