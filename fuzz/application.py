"""Asks the ASGI application in this process, without a socket, and judges what it answers."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson

from llmsim import tokens
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

LOCAL = {b"host": b"127.0.0.1"}


class Broken(AssertionError):
    """An answer that no client should get; the message says what is wrong with it."""


class Loud(logging.Handler):
    """Keeps what was logged as an exception, as a server answers 500 and goes on."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(logging.Formatter().format(record))


@dataclass(slots=True)
class Told:
    """An answer: its status, its headers, its body."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Asked:
    """One application and the loop that it runs in; `ask` raises Broken where an exception was logged."""

    def __init__(self, **fields: Any) -> None:
        tokens.preload()
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._raised)
        given = {"latency_profile": "instant", "target_tokens": 12, **fields}
        self.app = Application(Simulator(Settings(**given)), body_limit=4 << 20)
        self.loud = Loud()
        logger = logging.getLogger("llmsim")
        logger.addHandler(self.loud)
        logger.propagate = False

    def ask(
        self, method: str, path: str, body: bytes = b"", query: str = "", headers: Mapping[bytes, bytes] = LOCAL
    ) -> Told:
        """The application's answer to one request."""
        self.loud.told.clear()
        told = self.loop.run_until_complete(asyncio.wait_for(self._asked(method, path, body, query, headers), 20))
        if self.loud.told:
            raise Broken(f"{method} {path}?{query}: {self.loud.told[0]}")
        return told

    def _raised(self, loop: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
        """Notes what a callback of the loop raised, as of a batch under way."""
        self.loud.told.append(f"{about['message']}: {about.get('exception')!r}")

    async def _asked(self, method: str, path: str, body: bytes, query: str, headers: Mapping[bytes, bytes]) -> Told:
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode("utf-8", "replace"),
            "query_string": query.encode("latin-1", "replace"),
            "root_path": "",
            "headers": list(headers.items()),
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1),
            "scheme": "http",
        }
        sent: list[Mapping[str, Any]] = []
        over, parts = asyncio.Event(), [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Mapping[str, Any]:
            if parts:
                return parts.pop()
            await over.wait()
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                over.set()

        await self.app(scope, receive, send)  # type: ignore[arg-type]
        if not sent:
            raise Broken(f"{method} {path}: no answer at all")
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Told(sent[0]["status"], dict(sent[0]["headers"]), body)


def judge(provider: str, told: Told, what: str) -> None:
    """Raises Broken for a status of 500 and above, and for an error or a stream without the provider's shape."""
    if told.status >= 500:
        raise Broken(f"{what}: status {told.status}: {told.body[:500]!r}")
    kind = told.headers.get(b"content-type", b"").partition(b";")[0]
    if told.status >= 400:
        _judge_error(provider, told, what)
    elif kind == b"application/json" and told.body:
        _json(told.body, what)
    elif kind == b"text/event-stream":
        judge_events(told.body, what)


def _json(body: bytes, what: str) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Broken(f"{what}: no JSON: {body[:300]!r}") from None


def _judge_error(provider: str, told: Told, what: str) -> None:
    value = _json(told.body, what)
    value = value[0] if isinstance(value, list) else value
    error = value.get("error")
    if provider == "bedrock":
        good = bool(value.get("message"))
    elif provider == "ollama":
        good = isinstance(error, str) and bool(error)
    else:
        good = isinstance(error, dict) and bool(error.get("message"))
    if provider == "gemini" and good and "/interactions" not in what and "/openai/" not in what:
        good = error["code"] == told.status and bool(error["status"])
    if provider == "anthropic" and good:
        good = value["type"] == "error" and bool(error["type"])
    if not good:
        raise Broken(f"{what}: status {told.status} without an error of {provider}'s shape: {told.body[:300]!r}")


def judge_events(body: bytes, what: str) -> None:
    """Raises Broken for a stream whose lines are not those of server-sent events, or whose data is no JSON."""
    for line in re.split(rb"\r\n|\n|\r", body):
        name, _, value = line.partition(b": ")
        if line and name not in (b"data", b"event", b"id", b"retry", b""):
            raise Broken(f"{what}: a line of a stream is {line[:200]!r}")
        if name == b"data" and value != b"[DONE]":
            _json(value, what)
