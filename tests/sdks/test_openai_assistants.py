"""OpenAI's own client works with assistants, threads and runs as it does with OpenAI: polls, streams, its helpers."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.lib.streaming import AssistantEventHandler, AsyncAssistantEventHandler
from openai.types.beta import AssistantStreamEvent
from openai.types.beta.threads import Run
from openai_beta import CLOCK, WEATHER
from openapi import assert_known_keys
from running import until

from llmsim.simulator import Simulator

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning"),
]

WORDS = "fixed:one two three four"
QUESTION: Any = [{"role": "user", "content": "What is the weather in Oslo and what time is it there?"}]
HELLO: Any = [{"role": "user", "content": "Hello"}]
ORDER = [
    "thread.run.created", "thread.run.queued", "thread.run.in_progress", "thread.run.step.created",
    "thread.run.step.in_progress", "thread.message.created", "thread.message.in_progress",
    *["thread.message.delta"] * 4, "thread.message.completed", "thread.run.step.completed", "thread.run.completed",
]  # fmt: skip


@pytest.fixture(autouse=True)
def words(simulator: Simulator) -> None:
    simulator.change(generator=WORDS)


async def assistant(client: AsyncOpenAI, **fields: Any) -> str:
    return (await client.beta.assistants.create(**{"model": "gpt-4o", **fields})).id


async def thread(client: AsyncOpenAI, messages: Any = HELLO) -> str:
    return (await client.beta.threads.create(messages=messages)).id


def outputs(run: Run) -> Any:
    assert run.required_action
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": call.id, "output": f"output of {call.function.name}"} for call in calls]


async def texts(client: AsyncOpenAI, thread_id: str) -> list[str]:
    """The texts of a thread, oldest first, over as many pages as it takes."""
    found = []
    async for message in client.beta.threads.messages.list(thread_id, order="asc", limit=2):
        assert_known_keys(message)
        (part,) = message.content
        assert part.type == "text"
        found.append(part.text.value)
    return found


# -- what is kept


async def test_an_assistant_can_be_made_found_changed_and_deleted(client: AsyncOpenAI) -> None:
    beta = client.beta.assistants
    made = await beta.create(model="gpt-4o", name="A", tools=[WEATHER, {"type": "code_interpreter"}], temperature=0.3)
    assert_known_keys(made)
    assert await beta.retrieve(made.id) == made
    changed = await beta.update(made.id, instructions="Be brief.", metadata={"a": "b"})
    assert (changed.instructions, changed.metadata, changed.tools) == ("Be brief.", {"a": "b"}, made.tools)
    assert made.id in [one.id async for one in beta.list(limit=1)]
    assert (await beta.delete(made.id)).deleted
    with pytest.raises(openai.NotFoundError, match="No assistant found with id"):
        await beta.retrieve(made.id)


async def test_a_thread_and_its_messages_can_be_changed(client: AsyncOpenAI) -> None:
    threads = client.beta.threads
    made = await threads.create(messages=HELLO, metadata={"a": "b"})
    assert_known_keys(made)
    assert (await threads.update(made.id, metadata={"c": "d"})).metadata == {"c": "d"}
    message = await threads.messages.create(made.id, role="user", content=[{"type": "text", "text": "漢字 🚀"}])
    changed = await threads.messages.update(message.id, thread_id=made.id, metadata={"seen": "yes"})
    assert await threads.messages.retrieve(message.id, thread_id=made.id) == changed
    assert await texts(client, made.id) == ["Hello", "漢字 🚀"]
    assert (await threads.messages.delete(message.id, thread_id=made.id)).deleted
    assert await texts(client, made.id) == ["Hello"]
    assert (await threads.delete(made.id)).deleted
    with pytest.raises(openai.NotFoundError, match="No thread found with id"):
        await threads.retrieve(made.id)


# -- polling


@pytest.mark.parametrize("profile", ["instant", "fast"])
async def test_a_run_is_polled_to_its_end(client: AsyncOpenAI, simulator: Simulator, profile: str) -> None:
    simulator.change(latency_profile=profile)
    at = await thread(client)
    run = await client.beta.threads.runs.create_and_poll(thread_id=at, assistant_id=await assistant(client))
    assert_known_keys(run)
    assert (run.status, run.usage and run.usage.completion_tokens) == ("completed", 4)
    assert await texts(client, at) == ["Hello", "one two three four"]
    (step,) = (await client.beta.threads.runs.steps.list(run.id, thread_id=at)).data
    assert_known_keys(step)
    assert await client.beta.threads.runs.steps.retrieve(step.id, thread_id=at, run_id=run.id) == step
    assert [one.id async for one in client.beta.threads.runs.list(at)] == [run.id]
    assert (await client.beta.threads.runs.update(run.id, thread_id=at, metadata={"a": "b"})).metadata == {"a": "b"}


async def test_outputs_of_tools_are_submitted_and_polled(client: AsyncOpenAI) -> None:
    runs = client.beta.threads.runs
    run = await client.beta.threads.create_and_run_poll(
        assistant_id=await assistant(client, tools=[WEATHER, CLOCK]), thread={"messages": QUESTION}
    )
    assert_known_keys(run)
    assert (run.status, len(outputs(run))) == ("requires_action", 2)
    ended = await runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs(run))
    assert ended.status == "completed"
    assert (await texts(client, run.thread_id))[-1].startswith("The get_time tool returned: output of get_time")


async def test_a_synchronous_client_polls_and_submits(sync_client: OpenAI) -> None:
    def work() -> list[str]:
        beta = sync_client.beta
        helper = beta.assistants.create(model="gpt-4o", tools=[WEATHER])
        run = beta.threads.create_and_run_poll(assistant_id=helper.id, thread={"messages": QUESTION})
        ended = beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs(run)
        )
        return [run.status, ended.status]

    assert await asyncio.to_thread(work) == ["requires_action", "completed"]


async def test_a_run_can_be_cancelled(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="glacial")
    at, runs = await thread(client), client.beta.threads.runs
    run = await runs.create(at, assistant_id=await assistant(client))
    assert (await runs.retrieve(run.id, thread_id=at)).status == "in_progress"
    with pytest.raises(openai.BadRequestError, match="already has an active run"):
        await runs.create(at, assistant_id=run.assistant_id)
    with pytest.raises(openai.BadRequestError, match="Can't add messages to"):
        await client.beta.threads.messages.create(at, role="user", content="Hi")
    assert (await runs.cancel(run.id, thread_id=at)).status == "cancelling"
    assert (await runs.poll(run.id, at)).status == "cancelled"
    assert (await texts(client, at))[-1] == "one"


# -- streaming


async def test_the_events_of_a_stream_come_in_order(client: AsyncOpenAI) -> None:
    stream = await client.beta.threads.runs.create(
        await thread(client), assistant_id=await assistant(client), stream=True
    )
    assert [event.event async for event in stream] == ORDER


class Handler(AssistantEventHandler):
    """Notes what it is told, as a program that shows a reply word by word."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.said = ""
        self.arguments: dict[str, str] = {}

    def on_event(self, event: AssistantStreamEvent) -> None:
        assert_known_keys(event.data)  # type: ignore[arg-type]

    def on_text_created(self, text: Any) -> None:
        self.told.append("text created")

    def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        self.said += delta.value
        assert snapshot.value == self.said

    def on_text_done(self, text: Any) -> None:
        self.told.append(f"text done: {text.value}")

    def on_message_done(self, message: Any) -> None:
        self.told.append("message done")

    def on_run_step_done(self, run_step: Any) -> None:
        self.told.append(f"{run_step.type} done")

    def on_tool_call_created(self, tool_call: Any) -> None:
        self.told.append(f"{tool_call.type} created")

    def on_tool_call_delta(self, delta: Any, snapshot: Any) -> None:
        if snapshot.type == "function":
            self.arguments[snapshot.id] = snapshot.function.arguments

    def on_end(self) -> None:
        self.told.append("end")


async def test_a_handler_is_told_of_words_calls_and_ends(sync_client: OpenAI) -> None:
    def work() -> tuple[Handler, Handler, Run]:
        beta = sync_client.beta
        helper = beta.assistants.create(model="gpt-4o", tools=[WEATHER, CLOCK])
        with beta.threads.create_and_run_stream(
            assistant_id=helper.id, thread={"messages": QUESTION}, event_handler=(first := Handler())
        ) as stream:
            stream.until_done()
        run = first.get_final_run()
        with beta.threads.runs.submit_tool_outputs_stream(
            run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs(run), event_handler=(second := Handler())
        ) as stream:
            stream.until_done()
        return first, second, run

    first, second, run = await asyncio.to_thread(work)
    assert first.told == ["function created", "function created", "end"]
    assert run.required_action
    wanted = {call.id: call.function.arguments for call in run.required_action.submit_tool_outputs.tool_calls}
    assert first.arguments == wanted
    assert second.told == [
        "tool_calls done", "text created", f"text done: {second.said}", "message done", "message_creation done", "end",
    ]  # fmt: skip
    assert second.get_final_run().status == "completed"
    assert [message.role for message in second.get_final_messages()] == ["assistant"]


async def test_a_stream_of_the_asynchronous_client_has_its_texts(client: AsyncOpenAI) -> None:
    at = await thread(client)
    async with client.beta.threads.runs.stream(thread_id=at, assistant_id=await assistant(client)) as stream:
        assert [text async for text in stream.text_deltas] == ["one", " two", " three", " four"]
        run = await stream.get_final_run()
        (step,) = await stream.get_final_run_steps()
    assert (run.status, step.type) == ("completed", "message_creation")
    assert (await texts(client, at))[-1] == "one two three four"


async def test_outputs_are_submitted_to_a_stream(client: AsyncOpenAI) -> None:
    helper = await assistant(client, tools=[WEATHER])
    threads = client.beta.threads
    async with threads.create_and_run_stream(assistant_id=helper, thread={"messages": QUESTION}) as stream:
        run = await stream.get_final_run()
    handler = AsyncAssistantEventHandler()
    async with threads.runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs(run), event_handler=handler
    ) as more:
        ended = await more.get_final_run()
    assert (ended.id, ended.status) == (run.id, "completed")


@pytest.mark.parametrize("kind", ["code_interpreter", "file_search"])
async def test_a_built_in_tool_is_shown_as_it_works(sync_client: OpenAI, kind: Any) -> None:
    def work() -> Handler:
        beta = sync_client.beta
        helper = beta.assistants.create(model="gpt-4o", tools=[{"type": kind}])
        with beta.threads.create_and_run_stream(
            assistant_id=helper.id,
            thread={"messages": HELLO},
            tool_choice={"type": kind},
            event_handler=(handler := Handler()),
        ) as stream:
            stream.until_done()
        return handler

    handler = await asyncio.to_thread(work)
    assert handler.told[:2] == [f"{kind} created", "tool_calls done"]
    step = handler.get_final_run_steps()[0]
    assert step.step_details.type == "tool_calls"
    (call,) = step.step_details.tool_calls
    if call.type == "code_interpreter":
        (output,) = call.code_interpreter.outputs
        assert output.type == "logs"
        assert call.code_interpreter.input.endswith("print(sum(numbers))")
        assert output.logs.isdigit()


# -- what goes wrong


async def test_a_failure_in_mid_stream_fails_the_run(client: AsyncOpenAI, simulator: Simulator) -> None:
    at, helper = await thread(client), await assistant(client)
    stream = client.beta.threads.runs.stream(thread_id=at, assistant_id=helper)
    simulator.arm({"kind": "refuse", "status": 429, "after_tokens": 2, "message": "Too many."})
    async with stream as events:
        run = await events.get_final_run()
    simulator.lift()
    assert run.status == "failed"
    assert run.last_error
    assert (run.last_error.code, run.last_error.message) == ("rate_limit_exceeded", "Too many.")
    assert (await client.beta.threads.runs.retrieve(run.id, thread_id=at)).last_error == run.last_error


async def test_a_cut_connection_fails_the_run(client: AsyncOpenAI, simulator: Simulator) -> None:
    at, helper = await thread(client), await assistant(client)
    stream = client.beta.threads.runs.stream(thread_id=at, assistant_id=helper)
    simulator.arm({"kind": "cut", "after_tokens": 2})
    with pytest.raises(httpx2.TransportError):
        async with stream as events:
            await events.until_done()
    simulator.lift()
    await until(lambda: not simulator.meter.live)
    (run,) = (await client.beta.threads.runs.list(at)).data
    assert (run.status, run.last_error and run.last_error.code) == ("failed", "server_error")


async def test_a_run_goes_on_when_its_client_leaves(client: AsyncOpenAI, simulator: Simulator) -> None:
    simulator.change(latency_profile="fast", generator="lorem", target_tokens=30)
    at, helper = await thread(client), await assistant(client)
    stream = await client.beta.threads.runs.create(at, assistant_id=helper, stream=True)
    async for event in stream:
        if event.event == "thread.message.delta":
            break
    await stream.close()
    (run,) = (await client.beta.threads.runs.list(at)).data
    run = await client.beta.threads.runs.poll(run.id, at, poll_interval_ms=5)
    assert (run.status, run.usage and run.usage.completion_tokens) == ("completed", 30)
    _, answer = (await client.beta.threads.messages.list(at, order="asc")).data
    assert answer.status == "completed"


async def test_a_refusal_is_the_errors_own_class(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.beta.assistants.create(model="gpt-4o", temperature=3)
    assert (caught.value.param, caught.value.code) == ("temperature", "decimal_above_max_value")
    with pytest.raises(openai.BadRequestError) as caught:
        await client.beta.assistants.list(extra_headers={"OpenAI-Beta": ""})
    assert caught.value.code == "invalid_beta"


async def test_a_rate_limit_is_met_before_a_run_begins(client: AsyncOpenAI, simulator: Simulator) -> None:
    at, helper = await thread(client), await assistant(client)
    simulator.arm({"kind": "refuse", "status": 429, "retry_after": 1})
    with pytest.raises(openai.RateLimitError):
        await client.beta.threads.runs.create(at, assistant_id=helper)
    simulator.lift()
    assert (await client.beta.threads.runs.list(at)).data == []
