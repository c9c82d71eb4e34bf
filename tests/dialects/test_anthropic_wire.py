"""What all of Anthropic's APIs have in common: versions, keys, headers, errors."""

from __future__ import annotations

import re
from typing import Any

import pytest
from anthropic_bodies import NEW, application_at, body, tell
from inprocess import Told, ask
from running import application

from llmsim.clock import ToldClock
from llmsim.dialects import _anthropic_wire as wire
from llmsim.errors import STATUS, Failure
from llmsim.server.handlers import Application


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello")


def headers(told: Told) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in told.headers}


ROUTES = [
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("POST", "/v1/messages/batches"),
    ("GET", "/v1/messages/batches"),
    ("GET", "/v1/messages/batches/x"),
    ("DELETE", "/v1/messages/batches/x"),
    ("POST", "/v1/messages/batches/x/cancel"),
    ("GET", "/v1/messages/batches/x/results"),
    ("GET", "/anthropic/v1/models"),
    ("GET", "/anthropic/v1/models/x"),
    ("POST", "/anthropic/v1/files"),
    ("GET", "/anthropic/v1/files"),
    ("GET", "/anthropic/v1/files/x"),
    ("DELETE", "/anthropic/v1/files/x"),
    ("GET", "/anthropic/v1/files/x/content"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_path_asks_for_the_version(app: Application, method: str, path: str) -> None:
    told = await ask(app, path, {}, method)
    assert told.json["error"] == {
        "type": "invalid_request_error",
        "message": "anthropic-version: header is required",
    }
    for version in ("2023-10-01", f"{NEW}, {NEW}"):
        told = await ask(app, path, {}, method, anthropic_version=version)
        assert told.json["error"]["message"] == f'anthropic-version: "{version}" is not a valid version'
        assert told.status == 400


async def test_a_strict_server_wants_a_key(app: Application) -> None:
    app.simulator.change(strict=True)
    try:
        told = await tell(app, body(), authorization="")
        assert (told.status, told.json["error"]) == (
            401,
            {"type": "authentication_error", "message": "x-api-key header is required"},
        )
        for key in ({"authorization": "Bearer sk-ant"}, {"authorization": "", "x-api-key": "sk-ant"}):
            assert (await tell(app, body(), **key)).status == 200
        told = await tell(app, body(model="claude-nobody"))
        assert (told.status, told.json["error"]) == (
            404,
            {"type": "not_found_error", "message": "model: claude-nobody"},
        )
    finally:
        app.simulator.change(strict=False)


async def test_the_request_s_id_is_in_header_and_body(app: Application) -> None:
    told = await tell(app, {})
    assert re.fullmatch(r"req_011C[A-Za-z0-9]{20}", told.json["request_id"])
    assert headers(told)["request-id"] == told.json["request_id"]
    assert headers(await tell(app, body()))["request-id"] != told.json["request_id"]
    unrouted = await tell(app, {}, path="/v1/messages/x/y/z")
    assert headers(unrouted)["request-id"] == unrouted.json["request_id"]


async def test_the_headers_tell_where_the_key_stands(clock: ToldClock) -> None:
    app = application_at(clock, rpm=2, tpm=10_000)
    told = headers(await tell(app, body(max_tokens=100)))
    assert told["anthropic-ratelimit-requests-limit"] == "2"
    assert told["anthropic-ratelimit-requests-remaining"] == "1"
    assert told["anthropic-ratelimit-requests-reset"] == "2023-11-14T22:13:50Z"
    for sort in ("input-tokens", "output-tokens", "tokens"):
        assert told[f"anthropic-ratelimit-{sort}-limit"] == "10000"
        assert told[f"anthropic-ratelimit-{sort}-remaining"] == "9892"
        assert told[f"anthropic-ratelimit-{sort}-reset"] == "2023-11-14T22:13:21Z"
    assert told["anthropic-organization-id"]


async def test_a_limit_that_is_met_says_how_long_to_wait(clock: ToldClock) -> None:
    app = application_at(clock, rpm=1)
    await tell(app, body())
    told = await tell(app, body())
    assert (told.status, told.json["error"]["type"]) == (429, "rate_limit_error")
    assert "rate limit of 1 requests per minute (org: " in told.json["error"]["message"]
    assert "model: claude-sonnet-4-5)" in told.json["error"]["message"]
    assert (headers(told)["retry-after"], headers(told)["x-should-retry"]) == ("60", "true")


async def test_a_limit_of_tokens_says_so(clock: ToldClock) -> None:
    app = application_at(clock, tpm=150)
    await tell(app, body())
    told = await tell(app, body())
    assert "rate limit of 150 tokens per minute" in told.json["error"]["message"]


async def test_a_prompt_that_is_too_long_is_told_so(app: Application) -> None:
    told = await tell(app, body({"role": "user", "content": "word " * 200_100}))
    assert told.status == 400
    assert re.fullmatch(r"prompt is too long: \d+ tokens > 200000 maximum", told.json["error"]["message"])


TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


@pytest.mark.parametrize(("status", "kind"), TYPES.items())
async def test_each_status_has_its_type(app: Application, status: int, kind: str) -> None:
    app.simulator.change(faults=({"kind": "refuse", "status": status},))
    told = await tell(app, body())
    app.simulator.change(faults=())
    assert (told.status, told.json["type"], told.json["error"]["type"]) == (status, "error", kind)
    assert headers(told)["x-should-retry"] == ("true" if status in (409, 429) or status >= 500 else "false")


def test_every_kind_of_failure_has_words() -> None:
    for kind in STATUS:
        extra: Any = (1000, 2000) if kind == "context_length" else None
        told = wire.error_body(Failure(kind, extra=extra), None)
        assert told["error"]["message"]


def test_a_spending_limit_is_not_worth_waiting_for() -> None:
    told = wire.error_answer(Failure("quota", retry_after=5), None)
    found = dict(told.headers)
    assert b"enforced_spend_limit_reached" in told.body
    assert (found[b"x-should-retry"], b"retry-after" in found) == (b"false", False)


async def test_a_body_that_is_too_large_is_refused_in_anthropic_s_words() -> None:
    app = Application(application().simulator, body_limit=100)
    told = await tell(app, body({"role": "user", "content": "word " * 100}))
    assert (told.status, told.json["error"]) == (
        413,
        {"type": "request_too_large", "message": "Request exceeds the maximum size"},
    )


def test_a_moment_is_told_in_utc() -> None:
    assert wire.timestamp(1_700_000_000) == "2023-11-14T22:13:20Z"
