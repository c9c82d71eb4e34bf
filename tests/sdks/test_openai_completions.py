"""OpenAI's own client gets from legacy completions what it gets from OpenAI."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types import Completion
from openapi import assert_fits, assert_known_keys
from running import until

from llmsim import tokens
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL: Any = "gpt-3.5-turbo-instruct"
PROMPT = "Once upon a time"


def texts(events: list[Completion]) -> dict[int, str]:
    found: dict[int, str] = {}
    for choice in (choice for event in events for choice in event.choices):
        found[choice.index] = found.get(choice.index, "") + choice.text
    return found


async def test_a_whole_reply_has_all_its_parts(client: AsyncOpenAI) -> None:
    raw = await client.completions.with_raw_response.create(model=MODEL, prompt=PROMPT)
    reply = raw.parse()
    assert_fits("CreateCompletionResponse", raw.http_response.json())
    assert_known_keys(reply)
    assert reply._request_id == raw.headers["x-request-id"]
    assert (reply.object, reply.model) == ("text_completion", MODEL)
    (choice,) = reply.choices
    assert (choice.index, choice.logprobs, choice.finish_reason) == (0, None, "length")
    assert reply.usage
    assert reply.usage.completion_tokens == tokens.count_tokens(choice.text, MODEL) == 16


async def test_a_stream_brings_the_text_token_by_token(client: AsyncOpenAI) -> None:
    stream = await client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=5, stream=True)
    events = [event async for event in stream]
    assert [len(event.choices) for event in events] == [1] * 6
    assert all(event.choices[0].finish_reason is None for event in events[:-1])
    assert (events[-1].choices[0].text, events[-1].choices[0].finish_reason) == ("", "length")
    assert tokens.count_tokens(texts(events)[0], MODEL) == 5
    assert len({event.id for event in events}) == 1


async def test_usage_comes_last_where_it_is_asked_for(client: AsyncOpenAI) -> None:
    options: Any = {"include_usage": True}
    stream = await client.completions.create(
        model=MODEL, prompt=PROMPT, max_tokens=5, stream=True, stream_options=options
    )
    *events, last = [event async for event in stream]
    assert all(event.usage is None for event in events)
    assert last.choices == []
    assert last.usage
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (4, 5)


async def test_several_prompts_have_several_choices_each(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(generator="echo")
    whole = await client.completions.create(model=MODEL, prompt=["one", "two"], n=2, echo=True)
    expected = {0: "oneone", 1: "oneone", 2: "twotwo", 3: "twotwo"}
    assert texts([whole]) == expected
    stream = await client.completions.create(model=MODEL, prompt=["one", "two"], n=2, echo=True, stream=True)
    assert texts([event async for event in stream]) == expected


async def test_lists_of_tokens_are_prompts(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(generator="echo")
    whole = await client.completions.create(model=MODEL, prompt=[[15339, 1917], [15339]])
    assert texts([whole]) == {0: "hello world", 1: "hello"}


async def test_a_given_text_is_scored(client: AsyncOpenAI) -> None:
    reply = await client.completions.create(model=MODEL, prompt="The sky is blue", echo=True, max_tokens=0, logprobs=5)
    logprobs = reply.choices[0].logprobs
    assert logprobs
    assert logprobs.tokens == ["The", " sky", " is", " blue"]
    assert logprobs.text_offset == [0, 3, 7, 10]
    assert logprobs.token_logprobs
    assert logprobs.token_logprobs[0] is None
    assert sum(logprobs.token_logprobs[1:]) < 0
    assert all(len(top) == 5 for top in (logprobs.top_logprobs or [])[1:])


async def test_the_synchronous_client_is_answered_alike(sync_client: OpenAI) -> None:
    def work() -> tuple[str, str]:
        whole = sync_client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=8)
        stream = sync_client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=8, stream=True)
        return whole.choices[0].text, texts(list(stream))[0]

    for text in await asyncio.to_thread(work):
        assert tokens.count_tokens(text, MODEL) == 8


async def test_the_same_seed_gives_the_same_text(client: AsyncOpenAI) -> None:
    one, two, other = [
        (await client.completions.create(model=MODEL, prompt=PROMPT, seed=seed)).choices[0].text for seed in (1, 1, 2)
    ]
    assert one == two != other


async def test_a_chat_model_is_not_found_here(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Did you mean to use v1/chat/completions") as caught:
        await client.completions.create(model="gpt-4o", prompt=PROMPT)
    assert (caught.value.param, caught.value.code, caught.value.type) == ("model", None, "invalid_request_error")


async def test_a_bad_value_raises_a_bad_request(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="Expected a value <= 5, but got 6") as caught:
        await client.completions.create(model=MODEL, prompt=PROMPT, logprobs=6)
    assert caught.value.code == "integer_above_max_value"


async def test_an_error_in_mid_stream_is_raised(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2, "message": "No more."})
    stream = await client.completions.create(model=MODEL, prompt=PROMPT, stream=True)
    with pytest.raises(openai.APIError, match="No more"):
        [event async for event in stream]


async def test_a_client_that_leaves_ends_the_reply(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="glacial")
    stream = await client.completions.create(model=MODEL, prompt=PROMPT, stream=True)
    await anext(aiter(stream))
    await stream.close()
    await until(lambda: not simulator.meter.live)
    assert [exchange.state for exchange in simulator.journal] == ["abandoned"]
