"""`llmsim-tui --web`: an attached console for browsers, each tab a process of its own."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from argparse import Namespace
from typing import Any, Final

from llmsim.errors import LlmsimError
from llmsim_tui.web_guard import local

PORT: Final = 8000


def serve(options: Namespace, url: str, token: str) -> int:
    """Serves until Ctrl+C; raises LlmsimError for what the operator got wrong."""
    try:
        from llmsim_tui.web_server import WebServer
    except ImportError:
        raise LlmsimError("--web: it needs textual-serve, which is not installed: pip install 'llmsim[web]'") from None
    host = options.host or "127.0.0.1"
    if not local(host) and not options.read_only:
        raise LlmsimError(
            f"--host: {host}: there is no password before it, so that everybody who reaches it could drive {url}; "
            "add --read-only, for an audience"
        )
    os.environ["LLMSIM_CONTROL_TOKEN"] = token  # not as an argument: those are seen by everybody on the machine
    WebServer(command(options, url), bound(host, _port(options.port)), url).serve()
    return 0


def command(options: Namespace, url: str) -> str:
    """What a tab runs."""
    words = [sys.executable, "-m", "llmsim_tui", "--attach", url, "--theme", options.theme]
    return shlex.join([*words, *(["--read-only"] if options.read_only else [])])


def _port(told: Any) -> int:
    try:
        port = PORT if told is None else int(told)
    except ValueError:
        port = -1
    if not 0 <= port <= 65_535:
        raise LlmsimError(f"--port: {str(told)[:40]!r} is not allowed: it is a whole number from 0 to 65535")
    return port


def bound(host: str, port: int) -> socket.socket:
    """The port, taken; raises LlmsimError when it cannot be had."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LlmsimError(f"--port: cannot listen on {host}:{port}: {reason}; choose another, or 0 for any") from None
