"""llama-index over llmsim: OpenAI's chat and Responses, tools, agents, structured output, embeddings, an index."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import ChatMessage
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI, OpenAIResponses
from pydantic import BaseModel

WAYS: Any = {"chat": OpenAI, "responses": OpenAIResponses}


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: float


@pytest.fixture(params=WAYS)
def llm(request: pytest.FixtureRequest, url: str) -> Any:
    return WAYS[request.param](model="gpt-4o", api_base=f"{url}/v1", max_retries=0)


@pytest.fixture
def embedding(url: str) -> OpenAIEmbedding:
    return OpenAIEmbedding(model="text-embedding-3-small", api_base=f"{url}/v1")


HELLO = [ChatMessage("Be brief.", role="system"), ChatMessage("Hello")]


def test_words(llm: Any) -> None:
    assert llm.chat(HELLO).message.content
    assert llm.complete("Once upon").text


async def test_words_without_waiting(llm: Any) -> None:
    assert (await llm.achat(HELLO)).message.content
    assert "".join([chunk.delta or "" async for chunk in await llm.astream_chat(HELLO)])


def test_a_stream(llm: Any) -> None:
    chunks = list(llm.stream_chat(HELLO))
    assert "".join(chunk.delta or "" for chunk in chunks) == chunks[-1].message.content


def test_usage_is_told(llm: Any) -> None:
    raw = llm.chat(HELLO).raw
    usage = raw["usage"] if isinstance(raw, dict) else raw.usage
    assert usage.total_tokens > 20


def test_a_conversation_goes_on(llm: Any) -> None:
    engine = SimpleChatEngine.from_defaults(llm=llm, system_prompt="Be brief.")
    assert engine.chat("Hello").response
    streamed = engine.stream_chat("And?")
    assert "".join(streamed.response_gen) == streamed.response
    assert [message.role for message in engine.chat_history] == ["user", "assistant"] * 2


def tool(cities: list[str]) -> FunctionTool:
    def get_weather(city: str) -> str:
        """The weather in a city."""
        cities.append(city)
        return f"sunny in {city}"

    return FunctionTool.from_defaults(get_weather)


def test_a_tool_is_called(llm: Any) -> None:
    cities: list[str] = []
    told = llm.predict_and_call([tool(cities)], "What is the weather in Oslo?")
    assert told.response == f"sunny in {cities[0]}"


async def test_an_agents_loop_ends(llm: Any) -> None:
    cities: list[str] = []
    agent = FunctionAgent(tools=[tool(cities)], llm=llm)
    told = await agent.run("What is the weather in Oslo?")
    assert len(cities) == 1
    assert f"sunny in {cities[0]}" in str(told)


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_agents_words_come_as_they_are_said(llm: Any, streaming: bool) -> None:
    cities: list[str] = []
    agent = FunctionAgent(tools=[tool(cities)], llm=llm, streaming=streaming)
    memory = Context(agent)
    running = agent.run("What is the weather in Oslo?", ctx=memory)
    said = "".join([event.delta async for event in running.stream_events() if isinstance(event, AgentStream)])
    told = await running
    assert (said == str(told)) == streaming
    assert f"sunny in {cities[0]}" in str(told)
    assert str(await agent.run("And in Rome?", ctx=memory))


def test_a_tools_result_is_taken_up(llm: Any) -> None:
    cities: list[str] = []
    messages = [ChatMessage("What is the weather in Oslo?")]
    asked = list(llm.stream_chat_with_tools([tool(cities)], chat_history=messages))[-1]
    (call,) = llm.get_tool_calls_from_response(asked)
    messages += [asked.message, ChatMessage("sunny", role="tool", additional_kwargs={"tool_call_id": call.tool_id})]
    told = llm.chat_with_tools([tool(cities)], chat_history=messages)
    assert not llm.get_tool_calls_from_response(told, error_on_no_tool_call=False)
    assert "sunny" in told.message.content


def test_structured_output(llm: Any) -> None:
    told = llm.as_structured_llm(Weather).chat([ChatMessage("The weather in Oslo")])
    assert isinstance(told.raw, Weather)


def test_structured_output_in_parts(url: str) -> None:
    """By chat alone: of a streamed Responses call llama-index does not read the arguments."""
    llm = OpenAI(model="gpt-4o", api_base=f"{url}/v1")
    told = list(llm.as_structured_llm(Weather).stream_chat([ChatMessage("The weather in Oslo")]))
    assert Weather.model_validate(told[-1].raw.model_dump())


def test_a_program(llm: Any) -> None:
    program = FunctionCallingProgram.from_defaults(Weather, "The weather in {city}", llm=llm)
    assert isinstance(program(city="Oslo"), Weather)


def test_embeddings(embedding: OpenAIEmbedding) -> None:
    several = embedding.get_text_embedding_batch(["Hello", "Goodbye"])
    assert [len(one) for one in several] == [1536, 1536]
    assert several[0] == pytest.approx(embedding.get_text_embedding("Hello"), abs=1e-6)


async def test_embeddings_without_waiting(url: str) -> None:
    embedding = OpenAIEmbedding(model="text-embedding-3-large", api_base=f"{url}/v1", dimensions=8)
    assert [len(one) for one in await embedding.aget_text_embedding_batch(["Hello", "Goodbye"])] == [8, 8]


def test_an_index_is_asked(llm: Any, embedding: OpenAIEmbedding) -> None:
    texts = ["Oslo is sunny today.", "Bread is baked of flour."]
    index = VectorStoreIndex.from_documents([Document(text=text) for text in texts], embed_model=embedding)
    told = index.as_query_engine(llm=llm, similarity_top_k=1).query("Oslo is sunny today.")
    assert [node.text for node in told.source_nodes] == texts[:1]
    assert str(told)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, openai.BadRequestError), (401, openai.AuthenticationError), (429, openai.RateLimitError)],
)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("streamed", [False, True])
def test_errors_by_class(refusing: Any, way: str, status: int, error: Any, streamed: bool) -> None:
    llm = WAYS[way](model="gpt-4o", api_base=f"{refusing(status)}/v1", max_retries=0)
    with pytest.raises(error, match="Not today"):
        _ = list(llm.stream_chat(HELLO)) if streamed else llm.chat(HELLO)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_again_is_answered(turns: Any, way: str, status: int, streamed: bool) -> None:
    door = turns(status)
    llm = WAYS[way](model="gpt-4o", api_base=f"{door.url}/v1", max_retries=2)
    assert list(llm.stream_chat(HELLO)) if streamed else llm.chat(HELLO).message.content
    assert len(door.asked) == 2
