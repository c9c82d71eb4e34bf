"""Built-in tools are accepted, and leave the items and the events that they leave at OpenAI where they are forced."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from inprocess import Told, ask
from responses_judges import assert_events, assert_response, kinds_of
from running import application

from llmsim import media
from llmsim.server.handlers import Application

PATH = "/v1/responses"
FUNCTION: Any = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
MCP: Any = {
    "type": "mcp",
    "server_label": "deep",
    "server_url": "https://mcp.example",
    "allowed_tools": ["ask", "read"],
}
OPEN_MCP: Any = {**MCP, "require_approval": "never"}

WEB: Any = {"type": "web_search"}
PREVIEW: Any = {"type": "web_search_preview"}
FILES: Any = {"type": "file_search", "vector_store_ids": ["vs_1"]}
CODE: Any = {"type": "code_interpreter", "container": {"type": "auto"}}
IMAGE: Any = {"type": "image_generation"}
COMPUTER: Any = {"type": "computer"}
COMPUTER_PREVIEW: Any = {
    "type": "computer_use_preview",
    "environment": "browser",
    "display_width": 1024,
    "display_height": 768,
}
SHELL: Any = {"type": "shell", "environment": {"type": "local"}}
CONTAINER: Any = {"type": "shell", "environment": {"type": "container_auto"}}
LOCAL_SHELL: Any = {"type": "local_shell"}
PATCH: Any = {"type": "apply_patch"}
PROGRAM: Any = {"type": "programmatic_tool_calling"}
SEARCH: Any = {"type": "tool_search"}

# The tool, and the types of the items that its use leaves.
USES: dict[str, tuple[Any, list[str]]] = {
    "web search": (WEB, ["web_search_call", "message"]),
    "web search preview": (PREVIEW, ["web_search_call", "message"]),
    "dated web search": ({"type": "web_search_2025_08_26"}, ["web_search_call", "message"]),
    "file search": (FILES, ["file_search_call", "message"]),
    "code interpreter": (CODE, ["code_interpreter_call", "message"]),
    "image": ({**IMAGE, "partial_images": 2, "size": "1024x1536"}, ["image_generation_call", "message"]),
    "mcp": (OPEN_MCP, ["mcp_list_tools", "mcp_call", "message"]),
    "mcp with approval": (MCP, ["mcp_list_tools", "mcp_approval_request"]),
    "computer": (COMPUTER, ["computer_call"]),
    "computer preview": (COMPUTER_PREVIEW, ["computer_call"]),
    "shell": (SHELL, ["shell_call"]),
    "shell without a place": ({"type": "shell"}, ["shell_call"]),
    "shell in a container": (CONTAINER, ["shell_call", "shell_call_output", "message"]),
    "local shell": (LOCAL_SHELL, ["local_shell_call"]),
    "patch": (PATCH, ["apply_patch_call"]),
    "program": (PROGRAM, ["program", "program_output", "message"]),
    "tool search": (SEARCH, ["tool_search_call", "tool_search_output", "message"]),
}

EVENTS = {
    "web search": ["web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed"],
    "file search": ["file_search_call.in_progress", "file_search_call.searching", "file_search_call.completed"],
    "code interpreter": [
        "code_interpreter_call.in_progress",
        "code_interpreter_call_code.delta",
        "code_interpreter_call_code.done",
        "code_interpreter_call.interpreting",
        "code_interpreter_call.completed",
    ],
    "image": [
        "image_generation_call.in_progress",
        "image_generation_call.generating",
        "image_generation_call.partial_image",
        "image_generation_call.completed",
    ],
    "mcp": [
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "output_item.done",
        "output_item.added",
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.done",
        "mcp_call.completed",
    ],
    "shell": ["shell_call_command.added", "shell_call_command.delta", "shell_call_command.done"],
    "shell in a container": [
        "shell_call_command.added",
        "shell_call_command.delta",
        "shell_call_command.done",
        "output_item.done",
        "output_item.added",
        "shell_call_output_content.delta",
        "shell_call_output_content.done",
    ],
}


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="lorem")


async def create(app: Application, **fields: Any) -> Told:
    told = await ask(app, PATH, {"model": "gpt-4o", "input": "What became of the Antikythera mechanism?", **fields})
    assert told.status == 200, told.body
    return told


def kinds(response: Any) -> list[str]:
    return [item["type"] for item in response["output"]]


async def output(app: Application, **fields: Any) -> Any:
    told = (await create(app, **fields)).json
    assert_response(told)
    return told["output"]


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5"])
@pytest.mark.parametrize(("tool", "expected"), USES.values(), ids=USES)
async def test_the_only_tool_there_is_is_used_where_one_is_required(
    app: Application, tool: Any, expected: list[str], model: str
) -> None:
    fields = {"model": model, "tools": [tool], "tool_choice": "required"}
    thoughts = ["reasoning"] if model == "gpt-5" else []
    whole = (await create(app, **fields)).json
    assert_response(whole)
    assert kinds(whole) == thoughts + expected
    events = assert_events(await create(app, **fields, stream=True))
    assert kinds(events[-1]["response"]) == thoughts + expected


@pytest.mark.parametrize("name", EVENTS)
async def test_the_use_of_a_tool_has_its_own_events(app: Application, name: str) -> None:
    events = assert_events(await create(app, tools=[USES[name][0]], tool_choice="required", stream=True))
    assert kinds_of(events)[3 : 3 + len(EVENTS[name])] == EVENTS[name]


CHOICES: list[tuple[Any, Any, str]] = [
    ({"type": "web_search_preview"}, PREVIEW, "web_search_call"),
    ({"type": "web_search_preview"}, WEB, "web_search_call"),
    ({"type": "file_search"}, FILES, "file_search_call"),
    ({"type": "code_interpreter"}, CODE, "code_interpreter_call"),
    ({"type": "image_generation"}, IMAGE, "image_generation_call"),
    ({"type": "computer_use_preview"}, COMPUTER_PREVIEW, "computer_call"),
    ({"type": "computer"}, COMPUTER, "computer_call"),
    ({"type": "shell"}, SHELL, "shell_call"),
    ({"type": "apply_patch"}, PATCH, "apply_patch_call"),
    ({"type": "programmatic_tool_calling"}, PROGRAM, "program"),
    ({"type": "mcp", "server_label": "deep"}, OPEN_MCP, "mcp_list_tools"),
    ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}, WEB, "web_search_call"),
]


@pytest.mark.parametrize(("choice", "tool", "expected"), CHOICES)
async def test_a_tool_is_used_where_it_is_named(app: Application, choice: Any, tool: Any, expected: str) -> None:
    assert (await output(app, tools=[FUNCTION, tool], tool_choice=choice))[0]["type"] == expected


@pytest.mark.parametrize("tool", [tool for tool, _ in USES.values()], ids=USES)
async def test_a_tool_is_left_alone_where_nothing_forces_it(app: Application, tool: Any) -> None:
    for choice in ("auto", "none"):
        used = kinds({"output": await output(app, tools=[tool], tool_choice=choice)})
        assert [kind for kind in used if kind != "mcp_list_tools"] == ["message"]


async def test_a_required_choice_prefers_the_client_s_own_functions(app: Application) -> None:
    (call,) = await output(app, tools=[WEB, FUNCTION], tool_choice="required")
    assert (call["type"], call["name"]) == ("function_call", "f")


async def test_the_words_cite_what_was_found(app: Application) -> None:
    for tool, kind in ((WEB, "url_citation"), (FILES, "file_citation")):
        *_, message = await output(app, tools=[tool], tool_choice="required")
        (part,) = message["content"]
        (note,) = part["annotations"]
        assert note["type"] == kind
        if kind == "url_citation":
            assert 0 <= note["start_index"] < note["end_index"] == len(part["text"])


async def test_what_was_found_is_only_told_on_demand(app: Application) -> None:
    wanted = ["web_search_call.action.sources", "file_search_call.results", "code_interpreter_call.outputs"]
    for tool, path in ((WEB, ("action", "sources")), (FILES, ("results",)), (CODE, ("outputs",))):
        for include in ([], wanted):
            value: Any = (await output(app, tools=[tool], tool_choice="required", include=include))[0]
            for step in path:
                value = value.get(step)
            assert bool(value) is bool(include)


async def test_a_search_keeps_to_the_domains_that_are_allowed(app: Application) -> None:
    tool = {**WEB, "filters": {"allowed_domains": ["museum.example"]}}
    *_, message = await output(app, tools=[tool], tool_choice="required")
    assert message["content"][0]["annotations"][0]["url"].startswith("https://museum.example/")


async def test_an_image_has_the_size_that_was_asked_for(app: Application) -> None:
    for size, expected in (("1536x1024", (1536, 1024)), ("auto", (1024, 1024)), ("huge", (1024, 1024))):
        item, _ = await output(app, tools=[{**IMAGE, "size": size}], tool_choice="required")
        assert media.image_size(base64.b64decode(item["result"])) == expected


@pytest.mark.parametrize("pads", [True, False])
@pytest.mark.parametrize("tool", [CODE, OPEN_MCP, CONTAINER], ids=["code", "mcp", "shell"])
async def test_what_tools_say_is_padded_unless_it_is_refused(app: Application, tool: Any, pads: bool) -> None:
    options = {"include_obfuscation": pads}
    told = await create(app, tools=[tool], tool_choice="required", stream=True, stream_options=options)
    deltas = [event for event in told.events if isinstance(event.get("delta"), str)]
    assert all(("obfuscation" in event) is pads for event in deltas)


async def test_no_more_tools_are_used_than_the_client_allows(app: Application) -> None:
    used = await output(app, tools=[WEB], tool_choice="required", max_tool_calls=1)
    assert [item["type"] for item in used] == ["web_search_call", "message"]


# -- the client's part


async def test_a_call_that_was_approved_is_made(app: Application) -> None:
    fields: Any = {"tools": [MCP]}
    first = (await create(app, **fields, tool_choice={"type": "mcp", "server_label": "deep", "name": "read"})).json
    listed, request = first["output"]
    assert (request["type"], request["server_label"], request["name"]) == ("mcp_approval_request", "deep", "read")
    assert "query" in orjson.loads(request["arguments"])
    answer = {"type": "mcp_approval_response", "approval_request_id": request["id"], "approve": True}
    call, message = await output(app, **fields, previous_response_id=first["id"], input=[answer])
    assert (call["type"], call["name"], call["arguments"]) == ("mcp_call", "read", request["arguments"])
    assert (call["approval_request_id"], message["type"]) == (request["id"], "message")
    denied = [{**answer, "approve": False}]
    (message,) = await output(app, **fields, previous_response_id=first["id"], input=denied)
    assert message["type"] == "message"
    stateless = await output(app, **fields, input=[{"role": "user", "content": "x"}, listed, request, answer])
    assert [item["type"] for item in stateless] == ["mcp_call", "message"]


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        (None, True),
        ("always", True),
        ("never", False),
        ({"never": {"tool_names": ["ask"]}}, False),
        ({"never": {"tool_names": ["read"]}}, True),
        ({"always": {"tool_names": ["ask"]}, "never": {"tool_names": ["ask"]}}, True),
    ],
)
async def test_approval_is_asked_where_it_is_wanted(app: Application, rule: Any, asks: bool) -> None:
    used = await output(app, tools=[{**MCP, "require_approval": rule}], tool_choice="required")
    assert used[1]["type"] == ("mcp_approval_request" if asks else "mcp_call")


async def test_a_server_s_tools_are_listed_once(app: Application) -> None:
    first = (await create(app, tools=[OPEN_MCP])).json
    assert kinds(first) == ["mcp_list_tools", "message"]
    assert [tool["name"] for tool in first["output"][0]["tools"]] == ["ask", "read"]
    second = await output(app, tools=[OPEN_MCP], previous_response_id=first["id"])
    assert [item["type"] for item in second] == ["message"]


@pytest.mark.parametrize(
    ("tool", "answer"),
    [
        (SHELL, lambda call: {"output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]}),
        (LOCAL_SHELL, lambda call: {"id": call["call_id"], "output": "a"}),
        (PATCH, lambda call: {"status": "completed", "output": "a"}),
        (COMPUTER, lambda call: {"output": {"type": "computer_screenshot", "image_url": "https://x.example/a.png"}}),
    ],
    ids=["shell", "local shell", "patch", "computer"],
)
async def test_what_the_client_s_tools_gave_is_answered_with_words(app: Application, tool: Any, answer: Any) -> None:
    first = (await create(app, tools=[tool], tool_choice="required")).json
    (call,) = first["output"]
    given = {"type": f"{call['type']}_output", "call_id": call["call_id"], **answer(call)}
    (message,) = await output(app, tools=[tool], previous_response_id=first["id"], input=[given])
    assert message["type"] == "message"
    assert "tool returned" in message["content"][0]["text"]
    unanswered = {"model": "gpt-4o", "input": "x", "previous_response_id": first["id"]}
    refused = await ask(app, PATH, unanswered)
    assert "No tool output found for" in refused.json["error"]["message"]


async def test_tools_that_an_item_brings_can_be_called(app: Application) -> None:
    more = {"type": "additional_tools", "role": "developer", "tools": [FUNCTION]}
    (call,) = await output(
        app, input=[{"role": "user", "content": "x"}, more], tool_choice="required", tools=[FUNCTION]
    )
    assert call["name"] == "f"
    (call,) = await output(app, input=[more, {"role": "user", "content": "x"}])
    assert call["name"] == "f"


async def test_the_same_request_uses_a_tool_in_the_same_way() -> None:
    told = []
    for _ in range(2):
        app = application(generator="lorem", seed=5)
        told.append(
            await output(app, tools=[CODE, FILES], tool_choice="required", include=["code_interpreter_call.outputs"])
        )
    assert told[0] == told[1]
