"""Google's own client interacts: whole, streamed, in the background, with functions, with errors of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from gemini_clients import google
from google import genai
from google.genai import _interactions as errors
from running import until

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL, THINKER = "gemini-2.5-flash-lite", "gemini-2.5-flash"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Any = {"type": "function", "name": "get_weather", "parameters": CITY}
THOUGHTS: Any = {"thinking_summaries": "auto", "thinking_level": "low"}
# A token in 100 s, and a thousand times as fast where the test has seen enough.
SLOW: Any = {"slow": {"ttft": {"kind": "fixed", "mean": 0}, "tbt": {"kind": "fixed", "mean": 100_000}}}


@pytest_asyncio.fixture(params=["v1", "v1beta"], loop_scope="module")
async def gemini(request: pytest.FixtureRequest, server: Runner, simulator: Simulator) -> AsyncIterator[genai.Client]:
    async with google(server, api_version=request.param) as one:
        yield one


async def test_an_interaction_is_created_found_and_deleted(gemini: genai.Client) -> None:
    made = await gemini.aio.interactions.create(model=MODEL, input="Hello", system_instruction="Be kind.")
    assert (made.status, made.model) == ("completed", MODEL)
    assert made.output_text
    assert made.usage
    assert made.usage.total_tokens == (made.usage.total_input_tokens or 0) + (made.usage.total_output_tokens or 0)
    assert made.id
    found = await gemini.aio.interactions.get(made.id, include_input=True)
    assert (found.output_text, found.steps) == (made.output_text, made.steps)
    assert found.input[0].content[0].text == "Hello"
    await gemini.aio.interactions.delete(made.id)
    with pytest.raises(errors.NotFoundError) as caught:
        await gemini.aio.interactions.get(made.id)
    assert caught.value.status_code == 404


async def test_the_synchronous_client_gets_the_same(gemini: genai.Client, simulator: Simulator) -> None:
    simulator.change(generator="echo")

    def talk() -> list[Any]:
        first = gemini.interactions.create(model=MODEL, input="one two")
        second = gemini.interactions.create(model=MODEL, input="three", previous_interaction_id=first.id)
        events = list(gemini.interactions.create(model=MODEL, input="one two", stream=True))
        return [first, second, events]

    first, second, events = await asyncio.to_thread(talk)
    assert (first.output_text, second.output_text) == ("one two", "three")
    assert second.usage.total_input_tokens > first.usage.total_input_tokens
    assert events[-1].event_type == "interaction.completed"
    assert "".join(event.delta.text for event in events if event.event_type == "step.delta") == "one two"


async def test_a_stream_has_the_clients_own_events(gemini: genai.Client) -> None:
    stream = await gemini.aio.interactions.create(model=THINKER, input="Hello", stream=True, generation_config=THOUGHTS)
    events = [event async for event in stream]
    assert not any(type(event).__name__.startswith("Unknown") for event in events)
    deltas = [event.delta for event in events if event.event_type == "step.delta"]
    assert {delta.type for delta in deltas} == {"thought_summary", "thought_signature", "text"}
    last = events[-1].interaction
    assert last.usage.total_thought_tokens == sum(delta.type == "thought_summary" for delta in deltas)
    kept = await gemini.aio.interactions.get(last.id)
    assert kept.output_text == "".join(delta.text for delta in deltas if delta.type == "text")
    assert [step.type for step in kept.steps or ()] == ["thought", "model_output"]


async def test_a_function_is_called_and_its_result_answered(gemini: genai.Client) -> None:
    asked = await gemini.aio.interactions.create(model=THINKER, input="The weather in Oslo, please", tools=[WEATHER])
    assert asked.status == "requires_action"
    call: Any = (asked.steps or [])[-1]
    assert (call.type, call.name, set(call.arguments)) == ("function_call", "get_weather", {"city"})
    result: Any = [{"type": "function_result", "call_id": call.id, "name": call.name, "result": {"sky": "grey"}}]
    told = await gemini.aio.interactions.create(
        model=THINKER, input=result, tools=[WEATHER], previous_interaction_id=asked.id
    )
    assert told.status == "completed"
    assert "grey" in (told.output_text or "")


async def test_a_conversation_can_be_the_clients_own_to_keep(gemini: genai.Client) -> None:
    steps: list[Any] = [{"type": "user_input", "content": [{"type": "text", "text": "The weather in Oslo, please"}]}]
    asked = await gemini.aio.interactions.create(model=THINKER, input=steps, tools=[WEATHER], store=False)
    steps += asked.steps or []
    steps.append({"type": "function_result", "call_id": steps[-1].id, "result": [{"type": "text", "text": "grey"}]})
    told = await gemini.aio.interactions.create(model=THINKER, input=steps, tools=[WEATHER], store=False)
    assert "grey" in (told.output_text or "")


async def test_a_reply_has_the_form_that_was_asked_for(gemini: genai.Client) -> None:
    form: Any = {"type": "text", "mime_type": "application/json", "schema": CITY}
    told = await gemini.aio.interactions.create(model=MODEL, input="Hello", response_format=form)
    assert (told.output_text or "").startswith('{"city":')


async def test_the_background_is_waited_for_streamed_and_cancelled(gemini: genai.Client, simulator: Simulator) -> None:
    simulator.change(profiles={**simulator.settings.profiles, **SLOW}, latency_profile="slow", generator="echo")
    first, second = [
        await gemini.aio.interactions.create(model=MODEL, input="one two three", background=True) for _ in range(2)
    ]
    assert (first.status, first.steps) == ("in_progress", [])
    assert first.id
    assert second.id
    cancelled = await gemini.aio.interactions.cancel(second.id)
    assert cancelled.status == "cancelled"
    with pytest.raises(errors.BadRequestError):
        await gemini.aio.interactions.cancel(second.id)
    simulator.change(speed=1000)
    await until(lambda: not simulator.meter.live)
    done = await gemini.aio.interactions.get(first.id)
    assert (done.status, done.output_text) == ("completed", "one two three")
    events = [event async for event in await gemini.aio.interactions.get(first.id, stream=True)]
    again = await gemini.aio.interactions.get(first.id, stream=True, last_event_id=events[3].event_id)
    assert [event async for event in again] == events[4:]


async def test_a_failure_in_mid_stream_reaches_the_client(gemini: genai.Client, simulator: Simulator) -> None:
    simulator.change(generator="echo")
    simulator.arm({"kind": "refuse", "status": 503, "after_tokens": 2, "message": "No more."})
    events = []
    stream = await gemini.aio.interactions.create(model=MODEL, input="one two three", stream=True)
    async for event in stream:
        events.append(event)
    assert events[-1].event_type == "error"
    assert (events[-1].error.code, events[-1].error.message) == ("service_unavailable", "No more.")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (429, errors.RateLimitError),
        (500, errors.InternalServerError),
    ],
)
async def test_each_failure_is_an_error_of_its_kind(
    server: Runner, simulator: Simulator, status: int, kind: Any
) -> None:
    simulator.change(faults=({"kind": "refuse", "status": status},))
    async with google(server, retry_options={"attempts": 1}) as gemini:
        with pytest.raises(kind) as caught:
            await gemini.aio.interactions.create(model=MODEL, input="Hello")
    assert caught.value.status_code == status
    assert set(caught.value.body["error"]) == {"code", "message"}


async def test_what_makes_no_sense_is_an_error(gemini: genai.Client) -> None:
    with pytest.raises(errors.BadRequestError) as caught:
        await gemini.aio.interactions.create(model=MODEL, input="Hello", generation_config={"temperature": 3})
    assert "must be between 0 and 2" in str(caught.value)
    with pytest.raises(errors.NotFoundError):
        await gemini.aio.interactions.create(model=MODEL, input="Hello", previous_interaction_id="nope")
