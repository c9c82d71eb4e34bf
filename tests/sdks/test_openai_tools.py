"""OpenAI's own client gets tool calls as OpenAI makes them, whole and in fragments."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai_asks import CLOCK, HELLO, JOKE, WEATHER, collected, strict

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_model_calls_the_tool_that_fits(client: AsyncOpenAI) -> None:
    messages: Any = [{"role": "user", "content": "How is the weather in Paris?"}]
    reply = await client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER, CLOCK])
    (choice,) = reply.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    (call,) = choice.message.tool_calls or []
    assert call.type == "function"
    assert call.id.startswith("call_")
    assert call.function.name == "get_weather"
    assert list(json.loads(call.function.arguments)) == ["city"]


async def test_several_tools_are_called_at_once_unless_it_is_refused(client: AsyncOpenAI) -> None:
    asked: Any = {"model": "gpt-4o", "messages": HELLO, "tools": [WEATHER, CLOCK]}
    both = await client.chat.completions.create(**asked)
    assert len(both.choices[0].message.tool_calls or []) == 2
    assert len({call.id for call in both.choices[0].message.tool_calls or []}) == 2
    single = await client.chat.completions.create(**asked, parallel_tool_calls=False)
    assert len(single.choices[0].message.tool_calls or []) == 1


async def test_a_client_that_forbids_tools_gets_words(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER], tool_choice="none")
    assert reply.choices[0].message.tool_calls is None
    assert reply.choices[0].message.content


@pytest.mark.parametrize("mode", ["required", "auto"])
async def test_tools_that_are_called_end_with_tool_calls(client: AsyncOpenAI, mode: Any) -> None:
    reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER], tool_choice=mode)
    assert reply.choices[0].finish_reason == "tool_calls"


async def test_a_tool_that_is_forced_by_name_ends_with_stop(client: AsyncOpenAI) -> None:
    choice: Any = {"type": "function", "function": {"name": "get_time"}}
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=HELLO, tools=[WEATHER, CLOCK], tool_choice=choice
    )
    (call,) = reply.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, reply.choices[0].finish_reason) == ("get_time", "stop")


async def test_a_choice_among_allowed_tools_is_kept_to(client: AsyncOpenAI) -> None:
    allowed: Any = {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "get_time"}}]},
    }
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=HELLO, tools=[WEATHER, CLOCK], tool_choice=allowed
    )
    (call,) = reply.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, reply.choices[0].finish_reason) == ("get_time", "tool_calls")


async def test_a_custom_tool_gets_free_text(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Tell me a joke"}], tools=[JOKE]
    )
    (call,) = reply.choices[0].message.tool_calls or []
    assert call.type == "custom"
    assert (call.custom.name, call.custom.input) == ("tell_joke", "Tell me a joke")


async def test_a_custom_tool_streams_its_input(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Tell me a joke"}], tools=[JOKE], stream=True
    )
    found = [call for chunk in await collected(stream) for call in chunk.choices[0].delta.tool_calls or []]
    fragments: list[Any] = [call.to_dict() for call in found]
    assert fragments[0]["type"] == "custom"
    assert fragments[0]["custom"]["name"] == "tell_joke"
    assert "".join(fragment["custom"]["input"] for fragment in fragments) == "Tell me a joke"


async def test_legacy_functions_are_called_the_legacy_way(client: AsyncOpenAI) -> None:
    asked: Any = {"model": "gpt-4o", "messages": HELLO, "functions": [WEATHER["function"]]}
    whole = await client.chat.completions.create(**asked, seed=3)
    called = whole.choices[0].message.function_call
    assert called
    assert (called.name, whole.choices[0].finish_reason) == ("get_weather", "function_call")
    chunks = await collected(await client.chat.completions.create(**asked, stream=True))
    parts = [chunk.choices[0].delta.function_call for chunk in chunks if chunk.choices[0].delta.function_call]
    assert [part.name for part in parts if part and part.name] == ["get_weather"]
    assert "city" in json.loads("".join(part.arguments or "" for part in parts if part))
    assert chunks[-1].choices[0].finish_reason == "function_call"


async def test_a_legacy_function_that_is_forced_ends_with_stop(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(
        model="gpt-4o",
        messages=HELLO,
        functions=[WEATHER["function"]],
        function_call={"name": "get_weather"},
    )
    assert reply.choices[0].message.function_call
    assert reply.choices[0].finish_reason == "stop"


async def test_a_call_is_streamed_in_fragments_that_name_it_once(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER, CLOCK], stream=True)
    chunks = await collected(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "content" in chunks[0].choices[0].delta.model_fields_set
    assert chunks[0].choices[0].delta.content is None
    fragments = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    for index, name in enumerate(("get_weather", "get_time")):
        first, *rest = [part for part in fragments if part.index == index]
        assert first.function
        assert (first.type, first.function.name, first.function.arguments) == ("function", name, "")
        assert all(part.id is None and part.type is None and part.function for part in rest)
        assert "city" in json.loads("".join((part.function and part.function.arguments) or "" for part in rest))
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_the_stream_helper_puts_calls_together(client: AsyncOpenAI) -> None:
    async with client.chat.completions.stream(model="gpt-4o", messages=HELLO, tools=[strict(WEATHER)]) as stream:
        done = [event async for event in stream if event.type == "tool_calls.function.arguments.done"]
        final = await stream.get_final_completion()
    (event,) = done
    assert event.name == "get_weather"
    (call,) = final.choices[0].message.tool_calls or []
    assert call.function.parsed_arguments == json.loads(event.arguments)


async def test_an_agent_s_loop_ends_with_words(client: AsyncOpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "How is the weather in Paris?"}]
    turns = 0
    while turns < 5:
        turns += 1
        async with client.chat.completions.stream(model="gpt-4o", messages=messages, tools=[strict(WEATHER)]) as one:
            message = (await one.get_final_completion()).choices[0].message
        if not message.tool_calls:
            break
        messages.append(message.to_dict())
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": "sunny, 21 degrees"} for call in message.tool_calls
        ]
    assert turns == 2
    assert "sunny, 21 degrees" in (message.content or "")
