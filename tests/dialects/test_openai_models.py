"""The list of models is valid by OpenAI's document and by the types of its SDK; fine-tuned ones can be deleted."""

from __future__ import annotations

import pytest
from inprocess import ask
from openai.types import Model, ModelDeleted
from openapi import assert_fits, assert_known_keys
from running import application

from llmsim import catalogue
from llmsim.server.handlers import Application

TUNED = "ft:gpt-4o-mini-2024-07-18:acme::id"


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


async def test_the_list_is_valid_and_has_all_of_openais_own_models(app: Application) -> None:
    answer = await ask(app, "/v1/models", method="GET")
    assert answer.status == 200
    assert_fits("ListModelsResponse", answer.json)
    assert [entry["id"] for entry in answer.json["data"]] == list(catalogue.names("openai"))
    for entry in answer.json["data"]:
        assert_known_keys(Model.model_validate(entry, strict=True))
        assert "shutdown_date" in entry


@pytest.mark.parametrize("root", ["", "/openai"])
@pytest.mark.parametrize("name", ["gpt-4o", "openai/gpt-4o", TUNED, "claude-sonnet-4-5", "gemini-2.5-pro"])
async def test_one_model_is_valid_and_keeps_the_name_it_was_asked_by(app: Application, name: str, root: str) -> None:
    answer = await ask(app, f"{root}/v1/models/{name}", method="GET")
    assert answer.status == 200
    assert_fits("Model", answer.json)
    assert answer.json["id"] == name


async def test_answers_without_an_exchange_have_ids_of_their_own(app: Application) -> None:
    answers = [await ask(app, "/v1/models", method="GET") for _ in range(2)]
    ids = [dict(answer.headers)[b"x-request-id"] for answer in answers]
    assert ids[0] != ids[1]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_model_that_there_is_not_is_an_error_in_shape(app: Application, method: str) -> None:
    answer = await ask(app, "/v1/models/nobody", method=method)
    assert answer.status == 404
    assert_fits("ErrorResponse", answer.json)
    assert answer.json["error"] == {
        "message": "The model `nobody` does not exist or you do not have access to it.",
        "type": "invalid_request_error",
        "param": None,
        "code": "model_not_found",
    }


async def test_a_fine_tuned_model_is_gone_once_it_is_deleted() -> None:
    app = application()
    answer = await ask(app, f"/v1/models/{TUNED}", method="DELETE")
    assert_fits("DeleteModelResponse", answer.json)
    assert_known_keys(ModelDeleted.model_validate(answer.json, strict=True))
    assert answer.json == {"id": TUNED, "object": "model", "deleted": True}
    for method in ("GET", "DELETE"):
        assert (await ask(app, f"/v1/models/{TUNED}", method=method)).status == 404
    assert (await ask(app, "/v1/models/gpt-4o-mini", method="GET")).status == 200


async def test_a_model_of_openais_own_cannot_be_deleted(app: Application) -> None:
    answer = await ask(app, "/v1/models/gpt-4o", method="DELETE")
    assert answer.status == 403
    assert answer.json["error"] == {
        "message": "You have insufficient permissions for this operation.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


@pytest.mark.parametrize(("path", "allowed"), [("/v1/models", b"GET"), ("/v1/models/gpt-4o", b"DELETE, GET")])
async def test_models_cannot_be_written(app: Application, path: str, allowed: bytes) -> None:
    answer = await ask(app, path, b"{}", "PUT")
    assert answer.status == 405
    assert dict(answer.headers)[b"allow"] == allowed
    assert_fits("ErrorResponse", answer.json)
