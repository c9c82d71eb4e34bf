"""Replays by the control API: a tape put in while the server runs, seen, and taken out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from replaying import SETTINGS, chat
from running import running
from taped import asked, serving, take

from llmsim.tapes import Writer


@pytest_asyncio.fixture
async def tape(tmp_path: Path) -> Path:
    desk, request = serving(SETTINGS), chat("Hi")
    (ear,) = await asked(desk, request)
    path = tmp_path / "run.jsonl"
    writer = Writer(path)
    writer.write(take(desk, request, ear))
    writer.close()
    return path


@pytest_asyncio.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    async with running(generator="fixed:made up") as runner, httpx.AsyncClient(base_url=runner.url) as client:
        yield client


async def call(api: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await api.request(method, f"/llmsim{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def said(api: httpx.AsyncClient, text: str) -> httpx.Response:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
    return await api.post("/v1/chat/completions", json=body)


async def test_a_tape_is_put_in_seen_and_taken_out_while_the_server_runs(api: httpx.AsyncClient, tape: Path) -> None:
    told = await call(api, "PUT", "/replay", {"tape": str(tape), "mode": "none"}, 201)
    assert (told["takes"], told["mode"]) == (1, "none")
    there, new = await said(api, "Hi"), await said(api, "Ho")
    assert there.json()["choices"][0]["message"]["content"] != "made up"
    assert new.status_code == 404
    told = await call(api, "GET", "/replay")
    assert (told["hits"], told["misses"], told["played"], told["bytes"] > 0) == (1, 1, 1, True)
    (one,) = await call(api, "GET", "/replay/takes")
    assert (one["place"], one["api"], one["model"], one["played"]) == ("run.jsonl line 1", "openai_chat", "gpt-4o", 1)
    (miss,) = await call(api, "GET", "/replay/misses")
    assert miss["request"] == "/v1/chat/completions gpt-4o"
    assert "'Ho' was asked, 'Hi' is on the tape" in miss["why"]
    assert (await call(api, "POST", "/replay/rewind"))["played"] == 0
    await call(api, "DELETE", "/replay")
    assert (await said(api, "Hi")).json()["choices"][0]["message"]["content"] == "made up"
    await call(api, "GET", "/replay", status=404)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "tape: the path of a tape on the server's machine is needed"),
        ({"tape": "nope.jsonl"}, "nope.jsonl: there is no such tape"),
        ({"tape": "nope.jsonl", "mode": "twice"}, "replay: 'twice' is not allowed"),
        ({"tape": "a", "speed": 2}, "speed: there is no such field; there are tape, mode"),
    ],
)
async def test_what_cannot_be_replayed_is_told(api: httpx.AsyncClient, body: Any, sentence: str) -> None:
    told = await call(api, "PUT", "/replay", body, 400)
    assert sentence in told["error"]["message"]
    await call(api, "GET", "/replay", status=404)
