"""openai-agents over llmsim: its loops end, streamed too, by Responses as it does by itself and by chat."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from agents import (
    Agent,
    MaxTurnsExceeded,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    SQLiteSession,
    function_tool,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

WAYS: Any = {"responses": OpenAIResponsesModel, "chat": OpenAIChatCompletionsModel}


class Weather(BaseModel):
    city: str
    degrees: float
    sunny: bool


@pytest.fixture(params=WAYS)
def model(request: pytest.FixtureRequest, url: str) -> Any:
    return WAYS[request.param]("gpt-4o", AsyncOpenAI(base_url=f"{url}/v1"))


@pytest.fixture
def cities() -> list[str]:
    """Where the tool was asked for the weather."""
    return []


@pytest.fixture
def tool(cities: list[str]) -> Any:
    @function_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return f"sunny in {city}"

    return get_weather


async def run(agent: Any, streamed: bool) -> Any:
    """What the agent says to Hello, once it has said it all."""
    if not streamed:
        return await Runner.run(agent, "Hello")
    told = Runner.run_streamed(agent, "Hello")
    async for _ in told.stream_events():
        pass
    return told


async def test_words(model: Any) -> None:
    told = await Runner.run(Agent(name="a", instructions="Be brief.", model=model), "Hello")
    assert told.final_output
    usage = told.context_wrapper.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 20


@pytest.mark.parametrize("choice", ["auto", "required", "get_weather"])
async def test_a_loop_with_a_tool_ends(model: Any, tool: Any, cities: list[str], choice: str) -> None:
    agent = Agent(name="a", model=model, tools=[tool], model_settings=ModelSettings(tool_choice=choice))
    told = await Runner.run(agent, "What is the weather in Oslo?", max_turns=3)
    assert len(cities) == 1
    assert f"sunny in {cities[0]}" in told.final_output
    assert [item.type for item in told.new_items] == ["tool_call_item", "tool_call_output_item", "message_output_item"]


@pytest.mark.parametrize("choice", ["auto", "required", "get_weather"])
async def test_a_streamed_loop_ends(model: Any, tool: Any, cities: list[str], choice: str) -> None:
    settings = ModelSettings(tool_choice=choice, include_usage=True)
    agent = Agent(name="a", model=model, tools=[tool], model_settings=settings)
    told = Runner.run_streamed(agent, "What is the weather in Oslo?", max_turns=3)
    said, items = "", []
    async for event in told.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            said += event.data.delta
        elif event.type == "run_item_stream_event":
            items.append(event.item.type)
    assert len(cities) == 1
    assert said == told.final_output
    assert items == ["tool_call_item", "tool_call_output_item", "message_output_item"]
    assert told.context_wrapper.usage.requests == 2
    assert told.context_wrapper.usage.output_tokens > 20


async def test_a_streamed_conversation_goes_on(model: Any, tool: Any, cities: list[str]) -> None:
    agent = Agent(name="a", model=model, tools=[tool])
    first = await Runner.run(agent, "What is the weather in Oslo?")
    again: Any = [*first.to_input_list(), {"role": "user", "content": "And in Rome?"}]
    second = Runner.run_streamed(agent, again, max_turns=3)
    async for _ in second.stream_events():
        pass
    assert len(cities) == 2
    assert f"sunny in {cities[1]}" in second.final_output


async def test_several_tools_at_once(model: Any, tool: Any, cities: list[str]) -> None:
    @function_tool
    def get_time(city: str) -> str:
        """The time in a city."""
        return "noon"

    settings = ModelSettings(parallel_tool_calls=True)
    agent = Agent(name="a", model=model, tools=[tool, get_time], model_settings=settings)
    told = await Runner.run(agent, "What are the weather and the time in Oslo?", max_turns=4)
    assert told.final_output


async def test_an_agent_is_another_agents_tool(model: Any) -> None:
    other = Agent(name="other", instructions="Knows the weather.", model=model)
    asked = other.as_tool(tool_name="ask_other", tool_description="Knows the weather.")
    told = await Runner.run(Agent(name="a", model=model, tools=[asked]), "The weather in Oslo?", max_turns=3)
    assert told.final_output


async def test_a_tool_that_must_always_be_called_runs_out_of_turns(model: Any, tool: Any) -> None:
    settings = ModelSettings(tool_choice="required")
    agent = Agent(name="a", model=model, tools=[tool], model_settings=settings, reset_tool_choice=False)
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(agent, "Hello", max_turns=2)


@pytest.mark.parametrize("streamed", [False, True])
async def test_structured_output(model: Any, streamed: bool) -> None:
    agent = Agent(name="a", model=model, output_type=Weather)
    if streamed:
        told: Any = Runner.run_streamed(agent, "The weather in Oslo")
        async for _ in told.stream_events():
            pass
    else:
        told = await Runner.run(agent, "The weather in Oslo")
    assert isinstance(told.final_output, Weather)


async def test_tools_and_structured_output_together(model: Any, tool: Any, cities: list[str]) -> None:
    agent = Agent(name="a", model=model, tools=[tool], output_type=Weather)
    told = await Runner.run(agent, "The weather in Oslo", max_turns=3)
    assert len(cities) == 1
    assert isinstance(told.final_output, Weather)


async def test_another_agent_takes_over(model: Any) -> None:
    other = Agent(name="other", handoff_description="Knows the weather.", model=model)
    agent = Agent(name="a", model=model, handoffs=[other], model_settings=ModelSettings(tool_choice="required"))
    told = await Runner.run(agent, "Hello", max_turns=3)
    assert told.last_agent is other
    assert told.final_output


async def test_a_session_goes_on(model: Any) -> None:
    agent, session = Agent(name="a", model=model), SQLiteSession("mine")
    first = await Runner.run(agent, "Hello", session=session)
    second = await Runner.run(agent, "And then?", session=session)
    assert second.context_wrapper.usage.input_tokens > first.context_wrapper.usage.input_tokens


async def test_what_the_server_keeps_needs_not_be_sent_again(url: str) -> None:
    model = OpenAIResponsesModel("gpt-4o", AsyncOpenAI(base_url=f"{url}/v1"))
    agent = Agent(name="a", model=model)
    first = await Runner.run(agent, "Hello")
    second = await Runner.run(agent, "And then?", previous_response_id=first.last_response_id)
    assert second.context_wrapper.usage.input_tokens > first.context_wrapper.usage.input_tokens


async def test_a_reasoning_model(url: str) -> None:
    client = AsyncOpenAI(base_url=f"{url}/v1")
    settings = ModelSettings(reasoning={"effort": "low", "summary": "auto"})  # type: ignore[arg-type]
    agent = Agent(name="a", model=OpenAIResponsesModel("gpt-5", client), model_settings=settings)
    told = await Runner.run(agent, "Hello")
    assert told.final_output
    assert told.context_wrapper.usage.output_tokens_details.reasoning_tokens


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, openai.AuthenticationError), (429, openai.RateLimitError), (500, openai.InternalServerError)],
)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("streamed", [False, True])
async def test_errors_by_class(refusing: Any, way: str, status: int, error: Any, streamed: bool) -> None:
    client = AsyncOpenAI(base_url=f"{refusing(status)}/v1", max_retries=0)
    with pytest.raises(error, match="Not today"):
        await run(Agent(name="a", model=WAYS[way]("gpt-4o", client)), streamed)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("streamed", [False, True])
async def test_who_asks_again_is_answered(turns: Any, way: str, status: int, streamed: bool) -> None:
    door = turns(status)
    model = WAYS[way]("gpt-4o", AsyncOpenAI(base_url=f"{door.url}/v1"))
    assert (await run(Agent(name="a", model=model), streamed)).final_output
    assert len(door.asked) == 2
