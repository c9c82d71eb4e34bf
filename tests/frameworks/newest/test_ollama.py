"""Ollama's own client over llmsim: chat, generate, tools, formats, embeddings, models."""

from __future__ import annotations

from typing import Any

import ollama
import pytest
from pydantic import BaseModel

MODEL = "llama3.2"
HELLO = [{"role": "user", "content": "Hello"}]


class Weather(BaseModel):
    city: str
    degrees: float


def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: its name
    """
    return f"sunny in {city}"


@pytest.fixture
def client(url: str) -> ollama.Client:
    return ollama.Client(url)


def test_words(client: ollama.Client) -> None:
    told = client.chat(MODEL, HELLO)
    assert told.message.content
    assert told.done
    assert told.eval_count == 20
    assert told.prompt_eval_count


def test_a_stream(client: ollama.Client) -> None:
    chunks = list(client.chat(MODEL, HELLO, stream=True))
    assert "".join(chunk.message.content or "" for chunk in chunks)
    assert [chunk.done for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


async def test_without_waiting(url: str) -> None:
    client = ollama.AsyncClient(url)
    assert (await client.chat(MODEL, HELLO)).message.content
    assert [chunk async for chunk in await client.chat(MODEL, HELLO, stream=True)]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tools_result_is_taken_up(client: ollama.Client, streamed: bool) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
    if streamed:
        asked = [chunk.message for chunk in client.chat(MODEL, messages, tools=[get_weather], stream=True)]
        (call,) = [call for message in asked for call in message.tool_calls or ()]
        messages.append({"role": "assistant", "tool_calls": [call]})
    else:
        message = client.chat(MODEL, messages, tools=[get_weather]).message
        (call,) = message.tool_calls or ()
        messages.append(message)
    result = get_weather(**call.function.arguments)
    messages.append({"role": "tool", "tool_name": call.function.name, "content": result})
    if streamed:
        chunks = list(client.chat(MODEL, messages, tools=[get_weather], stream=True))
        assert not any(chunk.message.tool_calls for chunk in chunks)
        assert result in "".join(chunk.message.content or "" for chunk in chunks)
    else:
        told = client.chat(MODEL, messages, tools=[get_weather])
        assert not told.message.tool_calls
        assert result in (told.message.content or "")


def test_a_conversation_goes_on(client: ollama.Client) -> None:
    first = client.chat(MODEL, HELLO)
    second = client.chat(MODEL, [*HELLO, first.message, {"role": "user", "content": "And?"}])
    assert second.message.content
    assert (second.prompt_eval_count or 0) > (first.prompt_eval_count or 0)


def test_a_stream_tells_its_usage_last(client: ollama.Client) -> None:
    last = list(client.chat(MODEL, HELLO, stream=True))[-1]
    assert (last.eval_count, last.done_reason) == (20, "stop")
    assert last.prompt_eval_count
    assert last.total_duration


def test_structured_output(client: ollama.Client) -> None:
    told = client.chat(MODEL, HELLO, format=Weather.model_json_schema())
    assert Weather.model_validate_json(told.message.content or "")


def test_structured_output_in_parts(client: ollama.Client) -> None:
    chunks = client.chat(MODEL, HELLO, format=Weather.model_json_schema(), stream=True)
    assert Weather.model_validate_json("".join(chunk.message.content or "" for chunk in chunks))


def test_generate(client: ollama.Client) -> None:
    assert client.generate(MODEL, "Once upon").response
    assert "".join(chunk.response for chunk in client.generate(MODEL, "Once upon", stream=True))


def test_a_limit(client: ollama.Client) -> None:
    told = client.chat(MODEL, HELLO, options={"num_predict": 5})
    assert (told.eval_count, told.done_reason) == (5, "length")


def test_embeddings(client: ollama.Client) -> None:
    told = client.embed("nomic-embed-text", ["Hello", "Goodbye"])
    assert len(told.embeddings) == 2
    assert told.embeddings[0] != told.embeddings[1]


def test_models(client: ollama.Client) -> None:
    names = [model.model for model in client.list().models]
    assert names
    assert client.show(names[0] or "").details


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize("streamed", [False, True])
def test_errors_have_their_status(refusing: Any, status: int, streamed: bool) -> None:
    client = ollama.Client(refusing(status))
    with pytest.raises(ollama.ResponseError, match="Not today") as raised:
        _ = list(client.chat(MODEL, HELLO, stream=True)) if streamed else client.chat(MODEL, HELLO)
    assert raised.value.status_code == status


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_again_is_answered(turns: Any, status: int) -> None:
    """This client leaves that to its user."""
    door = turns(status)
    client = ollama.Client(door.url)
    with pytest.raises(ollama.ResponseError):
        client.chat(MODEL, HELLO)
    assert client.chat(MODEL, HELLO).message.content
    assert len(door.asked) == 2
