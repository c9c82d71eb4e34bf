"""Assistants are kept, listed, modified and deleted as OpenAI's API does it, behind its beta header."""

from __future__ import annotations

from typing import Any

import pytest
from inprocess import ask
from openai.types.beta import AssistantDeleted
from openai_beta import BETA, WEATHER, Api, check
from openapi import assert_fits, assert_known_keys
from running import application

FULL: dict[str, Any] = {
    "model": "gpt-4o",
    "name": "Größe",
    "description": "Tells the weather 🌦",
    "instructions": "Be brief.",
    "tools": [
        {"type": "code_interpreter"},
        {"type": "file_search", "file_search": {"max_num_results": 7, "ranking_options": {"score_threshold": 0.5}}},
        WEATHER,
    ],
    "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}, "file_search": {"vector_store_ids": ["vs_1"]}},
    "metadata": {"team": "a"},
    "temperature": 0.2,
    "top_p": 0.9,
    "response_format": {"type": "text"},
}


@pytest.fixture
def api() -> Api:
    return Api(application())


# -- what is told


async def test_an_assistant_that_was_told_nothing_has_the_usual_fields(api: Api) -> None:
    made = check(await api.post("/assistants", model="gpt-4o"))
    assert made["id"].startswith("asst_")
    assert len(made["id"]) == len("asst_") + 24
    assert {name: made[name] for name in made if name not in ("id", "object", "created_at")} == {
        "name": None, "description": None, "model": "gpt-4o", "instructions": None, "tools": [], "top_p": 1.0,
        "temperature": 1.0, "tool_resources": {}, "metadata": {}, "response_format": "auto",
    }  # fmt: skip


async def test_an_assistant_is_as_it_was_told_to_be(api: Api) -> None:
    made = check(await api.post("/assistants", **FULL))
    assert {name: made[name] for name in FULL} == FULL
    assert await api.get(f"/assistants/{made['id']}") == made


async def test_how_hard_to_think_is_taken_and_not_told(api: Api) -> None:
    assert "reasoning_effort" not in check(await api.post("/assistants", model="gpt-5", reasoning_effort="high"))


async def test_tools_have_resources_without_any_being_told(api: Api) -> None:
    tools = [{"type": "code_interpreter"}, {"type": "file_search"}]
    made = check(await api.post("/assistants", model="gpt-4o", tools=tools))
    assert made["tool_resources"] == {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}


# -- changes


async def test_a_change_leaves_the_rest_as_it_was(api: Api) -> None:
    made = await api.post("/assistants", **FULL)
    changed = check(await api.post(f"/assistants/{made['id']}", name="Other", metadata={"team": "b"}))
    assert changed == {**made, "name": "Other", "metadata": {"team": "b"}}
    assert await api.get(f"/assistants/{made['id']}") == changed


async def test_null_takes_a_field_back(api: Api) -> None:
    made = await api.post("/assistants", **FULL)
    changed = check(await api.post(f"/assistants/{made['id']}", instructions=None, temperature=None, tools=None))
    assert (changed["instructions"], changed["temperature"], changed["tools"]) == (None, 1.0, [])


async def test_an_assistant_that_was_deleted_is_gone(api: Api) -> None:
    id = await api.assistant()
    gone = await api.delete(f"/assistants/{id}")
    assert_fits("DeleteAssistantResponse", gone)
    assert_known_keys(AssistantDeleted.model_validate(gone))
    assert gone == {"id": id, "object": "assistant.deleted", "deleted": True}
    for method in ("GET", "POST", "DELETE"):
        status, error = await api.refused(method, f"/assistants/{id}")
        assert (status, error["message"]) == (404, f"No assistant found with id '{id}'.")


# -- lists


async def test_lists_come_newest_first_in_pages(api: Api) -> None:
    ids = [await api.assistant(name=str(number)) for number in range(5)]
    first = await api.get("/assistants?limit=2")
    assert_fits("ListAssistantsResponse", first)
    assert [one["id"] for one in first["data"]] == [ids[4], ids[3]]
    assert (first["first_id"], first["last_id"], first["has_more"]) == (ids[4], ids[3], True)
    rest = await api.get(f"/assistants?after={ids[3]}")
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == ([ids[2], ids[1], ids[0]], False)
    back = await api.get(f"/assistants?before={ids[1]}&limit=2&order=asc")
    assert [one["id"] for one in back["data"]] == [ids[0]]
    assert (await api.get("/assistants?order=asc"))["data"][0]["id"] == ids[0]


async def test_a_list_without_entries_is_one(api: Api) -> None:
    assert await api.get("/assistants") == {
        "object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False,
    }  # fmt: skip


# -- the beta header


async def test_the_beta_header_has_to_be_there() -> None:
    told = await ask(application(), "/v1/assistants", method="GET")
    assert told.status == 400
    assert told.json["error"] == {
        "message": "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by "
        "setting the header 'OpenAI-Beta: assistants=v2'.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_beta",
    }


async def test_the_first_version_is_gone() -> None:
    told = await ask(application(), "/v1/threads", {}, openai_beta="assistants=v1")
    assert told.status == 400
    assert told.json["error"]["message"].startswith("The v1 Assistants API has been deprecated.")
    assert told.json["error"]["code"] == "invalid_beta"


async def test_the_header_may_name_other_betas_besides() -> None:
    assert (await ask(application(), "/v1/threads", {}, openai_beta="realtime=v1, assistants=v2")).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/assistants"), ("GET", "/v1/assistants/asst_x"), ("POST", "/v1/threads"),
        ("GET", "/v1/threads/thread_x/messages"), ("POST", "/v1/threads/runs"), ("POST", "/v1/threads/thread_x/runs"),
        ("GET", "/v1/threads/thread_x/runs/run_x/steps/step_x"), ("POST", "/v1/threads/thread_x/runs/run_x/cancel"),
        ("POST", "/v1/threads/thread_x/runs/run_x/submit_tool_outputs"),
    ],
)  # fmt: skip
async def test_every_path_asks_for_the_header_first(method: str, path: str) -> None:
    told = await ask(application(), path, {}, method=method)
    assert (told.status, told.json["error"]["code"]) == (400, "invalid_beta")


@pytest.mark.parametrize("path", ["/v1/assistants", "/v1/threads", "/v1/threads/runs", "/v1/threads/thread_x/runs"])
async def test_an_api_that_is_switched_off_is_the_404_that_it_is_today(path: str) -> None:
    kinds = ("openai_assistants", "openai_threads", "openai_runs")
    app = application()
    off = type(app)(app.simulator, apis_off=kinds)
    told = await ask(off, path, {}, **BETA)
    assert (told.status, told.json["error"]["message"]) == (404, f"Invalid URL (POST {path})")


# -- refusals


def missing(param: str) -> tuple[str, str | None, str | None]:
    return f"Missing required parameter: '{param}'.", param, "missing_required_parameter"


def with_function(**fields: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": "f", **fields}}]}


STRICT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}

# What is sent beside the model; then message, param and code of the refusal.
REFUSALS: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    ({"model": ""}, "you must provide a model parameter", None, None),
    ({"model": 4}, "Invalid type for 'model': expected a string, but got an integer instead.", "model", "invalid_type"),
    ({"bogus": 1}, "Unknown parameter: 'bogus'.", "bogus", "unknown_parameter"),
    ({"file_ids": ["file-1"]}, "Unknown parameter: 'file_ids'.", "file_ids", "unknown_parameter"),
    (
        {"name": "x" * 257},
        "Invalid 'name': string too long. Expected a string with maximum length 256, but got a string with length 257 "
        "instead.",
        "name",
        "string_above_max_length",
    ),
    (
        {"description": "x" * 513},
        "Invalid 'description': string too long. Expected a string with maximum length 512, but got a string with "
        "length 513 instead.",
        "description",
        "string_above_max_length",
    ),
    (
        {"instructions": "x" * 256_001},
        "Invalid 'instructions': string too long. Expected a string with maximum length 256000, but got a string with "
        "length 256001 instead.",
        "instructions",
        "string_above_max_length",
    ),
    (
        {"temperature": 2.1},
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.1 instead.",
        "temperature",
        "decimal_above_max_value",
    ),
    (
        {"top_p": -1},
        "Invalid 'top_p': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
        "top_p",
        "decimal_below_min_value",
    ),
    (
        {"tools": {"type": "file_search"}},
        "Invalid type for 'tools': expected an array of objects, but got an object instead.",
        "tools",
        "invalid_type",
    ),
    ({"tools": [{}]}, *missing("tools[0].type")),
    (
        {"tools": [{"type": "retrieval"}]},
        "Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'file_search', and 'function'.",
        "tools[0].type",
        "invalid_value",
    ),
    ({"tools": [{"type": "function"}]}, *missing("tools[0].function")),
    (
        with_function(name="get weather"),
        "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern "
        "'^[a-zA-Z0-9_-]+$'.",
        "tools[0].function.name",
        "invalid_value",
    ),
    (
        with_function(parameters={"type": "string"}),
        "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"string\"'.",
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    (
        with_function(parameters=STRICT, strict=True),
        "Invalid schema for function 'f': In context=(), 'additionalProperties' is required to be supplied and to be "
        "false.",
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    (
        {"tools": [WEATHER, WEATHER]},
        "Invalid 'tools': duplicate function name 'get_weather'.",
        "tools",
        "invalid_value",
    ),
    (
        {"tools": [{"type": "code_interpreter"}] * 129},
        "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 "
        "instead.",
        "tools",
        "array_above_max_length",
    ),
    (
        {"tools": [{"type": "file_search"}], "response_format": {"type": "json_object"}},
        "Invalid tools: all tools must be of type `function` when `response_format` is of type `json_object`.",
        "response_format",
        None,
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"items": None}}}},
        "Invalid schema for response_format 'x': In context=('items',), None is not of type 'object', 'boolean'.",
        "response_format",
        None,
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": STRICT}}},
        "Invalid schema for response_format 'x': In context=(), 'additionalProperties' is required to be supplied and "
        "to be false.",
        "response_format",
        None,
    ),
    (
        {"response_format": {"type": "xml"}},
        "Invalid value: 'xml'. Supported values are: 'json_object', 'json_schema', and 'text'.",
        "response_format.type",
        "invalid_value",
    ),
    (
        {"metadata": {"a": 1}},
        "Invalid type for 'metadata.a': expected a string, but got an integer instead.",
        "metadata.a",
        "invalid_type",
    ),
    (
        {"metadata": {str(number): "" for number in range(17)}},
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object "
        "with 17 properties instead.",
        "metadata",
        "object_above_max_properties",
    ),
    (
        {"metadata": {"a": "x" * 513}},
        "Invalid 'metadata.a': string too long. Expected a string with maximum length 512, but got a string with "
        "length 513 instead.",
        "metadata.a",
        "string_above_max_length",
    ),
    (
        {"tool_resources": {"file_search": {"vector_store_ids": ["vs_1", "vs_2"]}}},
        "Invalid 'tool_resources.file_search.vector_store_ids': array too long. Expected an array with maximum length "
        "1, but got an array with length 2 instead.",
        "tool_resources.file_search.vector_store_ids",
        "array_above_max_length",
    ),
    (
        {"model": "gpt-5", "temperature": 0.3},
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "temperature",
        "unsupported_parameter",
    ),
    (
        {"reasoning_effort": "most"},
        "Invalid value: 'most'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'.",
        "reasoning_effort",
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("fields", "message", "param", "code"), REFUSALS)
async def test_what_an_assistant_cannot_be_is_told(
    api: Api, fields: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    status, error = await api.refused("POST", "/assistants", **{"model": "gpt-4o", **fields})
    assert error == {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert status == 400


async def test_an_assistant_needs_a_model(api: Api) -> None:
    status, error = await api.refused("POST", "/assistants", name="A")
    assert (status, error["message"]) == (400, "you must provide a model parameter")


async def test_a_change_that_cannot_be_changes_nothing(api: Api) -> None:
    id = await api.assistant(tools=[WEATHER])
    before = await api.get(f"/assistants/{id}")
    for fields in ({"tools": [{"type": "x"}]}, {"name": 1}, {"model": None}, {"tools": [WEATHER, WEATHER]}):
        assert (await api.refused("POST", f"/assistants/{id}", **fields))[0] == 400
    assert await api.get(f"/assistants/{id}") == before


async def test_an_id_of_something_else_is_told_apart(api: Api) -> None:
    status, error = await api.refused("GET", "/assistants/undefined")
    assert (status, error["param"], error["code"]) == (400, "assistant_id", "invalid_value")
    assert error["message"] == "Invalid 'assistant_id': 'undefined'. Expected an ID that begins with 'asst'."


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"\xff", b"{" + b'"a":[' * 400 + b"]" * 400 + b"}"])
async def test_a_body_that_is_no_object_is_told(api: Api, body: bytes) -> None:
    told = await api.told("POST", "/assistants", body)
    assert told.status == 400
    assert told.json["error"]["message"].startswith("We could not parse the JSON body of your request.")


@pytest.mark.parametrize(
    ("query", "code"),
    [("limit=0", "integer_below_min_value"), ("limit=101", "integer_above_max_value"), ("limit=x", "invalid_type"),
     ("order=up", "invalid_value"), ("after=asst_no", "invalid_value")],
)  # fmt: skip
async def test_a_page_that_cannot_be_is_told(api: Api, query: str, code: str) -> None:
    status, error = await api.refused("GET", f"/assistants?{query}")
    assert (status, error["code"]) == (400, code)
