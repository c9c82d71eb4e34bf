"""Threads and their messages are kept as OpenAI's API keeps them, and refuse what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.beta import ThreadDeleted
from openai.types.beta.threads import MessageDeleted
from openai_beta import WEATHER, Api, check
from openapi import assert_fits, assert_known_keys
from running import application

HI: dict[str, Any] = {"role": "user", "content": "Hi"}
PARTS: list[Any] = [
    {"type": "text", "text": "What is it? 漢字"},
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
    {"type": "image_file", "image_file": {"file_id": "file-1"}},
]


@pytest.fixture
def api() -> Api:
    return Api(application())


# -- threads


async def test_an_empty_thread_is_valid(api: Api) -> None:
    for body in (b"", b"{}", {"messages": [], "metadata": None, "tool_resources": None}):
        told = await api.told("POST", "/threads", body)
        thread = check(told.json)
        assert thread["id"].startswith("thread_")
        assert (thread["metadata"], thread["tool_resources"]) == ({}, {})
        assert await api.get(f"/threads/{thread['id']}") == thread


async def test_a_thread_may_begin_with_messages(api: Api) -> None:
    thread = await api.thread("one", "two")
    assert [message["content"][0]["text"]["value"] for message in await api.messages(thread)] == ["one", "two"]


async def test_a_thread_can_be_changed(api: Api) -> None:
    thread = await api.thread("one", metadata={"a": "b"})
    resources = {"code_interpreter": {"file_ids": ["file-1"]}}
    changed = check(await api.post(f"/threads/{thread}", tool_resources=resources))
    assert (changed["metadata"], changed["tool_resources"]) == ({"a": "b"}, resources)
    assert check(await api.post(f"/threads/{thread}", metadata={"c": "d"}))["metadata"] == {"c": "d"}
    assert len(await api.messages(thread)) == 1


async def test_a_thread_that_was_deleted_is_gone_with_all_in_it(api: Api) -> None:
    thread = await api.thread("one")
    (message,) = await api.messages(thread)
    gone = await api.delete(f"/threads/{thread}")
    assert_fits("DeleteThreadResponse", gone)
    assert_known_keys(ThreadDeleted.model_validate(gone))
    for path in ("", "/messages", f"/messages/{message['id']}", "/runs"):
        status, error = await api.refused("GET", f"/threads/{thread}{path}")
        assert (status, error["message"]) == (404, f"No thread found with id '{thread}'.")


# -- messages


async def test_a_message_is_valid_and_complete(api: Api) -> None:
    thread = await api.thread()
    made = check(await api.post(f"/threads/{thread}/messages", **HI))
    assert made["id"].startswith("msg_")
    told = {name: made[name] for name in ("thread_id", "role", "status", "run_id", "assistant_id", "attachments")}
    assert told == {
        "thread_id": thread, "role": "user", "status": "completed", "run_id": None, "assistant_id": None,
        "attachments": [],
    }  # fmt: skip
    assert made["content"] == [{"type": "text", "text": {"value": "Hi", "annotations": []}}]
    assert await api.get(f"/threads/{thread}/messages/{made['id']}") == made


async def test_a_message_may_be_of_parts_and_from_the_assistant(api: Api) -> None:
    thread = await api.thread()
    made = check(await api.post(f"/threads/{thread}/messages", role="assistant", content=PARTS, metadata={"a": "b"}))
    assert made["content"] == [
        {"type": "text", "text": {"value": "What is it? 漢字", "annotations": []}},
        PARTS[1],
        {"type": "image_file", "image_file": {"file_id": "file-1", "detail": "auto"}},
    ]
    assert (made["role"], made["metadata"]) == ("assistant", {"a": "b"})


async def test_a_message_may_bring_files(api: Api) -> None:
    attachments = [{"file_id": "file-1", "tools": [{"type": "file_search"}, {"type": "code_interpreter"}]}]
    made = check(await api.post(f"/threads/{await api.thread()}/messages", **HI, attachments=attachments))
    assert made["attachments"] == attachments


async def test_a_messages_metadata_can_be_changed_and_nothing_else(api: Api) -> None:
    thread = await api.thread("one", "two")
    first, _ = await api.messages(thread)
    path = f"/threads/{thread}/messages/{first['id']}"
    assert check(await api.post(path, metadata={"seen": "yes"})) == {**first, "metadata": {"seen": "yes"}}
    assert (await api.messages(thread))[0]["id"] == first["id"]
    status, error = await api.refused("POST", path, content="other")
    assert (status, error["code"]) == (400, "unknown_parameter")


async def test_a_message_that_was_deleted_is_gone(api: Api) -> None:
    thread = await api.thread("one", "two")
    first, second = await api.messages(thread)
    gone = await api.delete(f"/threads/{thread}/messages/{first['id']}")
    assert_fits("DeleteMessageResponse", gone)
    assert_known_keys(MessageDeleted.model_validate(gone))
    assert await api.messages(thread) == [second]
    for method in ("GET", "POST", "DELETE"):
        status, error = await api.refused(method, f"/threads/{thread}/messages/{first['id']}")
        assert (status, error["message"]) == (404, f"No message found with id '{first['id']}'.")


async def test_messages_come_newest_first_in_pages(api: Api) -> None:
    thread = await api.thread(*"abcde")
    first = await api.get(f"/threads/{thread}/messages?limit=2")
    assert_fits("ListMessagesResponse", first)
    assert [one["content"][0]["text"]["value"] for one in first["data"]] == ["e", "d"]
    assert first["has_more"]
    rest = await api.get(f"/threads/{thread}/messages?after={first['last_id']}")
    assert [one["content"][0]["text"]["value"] for one in rest["data"]] == ["c", "b", "a"]


async def test_messages_can_be_asked_for_by_their_run(api: Api) -> None:
    assistant, thread = await api.assistant(), await api.thread("one")
    run = await api.run(thread, assistant)
    (only,) = (await api.get(f"/threads/{thread}/messages?run_id={run['id']}"))["data"]
    assert (only["run_id"], only["role"]) == (run["id"], "assistant")
    assert (await api.get(f"/threads/{thread}/messages?run_id=run_other"))["data"] == []


async def test_what_grows_is_counted(api: Api) -> None:
    """A thread is one entry of the store, at the size it has come to."""
    thread = await api.thread()
    desk_store = api.app.desk.store
    before = desk_store.size
    message = await api.post(f"/threads/{thread}/messages", role="user", content="x" * 100_000)
    assert 100_000 < desk_store.size - before < 101_000
    await api.delete(f"/threads/{thread}/messages/{message['id']}")
    assert desk_store.size == before


async def test_the_oldest_thread_goes_where_there_are_too_many(api: Api) -> None:
    api.app.desk.store.count_limit = 2
    first, second, third = [await api.thread(text) for text in "abc"]
    assert (await api.refused("GET", f"/threads/{first}"))[0] == 404
    for thread in (second, third):
        assert len(await api.messages(thread)) == 1


# -- refusals


def missing(param: str) -> tuple[str, str | None, str | None]:
    return f"Missing required parameter: '{param}'.", param, "missing_required_parameter"


# What is sent; then message, param and code of the refusal.
REFUSALS: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    ({"role": "user"}, *missing("content")),
    ({"content": "Hi"}, *missing("role")),
    ({"role": "user", "content": ""}, "Message content must be non-empty.", "content", None),
    (
        {"role": "user", "content": [{"type": "text", "text": ""}]},
        "Message content must be non-empty.",
        "content[0].text",
        None,
    ),
    (
        {"role": "user", "content": []},
        "Invalid 'content': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        "content",
        "empty_array",
    ),
    (
        {"role": "system", "content": "Hi"},
        "Invalid value: 'system'. Supported values are: 'user' and 'assistant'.",
        "role",
        "invalid_value",
    ),
    (
        {"role": "user", "content": 3},
        "Invalid type for 'content': expected one of a string or array of objects, but got an integer instead.",
        "content",
        "invalid_type",
    ),
    (
        {"role": "user", "content": None},
        "Invalid type for 'content': expected one of a string or array of objects, but got null instead.",
        "content",
        "invalid_type",
    ),
    (
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        "Invalid value: 'input_text'. Supported values are: 'text', 'image_file', and 'image_url'.",
        "content[0].type",
        "invalid_value",
    ),
    ({"role": "user", "content": [{"type": "text"}]}, *missing("content[0].text")),
    (
        {"role": "user", "content": [{"type": "text", "text": {"value": "Hi"}}]},
        "Invalid type for 'content[0].text': expected a string, but got an object instead.",
        "content[0].text",
        "invalid_type",
    ),
    (
        {"role": "user", "content": [{"type": "image_url", "image_url": "https://example.com/a.png"}]},
        "Invalid type for 'content[0].image_url': expected an object, but got a string instead.",
        "content[0].image_url",
        "invalid_type",
    ),
    (
        {"role": "user", "content": [{"type": "image_file", "image_file": {}}]},
        *missing("content[0].image_file.file_id"),
    ),
    (
        {"role": "user", "content": "x" * 256_001},
        "Invalid 'content': string too long. Expected a string with maximum length 256000, but got a string with "
        "length 256001 instead.",
        "content",
        "string_above_max_length",
    ),
    ({**HI, "file_ids": ["file-1"]}, "Unknown parameter: 'file_ids'.", "file_ids", "unknown_parameter"),
    ({**HI, "attachments": [{"tools": []}]}, *missing("attachments[0].file_id")),
    (
        {**HI, "attachments": [{"file_id": "file-1", "tools": [{"type": "function"}]}]},
        "Invalid value: 'function'. Supported values are: 'code_interpreter' and 'file_search'.",
        "attachments[0].tools[0].type",
        "invalid_value",
    ),
    (
        {**HI, "metadata": {"k" * 65: "v"}},
        "Invalid property name in 'metadata': 'kkk...kkk' is too long. Expected a string with maximum length 64, but "
        "got a string with length 65 instead.",
        "metadata." + "k" * 65,
        "property_name_above_max_length",
    ),
    (
        {**HI, "metadata": "x"},
        "Invalid type for 'metadata': expected an object, but got a string instead.",
        "metadata",
        "invalid_type",
    ),
]


@pytest.mark.parametrize(("body", "message", "param", "code"), REFUSALS)
async def test_what_a_message_cannot_be_is_told(
    api: Api, body: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    thread = await api.thread()
    status, error = await api.refused("POST", f"/threads/{thread}/messages", **body)
    assert error == {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert status == 400
    assert await api.messages(thread) == []


async def test_the_messages_of_a_new_thread_are_checked_too(api: Api) -> None:
    status, error = await api.refused("POST", "/threads", messages=[HI, {"role": "tool", "content": "Hi"}])
    assert (status, error["param"]) == (400, "messages[1].role")
    status, error = await api.refused("POST", "/threads", messages=[HI, {**HI, "content": ""}])
    assert (status, error["param"]) == (400, "messages[1].content")


@pytest.mark.parametrize(
    ("path", "param", "prefix"),
    [
        ("/threads/undefined", "thread_id", "thread"),
        ("/threads/thread_x/messages/undefined", "message_id", "msg"),
        ("/threads/thread_x/runs/undefined", "run_id", "run"),
    ],
)
async def test_an_id_of_something_else_is_told_apart(api: Api, path: str, param: str, prefix: str) -> None:
    thread = await api.thread()
    status, error = await api.refused("GET", path.replace("thread_x", thread))
    assert (status, error["param"], error["code"]) == (400, param, "invalid_value")
    assert error["message"] == f"Invalid '{param}': 'undefined'. Expected an ID that begins with '{prefix}'."


async def test_a_busy_thread_takes_no_messages(api: Api) -> None:
    assistant, thread = await api.assistant(tools=[WEATHER]), await api.thread("The weather in Oslo?")
    run = await api.run(thread, assistant)
    status, error = await api.refused("POST", f"/threads/{thread}/messages", **HI)
    assert (status, error["message"], error["param"], error["code"]) == (
        400, f"Can't add messages to {thread} while a run {run['id']} is active.", None, None,
    )  # fmt: skip
    await api.outputs(await api.again(run))
    check(await api.post(f"/threads/{thread}/messages", **HI))
