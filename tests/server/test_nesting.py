"""A body that is nested too deeply is refused by every API in its own words, before anything reads it."""

from __future__ import annotations

import pytest
from inprocess import ask
from running import application

from llmsim.server.nesting import DEEPEST, too_deep


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("levels", [1, DEEPEST])
def test_what_is_nested_as_deeply_as_is_allowed_is_read(levels: int) -> None:
    assert not too_deep(nested(levels))
    assert not too_deep(b"[" + b"[]," * 5_000 + nested(levels - 1) + b"]")


@pytest.mark.parametrize("levels", [DEEPEST + 1, 900])
def test_one_level_more_is_refused(levels: int) -> None:
    assert too_deep(nested(levels))
    assert too_deep(b'{"a":' * levels + b"1" + b"}" * levels)


def test_what_is_no_json_is_for_the_dialect_to_refuse() -> None:
    assert not too_deep(b"[" * 5_000)
    assert not too_deep(bytes(range(256)) * 100)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages/batches", "/v1/conversations", "/api/chat"])
async def test_the_provider_s_own_error_says_so(path: str) -> None:
    body = b'{"model":"m","messages":' + nested(300) + b"}"
    told = await ask(application(), path, body, anthropic_version="2023-06-01" if "batches" in path else "")
    assert told.status == 400
    assert b"nested too deeply" in told.body


async def test_the_control_api_says_so_too() -> None:
    told = await ask(application(), "/llmsim/faults", b'{"kind":' + nested(300) + b"}", host="127.0.0.1")
    assert told.status == 400
    assert "at most 200 levels" in told.json["error"]["message"]
