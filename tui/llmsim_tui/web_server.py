"""textual-serve's server with our own manners: its own port, a guard before it, nothing from other sites."""

from __future__ import annotations

import logging
import socket
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server

from llmsim_tui.web_guard import guarded, local, page

TABS = 16
"""Browser tabs that are served at once; each is a process."""


class WebServer(Server):
    """Serves the command to each browser tab, at most so many at once."""

    def __init__(self, command: str, sock: socket.socket, attached: str) -> None:
        host, port = sock.getsockname()[:2]
        super().__init__(command, host=host, port=port, title=f"llmsim · {attached}")
        self._sock = sock
        self._attached = attached
        self._tabs = 0

    def initialize_logging(self) -> None:
        """Only what went wrong."""
        logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(guarded(local(self.host)))
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Says where it is."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        print(
            f"llmsim-tui: the console of {self._attached} is at http://{shown}:{self.port}; Ctrl+C ends it", flush=True
        )

    def serve(self, debug: bool = False) -> None:
        """Serves until Ctrl+C or SIGTERM."""
        self.initialize_logging()
        web.run_app(self._make_app(), sock=self._sock, print=None)

    async def handle_index(self, request: web.Request) -> web.Response:
        """The page, by whichever name it was asked for."""
        size = request.query.get("fontsize", "16")
        base = f"{request.scheme}://{request.host}"
        static = f"{base}/static/"
        context: dict[str, Any] = {
            "font_size": int(size) if size.isascii() and size.isdigit() and len(size) < 3 else 16,
            "app_websocket_url": f"ws{base.removeprefix('http')}/ws",
            "config": {"static": {"url": static}},
            "application": {"name": self.title},
        }
        html = aiohttp_jinja2.render_string("app_index.html", request, context)
        return web.Response(text=page(html, static), content_type="text/html")

    async def handle_websocket(self, request: web.Request) -> Any:
        """A tab, where there is room for one more."""
        if self._tabs >= TABS:
            return web.Response(status=503, text=f"{TABS} tabs are open already; close one")
        self._tabs += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self._tabs -= 1
