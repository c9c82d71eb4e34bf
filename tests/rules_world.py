"""A server in this process, with a clock that is told the time, for the examples of docs/rules.md."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import yaml
from rules_page import Asked

from llmsim import tokens
from llmsim.clock import ToldClock
from llmsim.errors import SettingsError
from llmsim.server.handlers import Application
from llmsim.server.mock_files import MockFiles
from llmsim.settings import Settings
from llmsim.simulator import Simulator

USUAL = {"latency_profile": "instant", "generator": "echo"}


@dataclass(slots=True)
class Told:
    """What came over the wire, and how it ended; `seconds` on the server's clock."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False
    seconds: float = 0.0


class World:
    """One server; every request is awaited while its clock goes to the moments that it waits for."""

    def __init__(self, folder: Path) -> None:
        tokens.preload()
        self.clock = ToldClock()
        self.simulator = Simulator(Settings(**USUAL), clock=self.clock)
        self.app = Application(self.simulator)
        self.folder = folder

    def load_settings(self, text: str) -> None:
        self.simulator.change(**yaml.safe_load(text))

    def load_mocks(self, text: str) -> None:
        path = self.folder / "mocks.yaml"
        path.write_text(text, encoding="utf-8")
        files = MockFiles(self.simulator, [path])
        try:
            files.load()
        except SettingsError as error:
            raise SettingsError(str(error).replace(f"{self.folder}/", "")) from None

    async def ask(self, asked: Asked) -> Told:
        headers = {"content-type": "application/json", **asked.headers}
        return await self.send("POST", asked.path, headers, orjson.dumps(asked.body))

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", endless: bool = False
    ) -> Told:
        """One request over ASGI; an endless answer is left once nothing more comes."""
        path, _, query = target.partition("?")
        sent = {"host": "localhost:8080", **headers, **({"content-length": str(len(body))} if body else {})}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 40_000),
            "server": ("127.0.0.1", 8080),
        }
        told, came, left, began = Told(), [body], asyncio.Event(), self.clock.now()

        async def receive() -> dict[str, Any]:
            if came:
                return {"type": "http.request", "body": came.pop(), "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                told.status = message["status"]
                told.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
            else:
                told.body += message.get("body", b"")
                if not message.get("more_body"):
                    told.seconds = self.clock.now() - began
                    left.set()

        task = asyncio.ensure_future(self.app(scope, receive, send))
        while not task.done():
            await self._turn()
            if endless:
                left.set()
            elif not task.done() and self.simulator.meter.live:
                await self._next_moment()
        told.cut = task.exception() is not None
        if told.cut:
            assert isinstance(task.exception(), ConnectionResetError), task.exception()
            told.seconds = self.clock.now() - began
        return told

    async def _turn(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)

    async def _next_moment(self) -> None:
        moments = [moment for moment, _, timer in self.clock._timers if timer.callback is not None]
        if moments:
            await self.clock.advance(max(0.0, min(moments) - self.clock.now()))


# -- words


def rendered(told: Told) -> str:
    """An answer in one line: status, when it came, what it told to wait, and its words."""
    head = str(told.status) if told.status else "no answer"
    if told.seconds > 0.03:
        head += f" after {round(told.seconds, 2):g} s"
    for name in ("retry-after", "x-llmsim-why"):
        if name in told.headers:
            head += f" {name}={told.headers[name]}" if name == "retry-after" else ""
    words = " ".join(_words(told).splitlines())
    why = f"\nwhy: {told.headers['x-llmsim-why']}" if "x-llmsim-why" in told.headers else ""
    return f"{head}: {words}{why}" if words else f"{head}{why}"


def _words(told: Told) -> str:
    kind = told.headers.get("content-type", "")
    if kind.startswith("text/event-stream"):
        words = "".join(map(_event, told.body.decode().split("\n\n")))
    else:
        words = _whole(told.body)
    return f"{words} [connection cut]".strip() if told.cut else words


def _event(event: str) -> str:
    data = "\n".join(line[6:] for line in event.splitlines() if line.startswith("data: "))
    if not data or data == "[DONE]":
        return "" if not event.strip() or data else " [malformed event]"
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        return " [broken event]"
    return f" [{_said(told)}]" if "error" in told else _said(told)


def _whole(body: bytes) -> str:
    try:
        return _said(orjson.loads(body))
    except orjson.JSONDecodeError:
        return body.decode()


def _said(told: Any) -> str:
    """The words in an answer, or in one event, of any of the APIs that the page asks."""
    if not isinstance(told, dict):
        return str(told)
    if isinstance(told.get("error"), dict):
        return f"error: {told['error']['message']}"
    if told.get("object") == "list" and "data" in told:
        return f"{len(told['data'])} embedding"
    if "candidates" in told:
        return "".join(part.get("text", "") for part in told["candidates"][0]["content"].get("parts", ()))
    if isinstance(told.get("content"), list):
        return "".join(block.get("text", "") for block in told["content"])
    if told.get("type") == "content_block_delta":
        return str(told["delta"].get("text", ""))
    if not told.get("choices"):
        return "" if "type" in told or "usage" in told else orjson.dumps(told).decode()
    message = told["choices"][0].get("message") or told["choices"][0].get("delta") or {}
    calls = [
        f"call {call['function'].get('name', '')}({call['function'].get('arguments', '')})"
        for call in message.get("tool_calls") or ()
    ]
    return " ".join(filter(None, [message.get("content"), message.get("refusal"), *calls]))
