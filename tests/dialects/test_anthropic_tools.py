"""Tools of Anthropic's API: the client's own, those that Anthropic defines, and those that the server runs."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_bodies import WEATHER, body, call, result, said, tell, text, user
from inprocess import Told
from running import application

from llmsim.server.handlers import Application

TIME = {"name": "get_time", "description": "Tells the time", "input_schema": {"type": "object", "properties": {}}}
SEARCH: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search"}
FETCH: dict[str, Any] = {"type": "web_fetch_20250910", "name": "web_fetch"}
CODE: dict[str, Any] = {"type": "code_execution_20250825", "name": "code_execution"}


@pytest.fixture(scope="module")
def app() -> Application:
    return application(generator="fixed:Hello there.")


async def kinds(app: Application, words: str, *tools: Any, **fields: Any) -> list[str]:
    told = await tell(app, body(user(text(words)), tools=list(tools), **fields))
    assert told.status == 200, told.body
    return [block["type"] for block in told.json["content"]]


def of(told: Told, kind: str) -> list[Any]:
    return [block for block in told.json["content"] if block["type"] == kind]


# -- the client's own


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        (None, ["get_weather"]),
        ({"type": "auto"}, ["get_weather"]),
        ({"type": "any"}, ["get_weather"]),
        ({"type": "tool", "name": "get_time"}, ["get_time"]),
        ({"type": "none"}, []),
    ],
)
async def test_the_tool_choice_is_followed(app: Application, choice: Any, called: list[str]) -> None:
    more = {"tool_choice": choice} if choice else {}
    told = await tell(app, body(user(text("The weather?")), tools=[WEATHER, TIME], **more))
    assert [block["name"] for block in of(told, "tool_use")] == called
    assert told.json["stop_reason"] == ("tool_use" if called else "end_turn")


async def test_tools_are_called_side_by_side_where_that_is_allowed(app: Application) -> None:
    sent = body(user(text("The weather and the time?")), tools=[WEATHER, TIME])
    assert [block["name"] for block in of(await tell(app, sent), "tool_use")] == ["get_weather", "get_time"]
    alone = {**sent, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    assert len(of(await tell(app, alone), "tool_use")) == 1


async def test_calls_side_by_side_are_blocks_of_their_own(app: Application) -> None:
    told = await tell(app, body(user(text("The weather and the time?")), tools=[WEATHER, TIME], stream=True))
    starts = [event for event in told.events if event["type"] == "content_block_start"]
    assert [(event["index"], event["content_block"]["name"]) for event in starts] == [
        (0, "get_weather"),
        (1, "get_time"),
    ]
    deltas = [event for event in told.events if event["type"] == "content_block_delta"]
    assert [event["delta"]["partial_json"] for event in deltas if event["index"] == 1] == ["", "{}"]


async def test_a_call_is_direct_and_its_id_is_anthropic_s(app: Application) -> None:
    (block,) = of(await tell(app, body(tools=[WEATHER])), "tool_use")
    assert block["id"].startswith("toolu_01")
    assert len(block["id"]) == 30
    assert block["caller"] == {"type": "direct"}
    assert isinstance(block["input"]["city"], str)


async def test_a_call_that_was_cut_short_has_what_was_whole(app: Application) -> None:
    told = await tell(app, body(tools=[WEATHER], max_tokens=3))
    assert (told.json["stop_reason"], of(told, "tool_use")[0]["input"]) == ("max_tokens", {})


# -- those that Anthropic defines


@pytest.mark.parametrize(
    ("tool", "name", "input"),
    [
        (
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
            "str_replace_based_edit_tool",
            "view",
        ),
        ({"type": "memory_20250818", "name": "memory"}, "memory", "view"),
    ],
)
async def test_a_defined_tool_is_called_with_its_own_arguments(
    app: Application, tool: dict[str, Any], name: str, input: str
) -> None:
    (block,) = of(await tell(app, body(tools=[tool])), "tool_use")
    assert (block["name"], block["input"]["command"]) == (name, input)


async def test_a_shell_gets_a_command(app: Application) -> None:
    (block,) = of(await tell(app, body(tools=[{"type": "bash_20250124", "name": "bash"}])), "tool_use")
    assert set(block["input"]) == {"command"}


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-5-5"])
async def test_what_a_toolset_has_replaced_is_refused(app: Application, model: str) -> None:
    computer = {"type": "computer_20251124", "name": "computer", "display_width_px": 10, "display_height_px": 10}
    told = await tell(app, body(tools=[computer], model=model))
    assert told.status == 400
    message = told.json["error"]["message"]
    assert message.startswith(f"'{model}' does not support tool types: computer_20251124. Did you mean one of advisor_")
    assert "computer_toolset_20260801" in message
    assert (await tell(app, body(tools=[computer], model="claude-opus-4-6"))).status == 200


async def test_a_toolset_s_member_is_called(app: Application) -> None:
    (block,) = of(await tell(app, body(tools=[{"type": "computer_toolset_20260801"}])), "tool_use")
    assert (block["name"], block["toolset_name"], block["input"]) == ("screenshot", "computer", {})


# -- those that the server runs


async def test_a_search_comes_with_its_results_and_is_cited(app: Application) -> None:
    told = await tell(app, body(user(text("Who won?")), tools=[SEARCH]))
    use, found, words = told.json["content"]
    assert (use["type"], use["name"], use["input"]) == ("server_tool_use", "web_search", {"query": "Who won?"})
    assert (found["type"], found["tool_use_id"]) == ("web_search_tool_result", use["id"])
    assert {entry["type"] for entry in found["content"]} == {"web_search_result"}
    assert words["citations"][0]["url"] == found["content"][0]["url"]
    assert told.json["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}
    assert told.json["stop_reason"] == "end_turn"


async def test_what_a_search_found_is_sent_back(app: Application) -> None:
    told = await tell(app, body(user(text("Who won?")), tools=[SEARCH]))
    again = body(user(text("Who won?")), said(*told.json["content"]), user(text("And then?")), tools=[SEARCH])
    assert (await tell(app, again)).status == 200


async def test_a_search_keeps_to_its_domains(app: Application) -> None:
    told = await tell(app, body(tools=[{**SEARCH, "allowed_domains": ["docs.example.org"]}]))
    assert told.json["content"][1]["content"][0]["url"].startswith("https://docs.example.org/")


async def test_a_page_is_fetched_where_the_user_names_it(app: Application) -> None:
    told = await tell(app, body(user(text("What is at https://example.com/a?")), tools=[FETCH]))
    page = told.json["content"][1]["content"]
    assert (page["type"], page["url"]) == ("web_fetch_result", "https://example.com/a")
    forced = await tell(app, body(tools=[FETCH], tool_choice={"type": "tool", "name": "web_fetch"}))
    assert forced.json["content"][1]["content"] == {
        "type": "web_fetch_tool_result_error",
        "error_code": "url_not_in_prior_context",
    }


@pytest.mark.parametrize(
    ("kind", "name", "result"),
    [
        ("code_execution_20250522", "code_execution", "code_execution_tool_result"),
        ("code_execution_20250825", "bash_code_execution", "bash_code_execution_tool_result"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_code_runs_in_a_container(app: Application, kind: str, name: str, result: str, streamed: bool) -> None:
    told = await tell(app, body(tools=[{"type": kind, "name": "code_execution"}], stream=streamed))
    if streamed:
        blocks = [event["content_block"] for event in told.events if event["type"] == "content_block_start"]
        container = told.events[-2]["delta"]["container"]
    else:
        blocks, container = told.json["content"], told.json["container"]
    assert [block["type"] for block in blocks] == ["server_tool_use", result, "text"]
    assert (blocks[0]["name"], blocks[1]["content"]["stdout"]) == (name, "done\n")
    assert container["id"].startswith("container_01")


async def test_a_server_s_tool_is_run_where_it_is_asked_for(app: Application) -> None:
    both = [WEATHER, SEARCH]
    assert await kinds(app, "The weather in Oslo?", *both) == ["tool_use"]
    assert await kinds(app, "Search the web for Oslo", *both) == ["server_tool_use", "web_search_tool_result", "text"]
    forced = {"tool_choice": {"type": "tool", "name": "web_search"}}
    assert (await kinds(app, "The weather in Oslo?", *both, **forced))[0] == "server_tool_use"
    assert await kinds(app, "Search the web", *both, tool_choice={"type": "none"}) == ["text"]
    assert await kinds(app, "Search the web", *both, tool_choice={"type": "any"}) == ["tool_use"]
    assert (await kinds(app, "Hello", SEARCH, tool_choice={"type": "any"}))[0] == "server_tool_use"


async def test_the_tool_that_fits_is_run(app: Application) -> None:
    offered = [SEARCH, FETCH, CODE]
    assert (await kinds(app, "Compute 2 + 2", *offered))[1] == "bash_code_execution_tool_result"
    assert (await kinds(app, "Read https://example.com", *offered))[1] == "web_fetch_tool_result"
    assert (await kinds(app, "Any news?", *offered))[1] == "web_search_tool_result"


async def test_a_client_s_result_is_not_answered_by_a_search(app: Application) -> None:
    sent = body(user(text("Search")), said(call()), user(result()), tools=[WEATHER, SEARCH])
    assert [block["type"] for block in (await tell(app, sent)).json["content"]] == ["text"]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_that_is_not_loaded_is_searched_for_first(app: Application, streamed: bool) -> None:
    search = {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}
    told = await tell(app, body(tools=[search, {**WEATHER, "defer_loading": True}], stream=streamed))
    if streamed:
        blocks = [event["content_block"] for event in told.events if event["type"] == "content_block_start"]
    else:
        blocks = told.json["content"]
    assert [block["type"] for block in blocks] == ["server_tool_use", "tool_search_tool_result", "tool_use"]
    assert blocks[1]["content"]["tool_references"] == [{"type": "tool_reference", "tool_name": "get_weather"}]


async def test_a_toolset_of_an_mcp_server_is_taken(app: Application) -> None:
    server = {"type": "url", "url": "https://example.com/mcp", "name": "example"}
    sent = body(mcp_servers=[server], tools=[{"type": "mcp_toolset", "mcp_server_name": "example"}])
    assert (await tell(app, sent, beta="mcp-client-2025-11-20")).status == 200


# -- tools that come and go


def changed(kind: str, **tool: Any) -> dict[str, Any]:
    return {"role": "system", "content": [{"type": kind, "tool": tool}]}


DEFINED = {"type": "tool_definition", "definition": TIME}


async def test_a_tool_is_added_in_the_middle_of_a_conversation(app: Application) -> None:
    sent = body(user(text("The time?")), changed("tool_addition", **DEFINED), model="claude-opus-5")
    assert [block["name"] for block in of(await tell(app, sent), "tool_use")] == ["get_time"]
    named = {**sent, "tool_choice": {"type": "tool", "name": "get_time"}}
    assert (await tell(app, named)).status == 200


async def test_a_tool_is_removed_and_comes_back(app: Application) -> None:
    reference = {"type": "tool_reference", "name": "get_weather"}
    gone = body(user(), changed("tool_removal", **reference), tools=[WEATHER], model="claude-opus-5")
    assert of(await tell(app, gone), "tool_use") == []
    back = {**gone, "messages": [*gone["messages"], changed("tool_addition", **reference)]}
    assert len(of(await tell(app, back), "tool_use")) == 1


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        ({"type": "tool_reference", "name": "nothing"}, "Tool reference 'nothing' not found in available tools"),
        ({"type": "tool_definition", "definition": {"name": "f"}}, "Field required"),
        ({"type": "tool_definition"}, "Input should be a valid dictionary"),
    ],
)
async def test_a_change_of_no_tool_is_refused(app: Application, tool: dict[str, Any], message: str) -> None:
    told = await tell(app, body(user(), changed("tool_addition", **tool), model="claude-opus-5"))
    assert told.status == 400
    assert message in told.json["error"]["message"]


async def test_a_container_tells_of_its_skills(app: Application) -> None:
    skills = [{"type": "anthropic", "skill_id": "xlsx"}]
    told = await tell(app, body(tools=[CODE], container={"skills": skills}))
    assert told.json["container"]["skills"] == [{**skills[0], "version": "latest"}]
    wrong = await tell(app, body(tools=[CODE], container={"skills": [{"type": "mine", "skill_id": "xlsx"}]}))
    assert wrong.json["error"]["message"] == "container.skills.0.type: Input should be 'anthropic' or 'custom'"


async def test_a_client_goes_on_in_its_container(app: Application) -> None:
    for container in ("container_mine", {"id": "container_mine"}):
        told = await tell(app, body(tools=[CODE], container=container))
        assert told.json["container"]["id"] == "container_mine"
