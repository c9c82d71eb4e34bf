"""Gemini's list of models: its pages, its items, what it does not know; and whose list a shared path tells."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types
from inprocess import Told, ask
from running import application

from llmsim import catalogue
from llmsim.server.handlers import Application

KEY = {"x-goog-api-key": "k"}
VERSIONS = pytest.mark.parametrize("version", ["/v1", "/v1beta"])


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


async def get(app: Application, path: str, **headers: str) -> Told:
    return await ask(app, path, b"", "GET", **(headers or KEY))


@VERSIONS
async def test_the_list_has_googles_models_that_can_still_be_asked(app: Application, version: str) -> None:
    told = (await get(app, f"{version}/models?pageSize=1000")).json
    assert set(told) == {"models"}
    there = [one for one in catalogue.known() if one.provider == "google" and one.lifecycle != "retired"]
    assert [model["name"] for model in told["models"]] == [f"models/{one.id}" for one in there]
    for model in told["models"]:
        assert set(model) >= {"name", "version", "displayName", "inputTokenLimit", "outputTokenLimit"}
        assert model["supportedGenerationMethods"]


@VERSIONS
async def test_pages_join_to_the_whole_list(app: Application, version: str) -> None:
    whole = (await get(app, f"{version}/models")).json["models"]
    found: list[Any] = []
    token = ""
    while True:
        told = (await get(app, f"{version}/models?pageSize=7&pageToken={token}")).json
        found += told["models"]
        token = told.get("nextPageToken", "")
        if not token:
            break
        assert len(told["models"]) == 7
    assert found == whole


async def test_a_model_is_told_of_by_itself(app: Application) -> None:
    told = (await get(app, "/v1/models/gemini-2.5-flash")).json
    assert told == {
        "name": "models/gemini-2.5-flash",
        "version": "001",
        "displayName": "Gemini 2.5 Flash",
        "description": "Gemini 2.5 Flash, as llmsim simulates it.",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": [
            "generateContent",
            "countTokens",
            "createCachedContent",
            "batchGenerateContent",
        ],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }
    listed = (await get(app, "/v1/models?pageSize=1000")).json["models"]
    assert told in listed


async def test_a_model_that_embeds_says_so(app: Application) -> None:
    told = (await get(app, "/v1beta/models/gemini-embedding-001")).json
    assert "embedContent" in told["supportedGenerationMethods"]
    assert "generateContent" not in told["supportedGenerationMethods"]
    assert "thinking" not in told


REFUSED = [
    (
        "/v1beta/models/nope",
        404,
        "NOT_FOUND",
        "models/nope is not found for API version v1beta, or is not supported for generateContent. Call ListModels to "
        "see the list of available models and their supported methods.",
    ),
    (
        "/v1/models/gpt-4o",
        404,
        "NOT_FOUND",
        "models/gpt-4o is not found for API version v1, or is not supported for generateContent. Call ListModels to "
        "see the list of available models and their supported methods.",
    ),
    ("/v1beta/models?pageToken=x", 400, "INVALID_ARGUMENT", "Page token is invalid."),
    ("/v1beta/models?pageToken=%C3%A9%F0%9F%8E%89", 400, "INVALID_ARGUMENT", "Page token is invalid."),
    ("/v1beta/models?pageSize=ten", 400, "INVALID_ARGUMENT", "Invalid value at 'page_size' (TYPE_INT32), \"ten\""),
    ("/v1beta/models?pageSize=-1", 400, "INVALID_ARGUMENT", "Invalid value at 'page_size' (TYPE_INT32), \"-1\""),
    ("/v1beta/tunedModels/mine", 404, "NOT_FOUND", "Tuned model tunedModels/mine does not exist."),
]


@pytest.mark.parametrize(("path", "status", "code", "message"), REFUSED)
async def test_what_there_is_not_is_refused(app: Application, path: str, status: int, code: str, message: str) -> None:
    told = await get(app, path)
    error = told.json["error"]
    details = error.pop("details", None)
    assert (told.status, error) == (status, {"code": status, "message": message, "status": code})
    if "pageSize" in path:
        violation = {"field": "page_size", "description": message}
        assert details == [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]


WHOSE: Any = [
    ({"x-goog-api-key": "k"}, {"/v1/models": {"models", "nextPageToken"}, "/v1/files": set()}),
    (
        {"anthropic-version": "2023-06-01", "x-api-key": "k"},
        {"/v1/models": {"data", "has_more", "first_id", "last_id"}, "/v1/files": {"data", "next_page"}},
    ),
    ({"authorization": "Bearer k"}, {"/v1/models": {"data", "object"}, "/v1/files": {"data", "object"}}),
]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/files"])
@pytest.mark.parametrize(("headers", "keys"), WHOSE)
async def test_a_path_of_three_providers_is_answered_by_the_one_whose_client_asks(
    app: Application, path: str, headers: dict[str, str], keys: dict[str, set[str]]
) -> None:
    told = set((await get(app, path, **headers)).json)
    assert told <= keys[path] | {"first_id", "last_id", "has_more"}
    assert ("object" in told, "models" in told) == ("authorization" in headers, "models" in keys[path])


async def test_a_key_in_the_query_is_googles_too(app: Application) -> None:
    assert "models" in (await get(app, "/v1/models?key=k", accept="*/*")).json


async def test_every_field_is_one_that_the_client_knows(app: Application) -> None:
    for model in (await get(app, "/v1beta/models?pageSize=1000")).json["models"]:
        model["supportedActions"] = model.pop("supportedGenerationMethods")
        types.Model.model_validate(model, extra="forbid")
