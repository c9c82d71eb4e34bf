"""langchain-anthropic over llmsim: messages, streams, tools, structured output, thinking."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from pydantic import BaseModel


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


def chat(url: str, **more: Any) -> ChatAnthropic:
    return ChatAnthropic(model="claude-haiku-4-5", base_url=url, **more)


@pytest.fixture
def model(url: str) -> ChatAnthropic:
    return chat(url)


def test_words(model: ChatAnthropic) -> None:
    told = model.invoke([SystemMessage("Be brief."), HumanMessage("Hello")])
    assert told.text
    assert told.usage_metadata
    assert told.usage_metadata["output_tokens"] == 20
    assert told.response_metadata["stop_reason"] == "end_turn"


def test_a_stream(model: ChatAnthropic) -> None:
    chunks = list(model.stream("Hello"))
    whole: Any = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert len(chunks) > 5
    assert whole.text
    assert whole.usage_metadata["output_tokens"] == 20


async def test_words_without_waiting(model: ChatAnthropic) -> None:
    assert (await model.ainvoke("Hello")).text
    assert "".join([chunk.text async for chunk in model.astream("Hello")])


@pytest.mark.parametrize("choice", ["auto", "any", "get_weather"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_tools_result_is_taken_up(model: ChatAnthropic, choice: str, streamed: bool) -> None:
    bound = model.bind_tools([get_weather], tool_choice=choice)
    messages: list[Any] = [HumanMessage("What is the weather in Oslo?")]
    if streamed:
        first, *rest = bound.stream(messages)
        asked: Any = first
        for chunk in rest:
            asked += chunk
    else:
        asked = bound.invoke(messages)
    (call,) = asked.tool_calls
    messages += [asked, get_weather.invoke(call)]
    told = model.bind_tools([get_weather]).invoke(messages)
    assert not told.tool_calls
    assert f"sunny in {call['args']['city']}" in told.text


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_structured_output(model: ChatAnthropic, method: Any) -> None:
    assert isinstance(model.with_structured_output(Weather, method=method).invoke("The weather in Oslo"), Weather)


def test_structured_output_in_parts(model: ChatAnthropic) -> None:
    told = list(model.with_structured_output(Weather).stream("The weather in Oslo"))
    assert isinstance(told[-1], Weather)


def test_a_conversation_goes_on(model: ChatAnthropic) -> None:
    first: Any = model.invoke("Hello")
    second: Any = model.invoke([HumanMessage("Hello"), first, HumanMessage("And?")])
    assert second.text
    assert second.usage_metadata["input_tokens"] > first.usage_metadata["input_tokens"]


def test_a_picture(model: ChatAnthropic, picture: str) -> None:
    parts: Any = [
        {"type": "text", "text": "What is it?"},
        {"type": "image", "base64": picture, "mime_type": "image/png"},
    ]
    assert model.invoke([HumanMessage(parts)]).text


@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_is_shown_and_taken_back(url: str, streamed: bool) -> None:
    model = chat(url, thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=4096)
    if streamed:
        first, *rest = model.stream("Hello")
        told: Any = first
        for chunk in rest:
            told += chunk
    else:
        told = model.invoke("Hello")
    assert [block["type"] for block in told.content_blocks] == ["reasoning", "text"]
    assert model.invoke([HumanMessage("Hello"), told, HumanMessage("And?")]).text


def test_tokens_are_counted(model: ChatAnthropic) -> None:
    short = model.get_num_tokens_from_messages([HumanMessage("Hello")])
    assert model.get_num_tokens_from_messages([HumanMessage("Hello " * 50)]) > short + 40


def test_a_limit(url: str) -> None:
    told = chat(url, max_tokens=5).invoke("Hello")
    assert told.response_metadata["stop_reason"] == "max_tokens"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (529, anthropic.InternalServerError),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_errors_by_class(refusing: Any, status: int, error: Any, streamed: bool) -> None:
    model = chat(refusing(status), max_retries=0)
    with pytest.raises(error, match="Not today"):
        _ = list(model.stream("Hello")) if streamed else model.invoke("Hello")


@pytest.mark.parametrize("status", [429, 529])
@pytest.mark.parametrize("streamed", [False, True])
def test_who_asks_again_is_answered(turns: Any, status: int, streamed: bool) -> None:
    door = turns(status)
    model = chat(door.url)
    assert list(model.stream("Hello")) if streamed else model.invoke("Hello").text
    assert len(door.asked) == 2
