"""Gemini's interactions: steps, whole and streamed; kept, gone on from."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from gemini_judges import assert_events, assert_interaction
from inprocess import Told, ask
from running import application
from transcript import assert_golden

from llmsim.clock import ToldClock
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

PATH = "/v1/interactions"
# One model that thinks only when it is told to, one that thinks by itself.
MODEL, THINKER = "gemini-2.5-flash-lite", "gemini-2.5-flash"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Any = {"type": "function", "name": "get_weather", "parameters": CITY}
KIND = "gemini.interaction"


@pytest.fixture
def app() -> Application:
    return application(generator="echo")


async def send(app: Application, version: str = "/v1", **fields: Any) -> Told:
    return await ask(app, f"{version}/interactions", {"model": MODEL, "input": "Hello", **fields})


async def create(app: Application, **fields: Any) -> Any:
    told = await send(app, **fields)
    assert told.status == 200, told.body
    assert_interaction(told.json)
    return told.json


async def get(app: Application, id: str, query: str = "") -> Told:
    return await ask(app, f"{PATH}/{id}{query}", b"", "GET")


def text(interaction: Any) -> str:
    steps = [step for step in interaction["steps"] if step["type"] == "model_output"]
    return "".join(part["text"] for step in steps for part in step["content"])


# -- whole and streamed


@pytest.mark.parametrize("version", ["/v1", "/v1beta"])
async def test_an_interaction_has_steps_and_what_they_cost(app: Application, version: str) -> None:
    told = (await send(app, version)).json
    assert_interaction(told)
    assert (told["status"], told["model"], text(told)) == ("completed", MODEL, "Hello")
    assert told["usage"] == {
        "total_tokens": 3,
        "total_input_tokens": 2,
        "input_tokens_by_modality": [{"modality": "text", "tokens": 2}],
        "total_cached_tokens": 0,
        "total_output_tokens": 1,
        "output_tokens_by_modality": [{"modality": "text", "tokens": 1}],
        "total_tool_use_tokens": 0,
        "total_thought_tokens": 0,
    }


async def test_a_stream_opens_fills_and_closes_each_step(app: Application) -> None:
    config = {"thinking_summaries": "auto", "thinking_level": "minimal"}
    told = await send(app, model=THINKER, generation_config=config, stream=True, input="one two")
    events = assert_events(told)
    kinds = [event.event_type for event in events]
    assert kinds[:2] == ["interaction.created", "interaction.status_update"]
    assert [event.step.type for event in events if event.event_type == "step.start"] == ["thought", "model_output"]
    deltas = [event.delta for event in events if event.event_type == "step.delta"]
    assert [delta.text for delta in deltas if delta.type == "text"] == ["one", " two"]
    assert [delta.type for delta in deltas].count("thought_summary") == 16
    assert [delta.type for delta in deltas].count("thought_signature") == 1
    last = events[-1].interaction
    assert (last.status, last.usage.total_thought_tokens, last.usage.total_output_tokens) == ("completed", 16, 2)
    kept = (await get(app, last.id)).json
    thought, said = kept["steps"]
    assert (
        "".join(delta.content.text for delta in deltas if delta.type == "thought_summary")
        == (thought["summary"][0]["text"])
    )
    assert [delta.signature for delta in deltas if delta.type == "thought_signature"] == [thought["signature"]]
    assert said["content"] == [{"type": "text", "text": "one two"}]


async def test_thoughts_are_not_shown_unless_they_are_asked_for(app: Application) -> None:
    told = await create(app, model=THINKER)
    thought, _ = told["steps"]
    assert set(thought) == {"type", "signature"}
    assert told["usage"]["total_thought_tokens"] > 0
    assert told["usage"]["total_tokens"] == 2 + 1 + told["usage"]["total_thought_tokens"]


async def test_a_reply_that_is_cut_off_is_incomplete(app: Application) -> None:
    told = await create(app, input="one two three", generation_config={"max_output_tokens": 2})
    assert (told["status"], text(told)) == ("incomplete", "one two")


@pytest.mark.parametrize(
    "form",
    [
        {"type": "text", "mime_type": "application/json", "schema": CITY},
        [{"type": "text", "mime_type": "application/json", "schema": CITY}],
        CITY,
    ],
)
async def test_a_reply_has_the_form_that_was_asked_for(app: Application, form: Any) -> None:
    assert set(orjson.loads(text(await create(app, response_format=form)))) == {"city"}


@pytest.mark.parametrize(
    "given",
    [
        "Hello",
        {"type": "text", "text": "Hello"},
        [{"type": "text", "text": "Hello"}],
        [{"type": "user_input", "content": "Hello"}],
        [{"type": "user_input", "content": [{"type": "text", "text": "Hello"}]}],
        [
            {"type": "user_input", "content": "Hi"},
            {"type": "model_output", "content": [{"type": "text", "text": "Yes?"}]},
            {"type": "user_input", "content": "Hello"},
        ],
    ],
)
async def test_an_input_is_a_text_contents_or_steps(app: Application, given: Any) -> None:
    assert text(await create(app, input=given)) == "Hello"


# -- pictures and sounds


@pytest.mark.parametrize(
    ("model", "fields", "kind", "mime_type"),
    [
        ("gemini-2.5-flash-image", {}, "image", "image/png"),
        ("gemini-2.5-flash-image", {"response_modalities": ["image"]}, "image", "image/png"),
        (
            "gemini-2.5-flash-image",
            {"response_format": {"type": "image", "aspect_ratio": "16:9"}},
            "image",
            "image/png",
        ),
        ("gemini-3.8-flash-tts", {"response_format": {"type": "audio"}}, "audio", "audio/l16"),
    ],
)
async def test_a_model_of_pictures_or_speech_replies_with_them(
    app: Application, model: str, fields: Any, kind: str, mime_type: str
) -> None:
    told = await create(app, model=model, input="A red fox", **fields)
    (content,) = told["steps"][-1]["content"]
    assert (told["status"], content["type"], content["mime_type"]) == ("completed", kind, mime_type)
    usage = told["usage"]
    assert usage["output_tokens_by_modality"] == [{"modality": kind, "tokens": usage["total_output_tokens"]}]
    assert usage["total_tokens"] == usage["total_input_tokens"] + usage["total_output_tokens"]
    events = assert_events(await send(app, model=model, input="A red fox", stream=True, **fields))
    (delta,) = [event.delta for event in events if event.event_type == "step.delta"]
    assert (delta.type, delta.mime_type) == (kind, mime_type)
    goes_on = await create(app, model=model, input="Once more", previous_interaction_id=told["id"], **fields)
    assert goes_on["usage"]["total_input_tokens"] > usage["total_input_tokens"]


async def test_a_picture_is_painted_in_the_background_too(app: Application) -> None:
    told = await create(app, model="gemini-2.5-flash-image", input="A red fox", background=True)
    done = (await get(app, told["id"])).json
    assert_interaction(done)
    assert (done["status"], done["steps"][0]["content"][0]["type"]) == ("completed", "image")
    (delta,) = [
        event.delta
        for event in assert_events(await get(app, told["id"], "?stream=true"))
        if event.event_type == "step.delta"
    ]
    assert delta.data == done["steps"][0]["content"][0]["data"]


async def test_a_model_of_words_refuses_to_paint(app: Application) -> None:
    for fields in ({"response_modalities": ["image"]}, {"response_format": [{"type": "audio"}]}):
        told = await send(app, **fields)
        assert (told.status, told.json["error"]["code"]) == (400, "invalid_request")
        assert "response modalities" in told.json["error"]["message"]


# -- functions


async def test_a_function_is_called_and_its_result_answered(app: Application) -> None:
    told = await create(app, input="The weather in Oslo, please", tools=[WEATHER])
    (call,) = told["steps"]
    assert (told["status"], call["type"], call["name"]) == ("requires_action", "function_call", "get_weather")
    result = {"type": "function_result", "call_id": call["id"], "result": {"sky": "grey"}}
    answer = await create(app, input=[result], previous_interaction_id=told["id"], tools=[WEATHER])
    assert answer["status"] == "completed"
    assert "get_weather" in text(answer)
    assert "grey" in text(answer)


async def test_a_call_is_streamed_with_its_arguments(app: Application) -> None:
    events = assert_events(await send(app, tools=[WEATHER], stream=True))
    (start,) = [event for event in events if event.event_type == "step.start"]
    assert (start.step.type, start.step.name, start.step.arguments) == ("function_call", "get_weather", {})
    arguments = "".join(event.delta.arguments for event in events if event.event_type == "step.delta")
    assert set(orjson.loads(arguments)) == {"city"}
    assert events[-1].interaction.status == "requires_action"


@pytest.mark.parametrize(
    ("choice", "status"),
    [
        ("none", "completed"),
        ("any", "requires_action"),
        ({"allowed_tools": {"mode": "any", "tools": ["get_weather"]}}, "requires_action"),
    ],
)
async def test_a_choice_among_tools_is_kept_to(app: Application, choice: Any, status: str) -> None:
    other = {**WEATHER, "name": "get_time"}
    told = await create(app, tools=[other, WEATHER], generation_config={"tool_choice": choice})
    assert told["status"] == status
    if isinstance(choice, dict):
        assert [step["name"] for step in told["steps"]] == ["get_weather"]


# -- kept


@pytest.mark.parametrize("fields", [{}, {"model": THINKER}, {"tools": [WEATHER]}])
async def test_an_interaction_is_found_as_it_was_told(app: Application, fields: Any) -> None:
    told = await create(app, **fields)
    assert (await get(app, told["id"])).json == told
    asked = {"type": "user_input", "content": [{"type": "text", "text": "Hello"}]}
    shown = (await get(app, told["id"], "?include_input=true")).json
    assert_interaction(shown)
    assert shown == {**told, "input": [asked]}


async def test_what_was_said_goes_on_and_is_paid_for(app: Application) -> None:
    first = await create(app, input="word " * 30)
    second = await create(app, previous_interaction_id=first["id"])
    third = await create(app, previous_interaction_id=second["id"])
    assert second["previous_interaction_id"] == first["id"]
    costs = [told["usage"]["total_input_tokens"] for told in (first, second, third)]
    assert costs[0] + 30 < costs[1] < costs[2]


async def test_what_is_not_to_be_stored_is_not_found(app: Application) -> None:
    told = await create(app, store=False)
    assert (await get(app, told["id"])).status == 404
    assert not app.simulator.store.values(KIND)


async def test_a_deleted_interaction_is_gone(app: Application) -> None:
    id = (await create(app))["id"]
    gone = await ask(app, f"{PATH}/{id}", b"", "DELETE")
    assert (gone.status, gone.json) == (200, {})
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel")):
        told = await ask(app, f"{PATH}/{id}{path}", b"", method)
        assert (told.status, told.json["error"]) == (
            404,
            {"message": f"Interaction {id} not found.", "code": "not_found"},
        )
    told = await send(app, previous_interaction_id=id)
    assert told.status == 404


async def test_it_is_streamed_again_from_where_the_client_left(app: Application) -> None:
    id = (await create(app, input="one two three"))["id"]
    events = assert_events(await get(app, id, "?stream=true"))
    assert [event.event_id for event in events] == [str(number) for number in range(1, len(events) + 1)]
    again = assert_events(await get(app, id, "?stream=true&last_event_id=4"))
    assert again == events[4:]
    assert (await get(app, id, "?stream=true&last_event_id=x")).json["error"]["code"] == "invalid_request"


async def test_interactions_live_in_the_bounded_store(app: Application) -> None:
    app.simulator.store.count_limit = 3
    ids = [(await create(app))["id"] for _ in range(5)]
    assert [(await get(app, id)).status for id in ids] == [404, 404, 200, 200, 200]


async def test_what_was_said_before_counts_though_it_was_deleted(app: Application) -> None:
    first = await create(app, input="word " * 10_000)
    second = await create(app, previous_interaction_id=first["id"])
    await ask(app, f"{PATH}/{first['id']}", b"", "DELETE")
    assert app.simulator.store.size > 50_000
    await ask(app, f"{PATH}/{second['id']}", b"", "DELETE")
    assert app.simulator.store.size == 0


async def test_a_cached_content_comes_before_it(app: Application) -> None:
    cached = {"model": f"models/{MODEL}", "contents": [{"role": "user", "parts": [{"text": "word " * 40}]}]}
    name = (await ask(app, "/v1beta/cachedContents", cached)).json["name"]
    told = await create(app, cached_content=name)
    usage = told["usage"]
    assert usage["total_cached_tokens"] >= 40
    assert usage["cached_tokens_by_modality"] == [{"modality": "text", "tokens": usage["total_cached_tokens"]}]
    assert usage["total_input_tokens"] == usage["total_cached_tokens"] + 2
    refused = await send(app, cached_content=name, model=THINKER)
    assert (refused.status, refused.json["error"]["code"]) == (400, "invalid_request")
    assert (await send(app, cached_content="cachedContents/nope")).status == 403


# -- golden transcripts


def googles(told: Told) -> list[tuple[bytes, bytes]]:
    """The headers but our own."""
    return [(name, value) for name, value in told.headers if not name.startswith(b"x-llmsim-")]


GOLDEN: Any = {
    "text": {"input": "one two three"},
    "thinking": {
        "model": THINKER,
        "input": "one two",
        "generation_config": {"thinking_summaries": "auto", "thinking_level": "minimal"},
    },
    "tool_call": {"input": "The weather in Oslo, please", "tools": [WEATHER]},
    "background": {"input": "one two", "background": True},
    "length": {"input": "one two three", "generation_config": {"max_output_tokens": 2}},
}


@pytest.fixture
def golden_app(clock: ToldClock) -> Application:
    return Application(Simulator(Settings(latency_profile="instant", generator="echo"), clock=clock))


@pytest.mark.parametrize("name", GOLDEN)
async def test_a_stream_is_as_reviewed(golden_app: Application, name: str) -> None:
    told = await send(golden_app, stream=True, **GOLDEN[name])
    assert_golden(f"gemini_interactions_{name}", told.status, googles(told), told.body)


async def test_a_whole_interaction_is_as_reviewed(golden_app: Application) -> None:
    told = await send(golden_app, model=THINKER, input="one two three")
    assert_golden("gemini_interactions_whole", told.status, googles(told), told.body)


async def test_a_failure_in_mid_stream_is_as_reviewed(golden_app: Application) -> None:
    golden_app.simulator.arm({"kind": "refuse", "status": 503, "after_tokens": 2})
    told = await send(golden_app, stream=True, input="one two three")
    assert_golden("gemini_interactions_error_in_mid_stream", told.status, googles(told), told.body)
