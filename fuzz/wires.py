"""Everything that reads bytes of the wire, and what writes events: forms, images, heads of requests, schemas."""

from __future__ import annotations

import contextlib
from functools import cache
from typing import Any

import orjson

from fuzz.application import Asked, Broken, judge, judge_events
from fuzz.bodies import HEADERS, LOCAL, asked
from fuzz.seeds import CHAT_JSON
from llmsim import media
from llmsim.dialects import Request
from llmsim.dialects._gemini_uploads import read_parts
from llmsim.dialects._multipart import BadForm, read_form
from llmsim.dice import Dice
from llmsim.errors import Refused
from llmsim.generators.structured import UnsatisfiableSchema, value
from llmsim.schema.check import Check
from llmsim.schema.document import Document
from llmsim.server.heads import Heads


def form(data: bytes) -> None:
    """A form with files, as OpenAI's and Anthropic's clients send it, and Google's body in two parts."""
    kind, _, body = data.partition(b"\n")
    with contextlib.suppress(BadForm):
        read_form(b"multipart/form-data; boundary=" + kind, body)
    with contextlib.suppress(Refused):
        read_parts(Request("POST", "/", headers={b"content-type": b"multipart/related; boundary=" + kind}, body=body))


_UPLOADS = (
    ("/openai/v1/files", "openai"),
    ("/openai/v1/images/edits", "openai"),
    ("/openai/v1/audio/transcriptions", "openai"),
    ("/anthropic/v1/files", "anthropic"),
    ("/gemini/upload/v1beta/files", "gemini"),
)


def upload(data: bytes) -> None:
    """The same, through the application."""
    path, provider = _UPLOADS[data[0] % len(_UPLOADS)] if data else _UPLOADS[0]
    sort = b"multipart/related" if provider == "gemini" else b"multipart/form-data"
    headers = {**LOCAL, **HEADERS[provider], b"content-type": sort + b"; boundary=x"}
    judge(provider, asked().ask("POST", path, data[1:], headers=headers), f"POST {path}")


def image(data: bytes) -> None:
    """The size of an image from its first bytes, from base64 and from a data URL."""
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF1234WEBP", b"BM"):
        size = media.image_size(start + data)
        if size is not None:
            media.image_tokens("gpt-4o", *size)
            media.anthropic_image_tokens(*size, "claude-opus-4-5")
            media.gemini_image_tokens(*size, "gemini-2.5-flash")
    told = data.decode("latin-1")
    media.decode_base64(told)
    media.data_url(told, 100)
    media.data_url("data:image/png;base64," + told)


@cache
def _heads() -> Heads:
    return Heads(asked().app.desk.routes)


def head(data: bytes) -> None:
    """What the server takes for the head of a plain request, before any library has read it."""
    _heads().find(data)
    found = _heads().find(b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n" + data)
    if found is not None and found[1] > 46 + len(data):
        raise Broken("a head ends behind its bytes")


def schema(data: bytes) -> None:
    """A JSON Schema: a value that is valid for it, or one sentence why there is none."""
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    if not isinstance(told, dict | bool):
        return
    try:
        made = value(told, Dice(1), budget=60)
    except UnsatisfiableSchema:
        return
    orjson.dumps(made)
    with contextlib.suppress(RecursionError, UnsatisfiableSchema):
        if not Check(Document(told)).holds(told, made):
            raise Broken(f"{made!r} is not valid for {told!r}")


@cache
def _echo() -> Asked:
    return Asked(generator="echo")


_STREAMS: tuple[tuple[str, str, Any], ...] = (
    ("/openai/v1/chat/completions", "openai", lambda text: {**_asks("gpt-4o", text), "stream": True}),
    ("/openai/v1/responses", "openai", lambda text: {"model": "gpt-4o", "input": text, "stream": True}),
    (
        "/anthropic/v1/messages",
        "anthropic",
        lambda text: {**_asks("claude-sonnet-4-5", text), "max_tokens": 500, "stream": True},
    ),
    (
        "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        "gemini",
        lambda text: {"contents": [{"parts": [{"text": text}]}]},
    ),
)


def _asks(model: str, text: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}]}


def events(data: bytes) -> None:
    """What a client wrote comes back as a stream: no line break of its own ends an event, and nothing is lost."""
    text = data.decode("utf-8", "replace")
    for address, provider, make in _STREAMS:
        path, _, query = address.partition("?")
        headers = {**LOCAL, **HEADERS[provider], b"content-type": b"application/json"}
        told = _echo().ask("POST", path, orjson.dumps(make(text)), query, headers)
        judge(provider, told, path)
        if told.status == 200:
            judge_events(told.body, path)


def structured(data: bytes) -> None:
    """A client's schema, through the application."""
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    form = {"type": "json_schema", "json_schema": {"name": "w", "schema": told}}
    headers = {**LOCAL, **HEADERS["openai"], b"content-type": b"application/json"}
    body = orjson.dumps({**CHAT_JSON, "response_format": form})
    judge("openai", asked().ask("POST", "/openai/v1/chat/completions", body, headers=headers), "structured output")
