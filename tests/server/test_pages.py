"""A page in a browser may use the APIs as it may use the providers', if it comes from where the operator says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from running import running

from llmsim.errors import SettingsError
from llmsim.server.config import load
from llmsim.server.serve import Runner

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO = [{"role": "user", "content": "Hi"}]
ASKED: dict[str, Any] = {
    "/v1/chat/completions": {"model": "gpt-4o", "messages": HELLO, "stream": True},
    "/v1/responses": {"model": "gpt-4o", "input": "Hi"},
    "/v1beta/models/gemini-2.5-flash:generateContent": {"contents": [{"parts": [{"text": "Hi"}]}]},
    "/v1/messages": {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": HELLO},
}
HERE = {"origin": "http://localhost:5173", "authorization": "Bearer k"}
DIRECT = {"anthropic-version": "2023-06-01", "anthropic-dangerous-direct-browser-access": "true"}
ALLOW = "access-control-allow-origin"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Runner]:
    async with running(origins=("localhost", "https://app.example")) as runner:
        yield runner


@pytest_asyncio.fixture(loop_scope="module")
async def client(server: Runner) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as one:
        yield one


@pytest.mark.parametrize("path", ASKED)
async def test_a_page_of_this_machine_asks_before_and_reads_the_answer(client: httpx.AsyncClient, path: str) -> None:
    wanted = "authorization,content-type,x-stainless-lang"
    before = {"origin": HERE["origin"], "access-control-request-method": "POST"}
    told = await client.options(path, headers={**before, "access-control-request-headers": wanted})
    assert (told.status_code, told.headers[ALLOW], told.content) == (200, "*", b"")
    assert told.headers["access-control-allow-headers"] == wanted
    assert "POST" in told.headers["access-control-allow-methods"]
    marked = DIRECT if path == "/v1/messages" else {}
    answer = await client.post(path, json=ASKED[path], headers={**HERE, **marked})
    assert (answer.status_code, answer.headers.get_list(ALLOW)) == (200, ["*"])
    assert answer.headers["access-control-expose-headers"]


async def test_errors_can_be_read_as_well(client: httpx.AsyncClient) -> None:
    for path in ("/v1/chat/completions", "/v1/nothing"):
        told = await client.post(path, json={}, headers=HERE)
        assert told.status_code in (400, 404)
        assert told.headers[ALLOW] == "*"


@pytest.mark.parametrize(
    "origin", ["https://app.example", "http://127.0.0.1:8000", "http://[::1]:3000", "https://dev.localhost"]
)
async def test_the_pages_that_the_operator_names_are_let_in(client: httpx.AsyncClient, origin: str) -> None:
    assert (await client.get("/v1/models", headers={**HERE, "origin": origin})).headers[ALLOW] == "*"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost.evil.example", "https://app.example.evil", "null", "http://[", "x"],
)
async def test_other_pages_get_no_word_of_it(client: httpx.AsyncClient, origin: str) -> None:
    headers = {**HERE, "origin": origin}
    assert ALLOW not in (await client.get("/v1/models", headers=headers)).headers
    told = await client.options("/v1/models", headers={**headers, "access-control-request-method": "GET"})
    assert (told.status_code, ALLOW in told.headers) == (405, False)


async def test_anthropic_wants_it_said_that_a_browser_has_the_key(client: httpx.AsyncClient) -> None:
    headers = {**HERE, "anthropic-version": "2023-06-01"}
    told = await client.post("/v1/messages", json=ASKED["/v1/messages"], headers=headers)
    assert (told.status_code, ALLOW in told.headers) == (401, False)
    assert told.json()["error"] == {
        "type": "authentication_error",
        "message": "CORS requests must set 'anthropic-dangerous-direct-browser-access' header",
    }
    assert told.headers["request-id"] == told.json()["request_id"]


async def test_the_control_api_is_for_no_page(client: httpx.AsyncClient) -> None:
    for method in ("GET", "OPTIONS"):
        headers = {"origin": HERE["origin"], "access-control-request-method": "GET"}
        told = await client.request(method, "/llmsim/state", headers=headers)
        assert (told.status_code >= 400, ALLOW in told.headers) == (True, False)


async def test_who_is_no_page_sees_nothing_of_it(client: httpx.AsyncClient) -> None:
    told = await client.get("/v1/models", headers={"authorization": "Bearer k"})
    assert not [name for name in told.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/", "https://u@app.example", "http://["])
async def test_what_is_no_origin_is_told_at_the_start(origin: str) -> None:
    with pytest.raises(SettingsError, match="is no origin such as"):
        load(None, {"origins": (origin,)})
