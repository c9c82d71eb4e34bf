"""OpenAI's own client gets from the chat API what it gets from OpenAI."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai_asks import HELLO, collected, text_of
from running import written_by

from llmsim import tokens
from llmsim.conversation import Reply, Stop
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

# -- text


async def test_a_whole_reply_has_all_its_parts(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert reply.id.startswith("chatcmpl-")
    assert (reply.object, reply.model, reply.service_tier) == ("chat.completion", "gpt-4o", "default")
    (choice,) = reply.choices
    assert (choice.finish_reason, choice.index, choice.logprobs) == ("stop", 0, None)
    assert choice.message.role == "assistant"
    assert choice.message.content
    assert choice.message.refusal is None
    assert choice.message.tool_calls is None


async def test_the_usage_is_what_tiktoken_counts(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert reply.usage
    assert reply.usage.completion_tokens == tokens.count_tokens(reply.choices[0].message.content or "", "gpt-4o")
    assert reply.usage.prompt_tokens == tokens.count_tokens(HELLO[0]["content"], "gpt-4o") + 7
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


async def test_the_usage_grows_with_the_prompt(client: AsyncOpenAI) -> None:
    counts = []
    for times in (1, 2, 3):
        reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO * times)
        assert reply.usage
        counts.append(reply.usage.prompt_tokens)
    assert counts[1] - counts[0] == counts[2] - counts[1] > 10


async def test_the_synchronous_client_is_answered_alike(sync_client: OpenAI) -> None:
    def work() -> tuple[str, str]:
        create = sync_client.chat.completions.create
        whole = create(model="gpt-4o", messages=HELLO, seed=7).choices[0].message.content or ""
        chunks = list(create(model="gpt-4o", messages=HELLO, seed=7, stream=True))
        return whole, text_of(chunks)

    whole, streamed = await asyncio.to_thread(work)
    assert whole
    assert streamed


async def test_a_stream_begins_with_the_role_and_ends_with_the_reason(client: AsyncOpenAI) -> None:
    chunks = await collected(await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    first, *middle, last = [chunk.choices[0] for chunk in chunks]
    assert (first.delta.role, first.delta.content, first.finish_reason) == ("assistant", "", None)
    assert len(middle) == 20
    assert all(choice.delta.content and choice.delta.role is None for choice in middle)
    assert (last.delta.content, last.finish_reason) == (None, "stop")
    assert len({(chunk.id, chunk.created, chunk.model, chunk.system_fingerprint) for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


async def test_include_usage_adds_one_chunk_without_choices(client: AsyncOpenAI) -> None:
    options: Any = {"include_usage": True}
    chunks = await collected(
        await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True, stream_options=options)
    )
    assert [chunk.choices for chunk in chunks].count([]) == 1
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 20
    assert all("usage" in chunk.model_fields_set and chunk.usage is None for chunk in chunks[:-1])


@pytest.mark.parametrize("wanted", [True, False])
async def test_obfuscation_is_there_unless_it_is_refused(client: AsyncOpenAI, wanted: bool) -> None:
    options: Any = {"include_obfuscation": wanted}
    chunks = await collected(
        await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True, stream_options=options)
    )
    spoken = [chunk for chunk in chunks if chunk.choices[0].delta.content]
    assert all(("obfuscation" in (chunk.to_dict())) is wanted for chunk in spoken)


async def test_the_stream_helper_gives_its_events_in_order(client: AsyncOpenAI) -> None:
    async with client.chat.completions.stream(model="gpt-4o", messages=HELLO) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_completion()
    deltas = [event.delta for event in events if event.type == "content.delta"]
    (done,) = (event for event in events if event.type == "content.done")
    assert "".join(deltas) == done.content == final.choices[0].message.content
    assert events[0].type == "chunk"


async def test_the_same_seed_gives_the_same_reply_however_it_is_sent(client: AsyncOpenAI) -> None:
    one, two, other = [
        (await client.chat.completions.create(model="gpt-4o", messages=HELLO, seed=seed)).choices[0].message.content
        for seed in (1, 1, 2)
    ]
    assert one == two != other


async def test_without_a_seed_each_reply_is_another(client: AsyncOpenAI) -> None:
    replies = [await client.chat.completions.create(model="gpt-4o", messages=HELLO) for _ in range(3)]
    assert len({reply.choices[0].message.content for reply in replies}) == 3
    assert len({reply.id for reply in replies}) == 3


async def test_unicode_arrives_whole_and_streamed(client: AsyncOpenAI, simulator: Simulator) -> None:
    text = 'é ß 漢字 العربية 👩🏽‍🚀🎉 "quoted" \\ \n\t end 🧑‍🤝‍🧑'
    simulator.change(generator=f"fixed:{text}")
    whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    streamed = await collected(await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    assert whole.choices[0].message.content == text == text_of(streamed)


# -- limits and stops


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
async def test_a_limit_ends_the_reply_there(client: AsyncOpenAI, field: str) -> None:
    limits: Any = {field: 5}
    whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO, **limits)
    assert whole.choices[0].finish_reason == "length"
    assert whole.usage
    assert whole.usage.completion_tokens == 5
    chunks = await collected(
        await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True, **limits)
    )
    assert chunks[-1].choices[0].finish_reason == "length"
    assert tokens.count_tokens(text_of(chunks), "gpt-4o") == 5


@pytest.mark.parametrize("stop", ["three", ["five", "three"]])
async def test_a_stop_sequence_is_not_part_of_the_text(client: AsyncOpenAI, simulator: Simulator, stop: Any) -> None:
    simulator.change(generator="fixed:one two three four five")
    whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stop=stop)
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == ("one two ", "stop")
    chunks = await collected(
        await client.chat.completions.create(model="gpt-4o", messages=HELLO, stop=stop, stream=True)
    )
    assert (text_of(chunks), chunks[-1].choices[0].finish_reason) == ("one two ", "stop")


# -- several choices, log probabilities


async def test_several_choices_differ_and_share_the_usage(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO, n=3)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in reply.choices}) == 3
    assert reply.usage
    assert reply.usage.completion_tokens == 60


async def test_streamed_choices_take_turns(client: AsyncOpenAI) -> None:
    chunks = await collected(await client.chat.completions.create(model="gpt-4o", messages=HELLO, n=2, stream=True))
    order = [chunk.choices[0].index for chunk in chunks]
    assert order.count(0) == order.count(1) == 22
    assert order.index(1) < 22
    roles = [(chunk.choices[0].index, chunk.choices[0].delta.role) for chunk in chunks if chunk.choices[0].delta.role]
    assert roles == [(0, "assistant"), (1, "assistant")]
    assert [chunk.choices[0].finish_reason for chunk in chunks].count("stop") == 2
    assert text_of(chunks, 0) != text_of(chunks, 1)


@pytest.mark.parametrize("text", ["Hello there, you.", "Emoji 👩🏽‍🚀 and 漢字."])
async def test_the_bytes_of_the_logprobs_join_to_the_text(client: AsyncOpenAI, simulator: Simulator, text: str) -> None:
    simulator.change(generator=f"fixed:{text}")
    asked: Any = {"model": "gpt-4o", "messages": HELLO, "logprobs": True, "top_logprobs": 3}
    whole = await client.chat.completions.create(**asked)
    chunks = await collected(await client.chat.completions.create(**asked, stream=True))
    assert whole.choices[0].logprobs
    entries = whole.choices[0].logprobs.content or []
    told = [chunk.choices[0].logprobs for chunk in chunks]
    streamed = [entry for part in told if part for entry in part.content or []]
    for some in (entries, streamed):
        assert b"".join(bytes(entry.bytes or []) for entry in some).decode() == text
    assert whole.usage
    assert len(entries) == len(streamed) == whole.usage.completion_tokens
    for entry in entries:
        assert len(entry.top_logprobs) == 3
        ranks = [top.logprob for top in entry.top_logprobs]
        assert ranks == sorted(ranks, reverse=True)
        assert entry.logprob <= 0
        assert len({top.token for top in entry.top_logprobs}) == 3


async def test_logprobs_may_come_without_alternatives(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO, logprobs=True)
    assert reply.choices[0].logprobs
    assert [entry.top_logprobs for entry in reply.choices[0].logprobs.content or []] == [[]] * 20


# -- refusals and filters


async def test_a_refusal_stands_where_the_sdk_looks_for_it(client: AsyncOpenAI, simulator: Simulator) -> None:
    with written_by(lambda ask, dice: Reply(("I cannot ", "help with that."), refusal=True)) as own:
        simulator.change(generator=own)
        whole = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
        async with client.chat.completions.stream(model="gpt-4o", messages=HELLO) as stream:
            events = [event async for event in stream]
    message = whole.choices[0].message
    assert (message.refusal, message.content) == ("I cannot help with that.", None)
    assert whole.choices[0].finish_reason == "stop"
    (done,) = (event for event in events if event.type == "refusal.done")
    assert done.refusal == "I cannot help with that."


async def test_a_filtered_reply_says_so(client: AsyncOpenAI, simulator: Simulator) -> None:
    with written_by(lambda ask, dice: Reply(("Well, ",), stop=Stop.FILTER)) as own:
        simulator.change(generator=own)
        reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
        assert reply.choices[0].finish_reason == "content_filter"
        with pytest.raises(openai.ContentFilterFinishReasonError):
            await client.chat.completions.parse(model="gpt-4o", messages=HELLO)


# -- reasoning


@pytest.mark.parametrize("model", ["gpt-5", "o3"])
async def test_reasoning_is_billed_and_not_shown(client: AsyncOpenAI, model: str) -> None:
    reply = await client.chat.completions.create(model=model, messages=HELLO)
    assert reply.usage
    assert reply.usage.completion_tokens_details
    thought = reply.usage.completion_tokens_details.reasoning_tokens or 0
    said = tokens.count_tokens(reply.choices[0].message.content or "", model)
    assert thought > 0
    assert reply.usage.completion_tokens == thought + said


async def test_more_effort_is_more_reasoning(client: AsyncOpenAI) -> None:
    thoughts = []
    efforts: Any = ("minimal", "low", "medium", "high")
    for effort in efforts:
        reply = await client.chat.completions.create(model="gpt-5", messages=HELLO, reasoning_effort=effort)
        assert reply.usage
        assert reply.usage.completion_tokens_details
        thoughts.append(reply.usage.completion_tokens_details.reasoning_tokens or 0)
    assert thoughts == sorted(thoughts)
    assert 0 < thoughts[0] < thoughts[1] < thoughts[3]


async def test_reasoning_can_use_the_whole_limit_up(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="o3", messages=HELLO, max_completion_tokens=10)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("", "length")
    assert reply.usage
    assert reply.usage.completion_tokens == 10


async def test_a_streamed_reasoning_model_shows_words_alone(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(generator="fixed:one two three")
    chunks = await collected(await client.chat.completions.create(model="o3", messages=HELLO, stream=True))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "one", " two", " three", None]
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_hidden_reasoning_sends_nothing_before_its_end(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="silent")
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.05).chat.completions.create(model="o3", messages=HELLO, stream=True)
