"""A path that several providers have is answered in the words of the one whose client asks."""

from __future__ import annotations

import pytest
from inprocess import ask
from running import application

from llmsim.server.handlers import Application


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


async def test_a_file_put_with_openai_s_key_is_not_taken_for_google_s(app: Application) -> None:
    told = await ask(app, "/v1/files", b"x", "PUT")
    assert told.status == 405
    assert told.json["error"]["code"] == "method_not_supported"
    assert dict(told.headers)[b"allow"] == b"GET, POST"
    assert (await ask(app, "/v1/files", b"x", "PUT", x_goog_api_key="k")).json["file"]


async def test_a_model_deleted_by_anthropic_s_client_is_refused_in_anthropic_s_words(app: Application) -> None:
    told = await ask(app, "/v1/models/claude-opus-4-5", method="DELETE", anthropic_version="2023-06-01", x_api_key="k")
    assert told.status == 405
    assert told.json["type"] == "error"
    assert told.json["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1beta/files?pageSize=%C2%B2", {"x_goog_api_key": "k"}, 400),
        ("/v1beta/files?pageSize=%D9%A1", {"x_goog_api_key": "k"}, 400),
        ("/v1beta/interactions/x?stream=true&last_event_id=%C2%B2", {"x_goog_api_key": "k"}, 404),
        ("/v1/messages/batches?limit=--5", {"anthropic_version": "2023-06-01", "x_api_key": "k"}, 400),
        ("/v1/messages/batches?limit=%D9%A1", {"anthropic_version": "2023-06-01", "x_api_key": "k"}, 400),
        ("/v1/chat/completions?limit=%C2%B2", {}, 400),
    ],
)
async def test_only_digits_of_ascii_are_numbers(
    app: Application, path: str, headers: dict[str, str], status: int
) -> None:
    told = await ask(app, path, method="GET", **headers)
    assert told.status == status
    assert told.json["error"]["message"]


@pytest.mark.parametrize("version", ["v1beta", "v1alpha"])
async def test_what_stands_below_a_version_of_gemini_s_is_gemini_s_without_its_key(
    app: Application, version: str
) -> None:
    told = await ask(app, f"/{version}/nothing", method="GET")
    assert (told.status, told.json["error"]["status"]) == (404, "NOT_FOUND")
    told = await ask(app, f"/{version}/models/nope", method="GET")
    assert f"is not found for API version {version}, or" in told.json["error"]["message"]
    for path, body in {
        "openai/chat/completions": {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "Hi"}]},
        "models/gemini-2.5-flash:generateContent": {"contents": [{"parts": [{"text": "Hi"}]}]},
        "interactions": {"model": "gemini-2.5-flash", "input": "Hi"},
    }.items():
        assert (await ask(app, f"/{version}/{path}", body)).status == 200
