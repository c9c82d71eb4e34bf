"""LangChain's agents, which are LangGraph's, over llmsim: the same loop on each provider's chat model."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

MODELS: Any = {
    "chat": lambda url: ChatOpenAI(model="gpt-4o", base_url=f"{url}/v1"),
    "responses": lambda url: ChatOpenAI(model="gpt-4o", base_url=f"{url}/v1", use_responses_api=True),
    "anthropic": lambda url: ChatAnthropic(model="claude-haiku-4-5", base_url=url),
    "gemini": lambda url: ChatGoogleGenerativeAI(model="gemini-3.5-flash", base_url=url),
}

ASKED: Any = {"messages": [HumanMessage("What is the weather in Oslo?")]}
LOOP = ["human", "ai", "tool", "ai"]


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float


class Cities(list[str]):
    """A tool, and where it was asked for the weather."""

    def get_weather(self, city: str) -> str:
        """The weather in a city."""
        self.append(city)
        return f"sunny in {city}"


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, url: str) -> Any:
    return MODELS[request.param](url)


def kinds(state: Any) -> list[str]:
    return [message.type for message in state["messages"]]


def test_an_agents_loop_ends(model: Any) -> None:
    cities = Cities()
    told = create_agent(model, [cities.get_weather], system_prompt="Be brief.").invoke(ASKED)
    assert len(cities) == 1
    assert kinds(told) == LOOP
    assert f"sunny in {cities[0]}" in told["messages"][-1].text


async def test_a_streamed_loop_ends(model: Any) -> None:
    cities, said, steps = Cities(), "", []
    agent = create_agent(model, [cities.get_weather])
    async for how, event in agent.astream(ASKED, stream_mode=["messages", "updates"]):
        if how == "updates":
            steps += event
        elif isinstance(event[0], AIMessageChunk):
            said += event[0].text
    assert steps == ["model", "tools", "model"]
    assert f"sunny in {cities[0]}" in said


def test_a_conversation_is_kept_and_goes_on(model: Any) -> None:
    cities = Cities()
    agent = create_agent(model, [cities.get_weather], checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "1"}}
    agent.invoke(ASKED, thread)
    told = agent.invoke({"messages": [HumanMessage("And in Rome?")]}, thread)
    assert kinds(told) == LOOP * 2
    assert len(cities) == 2


@pytest.mark.parametrize("how", [ToolStrategy, ProviderStrategy])
def test_a_loop_that_ends_in_an_object(model: Any, how: Any) -> None:
    """Who is asked for an object by a tool may call that one at once."""
    cities = Cities()
    told = create_agent(model, [cities.get_weather], response_format=how(Weather)).invoke(ASKED, {"recursion_limit": 9})
    assert isinstance(told["structured_response"], Weather)
    assert len(cities) <= 1
