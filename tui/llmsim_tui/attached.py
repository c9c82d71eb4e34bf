"""`llmsim-tui --attach`: which server, with which token, and what is said before the screen opens."""

from __future__ import annotations

import argparse
import os
from typing import Final

from llmsim.ctl.client import URL
from llmsim.errors import LlmsimError
from llmsim_tui.remote import FLAG, RemoteBackend, Unfit

_OWN: Final = ("attach", "token", "read_only", "theme", "report", "record", "web")
"""Options that have a meaning without a server of one's own."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of a console without a server."""
    parser.add_argument(
        FLAG,
        metavar="URL",
        nargs="?",
        const="",
        help=f"drive a server that runs elsewhere (default: LLMSIM_URL, else {URL}); options of a server have no place",
    )
    parser.add_argument(
        "--web",
        action="store_true",
        help="serve the attached console to browsers, on --host and --port (default: 127.0.0.1:8000)",
    )
    parser.add_argument("--token", metavar="TOKEN", help="the server's control token (default: LLMSIM_CONTROL_TOKEN)")


def where(options: argparse.Namespace) -> tuple[str, str]:
    """The server that the options name, and its token."""
    url = options.attach or os.environ.get("LLMSIM_URL") or URL
    return url, options.token or os.environ.get("LLMSIM_CONTROL_TOKEN", "")


async def attach(options: argparse.Namespace) -> RemoteBackend:
    """The server that the options name, asked once; raises LlmsimError for one that cannot be attached to.

    One that does not answer yet is waited for on the screen: it may be started later.
    """
    own = (*_OWN, "host", "port") if options.web else _OWN
    given = [name for name, value in vars(options).items() if value not in (None, False) and name not in own]
    if given:
        raise LlmsimError(
            f"--{given[0].replace('_', '-')}: the server has its own; with {FLAG} this console has none to give it to"
        )
    backend = RemoteBackend(*where(options), watches=bool(options.read_only))
    await backend.pull()
    if isinstance(backend.failure, Unfit):
        await backend.stop()
        raise backend.failure
    return backend
