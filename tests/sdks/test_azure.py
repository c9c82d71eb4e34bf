"""OpenAI's clients for Azure, as their users use them: by deployment, by key or by token."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import openai
import pytest
import pytest_asyncio
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI
from pydantic import BaseModel
from running import Runner

from llmsim.dialects import kinds
from llmsim.simulator import Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERSION = "2025-04-01-preview"
HELLO: Any = [{"role": "user", "content": "Hello"}]
GIVEN: Any = {"api_key": "k", "api_version": VERSION, "max_retries": 0, "timeout": 20}


@pytest_asyncio.fixture(loop_scope="module")
async def azure(server: Runner, simulator: Simulator) -> AsyncIterator[AsyncAzureOpenAI]:
    async with AsyncAzureOpenAI(azure_endpoint=server.url, **GIVEN) as one:
        yield one


@pytest.fixture
def sync_azure(server: Runner, simulator: Simulator) -> Iterator[AzureOpenAI]:
    with AzureOpenAI(azure_endpoint=server.url, **GIVEN) as one:
        yield one


# -- chat


async def test_a_chat_is_answered_by_the_deployments_model(azure: AsyncAzureOpenAI) -> None:
    told = await azure.chat.completions.with_raw_response.create(model="prod-gpt-4o", messages=HELLO)
    reply = told.parse()
    assert reply.model == "gpt-4o"
    assert reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.model_extra or {})["prompt_filter_results"][0]["content_filter_results"]["jailbreak"]
    assert (reply.choices[0].model_extra or {})["content_filter_results"]["hate"] == {
        "filtered": False,
        "severity": "safe",
    }
    assert told.headers["apim-request-id"]
    assert told.headers["x-ms-deployment-name"] == "prod-gpt-4o"


async def test_a_stream_begins_with_the_filters_word_on_the_prompt(
    azure: AsyncAzureOpenAI, simulator: Simulator
) -> None:
    simulator.change(generator="echo")
    whole = await azure.chat.completions.create(model="gpt-4o", messages=HELLO)
    stream = await azure.chat.completions.create(
        model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    first, *rest = [chunk async for chunk in stream]
    assert first.choices == []
    assert "prompt_filter_results" in (first.model_extra or {})
    assert rest[-1].usage == whole.usage
    said = [chunk.choices[0].delta.content or "" for chunk in rest if chunk.choices]
    assert "".join(said) == whole.choices[0].message.content


async def test_the_clients_own_gathering_of_a_stream_takes_the_empty_chunk(azure: AsyncAzureOpenAI) -> None:
    async with azure.chat.completions.stream(model="gpt-4o", messages=HELLO) as stream:
        said = "".join([event.delta async for event in stream if event.type == "content.delta"])
        reply = await stream.get_final_completion()
    assert said == reply.choices[0].message.content
    assert reply.model == "gpt-4o"


async def test_the_synchronous_client(sync_azure: AzureOpenAI, simulator: Simulator) -> None:
    simulator.change(generator="echo")

    def use() -> tuple[str | None, str]:
        whole = sync_azure.chat.completions.create(model="gpt-4o", messages=HELLO)
        stream = sync_azure.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        said = "".join([chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices])
        return whole.choices[0].message.content, said

    whole, said = await asyncio.to_thread(use)
    assert whole == said


async def test_a_client_bound_to_a_deployment(server: Runner, simulator: Simulator) -> None:
    async with AsyncAzureOpenAI(azure_endpoint=server.url, azure_deployment="gpt-4o-mini", **GIVEN) as client:
        reply = await client.chat.completions.create(model="whatever", messages=HELLO)
        listed = await client.models.list()
    assert reply.model == "gpt-4o-mini"
    assert "gpt-4o" in {model.id for model in listed.data}


async def test_a_token_of_entra_instead_of_a_key(server: Runner, simulator: Simulator) -> None:
    simulator.change(strict=True)
    given = {**GIVEN, "api_key": None}
    async with AsyncAzureOpenAI(azure_endpoint=server.url, azure_ad_token_provider=lambda: "eyJ0", **given) as client:
        reply = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert reply.choices[0].message.content


async def test_the_plain_client_on_the_path_without_dates(server: Runner, simulator: Simulator) -> None:
    with OpenAI(base_url=f"{server.url}/openai/v1/", api_key="k", max_retries=0) as client:
        reply = await asyncio.to_thread(client.chat.completions.create, model="gpt-4o", messages=HELLO)
    assert reply.choices[0].message.content


class City(BaseModel):
    name: str
    people: int


async def test_structured_output(azure: AsyncAzureOpenAI) -> None:
    reply = await azure.chat.completions.parse(model="gpt-4o", messages=HELLO, response_format=City)
    assert isinstance(reply.choices[0].message.parsed, City)


async def test_tools_are_called(azure: AsyncAzureOpenAI) -> None:
    tool = openai.pydantic_function_tool(City)
    reply = await azure.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[tool], tool_choice="required")
    assert reply.choices[0].message.tool_calls
    assert reply.choices[0].finish_reason == "tool_calls"


# -- the other APIs


async def test_embeddings(azure: AsyncAzureOpenAI) -> None:
    told = await azure.embeddings.create(model="text-embedding-3-small", input=["a", "b"], dimensions=8)
    assert [len(one.embedding) for one in told.data] == [8, 8]
    assert told.model == "text-embedding-3-small"


async def test_responses_are_kept(azure: AsyncAzureOpenAI) -> None:
    told = await azure.responses.create(model="gpt-4o", input="Hello")
    assert told.output_text
    again = await azure.responses.retrieve(told.id)
    assert again.output_text == told.output_text
    after = await azure.responses.create(model="gpt-4o", input="And?", previous_response_id=told.id)
    assert after.usage
    assert told.usage
    assert after.usage.input_tokens > told.usage.input_tokens
    await azure.responses.delete(told.id)
    with pytest.raises(openai.NotFoundError):
        await azure.responses.retrieve(told.id)


async def test_responses_stream(azure: AsyncAzureOpenAI) -> None:
    stream = await azure.responses.create(model="gpt-4o", input="Hello", stream=True)
    types = [event.type async for event in stream]
    assert (types[0], types[-1]) == ("response.created", "response.completed")


async def test_responses_go_on_in_the_background(azure: AsyncAzureOpenAI) -> None:
    told = await azure.responses.create(model="gpt-4o", input="Hello", background=True)
    while told.status in ("queued", "in_progress"):
        told = await azure.responses.retrieve(told.id)
    assert told.status == "completed"
    assert told.output_text


async def test_files_and_batches(azure: AsyncAzureOpenAI) -> None:
    file = await azure.files.create(file=("lines.jsonl", io.BytesIO(b"{}\n")), purpose="batch")
    assert (await azure.files.content(file.id)).read() == b"{}\n"
    assert [one.id for one in (await azure.files.list()).data] == [file.id]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # OpenAI has ended this API, Azure has not
async def test_a_thread_is_run(azure: AsyncAzureOpenAI) -> None:
    assistant = await azure.beta.assistants.create(model="gpt-4o")
    thread = await azure.beta.threads.create(messages=HELLO)
    run = await azure.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=1
    )
    assert run.status == "completed"
    messages = await azure.beta.threads.messages.list(thread.id)
    assert messages.data[0].role == "assistant"


async def test_images(azure: AsyncAzureOpenAI) -> None:
    told = await azure.images.generate(model="gpt-image-1", prompt="a cat", size="1024x1024", n=1)
    assert told.data
    assert told.data[0].b64_json


async def test_speech_and_its_transcription(azure: AsyncAzureOpenAI) -> None:
    if "openai_transcriptions" not in kinds():
        pytest.skip("there are no transcriptions")
    spoken = await azure.audio.speech.create(model="tts-1", voice="alloy", input="Hello", response_format="wav")
    told = await azure.audio.transcriptions.create(model="whisper-1", file=("a.wav", spoken.content))
    assert told.text


# -- errors

CLASSES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", CLASSES)
async def test_each_status_raises_its_class(
    azure: AsyncAzureOpenAI, simulator: Simulator, status: int, streamed: bool
) -> None:
    simulator.arm({"kind": "refuse", "status": status, "message": "Not today."})
    with pytest.raises(CLASSES[status]) as raised:
        await azure.chat.completions.create(model="gpt-4o", messages=HELLO, stream=streamed)
    assert type(raised.value) is CLASSES[status]
    assert raised.value.status_code == status
    assert raised.value.body["message"] == "Not today."  # type: ignore[index]
    assert raised.value.request_id


ASKED: Any = {
    "401": (
        lambda client: client.chat.completions.create(model="gpt-4o", messages=HELLO, extra_headers={"api-key": ""}),
        "strict",
    ),
    "DeploymentNotFound": (lambda client: client.chat.completions.create(model="ours", messages=HELLO), "strict"),
    "OperationNotSupported": (lambda client: client.embeddings.create(model="gpt-4o", input="a"), ""),
    "404": (lambda client: client.get("/nothing", cast_to=object), ""),
    "BadRequest": (lambda client: client.responses.create(model="gpt-4o", input="a"), "old"),
}


@pytest.mark.parametrize("code", ASKED)
async def test_errors_have_azures_codes(server: Runner, simulator: Simulator, code: str) -> None:
    asked: tuple[Callable[[Any], Any], str] = ASKED[code]
    ask, how = asked
    simulator.change(strict=how == "strict")
    given = {**GIVEN, "api_version": "2024-10-21"} if how == "old" else dict(GIVEN)
    async with AsyncAzureOpenAI(azure_endpoint=server.url, **given) as client:
        with pytest.raises(openai.APIStatusError) as raised:
            await ask(client)
    assert raised.value.code == code


async def test_the_client_waits_as_the_gateway_tells_it(server: Runner, simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 429, "retry_after": 0.01, "probability": 0.5})
    given = {**GIVEN, "max_retries": 20}
    async with AsyncAzureOpenAI(azure_endpoint=server.url, **given) as client:
        for _ in range(5):
            assert (await client.chat.completions.create(model="gpt-4o", messages=HELLO)).choices
    assert {exchange.status for exchange in simulator.journal} == {200, 429}
