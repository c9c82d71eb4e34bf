"""Sends forms with files to the ASGI application in this very process."""

from __future__ import annotations

from typing import Any

import httpx
from inprocess import Told, ask

from llmsim.server.handlers import Application

Files = list[tuple[str, tuple[str, bytes, str]]]


def encoded(files: Files, **fields: Any) -> tuple[bytes, str]:
    """A form's bytes and its content type; lists are sent as several fields of one name, as the SDKs do."""
    data = {name: value if isinstance(value, list) else str(value) for name, value in fields.items()}
    request = httpx.Request("POST", "http://here", data=data, files=files or [("", ("", b""))])
    return request.read(), request.headers["content-type"]


async def send(app: Application, path: str, files: Files, headers: dict[str, str] | None = None, **fields: Any) -> Told:
    """The application's answer to a form; names of fields with brackets are given as a dictionary's keys."""
    body, kind = encoded(files, **fields)
    return await ask(app, path, body, content_type=kind, **(headers or {}))


def file(data: bytes, name: str = "file.bin", kind: str = "application/octet-stream", field: str = "file") -> Files:
    return [(field, (name, data, kind))]
