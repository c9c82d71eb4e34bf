"""Anthropic's list of models, at a path that other providers have too."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_bodies import tell
from inprocess import ask
from running import application

from llmsim import catalogue
from llmsim.server.handlers import Application

EVERY = "&lifecycle[]=active&lifecycle[]=deprecated&lifecycle[]=retired"


@pytest.fixture(scope="module")
def app() -> Application:
    return application()


async def listed(app: Application, query: str = "") -> Any:
    return (await tell(app, b"", path=f"/v1/models{query}", method="GET")).json


async def test_the_list_has_anthropic_s_models_the_newest_first(app: Application) -> None:
    told = await listed(app, f"?limit=1000{EVERY}")
    assert {model["id"] for model in told["data"]} == set(catalogue.names("anthropic"))
    dates = [model["created_at"] for model in told["data"]]
    assert dates == sorted(dates, reverse=True)
    assert (told["has_more"], told["first_id"]) == (False, told["data"][0]["id"])


async def test_pages_go_forth_and_back(app: Application) -> None:
    everything = [model["id"] for model in (await listed(app, f"?limit=1000{EVERY}"))["data"]]
    first = await listed(app, f"?limit=3{EVERY}")
    assert ([model["id"] for model in first["data"]], first["has_more"]) == (everything[:3], True)
    second = await listed(app, f"?limit=3{EVERY}&after_id={first['last_id']}")
    assert [model["id"] for model in second["data"]] == everything[3:6]
    back = await listed(app, f"?limit=2{EVERY}&before_id={second['first_id']}")
    assert ([model["id"] for model in back["data"]], back["has_more"]) == (everything[1:3], True)
    end = await listed(app, f"?after_id={everything[-1]}{EVERY}")
    assert end == {"data": [], "has_more": False, "first_id": None, "last_id": None}
    assert len((await listed(app, f"?{EVERY[1:]}"))["data"]) == 20


async def test_retired_models_are_shown_to_who_asks_for_them(app: Application) -> None:
    usual = {model["lifecycle"] for model in (await listed(app, "?limit=1000"))["data"]}
    assert usual == {"active", "deprecated"}
    for spelled in ("lifecycle", "lifecycle[]", "lifecycle%5B%5D"):
        told = await listed(app, f"?{spelled}=retired")
        assert {model["lifecycle"] for model in told["data"]} == {"retired"}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?limit=0", "limit: Input should be greater than or equal to 1"),
        ("?limit=-5", "limit: Input should be greater than or equal to 1"),
        ("?limit=1001", "limit: Input should be less than or equal to 1000"),
        ("?limit=many", "limit: Input should be a valid integer, unable to parse string as an integer"),
        (f"?limit={'9' * 5000}", "limit: Input should be a valid integer, unable to parse string as an integer"),
        ("?lifecycle=dead", "lifecycle.0: Input should be 'active', 'deprecated' or 'retired'"),
        ("?after_id=nobody", "after_id: no object with the ID 'nobody' was found"),
        ("?after_id=a&before_id=b", "Only one of `before_id` and `after_id` may be specified."),
    ],
)
async def test_a_page_that_cannot_be_is_refused(app: Application, query: str, message: str) -> None:
    told = await listed(app, query)
    assert told["error"] == {"type": "invalid_request_error", "message": message}


async def test_a_model_is_found_by_its_alias(app: Application) -> None:
    told = (await tell(app, b"", path="/v1/models/claude-sonnet-4-5", method="GET")).json
    assert told["id"] == "claude-sonnet-4-5-20250929"
    assert (told["type"], told["lifecycle"], told["line"]) == ("model", "deprecated", "sonnet")
    assert (told["max_input_tokens"], told["max_tokens"]) == (200_000, 64_000)
    thinking = told["capabilities"]["thinking"]["types"]
    assert {kind for kind, support in thinking.items() if support["supported"]} == {"disabled", "enabled"}
    assert told["retires_at"].startswith("2026-11-30T")


@pytest.mark.parametrize("name", ["nobody", "gpt-4o", "x" * 5000])
async def test_a_model_that_is_not_anthropic_s_is_not_found(app: Application, name: str) -> None:
    told = await tell(app, b"", path=f"/v1/models/{name}", method="GET")
    assert (told.status, told.json["error"]) == (404, {"type": "not_found_error", "message": f"model: {name[:200]}"})


async def test_the_header_decides_whose_list_it_is(app: Application) -> None:
    assert "has_more" in await listed(app)
    assert (await ask(app, "/v1/models", method="GET")).json["object"] == "list"
    assert (await ask(app, "/v1/models/gpt-4o", method="GET")).json["object"] == "model"
