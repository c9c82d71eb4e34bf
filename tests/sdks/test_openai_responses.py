"""OpenAI's own client gets responses whole, streamed and parsed, and works an agent's loop with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any, Literal

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.lib.streaming.responses import ResponseTextDeltaEvent
from openai.types.responses import Response
from pydantic import BaseModel
from running import Runner, until, written_by

from llmsim.conversation import Reply
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How is the weather in Paris?"
SCHEMA: Any = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER: Any = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": True}
JOKE: Any = {"type": "custom", "name": "tell_joke", "description": "Tells a joke"}
ASK: Any = {"model": "gpt-4o", "input": "Hello"}
CHEAP: Any = {"model": "gpt-5", "input": "Hello", "reasoning": {"effort": "low", "summary": "auto"}}


class Dot(BaseModel):
    kind: Literal["dot"]
    x: int


class Drawing(BaseModel):
    title: str
    dots: list[Dot]
    note: str | None


def text_of(events: Iterable[Any]) -> str:
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


# -- whole and streamed


async def test_a_response_has_words_and_a_price(client: AsyncOpenAI) -> None:
    told = await client.responses.create(**ASK)
    assert told.output_text
    assert told.status == "completed"
    assert told._request_id
    assert told.usage
    assert (told.usage.input_tokens, told.usage.output_tokens, told.usage.total_tokens) == (8, 20, 28)


async def test_a_stream_says_what_its_last_event_says(client: AsyncOpenAI) -> None:
    events = [event async for event in await client.responses.create(**ASK, stream=True)]
    last = events[-1]
    assert last.type == "response.completed"
    assert text_of(events) == last.response.output_text
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_the_stream_helper_puts_everything_together(client: AsyncOpenAI) -> None:
    asks: list[Any] = [ASK, CHEAP, {**ASK, "tools": [WEATHER]}, {**ASK, "tools": [JOKE]}, {**ASK, "tools": [WEB]}]
    for asked in [*asks, {**ASK, "tools": [WEB], "tool_choice": "required"}]:
        async with client.responses.stream(**asked) as stream:
            said = [event.snapshot async for event in stream if isinstance(event, ResponseTextDeltaEvent)]
            final = await stream.get_final_response()
        assert final.output_text == (said[-1] if said else "")
        assert final.output


WEB: Any = {"type": "web_search"}


async def test_a_helper_that_meets_the_limit_has_no_final_response(client: AsyncOpenAI) -> None:
    async with client.responses.stream(**ASK, max_output_tokens=16) as stream:
        kinds = [event.type async for event in stream]
        with pytest.raises(RuntimeError, match=r"Didn't receive a `response\.completed` event"):
            await stream.get_final_response()
    assert kinds[-1] == "response.incomplete"


async def test_the_synchronous_client_is_answered_alike(sync_client: OpenAI) -> None:
    def work() -> None:
        whole = sync_client.responses.create(**ASK)
        assert whole.output_text
        streamed = list(sync_client.responses.create(**ASK, stream=True))
        assert text_of(streamed)
        with sync_client.responses.stream(**ASK, tools=[WEATHER]) as stream:
            assert stream.get_final_response().output[0].type == "function_call"
        parsed = sync_client.responses.parse(**ASK, text_format=Drawing)
        assert isinstance(parsed.output_parsed, Drawing)
        assert sync_client.responses.retrieve(whole.id).output_text == whole.output_text
        assert sync_client.responses.input_tokens.count(**ASK).input_tokens == 8
        assert sync_client.responses.compact(**ASK).output[-1].type == "compaction"
        assert [item.id for item in sync_client.responses.input_items.list(whole.id)]
        background = sync_client.responses.create(**ASK, background=True)
        assert sync_client.responses.retrieve(background.id).status == "completed"
        assert text_of(sync_client.responses.retrieve(background.id, stream=True))
        sync_client.responses.delete(whole.id)
        with pytest.raises(openai.NotFoundError):
            sync_client.responses.retrieve(whole.id)

    await asyncio.to_thread(work)


# -- structure


async def test_parse_fills_a_model(client: AsyncOpenAI) -> None:
    told = await client.responses.parse(**ASK, text_format=Drawing)
    assert isinstance(told.output_parsed, Drawing)
    async with client.responses.stream(**ASK, text_format=Drawing) as stream:
        final = await stream.get_final_response()
    assert isinstance(final.output_parsed, Drawing)


async def test_parse_fills_the_arguments_of_a_function(client: AsyncOpenAI) -> None:
    told = await client.responses.parse(model="gpt-4o", input=QUESTION, tools=[WEATHER])
    (call,) = told.output
    assert call.type == "function_call"
    assert call.parsed_arguments == json.loads(call.arguments) == {"city": "Paris"}


async def test_any_json_is_an_object(client: AsyncOpenAI) -> None:
    told = await client.responses.create(model="gpt-4o", input="json, please", text={"format": {"type": "json_object"}})
    assert isinstance(json.loads(told.output_text), dict)


async def test_a_refusal_is_told_as_one(client: AsyncOpenAI, simulator: Simulator) -> None:
    with written_by(lambda ask, dice: Reply(("I cannot ", "help."), refusal=True)) as own:
        simulator.change(generator=own)
        told = await client.responses.parse(**ASK)
        events = [event async for event in await client.responses.create(**ASK, stream=True)]
    (item,) = told.output
    assert item.type == "message"
    assert item.content[0].type == "refusal"
    assert item.content[0].refusal == "I cannot help."
    assert "".join(event.delta for event in events if event.type == "response.refusal.delta") == "I cannot help."


# -- agents


async def test_an_agent_s_loop_ends_with_words(client: AsyncOpenAI) -> None:
    items: list[Any] = [{"role": "user", "content": QUESTION}]
    turns = 0
    while turns < 5:
        turns += 1
        told = await client.responses.create(model="gpt-4o", input=items, tools=[WEATHER])
        calls = [item for item in told.output if item.type == "function_call"]
        if not calls:
            break
        items += told.output
        items += [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"} for call in calls]
    assert turns == 2
    assert "The get_weather tool returned: sunny" in told.output_text


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5"])
async def test_an_agent_s_loop_ends_with_words_where_the_server_remembers(client: AsyncOpenAI, model: str) -> None:
    told = await client.responses.create(model=model, input=QUESTION, tools=[WEATHER, JOKE])
    (call,) = [item for item in told.output if item.type in ("function_call", "custom_tool_call")]
    result: Any = {"type": f"{call.type}_output", "call_id": call.call_id, "output": "sunny"}  # type: ignore[union-attr]
    told = await client.responses.create(
        model=model, input=[result], tools=[WEATHER, JOKE], previous_response_id=told.id
    )
    assert "sunny" in told.output_text


async def test_an_agent_s_loop_works_without_a_memory(client: AsyncOpenAI) -> None:
    items: list[Any] = [{"role": "user", "content": QUESTION}]
    asked: Any = {**CHEAP, "tools": [WEATHER], "store": False, "include": ["reasoning.encrypted_content"]}
    told = await client.responses.create(**{**asked, "input": items})
    assert [item.type for item in told.output] == ["reasoning", "function_call"]
    call: Any = told.output[1]
    items += [item.to_dict() for item in told.output]
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
    told = await client.responses.create(**{**asked, "input": items})
    assert [item.type for item in told.output] == ["reasoning", "message"]
    forgetful = [item for item in items if item.get("type") != "reasoning"]
    forgetful.insert(1, {"type": "reasoning", "id": told.output[0].id, "summary": []})
    with pytest.raises(openai.NotFoundError, match="Items are not persisted when `store` is set to false"):
        await client.responses.create(**{**asked, "input": forgetful})


@pytest.mark.parametrize("dump", [lambda item: item, lambda item: item.to_dict(), lambda item: item.model_dump()])
async def test_what_was_told_can_be_sent_back(client: AsyncOpenAI, dump: Any) -> None:
    asks: list[Any] = [
        ASK,
        CHEAP,
        {**ASK, "tools": [WEB], "tool_choice": "required"},
        {**ASK, "include": ["message.output_text.logprobs"]},
    ]
    for asked in asks:
        told = await client.responses.create(**asked)
        items: Any = [{"role": "user", "content": "Hello"}, *map(dump, told.output), {"role": "user", "content": "On"}]
        assert (await client.responses.create(model=asked["model"], input=items)).output_text
    parsed = await client.responses.parse(**ASK, text_format=Drawing)
    items = [*map(dump, parsed.output), {"role": "user", "content": "On"}]
    assert (await client.responses.create(model="gpt-4o", input=items)).output_text


async def test_thoughts_are_counted_and_summed_up(client: AsyncOpenAI) -> None:
    told = await client.responses.create(**CHEAP)
    thought: Any = told.output[0]
    assert thought.summary[0].text
    assert told.usage
    assert told.usage.output_tokens_details.reasoning_tokens == 64
    assert told.usage.output_tokens == 84
    hidden: Any = (await client.responses.create(model="gpt-5", input="Hello")).output[0]
    assert hidden.summary == []


# -- failures


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_wrong_request_says_what_is_wrong(client: AsyncOpenAI, streamed: bool) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(**ASK, max_output_tokens=5, stream=streamed)
    assert (caught.value.param, caught.value.code) == ("max_output_tokens", "integer_below_min_value")
    assert caught.value.request_id


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_refused_request_raises_its_class(client: AsyncOpenAI, simulator: Simulator, streamed: bool) -> None:
    simulator.arm({"kind": "refuse", "status": 429, "retry_after": 2})
    with pytest.raises(openai.RateLimitError) as caught:
        await client.responses.create(**ASK, stream=streamed)
    assert caught.value.response.headers["retry-after-ms"] == "2000"


async def test_a_failure_in_mid_stream_is_the_last_event(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 3, "message": "It broke."})
    events = [event async for event in await client.responses.create(**ASK, stream=True)]
    last = events[-1]
    assert last.type == "response.failed"
    assert last.response.error
    assert (last.response.error.code, last.response.error.message) == ("server_error", "It broke.")
    async with client.responses.stream(**ASK) as stream:
        with pytest.raises(RuntimeError, match="Didn't receive"):
            await stream.get_final_response()


@pytest.mark.parametrize("reset", [True, False])
async def test_a_cut_in_mid_stream_is_a_connection_error(
    client: AsyncOpenAI, simulator: Simulator, reset: bool
) -> None:
    simulator.arm({"kind": "cut", "after_tokens": 3, "reset": reset})
    stream = await client.responses.create(**ASK, stream=True)
    with pytest.raises(openai.APIConnectionError):
        [event async for event in stream]


@pytest.mark.parametrize("how", ["broken", "malformed"])
async def test_a_garbled_event_does_not_parse(client: AsyncOpenAI, simulator: Simulator, how: str) -> None:
    simulator.arm({"kind": "garble", "how": how})
    with pytest.raises(json.JSONDecodeError):
        [event async for event in await client.responses.create(**ASK, stream=True)]


async def test_an_early_stream_opens_before_its_first_word(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")
    stream = await client.responses.create(**ASK, stream=True)
    kinds = []
    async for event in stream:
        kinds.append(event.type)
        if len(kinds) == 2:
            break
    await stream.close()
    await until(lambda: not simulator.meter.live)
    assert kinds == ["response.created", "response.in_progress"]
    assert [one.state for one in simulator.journal] == ["abandoned"]


async def test_a_strict_server_says_which_model_there_is_not(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(strict=True)
    with pytest.raises(openai.BadRequestError, match="The requested model 'nobody' does not exist") as caught:
        await client.responses.create(model="nobody", input="Hello")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


async def test_the_newest_beta_is_served_at_the_same_path(client: AsyncOpenAI) -> None:
    told = await client.post("/responses?beta=true", cast_to=Response, body=ASK)
    assert told.output_text


async def test_the_api_is_served_below_its_provider_too(client: AsyncOpenAI, server: Runner) -> None:
    other = client.with_options(base_url=f"{server.url}/openai/v1")
    assert (await other.responses.create(**ASK)).output_text
