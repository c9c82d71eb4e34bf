"""Which requests have to be served where what clients have left is kept."""

from __future__ import annotations

import pytest

from llmsim.dialects import Request, kinds
from llmsim.server.cluster.stateful import KEPT_APIS, stateful
from llmsim.server.routes import Routes

ROUTES = Routes([made() for made in kinds().values()])


@pytest.mark.parametrize(
    ("method", "path", "body", "kept"),
    [
        ("POST", "/v1/chat/completions", b'{"model":"gpt-4o","messages":[]}', False),
        ("POST", "/v1/chat/completions", b'{"model":"gpt-4o","messages":[],"store": true}', True),
        ("GET", "/v1/chat/completions", b"", True),
        ("POST", "/v1/responses", b'{"input":"x"}', True),
        ("POST", "/v1/responses", b'{"input":"x","store": false}', False),
        ("POST", "/v1/responses", b'{"input":"x","store":false,"previous_response_id":"resp_1"}', True),
        ("POST", "/v1/files", b"", True),
        ("POST", "/v1/threads/thread_1/runs", b"{}", True),
        ("POST", "/v1/messages", b'{"messages":[]}', False),
        ("POST", "/v1/messages", b'{"messages":[{"cache_control":{}}]}', True),
        ("POST", "/v1/messages/batches", b"{}", True),
        ("POST", "/v1beta/models/gemini-2.5-pro:generateContent", b'{"contents":[]}', False),
        ("POST", "/v1beta/models/gemini-2.5-pro:generateContent", b'{"cachedContent":"cachedContents/1"}', True),
        ("GET", "/v1/models", b"", False),
        ("DELETE", "/v1/models/ft:gpt-4o", b"", True),
    ],
)
def test_a_request_is_kept_together_with_what_it_is_about(method: str, path: str, body: bytes, kept: bool) -> None:
    found = ROUTES.find(Request(method, path, body=body))
    assert found is not None
    assert stateful(*found, body) is kept


def test_every_api_that_is_named_is_one_there_is() -> None:
    assert not KEPT_APIS - kinds().keys()
