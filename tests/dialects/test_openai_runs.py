"""A run goes through the states of OpenAI's API, leaves its steps and its message, and refuses what the API refuses."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from inprocess import ask
from openai_beta import BETA, CLOCK, WEATHER, Api, check
from openapi import assert_fits
from running import application, until, written_by

from llmsim.clock import ToldClock
from llmsim.conversation import Ask, Reply, ToolCall
from llmsim.dice import Dice
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

QUESTION = "How is the weather in Oslo?"


@pytest.fixture
def api() -> Api:
    return Api(application(generator="fixed:one two three four"))


async def waiting(api: Api, **fields: Any) -> Any:
    """A run that waits for the output of a tool."""
    assistant, thread = await api.assistant(tools=[WEATHER, CLOCK]), await api.thread(QUESTION)
    return await api.again(await api.run(thread, assistant, **fields))


def said(message: Any) -> str:
    return str(message["content"][0]["text"]["value"])


# -- a reply in words


async def test_a_run_is_queued_and_then_completed(api: Api) -> None:
    assistant, thread = await api.assistant(instructions="Be brief."), await api.thread("Hello")
    run = check(await api.run(thread, assistant))
    assert (run["status"], run["started_at"], run["usage"], run["instructions"]) == ("queued", None, None, "Be brief.")
    assert run["expires_at"] == run["created_at"] + 600
    ended = check(await api.again(run))
    assert (ended["id"], ended["status"], ended["expires_at"]) == (run["id"], "completed", None)
    assert ended["completed_at"] >= ended["started_at"] >= ended["created_at"]
    # OpenAI's cookbook: three tokens a message, one for its role, three to start the reply.
    assert ended["usage"] == {"prompt_tokens": 3 + 4 + 3 + 4 + 1, "completion_tokens": 4, "total_tokens": 19}


async def test_a_run_leaves_a_message_and_a_step(api: Api) -> None:
    assistant, thread = await api.assistant(), await api.thread("Hello")
    run = await api.again(await api.run(thread, assistant))
    _, answer = await api.messages(thread)
    assert said(answer) == "one two three four"
    assert (answer["role"], answer["assistant_id"], answer["run_id"]) == ("assistant", assistant, run["id"])
    (step,) = await api.steps(run)
    assert step["step_details"] == {"type": "message_creation", "message_creation": {"message_id": answer["id"]}}
    assert (step["status"], step["usage"]) == ("completed", run["usage"])
    assert await api.get(f"/threads/{thread}/runs/{run['id']}/steps/{step['id']}") == step


async def test_a_run_echoes_what_was_asked_for(api: Api) -> None:
    assistant = await api.assistant(instructions="Be brief.", tools=[WEATHER], temperature=0.5, metadata={"a": "b"})
    asked: dict[str, Any] = {
        "model": "gpt-4.1",
        "tools": [WEATHER, CLOCK],
        "metadata": {"c": "d"},
        "temperature": 0.1,
        "top_p": 0.5,
        "max_prompt_tokens": 5000,
        "max_completion_tokens": 300,
        "truncation_strategy": {"type": "last_messages", "last_messages": 3},
        "tool_choice": "none",
        "parallel_tool_calls": False,
        "response_format": {"type": "text"},
    }
    run = check(await api.run(await api.thread("Hi"), assistant, **asked, additional_instructions="And be kind."))
    assert {name: run[name] for name in asked} == asked
    assert run["instructions"] == "Be brief.\nAnd be kind."


async def test_a_run_is_as_its_assistant_where_it_is_not_told_otherwise(api: Api) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    assistant = await api.assistant(temperature=0.5, response_format=form)
    run = check(await api.run(await api.thread("Hi"), assistant, instructions="Be long."))
    told = {name: run[name] for name in ("model", "temperature", "top_p", "tool_choice", "truncation_strategy")}
    assert told == {
        "model": "gpt-4o", "temperature": 0.5, "top_p": 1.0, "tool_choice": "auto",
        "truncation_strategy": {"type": "auto", "last_messages": None},
    }  # fmt: skip
    assert (run["response_format"], run["instructions"], run["metadata"]) == (form, "Be long.", {})


async def test_messages_may_come_with_a_run(api: Api) -> None:
    api.app.simulator.change(generator="echo")
    assistant, thread = await api.assistant(), await api.thread("one")
    more = [{"role": "assistant", "content": "two"}, {"role": "user", "content": "three"}]
    await api.run(thread, assistant, additional_messages=more)
    assert [said(message) for message in await api.messages(thread)] == ["one", "two", "three", "three"]


async def test_a_thread_may_come_with_a_run(api: Api) -> None:
    api.app.simulator.change(generator="echo")
    assistant = await api.assistant()
    own = {"messages": [{"role": "user", "content": "one"}], "metadata": {"a": "b"}}
    run = check(await api.post("/threads/runs", assistant_id=assistant, thread=own))
    assert check(await api.get(f"/threads/{run['thread_id']}"))["metadata"] == {"a": "b"}
    assert [said(message) for message in await api.messages(run["thread_id"])] == ["one", "one"]
    bare = check(await api.post("/threads/runs", assistant_id=assistant))
    assert len(await api.messages(bare["thread_id"])) == 1


async def test_the_model_sees_instructions_and_the_thread(api: Api) -> None:
    seen: list[Ask] = []

    def write(ask: Ask, dice: Dice) -> Reply:
        seen.append(ask.again())
        return Reply(("yes",))

    with written_by(write) as spec:
        api.app.simulator.change(generator=spec)
        assistant = await api.assistant(instructions="Be brief.", model="gpt-5", reasoning_effort="low")
        thread = await api.thread("one")
        await api.run(thread, assistant)
        image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
        await api.post(f"/threads/{thread}/messages", role="user", content=[{"type": "text", "text": "two"}, image])
        await api.run(thread, assistant)
    ask = seen[-1]
    assert [(one.role, one.text) for one in ask.messages] == [
        ("system", "Be brief."), ("user", "one"), ("assistant", "yes"), ("user", "two"),
    ]  # fmt: skip
    assert ask.messages[-1].media == ("image",)
    assert ask.thinking == 64


async def test_structured_output_fits_the_clients_schema(api: Api) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    thread = await api.thread("Count.")
    await api.run(thread, await api.assistant(), response_format=form)
    answer = orjson.loads(said((await api.messages(thread))[-1]))
    assert isinstance(answer["n"], int)


async def test_a_refusal_of_the_model_is_the_messages_content(api: Api) -> None:
    with written_by(lambda ask, dice: Reply(("I cannot.",), refusal=True)) as spec:
        api.app.simulator.change(generator=spec)
        thread = await api.thread("Do it.")
        await api.run(thread, await api.assistant())
    assert (await api.messages(thread))[-1]["content"] == [{"type": "refusal", "refusal": "I cannot."}]


# -- calls of functions


async def test_a_run_waits_for_the_outputs_of_functions(api: Api) -> None:
    run = check(await waiting(api))
    assert (run["status"], run["usage"]) == ("requires_action", None)
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert call["id"].startswith("call_")
    assert call["function"] == {"name": "get_weather", "arguments": '{"city":"Oslo"}'}
    (step,) = await api.steps(run)
    assert (step["status"], step["type"], step["usage"]) == ("in_progress", "tool_calls", None)
    assert step["step_details"]["tool_calls"] == [{**call, "function": {**call["function"], "output": None}}]
    assert len(await api.messages(run["thread_id"])) == 1


async def test_a_run_goes_on_with_the_outputs(api: Api) -> None:
    run = await waiting(api)
    queued = check(await api.outputs(run, "Sunny."))
    assert (queued["id"], queued["status"], queued["required_action"]) == (run["id"], "queued", None)
    ended = check(await api.again(run))
    assert (ended["status"], ended["started_at"]) == ("completed", run["started_at"])
    assert said((await api.messages(run["thread_id"]))[-1]).startswith("The get_weather tool returned: Sunny.")
    called, written = await api.steps(run)
    assert called["step_details"]["tool_calls"][0]["function"]["output"] == "Sunny."
    assert (called["status"], written["type"]) == ("completed", "message_creation")
    for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert ended["usage"][name] == called["usage"][name] + written["usage"][name]


async def test_several_functions_may_be_called_at_once(api: Api) -> None:
    question = "What is the weather in Oslo and what time is it there?"
    assistant = await api.assistant(tools=[WEATHER, CLOCK])
    both, single = [
        await api.again(await api.run(await api.thread(question), assistant, parallel_tool_calls=parallel))
        for parallel in (True, False)
    ]
    assert len(both["required_action"]["submit_tool_outputs"]["tool_calls"]) == 2
    assert len(single["required_action"]["submit_tool_outputs"]["tool_calls"]) == 1
    await api.outputs(both)
    assert (await api.again(both))["status"] == "completed"


async def test_a_function_may_be_forced_once(api: Api) -> None:
    run = await waiting(api, tool_choice={"type": "function", "function": {"name": "get_time"}})
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert call["function"]["name"] == "get_time"
    await api.outputs(run)
    assert (await api.again(run))["status"] == "completed"


async def test_functions_may_be_forbidden(api: Api) -> None:
    assert (await waiting(api, tool_choice="none"))["status"] == "completed"


async def test_words_before_a_call_are_a_message_of_their_own(api: Api) -> None:
    def write(ask: Ask, dice: Dice) -> Reply:
        call = ToolCall(f"call_{dice.text(24)}", "get_time", "{}")
        return Reply(("Done.",)) if ask.answers_a_tool else Reply(("Let me see.",), calls=(call,))

    with written_by(write) as spec:
        api.app.simulator.change(generator=spec)
        thread = await api.thread("Hello")
        run = check(await api.again(await api.run(thread, await api.assistant())))
        assert run["status"] == "requires_action"
        assert [said(message) for message in await api.messages(thread)] == ["Hello", "Let me see."]
        await api.outputs(run)
    ended = check(await api.again(run))
    steps = await api.steps(run)
    assert [step["type"] for step in steps] == ["message_creation", "tool_calls", "message_creation"]
    assert sum(step["usage"]["total_tokens"] for step in steps) == ended["usage"]["total_tokens"]


# -- built-in tools


@pytest.mark.parametrize("kind", ["code_interpreter", "file_search"])
@pytest.mark.parametrize("named", [True, False])
async def test_a_built_in_tool_that_is_forced_takes_a_step(api: Api, kind: str, named: bool) -> None:
    choice: Any = {"type": kind} if named else "required"
    thread, assistant = await api.thread("What is the sum?"), await api.assistant(tools=[{"type": kind}])
    run = check(await api.again(await api.run(thread, assistant, tool_choice=choice)))
    assert run["status"] == "completed"
    called, written = await api.steps(run)
    (call,) = called["step_details"]["tool_calls"]
    assert (call["type"], called["status"], written["type"]) == (kind, "completed", "message_creation")
    assert run["usage"]["total_tokens"] == called["usage"]["total_tokens"] + written["usage"]["total_tokens"]
    if kind == "code_interpreter":
        printed: list[str] = []
        exec(call[kind]["input"], {"print": lambda value: printed.append(str(value))})
        assert call[kind]["outputs"] == [{"type": "logs", "logs": printed[0]}]


async def test_built_in_tools_that_are_not_forced_are_left_alone(api: Api) -> None:
    assistant = await api.assistant(tools=[{"type": "code_interpreter"}, {"type": "file_search"}])
    run = await api.again(await api.run(await api.thread("Hello"), assistant))
    assert [step["type"] for step in await api.steps(run)] == ["message_creation"]


# -- limits


async def test_a_reply_beyond_its_limit_leaves_the_run_incomplete(api: Api) -> None:
    api.app.simulator.change(generator="lorem", target_tokens=400)
    thread = await api.thread("Hello")
    run = check(await api.again(await api.run(thread, await api.assistant(), max_completion_tokens=256)))
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_completion_tokens"})
    assert run["usage"]["completion_tokens"] == 256
    answer = (await api.messages(thread))[-1]
    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_tokens"})
    assert answer["incomplete_at"]
    assert answer["completed_at"] is None
    assert [step["status"] for step in await api.steps(run)] == ["completed"]


async def test_the_limit_holds_for_all_turns_together(api: Api) -> None:
    api.app.simulator.change(generator="lorem", target_tokens=400)
    run = await waiting(api, max_completion_tokens=256)
    await api.outputs(run)
    ended = await api.again(run)
    assert (ended["status"], ended["usage"]["completion_tokens"]) == ("incomplete", 256)


async def test_the_oldest_messages_are_left_out_where_not_all_fit(api: Api) -> None:
    api.app.simulator.change(generator="echo")
    thread = await api.thread(*(f"{number} " * 100 for number in range(10)))
    run = await api.again(await api.run(thread, await api.assistant(), max_prompt_tokens=1000))
    assert run["status"] == "completed"
    assert 700 < run["usage"]["prompt_tokens"] <= 1000


async def test_a_message_that_cannot_fit_leaves_the_run_incomplete(api: Api) -> None:
    thread = await api.thread("word " * 400)
    run = check(await api.again(await api.run(thread, await api.assistant(), max_prompt_tokens=256)))
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": "max_prompt_tokens"})
    assert run["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert len(await api.messages(thread)) == 1
    assert await api.steps(run) == []


async def test_the_last_messages_alone_may_be_wanted(api: Api) -> None:
    thread, assistant = await api.thread(*["word " * 50] * 5), await api.assistant()
    strategy = {"type": "last_messages", "last_messages": 2}
    run = await api.again(await api.run(thread, assistant, truncation_strategy=strategy))
    assert 100 < run["usage"]["prompt_tokens"] < 125


async def test_a_thread_longer_than_the_models_window_is_cut(api: Api) -> None:
    thread = await api.thread(*["word " * 20_000] * 8)
    run = await api.again(await api.run(thread, await api.assistant()))
    assert run["status"] == "completed"
    assert 100_000 < run["usage"]["prompt_tokens"] < 128_000


# -- a run under way


async def test_a_run_is_queued_then_in_progress_while_it_is_made() -> None:
    clock = ToldClock()
    api = told(clock, ttft=8_000, tbt=1_000)
    run = await api.run(await api.thread("Hello"), await api.assistant())
    assert check(await api.again(run))["status"] == "queued"
    await clock.advance(2)
    working = check(await api.again(run))
    assert (working["status"], working["started_at"]) == ("in_progress", working["created_at"] + 1)
    assert await api.steps(run) == []
    await clock.advance(7.5)
    (_, message), (step,) = await api.messages(run["thread_id"]), await api.steps(run)
    assert (message["status"], said(message), message["completed_at"]) == ("in_progress", "one two", None)
    assert (step["status"], step["completed_at"]) == ("in_progress", None)
    assert await api.get(f"/threads/{run['thread_id']}/messages/{message['id']}") == message
    await clock.advance(30)
    (_, ended), (done,) = await api.messages(run["thread_id"]), await api.steps(run)
    assert (ended["id"], ended["status"], said(ended)) == (message["id"], "completed", "one two three four")
    assert (done["id"], ended["created_at"], done["created_at"]) == (
        step["id"], message["created_at"], step["created_at"],
    )  # fmt: skip
    assert check(await api.again(run))["status"] == "completed"


def told(clock: ToldClock, ttft: float = 0, tbt: float = 0, **fields: Any) -> Api:
    """The application on a told clock, its model with fixed times in milliseconds."""
    profile = {"ttft": {"kind": "fixed", "mean": ttft}, "tbt": {"kind": "fixed", "mean": tbt}}
    given = {"generator": "fixed:one two three four", "latency_profile": "slow", **fields}
    return Api(Application(Simulator(Settings(profiles={"slow": profile}, **given), clock=clock)))


@pytest.mark.parametrize(("passed", "wait"), [(0, 1000), (9.5, 501), (9.99, 50)])
async def test_a_client_is_told_when_to_ask_again(passed: float, wait: int) -> None:
    clock = ToldClock()
    api = told(clock, ttft=7_000, tbt=1_000)
    run = await api.run(await api.thread("Hello"), await api.assistant())
    await clock.advance(passed)
    answer = await api.told("GET", f"/threads/{run['thread_id']}/runs/{run['id']}")
    assert int(dict(answer.headers)[b"openai-poll-after-ms"]) == wait


async def test_a_run_that_waits_too_long_expires() -> None:
    clock = ToldClock()
    api = told(clock)
    run = await waiting(api)
    await clock.advance(599)
    assert (await api.again(run))["status"] == "requires_action"
    await clock.advance(1)
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
    status, error = await api.refused("POST", path, tool_outputs=[])
    assert (status, error["message"]) == (400, 'Runs in status "expired" do not accept tool outputs.')
    ended = check(await api.again(run))
    assert (ended["status"], ended["expires_at"]) == ("expired", run["created_at"] + 600)
    (step,) = await api.steps(run)
    assert (step["status"], step["expired_at"]) == ("expired", run["created_at"] + 600)


async def test_a_reply_that_takes_too_long_expires_and_frees_the_thread() -> None:
    clock = ToldClock()
    api = told(clock, tbt=300_000)
    thread, assistant = await api.thread("Hello"), await api.assistant()
    run = await api.run(thread, assistant)
    await clock.advance(601)
    other = check(await api.run(thread, assistant))
    ended = check(await api.again(run))
    assert (ended["status"], ended["usage"]["completion_tokens"]) == ("expired", 3)
    answer = (await api.messages(thread))[1]
    assert (said(answer), answer["incomplete_details"]) == ("one two three", {"reason": "run_expired"})
    assert [exchange.state for exchange in api.app.simulator.journal].count("abandoned") == 1
    await api.post(f"/threads/{thread}/runs/{other['id']}/cancel")


async def test_a_run_can_be_cancelled_while_it_is_made() -> None:
    clock = ToldClock()
    api = told(clock, tbt=1_000)
    thread, assistant = await api.thread("Hello"), await api.assistant()
    run = await api.run(thread, assistant)
    await clock.advance(1.5)
    path = f"/threads/{thread}/runs/{run['id']}/cancel"
    assert check(await api.post(path))["status"] == "cancelling"
    ended = check(await api.again(run))
    assert (ended["status"], ended["cancelled_at"]) == ("cancelled", ended["created_at"] + 1)
    answer = (await api.messages(thread))[-1]
    assert (said(answer), answer["status"], answer["incomplete_details"]) == (
        "one two", "incomplete", {"reason": "run_cancelled"},
    )  # fmt: skip
    assert [step["status"] for step in await api.steps(run)] == ["cancelled"]
    assert not api.app.simulator.meter.live
    status, error = await api.refused("POST", path)
    assert (status, error["message"]) == (400, "Cannot cancel run with status 'cancelled'.")
    check(await api.run(thread, assistant))


async def test_a_run_that_waits_can_be_cancelled(api: Api) -> None:
    run = await waiting(api)
    await api.post(f"/threads/{run['thread_id']}/runs/{run['id']}/cancel")
    ended = check(await api.again(run))
    assert (ended["status"], ended["required_action"]) == ("cancelled", None)
    assert ended["usage"]["completion_tokens"] > 0
    (step,) = await api.steps(run)
    assert (step["status"], step["usage"]) == ("cancelled", ended["usage"])


async def test_a_thread_that_is_deleted_stops_its_run() -> None:
    clock = ToldClock()
    api = told(clock, tbt=1_000)
    thread = await api.thread("Hello")
    run = await api.run(thread, await api.assistant())
    await api.delete(f"/threads/{thread}")
    assert not api.app.simulator.meter.live
    assert (await api.refused("GET", f"/threads/{thread}/runs/{run['id']}"))[0] == 404
    assert not api.app.desk.store.values("openai.thread")


async def test_an_assistant_that_is_deleted_leaves_its_runs_alone(api: Api) -> None:
    assistant, thread = await api.assistant(), await api.thread("Hello")
    run = await api.run(thread, assistant)
    await api.delete(f"/assistants/{assistant}")
    assert check(await api.again(run))["status"] == "completed"


# -- what goes wrong


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "refuse", "status": 429, "after_tokens": 2, "message": "Too many."}, "rate_limit_exceeded"),
        ({"kind": "refuse", "status": 500, "after_tokens": 2, "message": "Too bad."}, "server_error"),
        ({"kind": "refuse", "status": 400, "after_tokens": 2, "message": "Too odd."}, "invalid_prompt"),
        ({"kind": "cut", "after_tokens": 2}, "server_error"),
    ],
)
async def test_a_reply_that_breaks_off_fails_the_run(api: Api, fault: dict[str, Any], code: str) -> None:
    thread, assistant = await api.thread("Hello"), await api.assistant()
    api.app.simulator.arm(fault)
    armed = await ask(api.app, f"/v1/threads/{thread}/runs", {"assistant_id": assistant}, **BETA)
    api.app.simulator.lift()
    assert armed.status == 200
    path = f"/threads/{thread}/runs/{armed.json['id']}"
    await until(lambda: not api.app.simulator.meter.live)
    run = check(await api.get(path))
    assert (run["status"], run["last_error"]["code"]) == ("failed", code)
    assert run["last_error"]["message"] == fault.get("message", "Sorry, something went wrong.")
    assert run["failed_at"]
    answer = (await api.messages(thread))[-1]
    assert (said(answer), answer["incomplete_details"]) == ("one two", {"reason": "run_failed"})
    (step,) = await api.steps(run)
    assert (step["status"], step["last_error"]["message"]) == ("failed", run["last_error"]["message"])
    assert check(await api.run(thread, assistant))["status"] == "queued"


async def test_a_failure_that_comes_first_leaves_no_run(api: Api) -> None:
    thread, assistant = await api.thread("Hello"), await api.assistant()
    api.app.simulator.arm({"kind": "refuse", "status": 429})
    status, error = await api.refused("POST", f"/threads/{thread}/runs", assistant_id=assistant)
    api.app.simulator.lift()
    assert (status, error["code"]) == (429, "rate_limit_exceeded")
    assert (await api.get(f"/threads/{thread}/runs"))["data"] == []
    assert check(await api.run(thread, assistant))["status"] == "queued"


async def test_outputs_that_are_refused_at_first_may_be_submitted_again(api: Api) -> None:
    run = await waiting(api)
    api.app.simulator.arm({"kind": "refuse", "status": 503})
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    told = [{"tool_call_id": call["id"], "output": "Sunny."}]
    assert (await api.refused("POST", path, tool_outputs=told))[0] == 503
    api.app.simulator.lift()
    assert (await api.again(run))["status"] == "requires_action"
    await api.outputs(run)
    assert (await api.again(run))["status"] == "completed"


async def test_an_unknown_model_is_told_where_the_server_is_strict(api: Api) -> None:
    api.app.simulator.change(strict=True)
    assistant, thread = await api.assistant(model="no-such-model"), await api.thread("Hello")
    status, error = await api.refused("POST", f"/threads/{thread}/runs", assistant_id=assistant)
    assert (status, error["code"]) == (404, "model_not_found")


# -- lists and changes


async def test_runs_come_newest_first_in_pages(api: Api) -> None:
    assistant, thread = await api.assistant(), await api.thread("Hello")
    ids = [(await api.run(thread, assistant))["id"] for _ in range(3)]
    page = await api.get(f"/threads/{thread}/runs?limit=2")
    assert_fits("ListRunsResponse", page)
    assert ([run["id"] for run in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)
    assert [run["id"] for run in (await api.get(f"/threads/{thread}/runs?after={ids[1]}"))["data"]] == [ids[0]]


async def test_steps_come_newest_first_in_pages(api: Api) -> None:
    run = await waiting(api)
    await api.outputs(run)
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/steps"
    page = await api.get(f"{path}?limit=1")
    assert_fits("ListRunStepsResponse", page)
    assert ([step["type"] for step in page["data"]], page["has_more"]) == (["message_creation"], True)


async def test_a_runs_metadata_can_be_changed(api: Api) -> None:
    assistant, thread = await api.assistant(), await api.thread("Hello")
    run = await api.run(thread, assistant, metadata={"a": "b"})
    changed = check(await api.post(f"/threads/{thread}/runs/{run['id']}", metadata={"c": "d"}))
    assert changed["metadata"] == {"c": "d"}
    assert (await api.again(run))["metadata"] == {"c": "d"}


async def test_the_same_asked_of_the_same_seed_is_the_same() -> None:
    texts = set()
    for _ in range(2):
        api = Api(application(seed=7, target_tokens=30))
        thread = await api.thread("Hello")
        await api.run(thread, await api.assistant())
        texts.add(said((await api.messages(thread))[-1]))
    assert len(texts) == 1


# -- refusals

FUNCTION = {"type": "function", "function": {"name": "get_weather"}}


def below(param: str, got: int) -> tuple[str, str, str]:
    message = f"Invalid '{param}': integer below minimum value. Expected a value >= 256, but got {got} instead."
    return message, param, "integer_below_min_value"


# What is sent beside the assistant; then message, param and code of the refusal.
REFUSALS: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    ({"bogus": 1}, "Unknown parameter: 'bogus'.", "bogus", "unknown_parameter"),
    ({"max_tokens": 100}, "Unknown parameter: 'max_tokens'.", "max_tokens", "unknown_parameter"),
    (
        {"assistant_id": 4},
        "Invalid type for 'assistant_id': expected a string, but got an integer instead.",
        "assistant_id",
        "invalid_type",
    ),
    (
        {"assistant_id": "Math Tutor"},
        "Invalid 'assistant_id': 'Math Tutor'. Expected an ID that begins with 'asst'.",
        "assistant_id",
        "invalid_value",
    ),
    ({"max_completion_tokens": 100}, *below("max_completion_tokens", 100)),
    ({"max_prompt_tokens": 0}, *below("max_prompt_tokens", 0)),
    (
        {"stream": "yes"},
        "Invalid type for 'stream': expected a boolean, but got a string instead.",
        "stream",
        "invalid_type",
    ),
    (
        {"temperature": 3},
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
        "temperature",
        "decimal_above_max_value",
    ),
    (
        {"truncation_strategy": {"type": "last_messages"}},
        "Missing required parameter: 'truncation_strategy.last_messages'.",
        "truncation_strategy.last_messages",
        "missing_required_parameter",
    ),
    (
        {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
        "Invalid 'truncation_strategy.last_messages': integer below minimum value. Expected a value >= 1, but got 0 "
        "instead.",
        "truncation_strategy.last_messages",
        "integer_below_min_value",
    ),
    (
        {"tool_choice": "always"},
        "Invalid value: 'always'. Supported values are: 'none', 'auto', and 'required'.",
        "tool_choice",
        "invalid_value",
    ),
    (
        {"tool_choice": "required"},
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        "tool_choice",
        None,
    ),
    (
        {"tool_choice": FUNCTION},
        "Invalid value for 'tool_choice': no function named 'get_weather' was specified in the 'tools' parameter.",
        "tool_choice",
        None,
    ),
    (
        {"tool_choice": {"type": "function"}, "tools": [FUNCTION]},
        "Missing required parameter: 'tool_choice.function'.",
        "tool_choice.function",
        "missing_required_parameter",
    ),
    (
        {"tool_choice": {"type": "file_search"}},
        "Invalid value for 'tool_choice': no tool of type 'file_search' was specified in the 'tools' parameter.",
        "tool_choice",
        None,
    ),
    (
        {"response_format": "json"},
        "Invalid value: 'json'. Supported values are: 'auto'.",
        "response_format",
        "invalid_value",
    ),
    (
        {"response_format": {"type": "json_object"}, "tools": [{"type": "code_interpreter"}]},
        "Invalid tools: all tools must be of type `function` when `response_format` is of type `json_object`.",
        "response_format",
        None,
    ),
    (
        {"additional_messages": [{"role": "system", "content": "Hi"}]},
        "Invalid value: 'system'. Supported values are: 'user' and 'assistant'.",
        "additional_messages[0].role",
        "invalid_value",
    ),
    (
        {"additional_messages": [{"role": "user", "content": ""}]},
        "Message content must be non-empty.",
        "additional_messages[0].content",
        None,
    ),
    (
        {"tools": [{"type": "browser"}]},
        "Invalid value: 'browser'. Supported values are: 'code_interpreter', 'file_search', and 'function'.",
        "tools[0].type",
        "invalid_value",
    ),
    (
        {"metadata": {"a": None}},
        "Invalid type for 'metadata.a': expected a string, but got null instead.",
        "metadata.a",
        "invalid_type",
    ),
]


@pytest.mark.parametrize(("fields", "message", "param", "code"), REFUSALS)
async def test_what_a_run_cannot_be_is_told(
    api: Api, fields: dict[str, Any], message: str, param: str | None, code: str | None
) -> None:
    thread, assistant = await api.thread("Hello"), await api.assistant()
    status, error = await api.refused("POST", f"/threads/{thread}/runs", **{"assistant_id": assistant, **fields})
    assert error == {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert status == 400
    assert (await api.get(f"/threads/{thread}/runs"))["data"] == []


async def test_a_run_needs_an_assistant(api: Api) -> None:
    thread = await api.thread("Hello")
    status, error = await api.refused("POST", f"/threads/{thread}/runs")
    assert (status, error["code"], error["param"]) == (400, "missing_required_parameter", "assistant_id")
    status, error = await api.refused("POST", f"/threads/{thread}/runs", assistant_id="asst_no")
    assert (status, error["message"]) == (404, "No assistant found with id 'asst_no'.")
    status, error = await api.refused("POST", "/threads/runs", assistant_id="asst_no", thread={})
    assert (status, error["message"]) == (404, "No assistant found with id 'asst_no'.")
    assert len(api.app.desk.store.values("openai.thread")) == 1


async def test_what_is_not_there_is_told(api: Api) -> None:
    thread, assistant = await api.thread("Hello"), await api.assistant()
    run = await api.run(thread, assistant)
    for method, path, message in (
        ("POST", "/threads/thread_no/runs", "No thread found with id 'thread_no'."),
        ("GET", f"/threads/{thread}/runs/run_no", "No run found with id 'run_no'."),
        ("POST", f"/threads/{thread}/runs/run_no/cancel", "No run found with id 'run_no'."),
        ("POST", f"/threads/{thread}/runs/run_no/submit_tool_outputs", "No run found with id 'run_no'."),
        ("GET", f"/threads/{thread}/runs/run_no/steps", "No run found with id 'run_no'."),
        ("GET", f"/threads/{thread}/runs/{run['id']}/steps/step_no", "No run step found with id 'step_no'."),
    ):
        status, error = await api.refused(method, path, assistant_id=assistant, tool_outputs=[])
        assert (status, error["message"]) == (404, message)


async def test_a_busy_thread_takes_no_other_run(api: Api) -> None:
    run = await waiting(api)
    thread = run["thread_id"]
    status, error = await api.refused("POST", f"/threads/{thread}/runs", assistant_id=run["assistant_id"])
    assert (status, error["message"]) == (400, f"Thread {thread} already has an active run {run['id']}.")


async def test_of_two_runs_at_once_one_is_refused() -> None:
    api = told(ToldClock(), tbt=1_000)
    thread, assistant = await api.thread("Hello"), await api.assistant()
    body = {"assistant_id": assistant}
    both = await asyncio.gather(*(api.told("POST", f"/threads/{thread}/runs", body) for _ in range(2)))
    assert sorted(one.status for one in both) == [200, 400]
    await api.delete(f"/threads/{thread}")


async def test_a_long_body_is_read_like_a_short_one(api: Api) -> None:
    """It is read in a thread of its own."""
    assistant = await api.assistant()
    messages = [{"role": "user", "content": "word " * 10_000} for _ in range(2)]
    run = await api.again(await api.post("/threads/runs", assistant_id=assistant, thread={"messages": messages}))
    assert (run["status"], run["usage"]["prompt_tokens"] > 20_000) == ("completed", True)
    status, error = await api.refused(
        "POST", "/threads/runs", assistant_id=assistant, thread={"messages": messages * 2 + [{}]}
    )
    assert (status, error["param"]) == (400, "thread.messages[4].role")


async def test_outputs_have_to_be_those_that_are_wanted(api: Api) -> None:
    run = await waiting(api)
    (call,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
    for given in ([], ["call_other"], [call["id"], "call_other"], [call["id"], call["id"]]):
        outputs = [{"tool_call_id": id, "output": "x"} for id in given]
        status, error = await api.refused("POST", path, tool_outputs=outputs)
        assert (status, error["message"]) == (400, f"Expected tool outputs for call_ids {[call['id']]}, got {given}")
    for body, param in (
        ({}, "tool_outputs"),
        ({"tool_outputs": {}}, "tool_outputs"),
        ({"tool_outputs": [{"output": "x"}]}, "tool_outputs[0].tool_call_id"),
        ({"tool_outputs": [{"tool_call_id": call["id"], "output": {"a": 1}}]}, "tool_outputs[0].output"),
        ({"tool_outputs": [], "outputs": []}, "outputs"),
    ):
        status, error = await api.refused("POST", path, **body)
        assert (status, error["param"]) == (400, param)
    assert (await api.again(run))["status"] == "requires_action"


async def test_a_run_that_has_ended_takes_no_outputs(api: Api) -> None:
    run = await api.run(await api.thread("Hello"), await api.assistant())
    path = f"/threads/{run['thread_id']}/runs/{run['id']}"
    status, error = await api.refused("POST", f"{path}/submit_tool_outputs", tool_outputs=[])
    assert (status, error["message"]) == (400, 'Runs in status "completed" do not accept tool outputs.')
    status, error = await api.refused("POST", f"{path}/cancel")
    assert (status, error["message"]) == (400, "Cannot cancel run with status 'completed'.")


async def test_only_search_results_can_be_included_in_steps(api: Api) -> None:
    run = await api.run(await api.thread("Hello"), await api.assistant())
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/steps"
    results = "step_details.tool_calls[*].file_search.results[*].content"
    assert len((await api.get(f"{path}?include[]={results}"))["data"]) == 1
    status, error = await api.refused("GET", f"{path}?include[]=everything")
    assert (status, error["message"]) == (400, f"Invalid value: 'everything'. Supported values are: '{results}'.")
