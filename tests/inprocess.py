"""Asks the ASGI application in this very process and takes its answer apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from llmsim.server.handlers import Application


@dataclass(slots=True)
class Told:
    """An answer: its status, its headers as they were sent, its body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The JSON of each `data:` line but the end mark."""
        lines = [line.removeprefix(b"data: ") for line in self.body.split(b"\n") if line.startswith(b"data: ")]
        return [orjson.loads(line) for line in lines if line != b"[DONE]"]


async def ask(
    app: Application, path: str, body: Mapping[str, Any] | bytes = b"", method: str = "POST", **headers: str
) -> Told:
    """The application's answer; names of headers are written with underscores."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    sent = {"authorization": "Bearer sk-test", **{name.replace("_", "-"): value for name, value in headers.items()}}
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.request(method, path, content=data, headers=sent)
        return Told(answer.status_code, answer.headers.raw, answer.content)
