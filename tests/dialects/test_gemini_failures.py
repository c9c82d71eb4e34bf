"""Failures of Gemini have Google's codes, words and details: keys, models, limits, and faults."""

from __future__ import annotations

import pytest
from gemini_bodies import MODEL, SSE, body, tell, user
from inprocess import ask
from running import application


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize("method", ["generateContent", SSE, "countTokens"])
async def test_a_strict_server_knows_no_strange_model(version: str, method: str) -> None:
    told = await tell(application(strict=True), {"contents": [user()]}, method, "gemini-nobody", version)
    assert told.status == 404
    assert told.json["error"] == {
        "code": 404,
        "message": f"models/gemini-nobody is not found for API version {version}, or is not supported for "
        f"{method.partition('?')[0]}. Call ListModels to see the list of available models and their supported methods.",
        "status": "NOT_FOUND",
    }


@pytest.mark.parametrize("method", ["generateContent", SSE])
async def test_a_model_of_embeddings_generates_nothing(method: str) -> None:
    told = await tell(application(), {"contents": [user()]}, method, "gemini-embedding-001")
    assert (told.status, told.json["error"]["status"]) == (404, "NOT_FOUND")
    assert "is not supported for " + method.partition("?")[0] in told.json["error"]["message"]


async def test_a_strict_server_wants_a_key() -> None:
    told = await tell(application(strict=True), body(), x_goog_api_key="")
    assert (told.status, told.json["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert told.json["error"]["message"].startswith("Method doesn't allow unregistered callers")


async def test_a_key_that_is_not_valid_has_its_reason() -> None:
    words = "API key not valid. Please pass a valid API key."
    one = application()
    one.simulator.arm({"kind": "refuse", "status": 400, "message": words})
    error = (await tell(one, body())).json["error"]
    assert (error["code"], error["message"], error["status"]) == (400, words, "INVALID_ARGUMENT")
    info, localized = error["details"]
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    assert localized["message"] == words


STATUSES = {
    400: (400, "INVALID_ARGUMENT"),
    401: (401, "UNAUTHENTICATED"),
    403: (403, "PERMISSION_DENIED"),
    404: (404, "NOT_FOUND"),
    429: (429, "RESOURCE_EXHAUSTED"),
    500: (500, "INTERNAL"),
    503: (503, "UNAVAILABLE"),
    504: (504, "DEADLINE_EXCEEDED"),
    529: (529, "UNAVAILABLE"),
}


@pytest.mark.parametrize("status", STATUSES)
async def test_each_status_has_its_code(status: int) -> None:
    one = application()
    one.simulator.arm({"kind": "refuse", "status": status})
    told = await tell(one, body())
    assert (told.status, told.json["error"]["status"]) == STATUSES[status]
    assert told.json["error"]["message"]


async def test_a_limit_tells_of_its_quota_and_of_the_wait() -> None:
    one = application(rpm=1)
    await tell(one, body())
    error = (await tell(one, body())).json["error"]
    assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
    kinds = {detail["@type"].rpartition(".")[2]: detail for detail in error["details"]}
    assert set(kinds) == {"Help", "QuotaFailure", "RetryInfo"}
    (violation,) = kinds["QuotaFailure"]["violations"]
    assert (violation["quotaValue"], violation["quotaDimensions"]["model"]) == ("1", MODEL)
    assert kinds["RetryInfo"]["retryDelay"].endswith("s")
    assert 0 < float(kinds["RetryInfo"]["retryDelay"][:-1]) <= 60


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"/v1/models/{MODEL}:generateContent"), ("POST", f"/v1/models/{MODEL}:nothing")]
)
async def test_what_there_is_not_is_not_found(method: str, path: str) -> None:
    told = await ask(application(), path, b"", method=method, x_goog_api_key="AIza-test")
    assert (told.status, told.json["error"]["status"]) == (404, "NOT_FOUND")
