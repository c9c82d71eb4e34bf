"""A door before two servers: the first request goes to one that refuses it, all later ones to one that answers."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Turns:
    """Passes requests on as they are; `asked` are their paths so far."""

    def __init__(self, refusing: str, answering: str) -> None:
        self._servers = [urlsplit(refusing).netloc, urlsplit(answering).netloc]
        self.asked: list[str] = []
        self._door = ThreadingHTTPServer(("127.0.0.1", 0), type("Passer", (_Passer,), {"turns": self}))
        self._thread = threading.Thread(target=self._door.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._door.server_port}"

    def next(self, path: str) -> str:
        """The server whose turn it is."""
        self.asked.append(path)
        return self._servers[min(len(self.asked), 2) - 1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._door.shutdown()
        self._door.server_close()
        self._thread.join()


class _Passer(BaseHTTPRequestHandler):
    """Speaks HTTP/1.0, whose answers end with their connection: so a stream is passed on as it comes."""

    turns: Turns

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        server = HTTPConnection(self.turns.next(self.path))
        server.request("POST", self.path, body, dict(self.headers.items()))
        answer = server.getresponse()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        while piece := answer.read1(1 << 16):
            self.wfile.write(piece)
        server.close()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing of it."""
