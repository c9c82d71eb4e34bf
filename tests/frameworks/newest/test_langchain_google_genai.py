"""langchain-google-genai over llmsim: content, streams, tools, structured output, thoughts, embeddings."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings
from langchain_google_genai.chat_models import ChatGoogleGenerativeAIError, GoogleAPIError
from pydantic import BaseModel


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


def chat(url: str, name: str = "gemini-2.5-flash-lite", **more: Any) -> ChatGoogleGenerativeAI:
    return ChatGoogleGenerativeAI(model=name, base_url=url, **more)


@pytest.fixture
def model(url: str) -> ChatGoogleGenerativeAI:
    return chat(url)


def test_words(model: ChatGoogleGenerativeAI) -> None:
    told = model.invoke([SystemMessage("Be brief."), HumanMessage("Hello")])
    assert told.text
    assert told.usage_metadata
    assert told.usage_metadata["output_tokens"] == 20
    assert told.response_metadata["finish_reason"] == "STOP"


def test_a_stream(model: ChatGoogleGenerativeAI) -> None:
    first, *rest = model.stream("Hello")
    whole: Any = first
    for chunk in rest:
        whole += chunk
    assert len(rest) > 5
    assert whole.text
    assert whole.usage_metadata["output_tokens"] == 20


async def test_words_without_waiting(model: ChatGoogleGenerativeAI) -> None:
    assert (await model.ainvoke("Hello")).text
    assert "".join([chunk.text async for chunk in model.astream("Hello")])


@pytest.mark.parametrize("choice", ["auto", "any", "get_weather"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_tools_result_is_taken_up(model: ChatGoogleGenerativeAI, choice: str, streamed: bool) -> None:
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
def test_structured_output(model: ChatGoogleGenerativeAI, method: Any) -> None:
    assert isinstance(model.with_structured_output(Weather, method=method).invoke("The weather in Oslo"), Weather)


def test_structured_output_in_parts(model: ChatGoogleGenerativeAI) -> None:
    told = list(model.with_structured_output(Weather).stream("The weather in Oslo"))
    assert isinstance(told[-1], Weather)


def test_a_conversation_goes_on(model: ChatGoogleGenerativeAI) -> None:
    first: Any = model.invoke("Hello")
    second: Any = model.invoke([HumanMessage("Hello"), first, HumanMessage("And?")])
    assert second.text
    assert second.usage_metadata["input_tokens"] > first.usage_metadata["input_tokens"]


def test_a_limit(model: ChatGoogleGenerativeAI) -> None:
    told = model.invoke("Hello", max_output_tokens=5)
    assert told.response_metadata["finish_reason"] == "MAX_TOKENS"


def test_a_picture(model: ChatGoogleGenerativeAI, picture: str) -> None:
    parts: Any = [
        {"type": "text", "text": "What is it?"},
        {"type": "image", "base64": picture, "mime_type": "image/png"},
    ]
    assert model.invoke([HumanMessage(parts)]).text


@pytest.mark.parametrize("streamed", [False, True])
def test_thoughts_are_shown(url: str, streamed: bool) -> None:
    model = chat(url, "gemini-2.5-flash", include_thoughts=True, thinking_budget=512)
    if streamed:
        first, *rest = model.stream("Hello")
        told: Any = first
        for chunk in rest:
            told += chunk
    else:
        told = model.invoke("Hello")
    assert {block["type"] for block in told.content_blocks} == {"reasoning", "text"}
    assert told.usage_metadata["output_token_details"]["reasoning"]


def test_embeddings(url: str) -> None:
    model = GoogleGenerativeAIEmbeddings(model="models/gemini-embedding-001", base_url=url)
    documents = model.embed_documents(["Hello", "Goodbye"])
    assert len(documents) == 2
    assert documents[0] != documents[1]
    assert len(model.embed_query("Hello")) == len(documents[0])


@pytest.mark.parametrize(
    ("status", "error"),
    [(status, ChatGoogleGenerativeAIError) for status in (400, 401, 404, 429)] + [(503, GoogleAPIError)],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_errors_by_class(refusing: Any, status: int, error: Any, streamed: bool) -> None:
    model = chat(refusing(status), max_retries=1)
    with pytest.raises(error, match="Not today"):
        _ = list(model.stream("Hello")) if streamed else model.invoke("Hello")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("streamed", [False, True])
def test_who_asks_again_is_answered(turns: Any, status: int, streamed: bool) -> None:
    door = turns(status)
    model = chat(door.url, max_retries=3)
    assert list(model.stream("Hello")) if streamed else model.invoke("Hello").text
    assert len(door.asked) == 2
