"""litellm over llmsim: one interface to OpenAI, Anthropic, Gemini, Azure and Ollama, each by the same tests."""

from __future__ import annotations

import json
from typing import Any

import litellm
import pytest
from pydantic import BaseModel

HELLO: Any = [{"role": "user", "content": "Hello"}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": CITY}}]

# By provider: the model, and what else litellm is told of the root of a server.
PROVIDERS: Any = {
    "openai": ("openai/gpt-4o", lambda url: {"api_base": f"{url}/v1"}),
    "azure": ("azure/gpt-4o", lambda url: {"api_base": url, "api_version": "2024-10-21"}),
    "anthropic": ("anthropic/claude-sonnet-4-5", lambda url: {"api_base": url}),
    "gemini": ("gemini/gemini-2.5-flash-lite", lambda url: {"api_base": f"{url}/v1beta"}),
    "ollama": ("ollama_chat/llama3.2", lambda url: {"api_base": url}),
}


class Weather(BaseModel):
    city: str
    degrees: float


@pytest.fixture(params=PROVIDERS)
def given(request: pytest.FixtureRequest, url: str) -> Any:
    model, more = PROVIDERS[request.param]
    return {"model": model, "api_key": "k", "num_retries": 0, **more(url)}


def test_words(given: Any) -> None:
    told: Any = litellm.completion(messages=HELLO, **given)
    assert told.choices[0].message.content
    assert told.choices[0].finish_reason == "stop"
    assert told.usage.completion_tokens == 20
    assert told.usage.total_tokens == told.usage.prompt_tokens + 20


async def test_words_without_waiting(given: Any) -> None:
    told: Any = await litellm.acompletion(messages=HELLO, **given)
    assert told.choices[0].message.content


def test_a_stream(given: Any) -> None:
    stream: Any = litellm.completion(messages=HELLO, stream=True, stream_options={"include_usage": True}, **given)
    chunks = list(stream)
    whole: Any = litellm.stream_chunk_builder(chunks, messages=HELLO)
    assert len(chunks) > 5
    assert whole.choices[0].message.content
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage.completion_tokens == 20


async def test_a_stream_without_waiting(given: Any) -> None:
    stream: Any = await litellm.acompletion(messages=HELLO, stream=True, **given)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tools_result_is_taken_up(given: Any, streamed: bool) -> None:
    messages: Any = [{"role": "user", "content": "What is the weather in Oslo?"}]
    asked: Any = litellm.completion(messages=messages, tools=TOOLS, stream=streamed, **given)
    if streamed:
        asked = litellm.stream_chunk_builder(list(asked), messages=messages)
    (call,) = asked.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert set(json.loads(call.function.arguments)) == {"city"}
    messages += [asked.choices[0].message.model_dump(exclude_none=True)]
    messages += [{"role": "tool", "tool_call_id": call.id, "name": "get_weather", "content": "sunny in Oslo"}]
    told: Any = litellm.completion(messages=messages, tools=TOOLS, stream=streamed, **given)
    if streamed:
        told = litellm.stream_chunk_builder(list(told), messages=messages)
    assert not told.choices[0].message.tool_calls
    assert "sunny in Oslo" in told.choices[0].message.content


def test_structured_output(given: Any) -> None:
    told: Any = litellm.completion(messages=HELLO, response_format=Weather, **given)
    assert Weather.model_validate_json(told.choices[0].message.content)


def test_a_streamed_object(given: Any) -> None:
    stream: Any = litellm.completion(messages=HELLO, response_format=Weather, stream=True, **given)
    whole: Any = litellm.stream_chunk_builder(list(stream), messages=HELLO)
    assert Weather.model_validate_json(whole.choices[0].message.content)


@pytest.mark.parametrize("choice", ["none", "required", {"type": "function", "function": {"name": "get_weather"}}])
def test_the_choice_of_tools(given: Any, choice: Any) -> None:
    """Ollama has no such choice; litellm drops it when told to."""
    told: Any = litellm.completion(messages=HELLO, tools=TOOLS, tool_choice=choice, drop_params=True, **given)
    if not given["model"].startswith("ollama"):
        assert bool(told.choices[0].message.tool_calls) == (choice != "none")


def test_a_conversation_goes_on(given: Any) -> None:
    first: Any = litellm.completion(messages=HELLO, **given)
    messages = [*HELLO, first.choices[0].message.model_dump(exclude_none=True), {"role": "user", "content": "And?"}]
    second: Any = litellm.completion(messages=messages, **given)
    assert second.choices[0].message.content
    assert second.usage.prompt_tokens > first.usage.prompt_tokens


def test_a_limit(given: Any) -> None:
    told: Any = litellm.completion(messages=HELLO, max_tokens=5, **given)
    assert told.choices[0].finish_reason == "length"
    assert told.usage.completion_tokens == 5


def test_a_picture(given: Any, picture: str) -> None:
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
    ]
    told: Any = litellm.completion(messages=[{"role": "user", "content": parts}], **given)
    assert told.choices[0].message.content


@pytest.mark.parametrize("kind", ["anthropic", "gemini"])
@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_is_shown(url: str, kind: str, streamed: bool) -> None:
    model = {"anthropic": "anthropic/claude-sonnet-4-5", "gemini": "gemini/gemini-2.5-flash"}[kind]
    told: Any = litellm.completion(
        model, HELLO, api_key="k", reasoning_effort="low", stream=streamed, **PROVIDERS[kind][1](url)
    )
    if streamed:
        told = litellm.stream_chunk_builder(list(told), messages=HELLO)
    assert told.choices[0].message.reasoning_content
    assert told.choices[0].message.content


@pytest.mark.parametrize("kind", ["openai", "azure", "gemini", "ollama"])
def test_embeddings(url: str, kind: str) -> None:
    model = {
        "openai": "openai/text-embedding-3-small",
        "azure": "azure/text-embedding-3-small",
        "gemini": "gemini/gemini-embedding-001",
        "ollama": "ollama/nomic-embed-text",
    }[kind]
    told: Any = litellm.embedding(model, ["Hello", "Goodbye"], api_key="k", **PROVIDERS[kind][1](url))
    assert len(told.data) == 2
    assert told.data[0]["embedding"] != told.data[1]["embedding"]
    assert told.usage.prompt_tokens


def test_responses(url: str) -> None:
    told: Any = litellm.responses("Hello", "openai/gpt-4o", api_base=f"{url}/v1", api_key="k")
    assert told.output[0].content[0].text
    events = list(litellm.responses("Hello", "openai/gpt-4o", api_base=f"{url}/v1", api_key="k", stream=True))  # type: ignore[arg-type]
    assert events[-1].type == "response.completed"


async def test_anthropics_messages_for_any_provider(given: Any) -> None:
    """OpenAI's models are asked by Responses, and for reasoning in secret, which gpt-4o has not."""
    given["model"] = given["model"].replace("openai/gpt-4o", "openai/gpt-5")
    told: Any = await litellm.anthropic.messages.acreate(messages=HELLO, max_tokens=500, **given)
    assert any(part.get("text") for part in told["content"])


def test_images_and_moderations(url: str) -> None:
    image: Any = litellm.image_generation("a cat", "openai/gpt-image-1", api_base=f"{url}/v1", api_key="k")
    assert image.data[0].b64_json
    verdict: Any = litellm.moderation("Hello", "omni-moderation-latest", api_base=f"{url}/v1", api_key="k")
    assert verdict.results[0].flagged is False


def test_a_router_falls_back(url: str, refusing: Any) -> None:
    def deployment(name: str, root: str) -> Any:
        return {
            "model_name": name,
            "litellm_params": {"model": "openai/gpt-4o", "api_key": "k", "api_base": f"{root}/v1", "max_retries": 0},
        }

    router = litellm.Router(
        [deployment("first", refusing(503)), deployment("second", url)],
        fallbacks=[{"first": ["second"]}],
        num_retries=0,
    )
    told: Any = router.completion("first", HELLO)
    assert told.choices[0].message.content


ERRORS: Any = {
    400: litellm.BadRequestError,
    401: litellm.AuthenticationError,
    404: litellm.NotFoundError,
    408: litellm.Timeout,
    429: litellm.RateLimitError,
    500: litellm.InternalServerError,
    503: litellm.ServiceUnavailableError,
}
# Of Azure's errors litellm knows no 500.
ODD: Any = {("azure", 500): litellm.APIError}


@pytest.mark.parametrize("status", ERRORS)
@pytest.mark.parametrize("kind", PROVIDERS)
@pytest.mark.parametrize("streamed", [False, True])
def test_errors_by_class(refusing: Any, kind: str, status: int, streamed: bool) -> None:
    model, more = PROVIDERS[kind]
    given = {"api_key": "k", "max_retries": 0, "stream": streamed, **more(refusing(status))}
    with pytest.raises(Exception, match="Not today") as raised:
        list(litellm.completion(model, HELLO, **given))
    error: Any = raised.value
    if isinstance(error, litellm.exceptions.MidStreamFallbackError):
        error = error.original_exception
    assert isinstance(error, ODD.get((kind, status), ERRORS[status]))


@pytest.mark.parametrize(
    ("kind", "streamed"),
    [(kind, False) for kind in PROVIDERS] + [(kind, True) for kind in PROVIDERS if kind != "gemini"],
)
@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_again_is_answered(turns: Any, kind: str, status: int, streamed: bool) -> None:
    """A stream of Gemini's litellm asks for when it is read, which is too late for its own retries."""
    door = turns(status)
    model, more = PROVIDERS[kind]
    given = {"api_key": "k", "num_retries": 2, "max_retries": 0, "stream": streamed, **more(door.url)}
    told: Any = litellm.completion(model, HELLO, **given)
    if streamed:
        told = litellm.stream_chunk_builder(list(told), messages=HELLO)
    assert told.choices[0].message.content
    assert len(door.asked) == 2
