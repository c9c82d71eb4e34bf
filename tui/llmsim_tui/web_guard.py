"""What stands before a console in a browser: who is let in, and that its page loads nothing from elsewhere."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import web

_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
"""A host with or without a port: it stands in the page that is served."""
_FONT: Final = (
    '<link\n      rel="stylesheet"\n      href="https://fonts.googleapis.com/css?family=Roboto%20Mono"\n    />'
)
_OWN_FONT: Final = """<style>
      @font-face {{ font-family: "Roboto Mono"; src: url("{static}fonts/RobotoMono-VariableFont_wght.ttf"); }}
    </style>"""


def local(host: str) -> bool:
    """Whether that is this machine and nobody else's."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refusal(host: str, origin: str, here: bool) -> str:
    """Why a request is not served: a page of another site must not type into a console, nor under a borrowed name."""
    try:
        name, theirs = urlsplit(f"//{host}").hostname or "", urlsplit(origin).netloc
    except ValueError:  # an open bracket and the like
        return "this is no host"
    if not _HOST.fullmatch(host):
        return "this is no host"
    if here and not local(name):
        return "this console is for this machine alone"
    if origin and theirs != host:
        return "this console is not for other pages"
    return ""


def page(html: str, static: str) -> str:
    """The page, with the font that is served beside it instead of one from elsewhere."""
    return html.replace(_FONT, _OWN_FONT.format(static=static))


def guarded(here: bool) -> Any:
    """A middleware that refuses other sites."""
    from aiohttp import web

    @web.middleware
    async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
        why = refusal(request.headers.get("host", ""), request.headers.get("origin", ""), here)
        if why:
            return web.Response(status=403, text=why)
        response: web.StreamResponse = await handler(request)
        return response

    return guard
