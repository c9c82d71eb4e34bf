"""Large changes through the control API, with /health asked all the while: how long others wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson

from fuzz.attacks.victim import Victim
from fuzz.attacks.wire import statuses

_WIDE = 110_000
_RESTORED = (("DELETE", "/mocks"), ("DELETE", "/faults"), ("DELETE", "/scenario"))


def _mocks(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"name": f"m{at}", "reply": "x", **fields} for at in range(count)]


def _cases() -> Iterator[tuple[str, str, str, Any]]:
    sixty = {"or": [{"text": f"t{at}"} for at in range(60)]}
    yield "1,600 mocks of 60 conditions", "PUT", "/mocks", _mocks(1_600, when=sixty)
    yield "20,000 mocks", "PUT", "/mocks", _mocks(20_000, when="model:a text:b")
    yield "the same in the settings", "PATCH", "/settings", {"mocks": _mocks(15_000, when="model:a text:b")}
    yield "200 mocks of 999 conditions", "PUT", "/mocks", _mocks(200, when="a " * 999)
    yield "20 mocks of 9,999 replies", "PUT", "/mocks", [{"replies": [""] * 9_999}] * 20
    yield "a value of 200,000", "POST", "/mocks", {"reply": {"json": [{}] * 200_000}}
    yield "a template of 800 KB", "POST", "/mocks", {"reply": {"template": True, "text": "{{ model }}" * 75_000}}
    yield "20,000 expressions", "PUT", "/mocks", _mocks(20_000, when="text:/a.*b{1,9}c/")
    yield "unknown fields", "POST", "/faults", {"kind": "cut", **{f"{at:x}": 1 for at in range(_WIDE)}}
    yield "very many values", "POST", "/verify", [[]] * 2_000_000
    yield "a scenario of 10,000 faults", "POST", "/scenario", {"steps": [{"at": 0.1, "arm": {"kind": "cut"}}] * 10_000}


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    lines = (f"{method} /llmsim{path} HTTP/1.1", "host: 127.0.0.1", "connection: close", f"content-length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


async def large(victim: Victim) -> str:
    """Every one of them; the status of each, the longest that a client beside it waited, and in which of them."""
    told: dict[str, list[str]] = {}
    worst, when = 0.0, ""
    await victim.talk(_request("GET", "/state"))  # what the first call loads is no change's doing
    for name, method, path, body in _cases():
        task = asyncio.ensure_future(victim.talk(_request(method, path, orjson.dumps(body)), 120))
        while not task.done():
            waited = (await victim.look()).health
            worst, when = max((worst, when), (waited, name))
            await asyncio.sleep(0.05)
        told.setdefault(statuses(task.result()), []).append(name)
        if path == "/scenario":
            await asyncio.sleep(1)
            worst, when = max((worst, when), ((await victim.look()).health, name))
        for undo in _RESTORED:
            await victim.talk(_request(*undo))
    listed = "; ".join(f"{outcome}: {', '.join(names)}" for outcome, names in told.items())
    return f"{listed} (another client waited {worst * 1000:.0f} ms at most, during {when})"
