"""Whatever a client sends to Anthropic's API, it gets an answer in that API's shape."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from typing import Any

import pytest
from anthropic_bodies import (
    CACHED,
    NEW,
    OLD,
    THREADS,
    WEATHER,
    body,
    call,
    document,
    image,
    result,
    said,
    tell,
    text,
    user,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from junk import JUNK
from running import application

from llmsim.server.handlers import Application

BETAS = f"{THREADS},context-management-2025-06-27,mcp-client-2025-11-20,compact-2026-09-04"
SIGNED = {"type": "thinking", "thinking": "Hm.", "signature": "A" * 80}
DEFINED = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": WEATHER}}
SEARCHED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
WHOLE: list[dict[str, Any]] = [
    body(
        user(text(**CACHED), image(), document(citations={"enabled": True}, title="t")),
        said(SIGNED, text(), call(city="Oslo")),
        user(result(content=[text(), image()]), text()),
        tools=[
            WEATHER,
            {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.b"]},
            {"type": "bash_20250124", "name": "bash"},
            {"type": "computer_toolset_20260801"},
        ],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
        system=[text(**CACHED)],
        metadata={"user_id": "u"},
        thinking={"type": "disabled"},
        container={"id": "c"},
        stream=True,
    ),
    body(
        user(),
        {"role": "system", "content": [DEFINED]},
        model="claude-opus-5",
        thread={"type": "create"},
        output_config={"effort": "high", "format": {"type": "json_schema", "schema": {"type": "string"}}},
    ),
    body(
        user({"type": "document", "source": {"type": "content", "content": [text(), image()]}}, text()),
        said(SEARCHED, FOUND, text(citations=[{"type": "char_location"}])),
        user(),
        mcp_servers=[{"type": "url"}],
        context_management={"edits": []},
    ),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in a body."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


PLACES = [(at, path) for at, whole in enumerate(WHOLE) for path in places(whole)]


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches"])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), junk=JUNK, version=st.sampled_from([OLD, NEW]))
def test_junk_anywhere_is_answered_in_anthropic_s_shape(
    app: Application, path: str, place: tuple[int, Any], junk: Any, version: str
) -> None:
    at, steps = place
    sent = copy.deepcopy(WHOLE[at])
    inner: Any = sent
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = junk
    if path.endswith("count_tokens"):
        sent = {name: sent[name] for name in ("model", "messages", "tools", "system", "thinking") if name in sent}
    if path.endswith("batches"):
        sent = {"requests": [{"custom_id": "a", "params": sent}, sent]}
    told = asyncio.run(tell(app, sent, version, BETAS, path))
    assert told.status in (200, 400, 404), told.body
    if told.status != 200:
        assert told.json["error"]["message"]
        assert told.json["request_id"].startswith("req_")
    else:
        assert b"event: error" not in told.body
