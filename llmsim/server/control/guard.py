"""Who may drive a simulator over HTTP: programs on the same machine, and whoever has the token; never a web page."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

LOCAL_ONLY = (
    "only programs on the same machine may do this, not web pages or other machines; "
    "they need the token of LLMSIM_CONTROL_TOKEN as Authorization: Bearer TOKEN"
)
_PROXIED = frozenset((b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"))
"""Headers by which a proxy says that the request came to it from elsewhere."""

READ_ONLY = "this server is read-only: it can be looked at, and not changed"


WATCHING = "this token is for looking: with it nothing can be changed"


def refusal(
    headers: Mapping[bytes, bytes], client: str, token: str, watch_token: str = "", *, changes: bool, read_only: bool
) -> str:
    """Why a request may not be served; empty where it may."""
    if watches(headers, watch_token):
        return WATCHING if changes else ""
    if not (_knows(headers, token) or _from_here(headers, client)):
        return LOCAL_ONLY
    return READ_ONLY if changes and read_only else ""


def watches(headers: Mapping[bytes, bytes], watch_token: str) -> bool:
    """Whether the request comes with the token of those who only look; then it may do no more, wherever it is from."""
    return _knows(headers, watch_token)


def _knows(headers: Mapping[bytes, bytes], token: str) -> bool:
    """Whether the request brings the token."""
    scheme, _, given = headers.get(b"authorization", b"").partition(b" ")  # its name in any capitals (RFC 9110, 11.1)
    return bool(token) and scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), token.encode())


def _from_here(headers: Mapping[bytes, bytes], client: str) -> bool:
    """Whether it comes from this machine, by an address of this machine, and not by way of a web page.

    What a proxy of this machine passes on comes from elsewhere, where the proxy says so.
    A page of another site can send requests to a server on its visitor's machine; its browser then names the page's
    origin, or, where a foreign name was bound to the loopback, that name as the host.
    """
    told = headers.get(b"host", b"").decode("latin-1")
    try:
        host = urlsplit(f"//{told}").hostname or ""
    except ValueError:
        return False
    if "@" in told:
        return False
    page = b"origin" in headers or headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin")
    passed_on = not _PROXIED.isdisjoint(headers)
    return _loopback(client) and (host == "localhost" or _loopback(host)) and not page and not passed_on


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
