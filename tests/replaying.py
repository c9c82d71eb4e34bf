"""What the tests of replays share: requests of the APIs, and a server that replays takes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from taped import CHAT, GEMINI, GEMINI_STREAM, MESSAGES, RESPONSES, Ear, asked, post, serving

from llmsim.dialects import Request
from llmsim.server.desk import ServerDesk
from llmsim.server.reels import Reels
from llmsim.settings import Settings
from llmsim.tapes import Take

SETTINGS = Settings(target_tokens=12, latency_profile="gpt4o")
"""Those that tapes are recorded under."""

OTHER = Settings(latency_profile="instant", generator="fixed:made up", seed=9)
"""Those that they are replayed under: nothing of a reply can be the same by chance."""


def chat(text: str = "Hi", **fields: Any) -> Request:
    return post(CHAT, {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **fields})


def response(text: str = "Hi", **fields: Any) -> Request:
    return post(RESPONSES, {"model": "gpt-4o", "input": text, **fields})


def message(text: str = "Hi", **fields: Any) -> Request:
    turn = [{"role": "user", "content": text}]
    return post(MESSAGES, {"model": "claude-sonnet-4-5", "messages": turn, "max_tokens": 2000, **fields})


def content(text: str = "Hi", stream: bool = False, query: str = "alt=sse", **fields: Any) -> Request:
    body = {"contents": [{"role": "user", "parts": [{"text": text}]}], **fields}
    return post(GEMINI_STREAM, body, query) if stream else post(GEMINI, body)


def again(request: Request) -> Request:
    """The same request once more, as a client sends it."""
    return Request(request.method, request.path, request.query, request.headers, request.body)


def replaying(takes: Iterable[Take], **settings: Any) -> ServerDesk:
    """A desk that answers from the takes."""
    desk = serving(OTHER.changed(**settings))
    desk.reels = Reels(desk.routes, desk.clock)
    desk.reels.take_in((f"run.jsonl line {number}", take) for number, take in enumerate(takes, 1))
    return desk


def ask(desk: ServerDesk, *requests: Request, apart: float | None = None) -> list[Ear]:
    """What the desk answers, one after the other."""
    return asyncio.run(asked(desk, *map(again, requests), apart=apart))
