"""Conversations and their items are kept and shown as OpenAI's API does it, items of every type among them."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from inprocess import Told, ask
from openai.types.conversations import Conversation, ConversationDeletedResource, ConversationItem
from openapi import assert_fits, assert_known_keys
from pydantic import TypeAdapter
from running import application

from llmsim.dialects._openai_conversation_items import PREFIXES
from llmsim.dialects._openai_responses_listing import INCLUDED
from llmsim.server.handlers import Application

PATH = "/v1/conversations"
HI: dict[str, Any] = {"role": "user", "content": "Hi"}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SEALED = "gAAAAABhidden"

# An item of each type, with no more than a client must send.
ITEMS: dict[str, dict[str, Any]] = {
    "message": HI,
    "function_call": {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
    "function_call_output": {"type": "function_call_output", "call_id": "call_1", "output": "Sunny."},
    "custom_tool_call": {"type": "custom_tool_call", "call_id": "call_2", "name": "c", "input": "x"},
    "custom_tool_call_output": {"type": "custom_tool_call_output", "call_id": "call_2", "output": "y"},
    "reasoning": {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
    "file_search_call": {"type": "file_search_call", "id": "fs_1", "queries": ["weather"]},
    "web_search_call": {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "weather"}},
    "image_generation_call": {"type": "image_generation_call", "id": "ig_1", "result": "aaaa"},
    "code_interpreter_call": {
        "type": "code_interpreter_call", "id": "ci_1", "container_id": "cntr_1", "code": "1 + 1",
        "outputs": [{"type": "logs", "logs": "2"}],
    },
    "computer_call": {
        "type": "computer_call", "id": "cu_1", "call_id": "call_3", "action": {"type": "screenshot"},
        "pending_safety_checks": [],
    },
    "computer_call_output": {
        "type": "computer_call_output", "call_id": "call_3",
        "output": {"type": "computer_screenshot", "image_url": PIXEL},
    },
    "local_shell_call": {
        "type": "local_shell_call", "id": "lsh_1", "call_id": "call_4",
        "action": {"type": "exec", "command": ["ls"], "env": {}},
    },
    "local_shell_call_output": {
        "type": "local_shell_call_output", "id": "lsho_1", "output": "a.txt",
    },
    "shell_call": {"type": "shell_call", "call_id": "call_5", "action": {"commands": ["ls"]}},
    "shell_call_output": {
        "type": "shell_call_output", "call_id": "call_5",
        "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
    },
    "apply_patch_call": {
        "type": "apply_patch_call", "call_id": "call_6", "status": "completed",
        "operation": {"type": "delete_file", "path": "a.txt"},
    },
    "apply_patch_call_output": {"type": "apply_patch_call_output", "call_id": "call_6", "status": "completed"},
    "mcp_list_tools": {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": []},
    "mcp_approval_request": {
        "type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "t", "arguments": "{}",
    },
    "mcp_approval_response": {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True},
    "mcp_call": {"type": "mcp_call", "id": "mcp_1", "server_label": "s", "name": "t", "arguments": "{}"},
    "tool_search_call": {"type": "tool_search_call", "arguments": {}},
    "tool_search_output": {"type": "tool_search_output", "tools": []},
    "additional_tools": {"type": "additional_tools", "role": "developer", "tools": []},
    "compaction": {"type": "compaction", "encrypted_content": SEALED},
    "program": {"type": "program", "call_id": "call_7", "code": "1", "fingerprint": "f"},
    "program_output": {"type": "program_output", "call_id": "call_7", "result": "1", "status": "completed"},
    "configuration_update": {"type": "configuration_update", "reasoning": {"effort": "low"}},
}  # fmt: skip

# The document lacks the first of these types, and asks of the others for a field that the SDK does not know.
UNLIKE_THE_DOCUMENT = {"configuration_update", "mcp_approval_response", "local_shell_call_output"}
SDK_ITEM: TypeAdapter[Any] = TypeAdapter(ConversationItem)


class Api:
    """The application as a client sees it."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def told(self, method: str, path: str = "", body: Any = b"") -> Told:
        return await ask(self.app, f"{PATH}{path}", body, method=method)

    async def ok(self, method: str, path: str = "", body: Any = b"") -> Any:
        told = await self.told(method, path, body)
        assert told.status == 200, told.body
        return told.json

    async def refused(self, method: str, path: str = "", body: Any = b"") -> tuple[int, Any]:
        told = await self.told(method, path, body)
        assert set(told.json) == {"error"}, told.body
        return told.status, told.json["error"]

    async def conversation(self, *items: Any) -> str:
        return str((await self.ok("POST", body={"items": list(items)}))["id"])

    async def items(self, id: str, query: str = "order=asc") -> list[Any]:
        return [check(item) for item in (await self.ok("GET", f"/{id}/items?{query}"))["data"]]


@pytest.fixture
def api() -> Api:
    return Api(application())


def check(item: Any) -> Any:
    """Holds an item to be valid by OpenAI's document and known to its SDK."""
    if item["type"] not in UNLIKE_THE_DOCUMENT:
        assert_fits("ConversationItem", item)
    assert_known_keys(SDK_ITEM.validate_python(item))
    return item


def valid(conversation: Any) -> Any:
    assert_fits("ConversationResource", conversation)
    assert_known_keys(Conversation.model_validate(conversation))
    return conversation


# -- conversations


@pytest.mark.parametrize("body", [b"", b"{}", {"items": None, "metadata": None}, {"items": [], "metadata": {}}])
async def test_an_empty_conversation_is_valid(api: Api, body: Any) -> None:
    made = valid(await api.ok("POST", body=body))
    assert made["id"].startswith("conv_")
    assert (made["metadata"], made["object"]) == ({}, "conversation")
    assert await api.ok("GET", f"/{made['id']}") == made
    assert await api.items(made["id"]) == []


async def test_a_conversation_can_be_changed(api: Api) -> None:
    made = await api.ok("POST", body={"items": [HI], "metadata": {"a": "b"}})
    changed = valid(await api.ok("POST", f"/{made['id']}", {"metadata": {"c": "d"}}))
    assert changed == {**made, "metadata": {"c": "d"}}
    assert await api.ok("GET", f"/{made['id']}") == changed
    assert (await api.ok("POST", f"/{made['id']}", {"metadata": None}))["metadata"] == {}
    assert len(await api.items(made["id"])) == 1


async def test_a_conversation_that_was_deleted_is_gone(api: Api) -> None:
    id = await api.conversation(HI)
    gone = await api.ok("DELETE", f"/{id}")
    assert_fits("DeletedConversationResource", gone)
    assert_known_keys(ConversationDeletedResource.model_validate(gone))
    assert gone == {"id": id, "object": "conversation.deleted", "deleted": True}
    for method, path, body in (
        ("GET", "", b""), ("POST", "", {"metadata": {}}), ("DELETE", "", b""), ("GET", "/items", b""),
        ("POST", "/items", {"items": [HI]}), ("GET", "/items/msg_1", b""), ("DELETE", "/items/msg_1", b""),
    ):  # fmt: skip
        status, error = await api.refused(method, f"/{id}{path}", body)
        assert (status, error["message"], error["code"]) == (404, f"Conversation with id '{id}' not found.", None)


# -- items


@pytest.mark.parametrize("kind", ITEMS)
async def test_an_item_of_any_type_gets_an_id_and_what_is_usual(api: Api, kind: str) -> None:
    id = await api.conversation()
    (made,) = (await api.ok("POST", f"/{id}/items", {"items": [ITEMS[kind]]}))["data"]
    check(made)
    assert made["type"] == kind
    assert made["id"].startswith(f"{PREFIXES[kind]}_")
    assert await api.ok("GET", f"/{id}/items/{made['id']}") == made
    assert await api.items(id) == [made]


async def test_every_type_there_is_can_be_kept() -> None:
    union = get_args(get_args(ConversationItem)[0])
    kinds = {get_args(model.model_fields["type"].annotation)[0] for model in union}
    assert kinds == set(ITEMS) == set(PREFIXES)


@pytest.mark.parametrize(
    ("message", "content"),
    [
        (HI, [{"type": "input_text", "text": "Hi"}]),
        ({**HI, "role": "developer", "type": "message"}, [{"type": "input_text", "text": "Hi"}]),
        (
            {"role": "assistant", "content": "Yes"},
            [{"type": "output_text", "text": "Yes", "annotations": [], "logprobs": []}],
        ),
        (
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
            [{"type": "refusal", "refusal": "No"}],
        ),
        (
            {"role": "user", "content": [{"type": "input_text", "text": "é漢🚀"}]},
            [{"type": "input_text", "text": "é漢🚀"}],
        ),
    ],
)
async def test_what_is_said_becomes_parts(api: Api, message: Any, content: Any) -> None:
    (made,) = await api.items(await api.conversation(message))
    assert (made["role"], made["status"], made["content"]) == (message["role"], "completed", content)


async def test_ids_and_states_that_a_client_sends_are_kept(api: Api) -> None:
    told = {
        "type": "message", "id": "msg_own", "role": "assistant", "status": "incomplete", "phase": "commentary",
        "content": [{"type": "output_text", "text": "Ye", "annotations": []}],
    }  # fmt: skip
    (made,) = await api.items(await api.conversation(told))
    assert (made["id"], made["status"], made["phase"]) == ("msg_own", "incomplete", "commentary")


async def test_items_are_told_as_they_were_sent(api: Api) -> None:
    id = await api.conversation({**HI, "content": "zero"})
    sent = [{**HI, "content": text} for text in ("one", "two")]
    told = await api.ok("POST", f"/{id}/items", {"items": sent})
    assert_fits("ConversationItemList", told)
    assert [item["content"][0]["text"] for item in told["data"]] == ["one", "two"]
    assert (told["first_id"], told["last_id"], told["has_more"]) == (
        told["data"][0]["id"], told["data"][1]["id"], False,
    )  # fmt: skip
    assert [item["content"][0]["text"] for item in await api.items(id)] == ["zero", "one", "two"]


async def test_an_item_that_was_deleted_leaves_the_conversation(api: Api) -> None:
    made = await api.ok("POST", body={"items": [HI, {**HI, "content": "two"}], "metadata": {"a": "b"}})
    first, second = await api.items(made["id"])
    assert valid(await api.ok("DELETE", f"/{made['id']}/items/{first['id']}")) == made
    assert await api.items(made["id"]) == [second]
    for method in ("GET", "DELETE"):
        status, error = await api.refused(method, f"/{made['id']}/items/{first['id']}")
        assert (status, error["message"]) == (404, f"Item with id '{first['id']}' not found.")


async def test_items_come_newest_first_in_pages(api: Api) -> None:
    id = await api.conversation(*({**HI, "content": text} for text in "abcde"))
    first = await api.ok("GET", f"/{id}/items?limit=2")
    assert_fits("ConversationItemList", first)
    assert [item["content"][0]["text"] for item in first["data"]] == ["e", "d"]
    assert (first["last_id"], first["has_more"]) == (first["data"][1]["id"], True)
    rest = await api.ok("GET", f"/{id}/items?after={first['last_id']}&limit=100")
    assert ([item["content"][0]["text"] for item in rest["data"]], rest["has_more"]) == (["c", "b", "a"], False)


async def test_what_grows_and_shrinks_is_counted(api: Api) -> None:
    store = api.app.desk.store
    id = await api.conversation()
    before = store.size
    item = {**HI, "content": "x" * 100_000}
    (made,) = (await api.ok("POST", f"/{id}/items", {"items": [item]}))["data"]
    assert 100_000 < store.size - before < 100_500
    await api.ok("DELETE", f"/{id}/items/{made['id']}")
    await api.ok("POST", f"/{id}", {"metadata": {"k": "v" * 100}})
    assert store.size - before == 106
    await api.ok("DELETE", f"/{id}")
    assert len(store) == 0


# -- what has to be asked for

HIDDEN: list[tuple[str, dict[str, Any], tuple[Any, ...], Any]] = [
    (
        "file_search_call.results",
        {**ITEMS["file_search_call"], "results": [{"file_id": "file-1", "text": "Sunny."}]},
        ("results",),
        [{"file_id": "file-1", "text": "Sunny."}],
    ),
    ("code_interpreter_call.outputs", ITEMS["code_interpreter_call"], ("outputs", 0, "logs"), "2"),
    (
        "reasoning.encrypted_content",
        {**ITEMS["reasoning"], "encrypted_content": SEALED},
        ("encrypted_content",),
        SEALED,
    ),
    (
        "message.input_image.image_url",
        {"role": "user", "content": [{"type": "input_image", "image_url": PIXEL, "detail": "low"}]},
        ("content", 0, "image_url"),
        PIXEL,
    ),
    ("computer_call_output.output.image_url", ITEMS["computer_call_output"], ("output", "image_url"), PIXEL),
    (
        "web_search_call.action.sources",
        {
            **ITEMS["web_search_call"],
            "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://example.com"}]},
        },
        ("action", "sources", 0, "url"),
        "https://example.com",
    ),
    (
        "message.output_text.logprobs",
        {
            "role": "assistant",
            "content": [
                {
                    "type": "output_text",
                    "text": "Yes",
                    "logprobs": [{"token": "Yes", "logprob": -0.1, "bytes": [89], "top_logprobs": []}],
                }
            ],
        },
        ("content", 0, "logprobs", 0, "token"),
        "Yes",
    ),
]


def found(value: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


@pytest.mark.parametrize(("name", "item", "way", "full"), HIDDEN)
async def test_some_things_are_shown_where_they_are_asked_for(
    api: Api, name: str, item: Any, way: tuple[Any, ...], full: Any
) -> None:
    id = await api.conversation()
    (made,) = (await api.ok("POST", f"/{id}/items", {"items": [item]}))["data"]
    assert found(made, way) is None
    for query, expected in (("", None), (f"include[]={name}&include[]=reasoning.encrypted_content", full)):
        (listed,) = await api.items(id, query)
        assert found(listed, way) == expected
        assert await api.ok("GET", f"/{id}/items/{made['id']}?{query}") == listed


async def test_what_is_made_with_an_include_is_shown_with_it(api: Api) -> None:
    id = await api.conversation()
    path = f"/{id}/items?include=code_interpreter_call.outputs"
    (made,) = (await api.ok("POST", path, {"items": [ITEMS["code_interpreter_call"]]}))["data"]
    assert made["outputs"] == [{"type": "logs", "logs": "2"}]


# -- refusals


def missing(param: str) -> tuple[str, str | None, str | None]:
    return f"Missing required parameter: '{param}'.", param, "missing_required_parameter"


def without(kind: str, name: str) -> dict[str, Any]:
    return {key: value for key, value in ITEMS[kind].items() if key != name}


# The items that are sent; then message, param and code of the refusal.
REFUSALS: list[tuple[Any, str, str | None, str | None]] = [
    ([], "Invalid 'items': empty array. Expected an array with minimum length 1, but got an empty array instead.",
     "items", "empty_array"),
    ([HI] * 21, "Invalid 'items': array too long. Expected an array with maximum length 20, but got an array with "
     "length 21 instead.", "items", "array_above_max_length"),
    ({}, "Invalid type for 'items': expected an array of objects, but got an object instead.", "items", "invalid_type"),
    ("Hi", "Invalid type for 'items': expected an array of objects, but got a string instead.",
     "items", "invalid_type"),
    ([{"content": "Hi"}], "Invalid value: ''. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
     "items[0]", "invalid_value"),
    ([{"role": "user"}], *missing("items[0].content")),
    ([HI, {"role": "tool", "content": "Hi"}],
     "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
     "items[1]", "invalid_value"),
    ([{**HI, "name": "Ann"}], "Unknown parameter: 'items[0].name'.", "items[0].name", "unknown_parameter"),
    ([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
     "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', 'input_audio', 'output_text', "
     "'refusal', 'input_file', 'computer_screenshot', 'summary_text', and 'encrypted_content'.",
     "items[0].content[0].type", "invalid_value"),
    ([{"role": "assistant", "content": [{"type": "input_text", "text": "Hi"}]}],
     "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
     "items[0].content[0]", "invalid_value"),
    ([{"role": "user", "content": [{"type": "input_image"}]}], *missing("items[0].content[0].image_url")),
    ([HI, {"role": "user", "content": [{"type": "input_image", "image_url": "a.png"}]}],
     "Invalid 'items[1].content[0].image_url'. Expected a valid URL, but got a value with an invalid format.",
     "items[1].content[0].image_url", "invalid_value"),
    ([without("function_call", "call_id")], *missing("items[0].call_id")),
    ([without("function_call", "arguments")], *missing("items[0].arguments")),
    ([{**ITEMS["function_call"], "arguments": {}}],
     "Invalid type for 'items[0].arguments': expected a string, but got an object instead.",
     "items[0].arguments", "invalid_type"),
    ([without("function_call_output", "output")], *missing("items[0].output")),
    ([{**ITEMS["function_call"], "id": "call_1"}],
     "Invalid 'items[0].id': 'call_1'. Expected an ID that begins with 'fc'.", "items[0].id", "invalid_value"),
    ([HI, without("file_search_call", "id")], *missing("items[1].id")),
    ([without("reasoning", "id")], *missing("items[0].id")),
    ([{"type": "compaction_trigger"}], "Invalid item", "item", "invalid_item"),
    ([{"type": "item_reference", "id": "msg_no"}], "Item with id 'msg_no' not found.", None, None),
    ([{**HI, "type": "message", "id": "msg_1"}, {**HI, "type": "message", "id": "msg_1"}],
     "Duplicate item found with id msg_1. Remove duplicate items from your input and try again.", "items", None),
]  # fmt: skip


@pytest.mark.parametrize(("items", "message", "param", "code"), REFUSALS)
async def test_what_an_item_cannot_be_is_told(
    api: Api, items: Any, message: str, param: str | None, code: str | None
) -> None:
    id = await api.conversation({**HI, "content": "zero"})
    status, error = await api.refused("POST", f"/{id}/items", {"items": items})
    assert error == {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert status == (404 if message.endswith("not found.") else 400)
    assert len(await api.items(id)) == 1


async def test_an_item_that_is_there_is_not_taken_twice(api: Api) -> None:
    id = await api.conversation(HI)
    (item,) = await api.items(id)
    status, error = await api.refused("POST", f"/{id}/items", {"items": [item]})
    assert (status, error["message"]) == (
        400, f"Duplicate item found with id {item['id']}. Remove duplicate items from your input and try again.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "body", "param", "code"),
    [
        ("POST", "", {"bogus": 1}, "bogus", "unknown_parameter"),
        ("POST", "", {"items": [HI] * 21}, "items", "array_above_max_length"),
        ("POST", "", {"items": [{"role": "x", "content": ""}]}, "items[0]", "invalid_value"),
        ("POST", "", {"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
        ("POST", "", {"metadata": {str(n): "" for n in range(17)}}, "metadata", "object_above_max_properties"),
        ("POST", "", {"metadata": {"a": "x" * 513}}, "metadata.a", "string_above_max_length"),
        ("POST", "/{id}", {}, "metadata", "missing_required_parameter"),
        ("POST", "/{id}", {"metadata": "x"}, "metadata", "invalid_type"),
        ("POST", "/{id}", {"items": [HI], "metadata": {}}, "items", "unknown_parameter"),
        ("POST", "/{id}/items", {}, "items", "missing_required_parameter"),
        ("POST", "/{id}/items?include[]=all", {"items": [HI]}, "include[0]", "invalid_value"),
        ("GET", "/{id}/items?limit=0", b"", "limit", "integer_below_min_value"),
        ("GET", "/{id}/items?limit=101", b"", "limit", "integer_above_max_value"),
        ("GET", "/{id}/items?order=up", b"", "order", "invalid_value"),
        ("GET", "/{id}/items?after=msg_no", b"", "after", "invalid_value"),
        ("GET", "/{id}/items?include=reasoning", b"", "include[0]", "invalid_value"),
        ("GET", "/thread_1", b"", "conversation_id", "invalid_value"),
    ],
)
async def test_what_a_request_cannot_be_is_told(
    api: Api, method: str, path: str, body: Any, param: str, code: str
) -> None:
    id = await api.conversation()
    status, error = await api.refused(method, path.replace("{id}", id), body)
    assert (status, error["param"], error["code"]) == (400, param, code)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"items":' + b"[" * 1200 + b"]" * 1200 + b"}"])
async def test_a_body_that_is_no_object_is_told(api: Api, body: bytes) -> None:
    status, error = await api.refused("POST", body=body)
    assert status == 400
    assert error["message"].startswith("We could not parse the JSON body of your request.")


async def test_all_that_can_be_included_is_in_the_document() -> None:
    for name in INCLUDED:
        assert_fits("IncludeEnum", name)
