"""langchain-openai over llmsim: chat and Responses, tools, structured output, embeddings, Azure."""

from __future__ import annotations

import math
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import AzureChatOpenAI, AzureOpenAIEmbeddings, ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@pytest.fixture(params=["chat", "responses", "azure"])
def model(request: pytest.FixtureRequest, url: str) -> Any:
    if request.param == "azure":
        return AzureChatOpenAI(
            azure_endpoint=url, azure_deployment="gpt-4o", api_version="2025-04-01-preview", api_key="k"
        )
    return ChatOpenAI(
        model="gpt-4o", base_url=f"{url}/v1", use_responses_api=request.param == "responses", stream_usage=True
    )


def test_words(model: Any) -> None:
    told = model.invoke([SystemMessage("Be brief."), HumanMessage("Hello")])
    assert told.text
    usage = told.usage_metadata
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens"] == 20


async def test_words_without_waiting(model: Any) -> None:
    told = await model.ainvoke("Hello")
    assert told.text


def test_a_stream(model: Any) -> None:
    chunks = list(model.stream("Hello"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert len(chunks) > 10
    assert whole.text
    assert whole.usage_metadata["output_tokens"] == 20


async def test_a_stream_without_waiting(model: Any) -> None:
    assert "".join([chunk.text async for chunk in model.astream("Hello")])


def test_several_at_once(model: Any) -> None:
    assert all(told.text for told in model.batch(["Hello", "Good day", "Good night"]))


@pytest.mark.parametrize("choice", ["auto", "any", "get_weather"])
def test_a_tools_result_is_taken_up(model: Any, choice: str) -> None:
    bound = model.bind_tools([get_weather], tool_choice=choice)
    messages: list[Any] = [HumanMessage("What is the weather in Oslo?")]
    asked = bound.invoke(messages)
    (call,) = asked.tool_calls
    assert set(call["args"]) == {"city"}
    messages += [asked, get_weather.invoke(call)]
    told = model.bind_tools([get_weather]).invoke(messages)
    assert not told.tool_calls
    assert f"sunny in {call['args']['city']}" in told.text


def test_a_streamed_call(model: Any) -> None:
    chunks = list(model.bind_tools([get_weather], tool_choice="any").stream("The weather in Oslo"))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    (call,) = whole.tool_calls
    assert call["name"] == "get_weather"
    assert set(call["args"]) == {"city"}


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output(model: Any, method: str) -> None:
    assert isinstance(model.with_structured_output(Weather, method=method).invoke("The weather in Oslo"), Weather)


def test_structured_output_in_parts(model: Any) -> None:
    told = list(model.with_structured_output(Weather).stream("The weather in Oslo"))
    assert isinstance(told[-1], Weather)


def test_json(model: Any) -> None:
    told = model.with_structured_output(None, method="json_mode").invoke("The weather in Oslo as JSON")
    assert isinstance(told, dict)


def test_structured_output_with_what_it_was_made_of(model: Any) -> None:
    told = model.with_structured_output(Weather, include_raw=True).invoke("The weather in Oslo")
    assert isinstance(told["parsed"], Weather)
    assert isinstance(told["raw"], AIMessage)


def test_a_conversation_goes_on(model: Any) -> None:
    first = model.invoke("Hello")
    second = model.invoke([HumanMessage("Hello"), first, HumanMessage("And?")])
    assert second.text
    assert second.usage_metadata["input_tokens"] > first.usage_metadata["input_tokens"]


def test_a_conversation_with_tools_from_elsewhere(model: Any) -> None:
    call = {"name": "get_weather", "args": {"city": "Rome"}, "id": "call_1", "type": "tool_call"}
    told = model.invoke(
        [HumanMessage("Rome?"), AIMessage("", tool_calls=[call]), ToolMessage("rain", tool_call_id="call_1")]
    )
    assert "rain" in told.text


def test_a_picture(model: Any, picture: str) -> None:
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image", "base64": picture, "mime_type": "image/png"},
    ]
    small = model.invoke("What is it?").usage_metadata["input_tokens"]
    assert model.invoke([HumanMessage(parts)]).usage_metadata["input_tokens"] > small + 50


def test_a_limit(model: Any) -> None:
    limited = model.bind(max_tokens=16)
    told = limited.invoke("Hello")
    assert told.usage_metadata["output_tokens"] == 16
    reasons = (told.response_metadata.get("finish_reason"), told.response_metadata.get("incomplete_details"))
    assert reasons in (("length", None), (None, {"reason": "max_output_tokens"}))


def test_reasoning_is_shown_in_responses(url: str) -> None:
    model = ChatOpenAI(model="gpt-5", base_url=f"{url}/v1", reasoning={"effort": "low", "summary": "auto"})
    told = model.invoke("Hello")
    assert [block["type"] for block in told.content_blocks] == ["reasoning", "text"]
    again = model.invoke([HumanMessage("Hello"), told, HumanMessage("And?")])
    assert again.text


def test_what_the_server_keeps_needs_not_be_sent_again(url: str) -> None:
    model = ChatOpenAI(model="gpt-4o", base_url=f"{url}/v1", use_responses_api=True, use_previous_response_id=True)
    first = model.invoke("Hello")
    second = model.invoke([HumanMessage("Hello"), first, HumanMessage("And?")])
    assert second.usage_metadata
    assert first.usage_metadata
    assert second.usage_metadata["input_tokens"] > first.usage_metadata["input_tokens"]


def test_a_completion(url: str) -> None:
    model = OpenAI(model="gpt-3.5-turbo-instruct", base_url=f"{url}/v1", max_tokens=5)
    assert model.invoke("Once upon")
    assert "".join(model.stream("Once upon"))


def embeddings(url: str, **more: Any) -> Any:
    return OpenAIEmbeddings(model="text-embedding-3-small", base_url=f"{url}/v1", **more)


def azure_embeddings(url: str, **more: Any) -> Any:
    version = "2024-10-21"
    return AzureOpenAIEmbeddings(model="text-embedding-3-small", azure_endpoint=url, api_version=version, **more)


@pytest.mark.parametrize("make", [embeddings, azure_embeddings])
@pytest.mark.parametrize("more", [{}, {"check_embedding_ctx_length": False}, {"dimensions": 8}])
def test_embeddings(url: str, vocabulary: None, make: Any, more: Any) -> None:
    """By itself the client cuts texts into tokens and sends those."""
    model = make(url, **more)
    documents = model.embed_documents(["Hello", "Goodbye", "Hello"])
    assert [len(one) for one in documents] == [more.get("dimensions", 1536)] * 3
    assert documents[0] == documents[2] != documents[1]
    assert math.isclose(sum(value * value for value in documents[0]), 1, rel_tol=1e-3)
    assert model.embed_query("Hello") == pytest.approx(documents[0], abs=1e-6)


async def test_embeddings_without_waiting(url: str, vocabulary: None) -> None:
    assert len(await embeddings(url).aembed_query("Hello")) == 1536


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (503, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("responses", [False, True])
def test_errors_by_class(refusing: Any, status: int, error: Any, streamed: bool, responses: bool) -> None:
    root = refusing(status)
    model = ChatOpenAI(model="gpt-4o", base_url=f"{root}/v1", max_retries=0, use_responses_api=responses)
    with pytest.raises(error, match="Not today"):
        _ = list(model.stream("Hello")) if streamed else model.invoke("Hello")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("responses", [False, True])
def test_who_asks_again_is_answered(turns: Any, status: int, streamed: bool, responses: bool) -> None:
    door = turns(status)
    model = ChatOpenAI(model="gpt-4o", base_url=f"{door.url}/v1", use_responses_api=responses)
    assert list(model.stream("Hello")) if streamed else model.invoke("Hello").text
    assert len(door.asked) == 2
