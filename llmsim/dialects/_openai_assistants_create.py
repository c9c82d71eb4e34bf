"""Reads requests for a run's turns: a new run, one with a new thread, and outputs of tools for one that waits."""

from __future__ import annotations

from typing import Any

from llmsim.conversation import Ask
from llmsim.dialects import Desk, Request
from llmsim.dialects._openai_assistants_api import ASSISTANT, Assistant, checked_id, metadata_of, missing, read_body
from llmsim.dialects._openai_assistants_checks import (
    check_choice,
    check_format,
    check_sampling,
    check_tools,
    check_truncation,
)
from llmsim.dialects._openai_assistants_prompt import ask_for, forced_tool
from llmsim.dialects._openai_assistants_resources import check_files, stores_of
from llmsim.dialects._openai_assistants_run import Run, busy, overdue
from llmsim.dialects._openai_assistants_thread import Thread, all_written, find_thread
from llmsim.dialects._openai_assistants_turn import Turn
from llmsim.dialects._openai_assistants_types import CreateRun, CreateThreadAndRun, SubmitOutputs, adapter
from llmsim.dialects._openai_assistants_words import Json
from llmsim.dialects._openai_refusals import invalid

RUNS = "/v1/threads/{thread_id}/runs"

_ECHOED = ("max_prompt_tokens", "max_completion_tokens")


def created(request: Request, desk: Desk) -> Ask:
    """The ask of a new run on a thread; raises Refused where the thread is busy with another."""
    thread = find_thread(desk.store, request)
    told = read_body(request, adapter(CreateRun))
    run = busy(thread, desk)
    if run is not None:
        raise invalid(f"Thread {thread.id} already has an active run {run.id}.")
    new = all_written(told.get("additional_messages"), desk.wall(), "additional_messages")
    return _begun(told, thread, new, desk, RUNS)


def created_with_thread(request: Request, desk: Desk) -> Ask:
    """The ask of a new run on a thread of its own."""
    told = read_body(request, adapter(CreateThreadAndRun))
    own = told.get("thread") or {}
    check_files(own.get("tool_resources"), desk)
    thread = Thread(metadata=metadata_of(own), tool_resources=own.get("tool_resources") or {})
    new = all_written(own.get("messages"), desk.wall(), "thread.messages")
    return _begun(told, thread, new, desk, "/v1/threads/runs")


def submitted(request: Request, run: Run, desk: Desk) -> Ask:
    """The ask that goes on with a run that waits; raises Refused where it does not wait, or not for these outputs."""
    told = read_body(request, adapter(SubmitOutputs))
    if run.state.status != "requires_action" or overdue(run, desk):
        status = "expired" if overdue(run, desk) else run.state.status if run.turn is None else "in_progress"
        raise invalid(f'Runs in status "{status}" do not accept tool outputs.')
    outputs = {one["tool_call_id"]: one.get("output") for one in told["tool_outputs"]}
    wanted = [call["id"] for call in run.state.calls]
    got = [one["tool_call_id"] for one in told["tool_outputs"]]
    if sorted(wanted) != sorted(got):
        raise invalid(f"Expected tool outputs for call_ids {wanted}, got {got}")
    streams = bool(told.get("stream"))
    turn = Turn(run, streams, outputs=outputs)
    return ask_for(turn, f"{RUNS}/{{run_id}}/submit_tool_outputs", streams)


def _begun(told: dict[str, Any], thread: Thread, new: list[Json], desk: Desk, endpoint: str) -> Ask:
    id = checked_id(told["assistant_id"], "assistant")
    assistant: Assistant | None = desk.store.get(ASSISTANT, id)
    if assistant is None:
        raise missing("assistant", id)
    settings = _settings(told, assistant)
    check_sampling(settings["model"], settings)
    check_tools(settings["tools"])
    check_choice(settings["tool_choice"], settings["tools"])
    check_format(settings["response_format"], settings["tools"])
    check_truncation(settings["truncation_strategy"])
    run = Run(thread, id, settings, told.get("reasoning_effort") or assistant["reasoning_effort"])
    run.stores = tuple(stores_of(told.get("tool_resources") or assistant["tool_resources"]))
    streams = bool(told.get("stream"))
    said = [part["text"]["value"] for message in _users(thread, new) for part in message["content"] if "text" in part]
    turn = Turn(run, streams, forced_tool(run), said[-1] if said else "", new=new)
    return ask_for(turn, endpoint, streams)


def _users(thread: Thread, new: list[Json]) -> list[Json]:
    """What the user has said last; empty where that is nothing."""
    said = [message for message in (*thread.messages.values(), *new) if message["role"] == "user"]
    return said[-1:]


def _settings(told: dict[str, Any], assistant: Assistant) -> Json:
    """What a run echoes: as it was asked for, else as the assistant has it."""

    def either(name: str) -> Any:
        return assistant[name] if told.get(name) is None else told[name]

    instructions = either("instructions") or ""
    more = told.get("additional_instructions")
    truncation = told.get("truncation_strategy") or {"type": "auto"}
    return {
        "model": either("model"),
        "instructions": "\n".join(filter(None, (instructions, more))),
        "tools": either("tools"),
        "metadata": metadata_of(told),
        "temperature": either("temperature"),
        "top_p": either("top_p"),
        **{name: told.get(name) for name in _ECHOED},
        "truncation_strategy": {"type": truncation["type"], "last_messages": truncation.get("last_messages")},
        "response_format": either("response_format"),
        "tool_choice": told.get("tool_choice") or "auto",
        "parallel_tool_calls": told.get("parallel_tool_calls") is not False,
    }
