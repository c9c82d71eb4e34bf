"""The list of models is valid by OpenAI's document and by the types of its SDK."""

from __future__ import annotations

import pytest
from inprocess import ask
from openai.types import Model
from openapi import assert_fits, assert_known_keys
from running import application

from llmsim import catalogue
from llmsim.server.handlers import Application


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


async def test_the_list_is_valid_and_complete(app: Application) -> None:
    answer = await ask(app, "/v1/models", method="GET")
    assert answer.status == 200
    assert_fits("ListModelsResponse", answer.json)
    assert [entry["id"] for entry in answer.json["data"]] == list(catalogue.names())
    for entry in answer.json["data"]:
        assert_known_keys(Model.model_validate(entry, strict=True))
        assert "shutdown_date" in entry


@pytest.mark.parametrize("root", ["", "/openai"])
@pytest.mark.parametrize("name", ["gpt-4o", "openai/gpt-4o", "ft:gpt-4o-mini-2024-07-18:acme::id"])
async def test_one_model_is_valid_and_keeps_the_name_it_was_asked_by(app: Application, name: str, root: str) -> None:
    answer = await ask(app, f"{root}/v1/models/{name}", method="GET")
    assert answer.status == 200
    assert_fits("Model", answer.json)
    assert answer.json["id"] == name


async def test_answers_without_an_exchange_have_ids_of_their_own(app: Application) -> None:
    answers = [await ask(app, "/v1/models", method="GET") for _ in range(2)]
    ids = [dict(answer.headers)[b"x-request-id"] for answer in answers]
    assert ids[0] != ids[1]


async def test_a_model_that_there_is_not_is_an_error_in_shape(app: Application) -> None:
    answer = await ask(app, "/v1/models/nobody", method="GET")
    assert answer.status == 404
    assert_fits("ErrorResponse", answer.json)
    assert answer.json["error"] == {
        "message": "The model `nobody` does not exist or you do not have access to it.",
        "type": "invalid_request_error",
        "param": None,
        "code": "model_not_found",
    }


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/gpt-4o"])
async def test_models_cannot_be_written(app: Application, path: str) -> None:
    answer = await ask(app, path, b"{}", "PUT")
    assert answer.status == 405
    assert dict(answer.headers)[b"allow"] == b"GET"
    assert_fits("ErrorResponse", answer.json)
