"""A streamed run tells its events in the order of OpenAI's API, with what polling shows, to the end or to its break."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from inprocess import Told
from openai_beta import CLOCK, WEATHER, Api, alike, check, events
from openapi import assert_fits
from running import Wire, application, nothing_left, running, until, written_by
from transcript import assert_golden

from llmsim.conversation import Ask, Reply, Stop, ToolCall
from llmsim.dice import Dice
from llmsim.server.serve import Runner

BEGUN = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
WRITING = [
    "thread.run.step.created", "thread.run.step.in_progress", "thread.message.created", "thread.message.in_progress",
]  # fmt: skip
CALLING = ["thread.run.step.created", "thread.run.step.in_progress", "thread.run.step.delta"]
DELTAS = {
    "thread.message.delta": "MessageDeltaObject",
    "thread.run.step.delta": "RunStepDeltaObject",
}


@pytest.fixture
def api() -> Api:
    return Api(application(generator="fixed:one two three four"))


async def streamed(api: Api, body: dict[str, Any], path: str = "/threads/runs") -> Told:
    told = await api.told("POST", path, {**body, "stream": True})
    assert told.status == 200, told.body
    assert dict(told.headers)[b"content-type"] == b"text/event-stream; charset=utf-8"
    return told


async def asked(api: Api, text: str = "Hello", **fields: Any) -> Told:
    """The stream of a run on a thread of its own."""
    assistant = await api.assistant(tools=[WEATHER, CLOCK])
    thread = {"messages": [{"role": "user", "content": text}]}
    return await streamed(api, {"assistant_id": assistant, "thread": thread, "tool_choice": "none", **fields})


def names(told: Told) -> list[str]:
    """The events' names, deltas that follow each other as one."""
    seen: list[str] = []
    for name, _ in events(told.body):
        if not (name.endswith(".delta") and seen[-1:] == [name]):
            seen.append(name)
    return seen


def data(told: Told, name: str) -> list[Any]:
    return [orjson.loads(value) for event, value in events(told.body) if event == name]


def text_of(told: Told) -> str:
    parts = [part for delta in data(told, "thread.message.delta") for part in delta["delta"]["content"]]
    return "".join(part["text"]["value"] for part in parts)


def hold(told: Told) -> None:
    """Holds every event to be valid by OpenAI's document and known to its SDK."""
    for name, value in events(told.body)[:-1]:
        if name in DELTAS:
            assert_fits(DELTAS[name], orjson.loads(value))
        else:
            check(orjson.loads(value))
    assert events(told.body)[-1] == ("done", b"[DONE]")


async def outputs(api: Api, run: Any) -> Told:
    calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    told = [{"tool_call_id": call["id"], "output": f"{index + 20} degrees"} for index, call in enumerate(calls)]
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
    return await streamed(api, {"tool_outputs": told}, path)


# -- the order of events


async def test_words_come_between_the_events_of_their_message_and_step(api: Api) -> None:
    told = await asked(api)
    hold(told)
    assert names(told) == [
        "thread.created", *BEGUN, *WRITING, "thread.message.delta", "thread.message.completed",
        "thread.run.step.completed", "thread.run.completed", "done",
    ]  # fmt: skip
    assert text_of(told) == "one two three four"
    assert_golden("openai_runs_text", told.status, [], alike(told.body))


async def test_calls_come_in_fragments_and_wait_for_outputs(api: Api) -> None:
    told = await asked(api, "What is the weather in Oslo and what time is it there?", tool_choice="auto")
    hold(told)
    assert names(told) == ["thread.created", *BEGUN, *CALLING, "thread.run.requires_action", "done"]
    (run,) = data(told, "thread.run.requires_action")
    joined: dict[int, str] = {}
    for delta in data(told, "thread.run.step.delta"):
        (call,) = delta["delta"]["step_details"]["tool_calls"]
        joined[call["index"]] = joined.get(call["index"], "") + call["function"]["arguments"]
    wanted = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [call["function"]["arguments"] for call in wanted] == list(joined.values())
    assert_golden("openai_runs_calls", told.status, [], alike(told.body))

    rest = await outputs(api, run)
    hold(rest)
    assert names(rest) == [
        "thread.run.step.completed", *BEGUN[1:], *WRITING, "thread.message.delta", "thread.message.completed",
        "thread.run.step.completed", "thread.run.completed", "done",
    ]  # fmt: skip
    (step, _) = data(rest, "thread.run.step.completed")
    assert [call["function"]["output"] for call in step["step_details"]["tool_calls"]] == ["20 degrees", "21 degrees"]
    assert_golden("openai_runs_outputs", rest.status, [], alike(rest.body))


async def test_a_run_on_a_thread_there_is_does_not_create_it(api: Api) -> None:
    thread = await api.thread("Hello")
    told = await streamed(api, {"assistant_id": await api.assistant()}, f"/threads/{thread}/runs")
    assert names(told)[:3] == BEGUN


@pytest.mark.parametrize("kind", ["code_interpreter", "file_search"])
async def test_a_built_in_tool_takes_its_step_before_the_words(api: Api, kind: str) -> None:
    told = await asked(api, tools=[{"type": kind}], tool_choice={"type": kind})
    hold(told)
    assert names(told) == [
        "thread.created", *BEGUN, *CALLING, "thread.run.step.completed", *WRITING, "thread.message.delta",
        "thread.message.completed", "thread.run.step.completed", "thread.run.completed", "done",
    ]  # fmt: skip
    assert_golden(f"openai_runs_{kind}", told.status, [], alike(told.body))


async def test_words_before_a_call_are_closed_before_it(api: Api) -> None:
    def write(ask: Ask, dice: Dice) -> Reply:
        return Reply(("Let me see.",), calls=(ToolCall(f"call_{dice.text(24)}", "get_time", "{}"),))

    with written_by(write) as spec:
        api.app.simulator.change(generator=spec)
        told = await asked(api)
    hold(told)
    assert names(told) == [
        "thread.created", *BEGUN, *WRITING, "thread.message.delta", "thread.message.completed",
        "thread.run.step.completed", *CALLING, "thread.run.requires_action", "done",
    ]  # fmt: skip


async def test_a_refusal_comes_in_deltas_of_its_own(api: Api) -> None:
    with written_by(lambda ask, dice: Reply(("I cannot.",), refusal=True)) as spec:
        api.app.simulator.change(generator=spec)
        told = await asked(api)
    hold(told)
    parts = [part for delta in data(told, "thread.message.delta") for part in delta["delta"]["content"]]
    assert "".join(part["refusal"] for part in parts) == "I cannot."
    (message,) = data(told, "thread.message.completed")
    assert message["content"] == [{"type": "refusal", "refusal": "I cannot."}]


async def test_a_reply_of_no_words_is_an_empty_message(api: Api) -> None:
    with written_by(lambda ask, dice: Reply(("",))) as spec:
        api.app.simulator.change(generator=spec)
        told = await asked(api)
    hold(told)
    assert names(told) == [
        "thread.created", *BEGUN, *WRITING, "thread.message.completed", "thread.run.step.completed",
        "thread.run.completed", "done",
    ]  # fmt: skip


async def test_thinking_is_not_shown_and_is_paid_for(api: Api) -> None:
    told = await asked(api, model="gpt-5", reasoning_effort="low")
    assert text_of(told) == "one two three four"
    (run,) = data(told, "thread.run.completed")
    assert run["usage"]["completion_tokens"] == 64 + 4


# -- ends before the end


async def test_a_limit_ends_message_and_run_as_incomplete(api: Api) -> None:
    api.app.simulator.change(generator="lorem", target_tokens=400)
    told = await asked(api, max_completion_tokens=256)
    hold(told)
    assert names(told)[-4:] == [
        "thread.message.incomplete", "thread.run.step.completed", "thread.run.incomplete", "done",
    ]  # fmt: skip


async def test_a_prompt_that_does_not_fit_ends_the_run_at_once(api: Api) -> None:
    told = await asked(api, "word " * 400, max_prompt_tokens=256)
    hold(told)
    assert names(told) == ["thread.created", *BEGUN, "thread.run.incomplete", "done"]


async def test_a_filter_leaves_the_message_incomplete(api: Api) -> None:
    with written_by(lambda ask, dice: Reply(("one",), stop=Stop.FILTER)) as spec:
        api.app.simulator.change(generator=spec)
        told = await asked(api)
    (message,) = data(told, "thread.message.incomplete")
    assert message["incomplete_details"] == {"reason": "content_filter"}


async def test_a_failure_in_mid_stream_fails_message_step_and_run(api: Api) -> None:
    assistant = await api.assistant()
    api.app.simulator.arm({"kind": "refuse", "status": 429, "after_tokens": 2, "message": "Too many."})
    told = await streamed(api, {"assistant_id": assistant, "thread": {}})
    api.app.simulator.lift()
    hold(told)
    assert text_of(told) == "one two"
    assert names(told)[-4:] == ["thread.message.incomplete", "thread.run.step.failed", "thread.run.failed", "done"]
    (run,) = data(told, "thread.run.failed")
    assert run["last_error"] == {"code": "rate_limit_exceeded", "message": "Too many."}
    assert await api.again(run) == run
    assert_golden("openai_runs_failed", told.status, [], alike(told.body))


async def test_a_call_that_breaks_off_fails_its_step(api: Api) -> None:
    assistant = await api.assistant(tools=[WEATHER])
    api.app.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 4})
    thread = {"messages": [{"role": "user", "content": "The weather in Oslo"}]}
    told = await streamed(api, {"assistant_id": assistant, "thread": thread})
    hold(told)
    assert names(told)[-3:] == ["thread.run.step.failed", "thread.run.failed", "done"]


async def test_a_garbled_event_leaves_the_run_whole(api: Api) -> None:
    thread, assistant = await api.thread("Hello"), await api.assistant()
    api.app.simulator.arm({"kind": "garble", "after_tokens": 2, "how": "malformed"})
    told = await streamed(api, {"assistant_id": assistant}, f"/threads/{thread}/runs")
    api.app.simulator.lift()
    assert told.body.endswith(b"event: done\ndata: [DONE]\n\n")
    _, answer = await api.messages(thread)
    assert answer["content"][0]["text"]["value"] == "one two three four"


async def test_a_refused_stream_is_a_plain_error(api: Api) -> None:
    for fields in ({"assistant_id": "asst_no"}, {"assistant_id": await api.assistant(), "tool_choice": "x"}):
        told = await api.told("POST", "/threads/runs", {**fields, "stream": True})
        assert told.status in (400, 404)
        assert dict(told.headers)[b"content-type"] == b"application/json"


# -- what the stream says is what polling shows


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5"])
async def test_the_last_events_are_what_is_kept(api: Api, model: str) -> None:
    told = await asked(api, model=model)
    (run,), (message,) = data(told, "thread.run.completed"), data(told, "thread.message.completed")
    (step,) = data(told, "thread.run.step.completed")
    assert await api.again(run) == run
    assert (await api.messages(run["thread_id"]))[-1] == message
    assert await api.steps(run) == [step]


async def test_a_streamed_run_says_what_a_polled_one_says() -> None:
    texts = set()
    for stream in (False, True):
        api = Api(application(seed=3))
        thread = await api.thread("Hello")
        run = {"assistant_id": await api.assistant(), "stream": stream}
        await api.told("POST", f"/threads/{thread}/runs", run)
        _, answer = await api.messages(thread)
        texts.add(answer["content"][0]["text"]["value"])
    assert len(texts) == 1


# -- clients that leave, and who watches


async def begun(wire: Wire, runner: Runner, profile: str) -> str:
    """A streamed run under way, its client on the wire; gives the path of its thread."""
    api = Api(runner.app)
    thread, assistant = await api.thread("Hello"), await api.assistant()
    runner.simulator.change(latency_profile=profile)
    path = f"/v1/threads/{thread}/runs"
    await wire.ask({"assistant_id": assistant, "stream": True}, path, "openai-beta: assistants=v2")
    await wire.head()
    return thread


async def test_a_stream_opens_before_its_first_token() -> None:
    async with running(generator="fixed:one two three four") as runner, Wire.to(runner) as wire:
        thread = await begun(wire, runner, "silent")
        assert [name for name, _ in events(await wire.chunk())] == BEGUN
        (run,) = (await Api(runner.app).get(f"/threads/{thread}/runs"))["data"]
        assert run["status"] == "in_progress"


async def test_a_run_goes_on_when_its_client_leaves() -> None:
    async with running(generator="fixed:one two three four") as runner, nothing_left(runner):
        api = Api(runner.app)
        async with Wire.to(runner) as wire:
            thread = await begun(wire, runner, "glacial")
            await wire.chunk()
        runner.simulator.change(latency_profile="instant")
        await until(lambda: len(runner.simulator.meter.live) == 1)
        (run,) = (await api.get(f"/threads/{thread}/runs"))["data"]
        assert check(run)["status"] == "in_progress"
        (live,) = runner.simulator.meter.live.values()
        live.pace(1e9, runner.simulator.clock.now())
        runner.simulator.change(speed=1000.0)
        await until(lambda: not runner.simulator.meter.live)
        assert check(await api.again(run))["status"] == "completed"
        _, answer = await api.messages(thread)
        assert answer["content"][0]["text"]["value"] == "one two three four"


async def test_a_cancelled_run_ends_its_stream_in_order() -> None:
    async with running(generator="fixed:one two three four") as runner, nothing_left(runner), Wire.to(runner) as wire:
        thread = await begun(wire, runner, "glacial")
        opening = await wire.chunk()
        api = Api(runner.app)
        (run,) = (await api.get(f"/threads/{thread}/runs"))["data"]
        await api.post(f"/threads/{thread}/runs/{run['id']}/cancel")
        rest = b""
        while chunk := await wire.chunk():
            rest += chunk
        told = Told(200, [], opening + rest)
        hold(told)
        assert names(told) == [
            *BEGUN, *WRITING, "thread.message.delta", "thread.run.cancelling", "thread.message.incomplete",
            "thread.run.step.cancelled", "thread.run.cancelled", "done",
        ]  # fmt: skip
        assert_golden("openai_runs_cancelled", 200, [], alike(told.body))


async def test_a_server_that_stops_fails_its_runs_in_order() -> None:
    async with running(generator="fixed:one two three four") as runner, Wire.to(runner) as wire:
        await begun(wire, runner, "glacial")
        told = await wire.chunk()
        await runner.stop(grace=0)
        while chunk := await wire.chunk():
            told += chunk
    assert [name for name, _ in events(told)][-3:] == ["thread.run.step.failed", "thread.run.failed", "done"]
