"""Functions called by Google's own client: by itself, or by hand in every mode, until the loop ends in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from gemini_clients import google
from google import genai
from google.genai import types
from openapi import assert_known_keys
from pydantic import BaseModel

from llmsim.server.serve import Runner
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS = ["gemini-2.5-flash", "gemini-3-pro-preview"]
ASKED = "The weather in Oslo, please"


class Forecast(BaseModel):
    summary: str
    degrees: int


def get_weather(city: str) -> str:
    """Tells the weather of a city."""
    return f"It rains in {city}."


async def get_time(zone: str) -> dict[str, str]:
    """Tells the time in a zone."""
    return {"time": f"noon in {zone}"}


WEATHER = types.FunctionDeclaration(
    name="get_weather",
    description="Tells the weather",
    parameters=types.Schema(
        type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]
    ),
)
TIME = types.FunctionDeclaration(
    name="get_time",
    description="Tells the time",
    parameters_json_schema={
        "type": "object",
        "properties": {"zone_name": {"type": "string"}, "hour12": {"type": "boolean"}},
        "required": ["zone_name", "hour12"],
    },
)
BOTH = types.Tool(function_declarations=[WEATHER, TIME])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(server: Runner) -> AsyncIterator[genai.Client]:
    async with google(server) as one:
        yield one


@pytest.fixture
def client(shared: genai.Client, simulator: Simulator) -> genai.Client:
    """The client, which tries everything once; its synchronous half is for use in a thread."""
    simulator.change(generator="fixed:Take care.")
    return shared


# -- called by the client itself


@pytest.mark.parametrize("model", MODELS)
async def test_the_client_s_own_loop_ends_in_words(client: genai.Client, simulator: Simulator, model: str) -> None:
    chat = client.aio.chats.create(model=model, config=types.GenerateContentConfig(tools=[get_weather, get_time]))
    reply = await chat.send_message(ASKED)
    assert reply.text is not None
    assert "It rains in Oslo." in reply.text
    assert reply.text.endswith("Take care.")
    again = await chat.send_message("And the weather in Rome?")
    assert "It rains in Rome." in (again.text or "")
    assert len(simulator.journal) == 4


@pytest.mark.parametrize("model", MODELS)
async def test_it_ends_when_streamed_too(client: genai.Client, model: str) -> None:
    chat = client.aio.chats.create(model=model, config=types.GenerateContentConfig(tools=[get_weather]))
    said = ""
    async for chunk in await chat.send_message_stream(ASKED):
        parts = chunk.candidates[0].content.parts if chunk.candidates and chunk.candidates[0].content else ()
        said += "".join(part.text or "" for part in parts or () if not part.thought)
    assert "It rains in Oslo." in said
    assert said.endswith("Take care.")


@pytest.mark.parametrize("model", MODELS)
async def test_the_synchronous_loop_ends_too(client: genai.Client, model: str) -> None:
    settings = types.GenerateContentConfig(tools=[get_weather])

    def work() -> tuple[str | None, list[str | None]]:
        chat = client.chats.create(model=model, config=settings)
        return chat.send_message(ASKED).text, [content.role for content in chat.get_history()]

    text, roles = await asyncio.to_thread(work)
    assert "It rains in Oslo." in (text or "")
    assert roles == ["user", "model", "user", "model"]


async def test_a_forced_loop_ends_at_the_client_s_own_limit(client: genai.Client, simulator: Simulator) -> None:
    settings = types.GenerateContentConfig(
        tools=[get_weather],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
        ),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(maximum_remote_calls=2),
    )
    reply = await client.aio.chats.create(model=MODELS[0], config=settings).send_message(ASKED)
    assert reply.function_calls
    assert len(simulator.journal) <= 3


async def test_the_newest_models_end_a_loop_in_the_form_asked_for(client: genai.Client) -> None:
    settings = types.GenerateContentConfig(
        tools=[get_weather], response_mime_type="application/json", response_schema=Forecast
    )
    reply = await client.aio.chats.create(model=MODELS[1], config=settings).send_message(ASKED)
    assert isinstance(reply.parsed, Forecast)


async def test_a_function_that_fails_is_answered_as_well(client: genai.Client) -> None:
    def broken(city: str) -> str:
        """Tells the weather."""
        raise ValueError("no weather today")

    settings = types.GenerateContentConfig(tools=[broken])
    reply = await client.aio.chats.create(model=MODELS[0], config=settings).send_message(ASKED)
    assert "no weather today" in (reply.text or "")


# -- called by hand


@pytest.mark.parametrize(
    ("mode", "names", "calls"),
    [
        ("AUTO", None, ["get_weather"]),
        ("ANY", None, ["get_weather"]),
        ("ANY", ["get_time"], ["get_time"]),
        ("VALIDATED", ["get_time"], ["get_time"]),
        ("NONE", None, None),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_mode_says_what_is_called(
    client: genai.Client, mode: str, names: Any, calls: Any, streamed: bool
) -> None:
    chosen = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode(mode), allowed_function_names=names)
    settings = types.GenerateContentConfig(
        tools=[BOTH],
        tool_config=types.ToolConfig(function_calling_config=chosen),
        thinking_config=types.ThinkingConfig(thinking_budget=0),
    )
    asked: Any = {"model": MODELS[0], "contents": ASKED, "config": settings}
    if streamed:
        chunks = [chunk async for chunk in await client.aio.models.generate_content_stream(**asked)]
    else:
        chunks = [await client.aio.models.generate_content(**asked)]
    called = [call for chunk in chunks for call in chunk.function_calls or ()]
    assert [call.name for call in called] == (calls or [])
    assert chunks[-1].candidates is not None
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.STOP
    for call in called:
        assert call.id
        assert set(call.args or ()) == ({"city"} if call.name == "get_weather" else {"zone_name", "hour12"})
    for chunk in chunks:
        assert_known_keys(chunk)


@pytest.mark.parametrize("model", MODELS)
async def test_a_loop_by_hand_ends_in_words(client: genai.Client, model: str) -> None:
    contents: list[Any] = [types.UserContent(ASKED)]
    settings = types.GenerateContentConfig(tools=[BOTH])
    reply = await client.aio.models.generate_content(model=model, contents=contents, config=settings)
    (call,) = reply.function_calls or ()
    assert reply.candidates is not None
    contents.append(reply.candidates[0].content)
    answer = types.FunctionResponse(id=call.id, name=call.name, response={"result": "rainy"})
    contents.append(types.Content(role="user", parts=[types.Part(function_response=answer)]))
    reply = await client.aio.models.generate_content(model=model, contents=contents, config=settings)
    assert reply.function_calls is None
    assert "rainy" in (reply.text or "")


async def test_the_signature_of_a_call_comes_as_bytes_and_goes_back(client: genai.Client) -> None:
    settings = types.GenerateContentConfig(tools=[BOTH])
    reply = await client.aio.models.generate_content(model=MODELS[1], contents=ASKED, config=settings)
    assert reply.candidates is not None
    content = reply.candidates[0].content
    assert content is not None
    assert content.parts is not None
    assert isinstance(content.parts[0].thought_signature, bytes)
    unsigned = types.Content(role="model", parts=[types.Part(function_call=content.parts[0].function_call)])
    answer = types.Part.from_function_response(name="get_weather", response={"result": "rainy"})
    contents: list[Any] = [types.UserContent(ASKED), unsigned, types.Content(role="user", parts=[answer])]
    with pytest.raises(genai.errors.ClientError, match="missing a thought_signature"):
        await client.aio.models.generate_content(model=MODELS[1], contents=contents, config=settings)


# -- the tools that Google runs itself


@pytest.mark.parametrize("streamed", [False, True])
async def test_google_s_own_tools_leave_what_they_found(client: genai.Client, streamed: bool) -> None:
    own = [
        types.Tool(google_search=types.GoogleSearch()),
        types.Tool(url_context=types.UrlContext()),
        types.Tool(code_execution=types.ToolCodeExecution()),
    ]
    asked: Any = {
        "model": MODELS[0],
        "contents": "Who won? See https://example.com",
        "config": types.GenerateContentConfig(tools=own),
    }
    if streamed:
        chunks = [chunk async for chunk in await client.aio.models.generate_content_stream(**asked)]
    else:
        chunks = [await client.aio.models.generate_content(**asked)]
    assert any(chunk.executable_code for chunk in chunks)
    assert any(chunk.code_execution_result == "55\n" for chunk in chunks)
    assert chunks[-1].candidates is not None
    (candidate,) = chunks[-1].candidates
    assert candidate.grounding_metadata is not None
    assert candidate.grounding_metadata.web_search_queries == [asked["contents"]]
    assert candidate.grounding_metadata.grounding_chunks
    assert candidate.url_context_metadata is not None
    assert candidate.url_context_metadata.url_metadata
    for chunk in chunks:
        assert_known_keys(chunk)
