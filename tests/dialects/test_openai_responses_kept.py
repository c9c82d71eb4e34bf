"""Responses are kept, found again, gone on from, streamed again, cancelled, deleted and counted."""

from __future__ import annotations

from typing import Any

import pytest
from inprocess import Told, ask
from openapi import assert_fits
from openresponses_types import types as open_types
from responses_judges import assert_events, assert_response, kinds_of
from running import Wire, application, running, until

from llmsim.dialects import _openai_conversations as conversations
from llmsim.server.handlers import Application

PATH = "/v1/responses"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Any = {"type": "function", "name": "get_weather", "parameters": CITY}
NOBODY = "resp_0123456789abcdef"


@pytest.fixture
def app() -> Application:
    return application(generator="echo")


async def create(app: Application, **fields: Any) -> Any:
    told = await ask(app, PATH, {"model": "gpt-4o", "input": "Hello", **fields})
    assert told.status == 200, told.body
    return told.json


async def get(app: Application, id: str, query: str = "") -> Told:
    return await ask(app, f"{PATH}/{id}{query}", b"", "GET")


async def listed(app: Application, id: str, query: str = "") -> Any:
    told = await ask(app, f"{PATH}/{id}/input_items{query}", b"", "GET")
    assert told.status == 200, told.body
    return told.json


def text(response: Any) -> str:
    return "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


# -- found again


@pytest.mark.parametrize("fields", [{}, {"model": "gpt-5"}, {"tools": [WEATHER]}, {"max_output_tokens": 16}])
async def test_a_response_is_found_as_it_was_told(app: Application, fields: Any) -> None:
    whole = await create(app, **fields)
    assert (await get(app, whole["id"])).json == whole
    events = (await ask(app, PATH, {"model": "gpt-4o", "input": "Hi", **fields, "stream": True})).events
    last = events[-1]["response"]
    assert (await get(app, last["id"])).json == last


async def test_what_is_not_to_be_stored_is_not_found(app: Application) -> None:
    told = await create(app, store=False)
    answer = await get(app, told["id"])
    assert answer.status == 404
    assert answer.json["error"] == {
        "message": f"Response with id '{told['id']}' not found.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]
)
async def test_an_unknown_response_is_not_found(app: Application, method: str, path: str) -> None:
    answer = await ask(app, f"{PATH}/{NOBODY}{path}", b"", method)
    assert (answer.status, answer.json["error"]["message"]) == (404, f"Response with id '{NOBODY}' not found.")


async def test_a_deleted_response_is_gone(app: Application) -> None:
    told = await create(app)
    answer = await ask(app, f"{PATH}/{told['id']}", b"", "DELETE")
    assert answer.json == {"id": told["id"], "object": "response", "deleted": True}
    assert (await get(app, told["id"])).status == 404


async def test_a_response_that_is_cut_is_not_kept(app: Application) -> None:
    app.simulator.arm({"kind": "cut", "after_tokens": 1})
    with pytest.raises(ConnectionResetError):
        await ask(app, PATH, {"model": "gpt-4o", "input": "one two three four"})
    assert not app.simulator.store.values("openai.response")


# -- what it answers


async def test_a_text_is_listed_as_a_message(app: Application) -> None:
    told = await create(app)
    page = await listed(app, told["id"])
    assert_fits("ResponseItemList", page)
    (item,) = page["data"]
    assert item["id"].startswith("msg_")
    assert {**item, "id": ""} == {
        "id": "",
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_text", "text": "Hello"}],
    }
    assert (page["first_id"], page["last_id"], page["has_more"]) == (item["id"], item["id"], False)


ITEMS: Any = [
    {"role": "user", "content": "What is the weather?"},
    {"role": "assistant", "content": "Where?"},
    {"role": "user", "content": [{"type": "input_image", "image_url": "https://x.example/1.png"}]},
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "sunny"}]},
    {"type": "custom_tool_call", "call_id": "call_2", "name": "tell_joke", "input": "one"},
    {"type": "custom_tool_call_output", "call_id": "call_2", "output": "ha"},
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAA"},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Sunny."}]},
]


async def test_items_of_every_kind_are_listed_newest_first(app: Application) -> None:
    told = await create(app, input=ITEMS)
    newest = await listed(app, told["id"])
    oldest = await listed(app, told["id"], "?order=asc")
    assert_fits("ResponseItemList", newest)
    assert [item["type"] for item in oldest["data"]] == [item.get("type", "message") for item in ITEMS]
    assert oldest["data"] == newest["data"][::-1]
    assert len({item["id"] for item in oldest["data"]}) == len(ITEMS)


async def test_pages_of_items_have_cursors_and_limits(app: Application) -> None:
    told = await create(app, input=ITEMS)
    first = await listed(app, told["id"], "?limit=3")
    assert (len(first["data"]), first["has_more"]) == (3, True)
    rest = await listed(app, told["id"], f"?after={first['last_id']}")
    assert (len(rest["data"]), rest["has_more"]) == (7, False)
    wrong = await ask(app, f"{PATH}/{told['id']}/input_items?limit=0", b"", "GET")
    assert (wrong.status, wrong.json["error"]["param"]) == (400, "limit")


async def test_addresses_of_images_are_only_listed_on_demand(app: Application) -> None:
    told = await create(app, input=ITEMS)
    for query, url in (("", None), ("?include[]=message.input_image.image_url", "https://x.example/1.png")):
        parts = [part for item in (await listed(app, told["id"], query))["data"] for part in item.get("content", ())]
        assert [part["image_url"] for part in parts if part["type"] == "input_image"] == [url]


# -- gone on from


async def test_what_was_said_before_counts_as_input(app: Application) -> None:
    first = await create(app, input="one two three", instructions="Be brief.")
    second = await create(app, previous_response_id=first["id"])
    third = await create(app, previous_response_id=second["id"])
    alone = (await create(app))["usage"]["input_tokens"]
    assert second["previous_response_id"] == first["id"]
    spent = [told["usage"]["input_tokens"] for told in (first, second, third)]
    # Instructions are not handed on; each message has its four tokens, and the reply is begun once.
    assert spent[1] == alone + 2 * (3 + 4)
    assert spent[2] == spent[1] + 2 * (1 + 4)


async def test_a_call_of_an_earlier_response_can_be_answered(app: Application) -> None:
    first = await create(app, input="weather", tools=[WEATHER])
    (call,) = first["output"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    told = await create(app, previous_response_id=first["id"], input=[result], tools=[WEATHER])
    assert text(told).startswith("The get_weather tool returned: sunny")
    wrong = {**result, "call_id": "call_other"}
    for items in ([wrong], "never mind"):
        asked = {"model": "gpt-4o", "previous_response_id": first["id"], "input": items}
        answer = await ask(app, PATH, asked)
        assert answer.status == 400
        assert answer.json["error"]["message"].startswith(("No tool call found", "No tool output found"))


async def test_kept_items_can_be_named(app: Application) -> None:
    first = await create(app, model="gpt-5", input="one two three")
    thought, message = first["output"]
    (question,) = (await listed(app, first["id"]))["data"]
    named = [{"type": "item_reference", "id": item["id"]} for item in (question, thought, message)]
    told = await create(app, model="gpt-5", input=[*named, {"role": "user", "content": "Hello"}])
    assert told["usage"]["input_tokens"] == 3 + 2 * 7 + 5
    bare = {"type": "reasoning", "id": thought["id"], "summary": []}
    assert await create(app, model="gpt-5", input=[bare, message, {"role": "user", "content": "Hello"}])
    repeated = (await listed(app, told["id"], "?order=asc"))["data"]
    assert [item["id"] for item in repeated[:3]] == [item["id"] for item in (question, thought, message)]


async def test_a_response_that_was_deleted_is_no_longer_gone_on_from(app: Application) -> None:
    first = await create(app)
    await ask(app, f"{PATH}/{first['id']}", b"", "DELETE")
    answer = await ask(app, PATH, {"model": "gpt-4o", "input": "x", "previous_response_id": first["id"]})
    assert answer.json["error"]["code"] == "previous_response_not_found"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("named", [str, lambda id: {"id": id}], ids=["text", "object"])
async def test_a_conversation_grows_by_what_is_asked_and_answered(app: Application, named: Any, streamed: bool) -> None:
    store = app.simulator.store
    conversations.add(store, conversations.Conversation("conv_1", 0), [])
    asked = {"model": "gpt-4o", "input": "one two", "conversation": named("conv_1"), "stream": streamed}
    for _ in range(2):
        told = await ask(app, PATH, asked)
        assert told.status == 200
    conversation = conversations.find(store, "conv_1")
    assert conversation is not None
    assert [item["role"] for item in conversation.items] == ["user", "assistant"] * 2
    assert len({item["id"] for item in conversation.items}) == 4
    last = told.events[-1]["response"] if streamed else told.json
    assert_response(last)
    assert last["conversation"] == {"id": "conv_1"}
    assert last["usage"]["input_tokens"] == 3 + 3 * (2 + 4)


async def test_a_chain_ends_where_its_beginning_is_no_longer_kept(app: Application) -> None:
    first = await create(app, input="one two three")
    second = await create(app, previous_response_id=first["id"])
    await ask(app, f"{PATH}/{first['id']}", b"", "DELETE")
    third = await create(app, previous_response_id=second["id"])
    assert third["usage"]["input_tokens"] == 3 + 3 * 5


# -- streamed again


@pytest.mark.parametrize("fields", [{}, {"model": "gpt-5", "reasoning": {"summary": "auto"}}, {"tools": [WEATHER]}])
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_kept_response_is_streamed_as_it_was(app: Application, fields: Any, streamed: bool) -> None:
    told = await ask(app, PATH, {"model": "gpt-4o", "input": "one two three", **fields, "stream": streamed})
    id = told.events[-1]["response"]["id"] if streamed else told.json["id"]
    again = await get(app, id, "?stream=true")
    events = assert_events(again)
    if streamed:
        assert again.body == told.body
    else:
        assert events[-1]["response"] == told.json
    later = await get(app, id, "?stream=true&starting_after=4")
    assert later.events == events[5:]
    assert (await get(app, id, "?stream=true&starting_after=1000")).body == b""
    bare = await get(app, id, "?stream=true&include_obfuscation=false")
    assert not any("obfuscation" in event for event in bare.events)


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ("?stream=maybe", "stream", "invalid_type"),
        ("?stream=true&starting_after=x", "starting_after", "invalid_type"),
        ("?stream=true&starting_after=%C2%B2", "starting_after", "invalid_type"),
        ("?stream=true&starting_after=-1", "starting_after", "integer_below_min_value"),
        ("/input_items?limit=-1", "limit", "integer_below_min_value"),
        ("?starting_after=1", "starting_after", None),
        ("?stream=true&include_obfuscation=maybe", "include_obfuscation", "invalid_type"),
        ("?include=nothing", "include[0]", "invalid_value"),
        ("/input_items?include[]=reasoning.encrypted_content&include[]=nothing", "include[1]", "invalid_value"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    app: Application, query: str, param: str, code: str | None
) -> None:
    answer = await get(app, (await create(app))["id"], query)
    error = answer.json["error"]
    assert (answer.status, error["param"], error["code"]) == (400, param, code)


async def test_a_failed_stream_fails_again(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 1, "id": "no"})
    told = await ask(app, PATH, {"model": "gpt-4o", "input": "one two three", "stream": True})
    app.simulator.lift("no")
    again = await get(app, told.events[0]["response"]["id"], "?stream=true")
    assert again.body == told.body


# -- in the background


async def test_a_background_response_waits_and_is_fetched(app: Application) -> None:
    told = await create(app, background=True)
    assert_response(told)
    assert (told["status"], told["background"], told["output"], told["usage"]) == ("queued", True, [], None)
    done = (await get(app, told["id"])).json
    assert_response(done)
    assert (done["status"], text(done)) == ("completed", "Hello")


async def test_a_background_response_tells_how_far_it_is() -> None:
    async with running(
        profiles={"late": {"ttft": {"kind": "fixed", "mean": 3_600_000}, "tbt": {"kind": "fixed"}}}
    ) as server:
        server.simulator.change(latency_profile="late")
        told = await create(server.app, background=True)
        (live,) = server.simulator.meter.live.values()
        assert (await get(server.app, told["id"])).json["status"] == "queued"
        assert_response((await get(server.app, told["id"])).json)
        now = server.simulator.clock.now()
        live.pace(1e9, now)
        live.pace(0, now + 2e-6)
        assert (await get(server.app, told["id"])).json["status"] == "in_progress"
        going_on = {"model": "gpt-4o", "input": "x", "previous_response_id": told["id"]}
        assert "has not completed yet" in (await ask(server.app, PATH, going_on)).json["error"]["message"]
        await ask(server.app, f"{PATH}/{told['id']}", b"", "DELETE")
        assert not server.simulator.meter.live


async def test_a_background_stream_is_queued_first(app: Application) -> None:
    told = await ask(app, PATH, {"model": "gpt-4o", "input": "one two", "background": True, "stream": True})
    events = assert_events(told)
    assert kinds_of(events)[:3] == ["created", "queued", "in_progress"]
    assert [event["response"]["status"] for event in events[:3]] == ["queued", "queued", "in_progress"]
    kept = await get(app, events[0]["response"]["id"])
    assert kept.json == events[-1]["response"]
    assert (await get(app, events[0]["response"]["id"], "?stream=true")).body == told.body


async def test_a_background_response_that_fails_says_so(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 429, "after_tokens": 1, "message": "Too much."})
    told = await create(app, background=True, input="one two three")
    failed = (await get(app, told["id"])).json
    assert_response(failed)
    assert (failed["status"], failed["error"]) == ("failed", {"code": "rate_limit_exceeded", "message": "Too much."})


async def test_a_background_response_that_is_cut_has_failed(app: Application) -> None:
    app.simulator.arm({"kind": "cut", "after_tokens": 1})
    told = await create(app, background=True, input="one two three")
    await until(lambda: app.simulator.store.get("openai.response", told["id"]).body)
    failed = (await get(app, told["id"])).json
    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")


async def test_a_failure_that_comes_first_refuses_the_background_response(app: Application) -> None:
    app.simulator.arm({"kind": "refuse", "status": 503})
    answer = await ask(app, PATH, {"model": "gpt-4o", "input": "x", "background": True})
    assert answer.status == 503
    assert not app.simulator.store.values("openai.response")


async def test_a_background_response_is_cancelled_once_and_for_all() -> None:
    async with running(latency_profile="glacial", generator="echo") as server:
        told = await create(server.app, background=True, input="one two three")
        async with Wire.to(server) as wire:
            await wire.ask(b"", f"{PATH}/{told['id']}?stream=true", method="GET")
            await wire.head()
            await wire.chunk()
            for _ in range(2):
                answer = await ask(server.app, f"{PATH}/{told['id']}/cancel", b"")
                assert_response(answer.json)
                assert answer.json["status"] == "cancelled"
            assert await wire.chunk() == b""
        assert (await get(server.app, told["id"])).json == answer.json
        assert "cancelled" in (await get(server.app, told["id"], "?stream=true")).json["error"]["message"]
        assert not server.simulator.meter.live


async def test_cancelling_what_has_ended_changes_nothing(app: Application) -> None:
    told = await create(app, background=True)
    done = (await get(app, told["id"])).json
    assert (await ask(app, f"{PATH}/{told['id']}/cancel", b"")).json == done


async def test_only_background_responses_can_be_cancelled(app: Application) -> None:
    told = await create(app)
    answer = await ask(app, f"{PATH}/{told['id']}/cancel", b"")
    assert (answer.status, answer.json["error"]["message"]) == (400, "Cannot cancel a synchronous response.")


async def test_what_ended_long_ago_is_no_longer_streamed(app: Application) -> None:
    told = await create(app)
    app.simulator.store.get("openai.response", told["id"]).exchange.wall -= 301
    answer = await get(app, told["id"], "?stream=true")
    assert answer.status == 400
    assert "more than 5 minutes old" in answer.json["error"]["message"]


# -- counted and made short


@pytest.mark.parametrize("fields", [{}, {"instructions": "Be brief."}, {"tools": [WEATHER]}, {"input": ITEMS}])
async def test_tokens_are_counted_as_they_would_be_spent(app: Application, fields: Any) -> None:
    asked = {"model": "gpt-4o", "input": "one two three", **fields}
    told = await ask(app, f"{PATH}/input_tokens", asked)
    assert_fits("TokenCountsResource", told.json)
    assert told.json == {
        "object": "response.input_tokens",
        "input_tokens": (await create(app, **asked))["usage"]["input_tokens"],
    }


async def test_tokens_of_what_came_before_are_counted(app: Application) -> None:
    first = await create(app, input="one two three")
    asked = {"model": "gpt-4o", "input": "Hello", "previous_response_id": first["id"]}
    told = await ask(app, f"{PATH}/input_tokens", asked)
    assert told.json["input_tokens"] == (await create(app, **asked))["usage"]["input_tokens"]


@pytest.mark.parametrize(
    ("path", "asked", "param"),
    [
        ("input_tokens", {"model": "gpt-4o"}, "input"),
        ("input_tokens", {"model": "gpt-4o", "input": "x", "temperature": 1}, "temperature"),
        ("compact", {"input": "x"}, "model"),
        ("compact", {"model": "gpt-4o"}, "input"),
        ("compact", {"model": "gpt-4o", "input": "x", "stream": True}, "stream"),
    ],
)
async def test_counting_and_compacting_refuse_what_they_do_not_take(
    app: Application, path: str, asked: Any, param: str | None
) -> None:
    answer = await ask(app, f"{PATH}/{path}", asked)
    assert (answer.status, answer.json["error"]["param"]) == (400, param)


async def test_a_conversation_is_made_short(app: Application) -> None:
    items = [{"role": "user", "content": "one two"}, {"role": "assistant", "content": "three " * 100}]
    told = await ask(app, f"{PATH}/compact", {"model": "gpt-4o", "input": items})
    assert_fits("CompactResource", told.json)
    open_types.CompactResource.model_validate(told.json)
    message, summary = told.json["output"]
    assert (message["role"], message["content"]) == ("user", [{"type": "input_text", "text": "one two"}])
    assert summary["type"] == "compaction"
    assert told.json["usage"]["input_tokens"] > 100
    more = await create(app, input=[*told.json["output"], {"role": "user", "content": "Hello"}])
    assert more["usage"]["input_tokens"] < 30


async def test_an_earlier_response_is_made_short(app: Application) -> None:
    first = await create(app, input="one two")
    told = await ask(app, f"{PATH}/compact", {"model": "gpt-4o", "previous_response_id": first["id"]})
    assert [item["type"] for item in told.json["output"]] == ["message", "compaction"]


# -- bounds


async def test_the_store_forgets_the_oldest(app: Application) -> None:
    app.simulator.store.count_limit = 3
    ids = [(await create(app, input=f"number {number}"))["id"] for number in range(5)]
    assert [(await get(app, id)).status for id in ids] == [404, 404, 200, 200, 200]
    assert app.simulator.store.size < 3 * 20_000


async def test_a_kept_response_counts_for_what_it_is(app: Application) -> None:
    await create(app, input="word " * 20_000)
    assert app.simulator.store.size > 200_000
