"""Chat completions that were made to be stored are listed, shown, changed and deleted, as OpenAI's document has it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from inprocess import Told, ask
from openai.types.chat import ChatCompletionDeleted
from openapi import assert_fits, assert_known_keys
from running import application

from llmsim.dialects import Request
from llmsim.dialects._openai_stored_chat import KIND
from llmsim.dialects.openai_chat import ChatEncoder, OpenAIChat
from llmsim.server.handlers import Application

PATH = "/v1/chat/completions"
HI: Any = {"role": "user", "content": "Hi"}


@pytest.fixture
def app() -> Application:
    return application(generator="lorem")


async def made(app: Application, **fields: Any) -> str:
    """The id of a new completion that is stored."""
    answer = await ask(app, PATH, {"model": "gpt-4o", "messages": [HI], "store": True, **fields})
    assert answer.status == 200
    return str((answer.events[0] if fields.get("stream") else answer.json)["id"])


async def get(app: Application, path: str = "") -> Told:
    return await ask(app, PATH + path, method="GET")


async def listed(app: Application, query: str = "") -> list[str]:
    answer = await get(app, query)
    if answer.json["data"]:  # the document has no words for the first of none
        assert_fits("ChatCompletionList", answer.json)
    return [one["id"] for one in answer.json["data"]]


# -- what is stored


async def test_a_stored_completion_is_the_one_that_was_sent(app: Application) -> None:
    sent = await ask(app, PATH, {"model": "gpt-4o", "messages": [HI], "store": True, "metadata": {"a": "b"}})
    kept = (await get(app, f"/{sent.json['id']}")).json
    assert_fits("CreateChatCompletionResponse", kept)
    assert {name: kept[name] for name in sent.json} == sent.json
    assert (kept["metadata"], kept["object"]) == ({"a": "b"}, "chat.completion")
    assert kept["request_id"] == dict(sent.headers)[b"x-request-id"].decode()


async def test_the_same_request_with_the_same_seed_is_stored_each_time(app: Application) -> None:
    ids = [await made(app, seed=5) for _ in range(3)]
    assert await listed(app) == ids


async def test_a_stored_completion_tells_how_it_was_asked_for(app: Application) -> None:
    id = await made(app, temperature=0.5, seed=7, user="u")
    kept = (await get(app, f"/{id}")).json
    asked = {name: kept[name] for name in ("temperature", "seed", "input_user", "top_p", "tools", "response_format")}
    assert asked == {
        "temperature": 0.5,
        "seed": 7,
        "input_user": "u",
        "top_p": 1.0,
        "tools": None,
        "response_format": None,
    }


@pytest.mark.parametrize(
    "fields", [{}, {"n": 2, "logprobs": True}, {"stream_options": {"include_usage": True}}], ids=str
)
async def test_a_streamed_one_is_kept_in_the_form_of_a_whole_one(app: Application, fields: Any) -> None:
    app.simulator.change(generator="echo")
    id = await made(app, stream=True, **fields)
    kept = (await get(app, f"/{id}")).json
    assert_fits("CreateChatCompletionResponse", kept)
    assert kept["object"] == "chat.completion"
    assert [choice["message"]["content"] for choice in kept["choices"]] == ["Hi"] * fields.get("n", 1)
    assert kept["usage"]["completion_tokens"] == fields.get("n", 1)


async def test_calls_of_tools_are_kept(app: Application) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    id = await made(app, tools=[tool], stream=True)
    kept = (await get(app, f"/{id}")).json
    assert kept["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "f"
    assert kept["tools"] == [tool]


@pytest.mark.parametrize("store", [False, None])
@pytest.mark.parametrize("stream", [False, True])
async def test_others_are_not_kept(app: Application, store: Any, stream: bool) -> None:
    id = await made(app, store=store, stream=stream)
    assert (await get(app, f"/{id}")).status == 404
    assert await listed(app) == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [{"kind": "refuse", "status": 500}, {"kind": "cut"}], ids=str)
async def test_a_reply_that_came_to_no_end_is_not_kept(app: Application, fault: Any, stream: bool) -> None:
    app.simulator.arm({**fault, "after_tokens": 2})
    body = {"model": "gpt-4o", "messages": [HI], "store": True, "stream": stream}
    with suppress(AssertionError, ConnectionResetError):  # how the transport of these tests tells of a cut
        await ask(app, PATH, body)
    assert app.simulator.store.values(KIND) == []


def test_who_stores_nothing_pays_nothing(app: Application) -> None:
    """Its encoder is the plain one, without a word about storing in it."""
    dialect = next(one for one in app.desk.routes._dialects if isinstance(one, OpenAIChat))
    body = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}'
    exchange = app.simulator.begin(dialect.read(Request("POST", PATH, body=body)))
    assert type(dialect.encoder(exchange)) is ChatEncoder


# -- messages


async def test_the_messages_are_those_of_the_request(app: Application) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    parts = [{"type": "text", "text": "What is that?"}, image]
    calls = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    id = await made(
        app,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "name": "alice", "content": parts},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "call_1", "content": "12"},
        ],
    )
    answer = await get(app, f"/{id}/messages")
    told = answer.json
    assert [one["id"] for one in told["data"]] == [f"{id}-{index}" for index in range(4)]
    assert [(one["role"], one["content"]) for one in told["data"]] == [
        ("system", "Be brief."),
        ("user", None),
        ("assistant", None),
        ("tool", "12"),
    ]
    assert [one["content_parts"] for one in told["data"]] == [None, parts, None, None]
    assert [one["name"] for one in told["data"]] == [None, "alice", None, None]
    assert told["data"][2]["tool_calls"] == calls
    assert (told["first_id"], told["last_id"], told["has_more"]) == (f"{id}-0", f"{id}-3", False)


async def test_a_list_of_the_models_own_messages_is_valid(app: Application) -> None:
    id = await made(app, messages=[{"role": "assistant", "content": "Hello."}])
    answer = await get(app, f"/{id}/messages")
    assert_fits("ChatCompletionMessageList", answer.json)


async def test_messages_come_in_pages(app: Application) -> None:
    id = await made(app, messages=[HI] * 5)
    first = (await get(app, f"/{id}/messages?limit=2")).json
    second = (await get(app, f"/{id}/messages?limit=3&after={first['last_id']}")).json
    assert [one["id"][-2:] for one in first["data"] + second["data"]] == ["-0", "-1", "-2", "-3", "-4"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    newest = (await get(app, f"/{id}/messages?order=desc&limit=1")).json
    assert newest["data"][0]["id"] == f"{id}-4"


# -- the list


async def test_the_list_is_oldest_first_and_in_pages(app: Application) -> None:
    ids = [await made(app) for _ in range(5)]
    assert await listed(app) == ids
    assert await listed(app, "?order=desc") == ids[::-1]
    assert await listed(app, "?limit=2") == ids[:2]
    assert await listed(app, f"?limit=2&after={ids[1]}") == ids[2:4]
    assert (await get(app, f"?after={ids[3]}")).json["has_more"] is False
    assert (await get(app, "?limit=4")).json["has_more"] is True


async def test_the_list_is_of_a_model_and_of_metadata(app: Application) -> None:
    one = await made(app, metadata={"team": "a", "run": "1"})
    two = await made(app, model="gpt-4.1", metadata={"team": "a"})
    three = await made(app)
    assert await listed(app, "?model=gpt-4.1") == [two]
    assert await listed(app, "?metadata[team]=a") == [one, two]
    assert await listed(app, "?metadata%5Bteam%5D=a&metadata%5Brun%5D=1") == [one]
    assert await listed(app, "?metadata[team]=a&model=gpt-4o") == [one]
    assert await listed(app, "?metadata[team]=b") == []
    assert await listed(app, "?model=gpt-4o") == [one, three]


# -- changes


async def test_metadata_can_be_replaced_and_removed(app: Application) -> None:
    id = await made(app, metadata={"a": "b"})
    told = await ask(app, f"{PATH}/{id}", {"metadata": {"x": "y"}})
    assert_fits("CreateChatCompletionResponse", told.json)
    assert told.json["metadata"] == (await get(app, f"/{id}")).json["metadata"] == {"x": "y"}
    assert await listed(app, "?metadata[a]=b") == []
    assert (await ask(app, f"{PATH}/{id}", {"metadata": None})).json["metadata"] == {}


async def test_a_deleted_one_is_gone(app: Application) -> None:
    id = await made(app)
    answer = await ask(app, f"{PATH}/{id}", method="DELETE")
    assert_fits("ChatCompletionDeleted", answer.json)
    assert_known_keys(ChatCompletionDeleted.model_validate(answer.json, strict=True))
    assert answer.json == {"object": "chat.completion.deleted", "id": id, "deleted": True}
    assert (await ask(app, f"{PATH}/{id}", method="DELETE")).status == 404


# -- refusals

UNKNOWN = "Chat completion with id 'chatcmpl-nobody' not found."
REFUSALS: list[tuple[str, str, Any, int, str, str | None, str | None]] = [
    ("GET", "/chatcmpl-nobody", b"", 404, UNKNOWN, None, None),
    ("DELETE", "/chatcmpl-nobody", b"", 404, UNKNOWN, None, None),
    ("POST", "/chatcmpl-nobody", {"metadata": {}}, 404, UNKNOWN, None, None),
    ("GET", "/chatcmpl-nobody/messages", b"", 404, UNKNOWN, None, None),
    ("POST", "/ID", {}, 400, "Missing required parameter: 'metadata'.", "metadata", "missing_required_parameter"),
    ("POST", "/ID", {"metadata": {}, "x": 1}, 400, "Unknown parameter: 'x'.", "x", "unknown_parameter"),
    (
        "POST",
        "/ID",
        {"metadata": "a"},
        400,
        "Invalid type for 'metadata': expected an object, but got a string instead.",
        "metadata",
        "invalid_type",
    ),
    (
        "POST",
        "/ID",
        {"metadata": {"a": 1}},
        400,
        "Invalid type for 'metadata.a': expected a string, but got an integer instead.",
        "metadata.a",
        "invalid_type",
    ),
    (
        "GET",
        "?limit=0",
        b"",
        400,
        "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        "limit",
        "integer_below_min_value",
    ),
    (
        "GET",
        "?limit=101",
        b"",
        400,
        "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
        "limit",
        "integer_above_max_value",
    ),
    (
        "GET",
        "?limit=many",
        b"",
        400,
        "Invalid type for 'limit': expected an integer, but got 'many' instead.",
        "limit",
        "invalid_type",
    ),
    (
        "GET",
        "?order=up",
        b"",
        400,
        "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.",
        "order",
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "message", "param", "code"), REFUSALS, ids=str)
async def test_a_mistake_is_told_in_openais_words(
    app: Application, method: str, path: str, body: Any, status: int, message: str, param: str | None, code: str | None
) -> None:
    path = path.replace("ID", await made(app))
    answer = await ask(app, PATH + path, body, method)
    assert_fits("ErrorResponse", answer.json)
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert (answer.status, answer.json["error"]) == (status, error)


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
async def test_a_change_that_is_no_object_is_refused(app: Application, body: bytes) -> None:
    answer = await ask(app, f"{PATH}/{await made(app)}", body)
    assert answer.status == 400
    assert "could not parse the JSON body" in answer.json["error"]["message"]


async def test_what_is_kept_counts_for_its_size(app: Application) -> None:
    before = app.simulator.store.size
    await made(app, messages=[{"role": "user", "content": "word " * 1000}])
    assert app.simulator.store.size - before > 5000
