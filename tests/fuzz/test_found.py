"""What was once answered by an exception, each as it was sent."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import Any

import pytest
from inprocess import ask
from running import application

from llmsim.dialects import Request
from llmsim.dialects._gemini_uploads import read_parts
from llmsim.errors import Refused, SettingsError
from llmsim.faults import read
from llmsim.schema.document import Document
from llmsim.server.handlers import Application

LONG = "9" * 5000
"""More digits than Python makes a number of (sys.int_info.default_max_str_digits)."""

HELLO = [{"role": "user", "content": "Hello"}]
REFERRED = {"prefixItems": [{"type": "string"}], "items": {"$ref": "#/prefixItems/²"}}
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


def schema(told: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "a", "schema": told}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": HELLO, "response_format": schema({"type": "array", **REFERRED})}),
        (
            "/v1/chat/completions",
            {
                "messages": [{"role": "user", "content": f"A house with {LONG} rooms"}],
                "response_format": schema({"type": "object", "properties": {"rooms": {"type": "integer"}}}),
            },
        ),
        ("/v1/images/generations", {"model": f"gpt-image-{LONG}", "prompt": "a cat"}),
        ("/v1/messages", {"model": f"claude-opus-{LONG}", "max_tokens": 5, "messages": HELLO}),
        (
            f"/v1beta/models/gemini-{LONG}:generateContent",
            {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": PICTURE}}]}]},
        ),
    ],
)
async def test_a_request_is_answered_and_not_failed(app: Application, path: str, body: dict[str, Any]) -> None:
    told = await ask(
        app, path, {"model": "gpt-4o", **body}, anthropic_version="2023-06-01" if "messages" in path else ""
    )
    assert told.status < 500, told.body


async def test_events_after_one_that_is_no_number_are_refused(app: Application) -> None:
    kept = await ask(app, "/v1beta/interactions", {"model": "gemini-2.5-flash", "input": "Hello"})
    told = await ask(app, f"/v1beta/interactions/{kept.json['id']}?stream=true&last_event_id=%C2%B2", method="GET")
    assert told.status == 400


def test_a_fault_whose_status_has_a_digit_of_another_script_is_refused() -> None:
    with pytest.raises(SettingsError, match="4²9"):
        read("4²9")


def test_a_reference_to_a_place_of_another_script_s_digit_leads_nowhere() -> None:
    assert Document({"prefixItems": [{}]}).resolve("#/prefixItems/²") is None


def test_a_body_of_nothing_but_boundaries_takes_no_more_memory_than_it_has() -> None:
    request = Request("POST", "/", headers={b"content-type": b"multipart/related; boundary=a"}, body=b"--a" * 1_000_000)
    tracemalloc.start()
    try:
        with contextlib.suppress(Refused):
            read_parts(request)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(request.body)
    finally:
        tracemalloc.stop()
