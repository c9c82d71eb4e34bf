"""Starts `llmsim serve` as people start it, in processes of its own, and calls it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
CHAT = "/v1/chat/completions"
ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
PATIENCE = 60.0


class Server:
    """`llmsim serve --workers N`; each call has a connection of its own, so that any worker may get it."""

    def __init__(self, *options: str) -> None:
        words = [sys.executable, "-m", "llmsim", "serve", "--port", "0", "--latency-profile", "instant", *options]
        paths = os.pathsep.join(path for path in sys.path if path)
        self.process = subprocess.Popen(
            words, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
        )
        self.log: list[str] = []
        self._reading: threading.Thread | None = None
        self.url = self.said(r"serving on (http://\S+)")[1]

    def said(self, pattern: str) -> re.Match[str]:
        """The next line of the log that has this in it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError("".join(self.log))

    def read_on(self) -> None:
        """Reads its log from now on: under load it would fill the pipe, and the server would wait to write it."""
        if self._reading is None:
            assert self.process.stderr is not None
            self._reading = threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True)
            self._reading.start()

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        with httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False) as client:
            return client.request(method, path, **given)

    def get(self, path: str) -> Any:
        return self.call("GET", path).json()

    def chat(self, **more: Any) -> httpx.Response:
        return self.call("POST", CHAT, json={**ASK, **more})

    def reset(self) -> None:
        assert self.call("POST", "/llmsim/reset", json={}).status_code == 200

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        finally:
            assert self.process.stderr is not None
            self.process.stderr.close()


def together(count: int, ask: Callable[[], Any]) -> list[Any]:
    """As many calls at the same moment."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: ask(), range(count)))


class Load:
    """Clients that ask servers one question after the other while this is entered; each leaves when its own dies.

    `answers` counts statuses, and "gone" for what was under way when a server died.
    """

    def __init__(self, servers: Sequence[Server], clients: int = 2, model: str = "gpt-4o-mini") -> None:
        self.answers: Counter[int | str] = Counter()
        self._model = model
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(one,), daemon=True) for one in servers for _ in range(clients)
        ]
        for one in servers:
            one.read_on()

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _ask(self, server: Server) -> None:
        with httpx.Client(base_url=server.url, timeout=PATIENCE, trust_env=False) as client:
            while not self._over.is_set():
                try:
                    self.answers[client.post(CHAT, json={**ASK, "model": self._model}).status_code] += 1
                except httpx.TransportError:
                    self.answers["gone"] += 1
                    return
