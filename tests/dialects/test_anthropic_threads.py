"""Message threads: the server keeps the conversation, and says why where it cannot go on with it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
import pytest
from anthropic_bodies import CACHED, NEW, NEWEST, THREADS, WEATHER, application_at, body, result, tell, text, user
from inprocess import Told

from llmsim.clock import ToldClock
from llmsim.dialects import Request
from llmsim.server.handlers import Application

CREATE = {"type": "create"}
HEADERS = {"anthropic-version": NEW, "anthropic-beta": THREADS, "authorization": "Bearer sk-test"}


@pytest.fixture
def app(clock: ToldClock) -> Application:
    return application_at(clock, generator="echo")


def after(id: str) -> dict[str, Any]:
    return {"type": "continue", "previous_message_id": id}


async def turn(app: Application, words: str, thread: Any, **fields: Any) -> Told:
    return await tell(app, body(user(text(words)), thread=thread, **fields), beta=THREADS)


async def refused(app: Application, thread: Any, code: str, status: int = 400, **fields: Any) -> Any:
    """The error, which has this code."""
    told = await turn(app, "Go on", thread, **fields)
    error = told.json["error"]
    assert (told.status, error["details"]["error_code"]) == (status, code)
    return error


async def created(app: Application, **fields: Any) -> str:
    told = await turn(app, "One", CREATE, **fields)
    assert told.status == 200
    return str(told.json["id"])


async def test_each_turn_counts_all_that_went_before(app: Application) -> None:
    whole = await turn(app, "One", CREATE, system="Be kind.", tools=[WEATHER], tool_choice={"type": "none"})
    second = await turn(app, "Two", after(whole.json["id"]), tool_choice={"type": "none"})
    third = await turn(app, "Three", after(second.json["id"]), tool_choice={"type": "none"})
    costs = [told.json["usage"]["input_tokens"] for told in (whole, second, third)]
    assert costs[0] > 346
    assert costs[0] < costs[1] < costs[2]
    replayed = body(
        user(text("One")),
        {"role": "assistant", "content": whole.json["content"]},
        user(text("Two")),
        system="Be kind.",
        tools=[WEATHER],
        tool_choice={"type": "none"},
    )
    assert (await tell(app, replayed)).json["usage"]["input_tokens"] == costs[1]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_s_result_alone_goes_on(app: Application, streamed: bool) -> None:
    told = await turn(app, "The weather in Oslo?", CREATE, tools=[WEATHER], stream=streamed)
    message = told.events[0]["message"] if streamed else told.json
    block = next(event["content_block"] for event in told.events if "content_block" in event) if streamed else None
    call = block or told.json["content"][0]
    answered = body(user(result(call["id"])), thread=after(message["id"]))
    again = await tell(app, answered, beta=THREADS)
    assert again.json["content"][0]["text"].startswith("The get_weather tool returned: rainy")


async def test_a_result_of_no_call_is_refused_in_a_thread_too(app: Application) -> None:
    id = await created(app)
    told = await tell(app, body(user(result("toolu_9")), thread=after(id)), beta=THREADS)
    assert told.json["error"]["message"].startswith("messages.2.content.0: unexpected `tool_use_id` found")


async def test_a_thread_that_there_is_not_is_not_found(app: Application) -> None:
    error = await refused(app, after("msg_nothing"), "thread_not_found", 404)
    assert error["type"] == "not_found_error"
    assert error["message"].startswith("No thread state was found for the requested `previous_message_id`.")


async def test_a_thread_is_gone_five_minutes_after_its_last_request(app: Application, clock: ToldClock) -> None:
    id = await created(app)
    await clock.advance(299)
    id = (await turn(app, "Two", after(id))).json["id"]
    await clock.advance(301)
    await refused(app, after(id), "thread_not_found", 404)


async def test_a_thread_belongs_to_the_key_that_created_it(app: Application) -> None:
    id = await created(app)
    told = await tell(app, body(thread=after(id)), beta=THREADS, authorization="Bearer sk-other")
    assert told.json["error"]["details"]["error_code"] == "thread_not_found"


async def test_each_reply_is_continued_once(app: Application) -> None:
    id = await created(app)
    assert (await turn(app, "Two", after(id))).status == 200
    await refused(app, after(id), "thread_already_continued")


async def test_a_reply_is_continued_by_one_request_at_a_time(app: Application) -> None:
    id = await created(app)
    sent = Request(
        "POST",
        "/v1/messages",
        headers={name.encode(): value.encode() for name, value in HEADERS.items()},
        body=orjson.dumps(body(user(text("Two")), thread=after(id))),
    )
    found = app.routes.find(sent)
    assert found is not None
    asked = app.desk.read(*found, sent)
    await refused(app, after(id), "thread_continue_in_flight")
    exchange = app.desk.begin(*found, sent, asked)
    await refused(app, after(id), "thread_continue_in_flight")
    app.simulator.end(exchange, "abandoned")
    assert (await turn(app, "Two", after(id))).status == 200


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_turn_that_was_cut_is_not_kept(app: Application, streamed: bool) -> None:
    id = await created(app)
    app.simulator.arm({"kind": "cut", "after_tokens": 1, "reset": False, "id": "scissors"})
    with suppress(ConnectionResetError):
        await turn(app, "Two words", after(id), stream=streamed)
    app.simulator.lift("scissors")
    assert len(app.simulator.store.values("anthropic.thread")) == 1
    assert (await turn(app, "Two", after(id))).status == 200


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_turn_that_failed_can_be_tried_again(app: Application, streamed: bool) -> None:
    id = await created(app)
    for fault in ({"status": 529}, {"status": 500, "after_tokens": 1}):
        app.simulator.change(faults=({"kind": "refuse", **fault},))
        await turn(app, "Two", after(id), stream=streamed)
    app.simulator.change(faults=())
    assert (await turn(app, "Two", after(id), stream=streamed)).status == 200


async def test_the_output_config_stays_as_it_was(app: Application) -> None:
    low: Any = {"output_config": {"effort": "low"}}
    id = await created(app, model=NEWEST, **low)
    error = await refused(app, after(id), "thread_fingerprint_mismatch", model=NEWEST)
    assert "differing field(s): output_config." in error["message"]
    assert (await turn(app, "Two", after(id), model=NEWEST, **low)).status == 200


@pytest.mark.parametrize("fields", [{"system": "Be kind."}, {"tools": [WEATHER]}])
async def test_system_and_tools_are_not_repeated(app: Application, fields: dict[str, Any]) -> None:
    id = await created(app)
    told = await turn(app, "Two", after(id), **fields)
    (name,) = fields
    assert (told.status, "details" in told.json["error"]) == (400, False)
    assert told.json["error"]["message"].startswith(f"thread: `{name}` cannot be set")


async def test_what_threads_do_not_go_together_with_is_named(app: Application) -> None:
    marked = [text(str(at), **CACHED) for at in range(4)]
    told = await tell(app, body(user(*marked), thread=CREATE), beta=THREADS)
    assert told.json["error"]["details"] == {
        "error_code": "thread_unsupported_request",
        "unsupported": ["cache_control"],
    }
    managed = body(thread=CREATE, context_management={"edits": []})
    told = await tell(app, managed, beta=f"{THREADS},context-management-2025-06-27")
    assert told.json["error"]["details"]["unsupported"] == ["context_management"]
    await refused(app, CREATE, "thread_unsupported_request", model="claude-3-5-haiku-latest")


async def test_marks_of_earlier_turns_do_not_add_up(app: Application) -> None:
    id = await created(app)
    for _ in range(5):
        sent = body(user(text("More", **CACHED)), thread=after(id))
        told = await tell(app, sent, beta=THREADS)
        assert told.status == 200
        id = told.json["id"]


async def test_a_refused_turn_is_not_kept(app: Application) -> None:
    magic = "ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL_1FAEFB6177B4672DEE07F9D3AFC62588CCD2631EDCF22E8CCC1FB35B501C9C86"
    told = await turn(app, magic, CREATE)
    assert told.json["stop_reason"] == "refusal"
    await refused(app, after(told.json["id"]), "thread_not_found", 404)


async def test_only_the_newest_turn_keeps_the_conversation(app: Application) -> None:
    """However long a thread grows, the server keeps it once."""
    id = await created(app, system="word " * 200)
    sizes = []
    for _ in range(6):
        id = (await turn(app, "More", after(id))).json["id"]
        sizes.append(app.simulator.store.size)
    assert sizes[-1] - sizes[0] < 12_000
    kept = [thread for thread in app.simulator.store.values("anthropic.thread") if thread.messages]
    assert len(kept) == 1
