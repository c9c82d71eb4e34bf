"""pydantic-ai over llmsim: OpenAI's chat and Responses, Anthropic, Gemini, each by the same tests."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from google.genai import Client
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, ModelHTTPError, ModelRetry, NativeOutput, ToolOutput, UsageLimits
from pydantic_ai.messages import ThinkingPart, ToolCallPart
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider


class Weather(BaseModel):
    city: str
    degrees: float


def openai(url: str, retries: int = 0) -> Any:
    return OpenAIProvider(openai_client=AsyncOpenAI(base_url=f"{url}/v1", max_retries=retries))


def anthropic(url: str, retries: int = 0) -> Any:
    return AnthropicProvider(anthropic_client=AsyncAnthropic(base_url=url, max_retries=retries))


def google(url: str, retries: int = 0) -> Any:
    if not retries:
        return GoogleProvider(api_key="test", base_url=url)
    again: Any = {"attempts": retries + 1, "initial_delay": 0.01}
    return GoogleProvider(client=Client(api_key="test", http_options={"base_url": url, "retry_options": again}))


MODELS: Any = {
    "chat": lambda url, retries=0: OpenAIChatModel("gpt-4o", provider=openai(url, retries)),
    "responses": lambda url, retries=0: OpenAIResponsesModel("gpt-4o", provider=openai(url, retries)),
    "anthropic": lambda url, retries=0: AnthropicModel("claude-haiku-4-5", provider=anthropic(url, retries)),
    "gemini": lambda url, retries=0: GoogleModel("gemini-2.5-flash-lite", provider=google(url, retries)),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, url: str) -> Any:
    return MODELS[request.param](url)


async def words(agent: Any, streamed: bool) -> str:
    """What the agent says to Hello."""
    if not streamed:
        return str((await agent.run("Hello")).output)
    async with agent.run_stream("Hello") as told:
        return str(await told.get_output())


async def test_words(model: Any) -> None:
    told = await Agent(model, instructions="Be brief.").run("Hello")
    assert told.output
    assert told.usage.output_tokens == 20
    assert told.usage.input_tokens


async def test_a_stream(model: Any) -> None:
    async with Agent(model).run_stream("Hello") as told:
        deltas = [delta async for delta in told.stream_text(delta=True, debounce_by=None)]
        assert "".join(deltas) == await told.get_output()
    assert len(deltas) > 5
    assert told.usage.output_tokens == 20


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_loop_with_a_tool_ends(model: Any, streamed: bool) -> None:
    agent, cities = Agent(model), []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return f"sunny in {city}"

    if streamed:
        async with agent.run_stream("What is the weather in Oslo?") as told:
            output = await told.get_output()
    else:
        output = (await agent.run("What is the weather in Oslo?")).output
    assert len(cities) == 1
    assert f"sunny in {cities[0]}" in output


async def test_a_loop_tells_its_events(model: Any) -> None:
    agent = Agent(model)

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    kinds = []
    async with agent.run_stream_events("What is the weather in Oslo?") as events:
        async for event in events:
            kinds.append(event.event_kind)
    assert kinds.count("function_tool_call") == kinds.count("function_tool_result") == 1
    assert kinds[-1] == "agent_run_result"
    assert kinds.count("part_delta") > 5


async def test_a_tool_that_asks_again(model: Any) -> None:
    """The model's next call answers a result that says what was wrong with the first."""
    agent, cities = Agent(model), []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        if len(cities) == 1:
            raise ModelRetry("Which one?")
        return f"sunny in {city}"

    assert (await agent.run("What is the weather in Oslo?", usage_limits=UsageLimits(request_limit=4))).output
    assert cities


@pytest.mark.parametrize("how", [ToolOutput, NativeOutput])
async def test_structured_output(model: Any, how: Any) -> None:
    agent = Agent(model, output_type=how(Weather))
    assert isinstance((await agent.run("The weather in Oslo")).output, Weather)


async def test_streamed_structured_output(model: Any) -> None:
    async with Agent(model, output_type=Weather).run_stream("The weather in Oslo") as told:
        values = [value async for value in told.stream_output(debounce_by=None)]
    assert isinstance(values[-1], Weather)


async def test_one_of_several_outputs(model: Any) -> None:
    class Unknown(BaseModel):
        why: str

    told = await Agent(model, output_type=[Weather, Unknown]).run("The weather in Oslo")  # type: ignore[arg-type]
    assert isinstance(told.output, Weather | Unknown)


async def test_a_tool_and_structured_output_together(model: Any) -> None:
    agent, cities = Agent(model, output_type=Weather), []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return "sunny"

    told = await agent.run("What is the weather in Oslo?", usage_limits=UsageLimits(request_limit=3))
    assert isinstance(told.output, Weather)
    assert len(cities) <= 1


async def test_a_conversation_goes_on(model: Any) -> None:
    agent = Agent(model)
    first = await agent.run("Hello")
    second = await agent.run("And then?", message_history=first.all_messages())
    assert second.usage.input_tokens > first.usage.input_tokens


async def test_a_picture(model: Any, picture: str) -> None:
    content = BinaryContent(base64.b64decode(picture), media_type="image/png")
    plain = await Agent(model).run("What is it?")
    told = await Agent(model).run(["What is it?", content])
    assert told.usage.input_tokens > plain.usage.input_tokens


THINKING: Any = {
    "responses": (
        lambda url: OpenAIResponsesModel("gpt-5", provider=openai(url)),
        {"openai_reasoning_effort": "low", "openai_reasoning_summary": "auto"},
    ),
    "anthropic": (
        lambda url: AnthropicModel("claude-haiku-4-5", provider=anthropic(url)),
        {"anthropic_thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4096},
    ),
    "gemini": (
        lambda url: GoogleModel("gemini-2.5-flash", provider=google(url)),
        {"google_thinking_config": {"include_thoughts": True}},
    ),
}


@pytest.mark.parametrize("kind", THINKING)
@pytest.mark.parametrize("streamed", [False, True])
async def test_thinking_is_shown_and_taken_back(url: str, kind: str, streamed: bool) -> None:
    make, settings = THINKING[kind]
    agent = Agent(make(url), model_settings=settings)

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return "sunny"

    if streamed:
        async with agent.run_stream("What is the weather in Oslo?") as told:
            await told.get_output()
            messages = told.all_messages()
    else:
        messages = (await agent.run("What is the weather in Oslo?")).all_messages()
    parts = [part for message in messages for part in message.parts]
    assert any(isinstance(part, ThinkingPart) for part in parts)
    assert any(isinstance(part, ToolCallPart) for part in parts)
    again = await agent.run("And then?", message_history=messages)
    assert again.output


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
async def test_errors_have_their_status(refusing: Any, kind: str, status: int, streamed: bool) -> None:
    with pytest.raises(ModelHTTPError, match="Not today") as raised:
        await words(Agent(MODELS[kind](refusing(status))), streamed)
    assert raised.value.status_code == status


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("streamed", [False, True])
async def test_who_asks_again_is_answered(turns: Any, kind: str, status: int, streamed: bool) -> None:
    door = turns(status)
    assert await words(Agent(MODELS[kind](door.url, 2)), streamed)
    assert len(door.asked) == 2
