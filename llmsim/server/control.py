"""What an operator may ask of a running server over HTTP: how much the store holds, and to clear it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from llmsim.dialects import Answer, Request
from llmsim.store import Store

STORE = "/llmsim/store"


def store(request: Request, kept: Store) -> Answer:
    """`GET` tells what is kept and the limits, `DELETE` forgets everything; for programs on the same machine alone."""
    if not _from_here(request):
        return _told(403, "only programs on the same machine may do this, not web pages or other machines")
    if request.method == "DELETE":
        return Answer.json({"cleared": kept.clear()})
    if request.method in ("GET", "HEAD"):
        held = {"entries": len(kept), "bytes": kept.size}
        limits = {"entries": kept.count_limit, "bytes": kept.size_limit, "seconds": kept.age_limit}
        return Answer.json({**held, "limits": limits})
    return _told(405, f"{request.method} is not served here; there are GET, DELETE")


def _told(status: int, message: str) -> Answer:
    return Answer.json({"error": {"message": f"{STORE}: {message}"}}, status)


def _from_here(request: Request) -> bool:
    """Whether it comes from this machine, by an address of this machine, and not by way of a web page.

    A page of another site can send requests to a server on its visitor's machine; its browser then names the page's
    origin, or, where a foreign name was bound to the loopback, that name as the host.
    """
    try:
        host = urlsplit(f"//{request.headers.get(b'host', b'').decode('latin-1')}").hostname or ""
    except ValueError:
        return False
    return _loopback(request.client) and (host == "localhost" or _loopback(host)) and b"origin" not in request.headers


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
