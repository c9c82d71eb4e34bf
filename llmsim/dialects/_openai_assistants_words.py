"""Words messages, runs and run steps as OpenAI's API shows them.

Source: OpenAI's OpenAPI document, schemas MessageObject, RunObject and RunStepObject.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmsim.plan import Usage

Json = dict[str, Any]

ENDED = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})
"""The states that a run does not leave."""

EXPIRES_AFTER = 600
"""Seconds after its creation at which a run that has not ended expires."""


@dataclass(slots=True, frozen=True)
class State:
    """Where a run is: since when it works and when it ended, which calls it waits for, what went wrong."""

    status: str = "queued"
    started_at: int | None = None
    ended_at: int | None = None
    calls: tuple[Json, ...] = ()
    error: Json | None = None
    reason: str | None = None
    usage: Usage | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will come of it any more."""
        return self.status in ENDED


def usage_of(spent: Usage | None) -> Json | None:
    """Tokens in and out, and their sum."""
    if spent is None:
        return None
    return {
        "prompt_tokens": spent.prompt,
        "completion_tokens": spent.completion,
        "total_tokens": spent.prompt + spent.completion,
    }


def run_json(id: str, created_at: int, thread_id: str, assistant_id: str, state: State, settings: Json) -> Json:
    """A run; `settings` are the fields that echo what was asked for."""
    ended = state.ended_at if state.over else None
    required = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": list(state.calls)}}
    return {
        "id": id,
        "object": "thread.run",
        "created_at": created_at,
        "assistant_id": assistant_id,
        "thread_id": thread_id,
        "status": state.status,
        "started_at": state.started_at,
        "expires_at": None if state.over and state.status != "expired" else created_at + EXPIRES_AFTER,
        "cancelled_at": ended if state.status == "cancelled" else None,
        "failed_at": ended if state.status == "failed" else None,
        "completed_at": ended if state.status in ("completed", "incomplete") else None,
        "required_action": required if state.status == "requires_action" else None,
        "last_error": state.error,
        "incomplete_details": {"reason": state.reason} if state.reason else None,
        "usage": usage_of(state.usage) if state.over else None,
        **settings,
    }


def step_json(run: Json, id: str, details: Json, created_at: int, status: str = "in_progress") -> Json:
    """A step of a run under way, without usage."""
    return {
        "id": id,
        "object": "thread.run.step",
        "created_at": created_at,
        "run_id": run["id"],
        "assistant_id": run["assistant_id"],
        "thread_id": run["thread_id"],
        "type": details["type"],
        "status": status,
        "cancelled_at": None,
        "completed_at": None,
        "expired_at": None,
        "failed_at": None,
        "last_error": None,
        "step_details": details,
        "usage": None,
        "metadata": {},
    }


def step_ended(step: Json, status: str, at: int, spent: Usage, error: Json | None = None) -> Json:
    """The step as it is once it has ended."""
    if error is not None and error["code"] == "invalid_prompt":
        error = {**error, "code": "server_error"}
    return {
        **step,
        "status": status,
        f"{status}_at": at,
        "last_error": error if status == "failed" else None,
        "usage": step["usage"] or usage_of(spent),
    }


def message_json(role: str, content: Sequence[Json], created_at: int, **fields: Any) -> Json:
    """A message; without further fields one that a client has written, not yet in a thread."""
    return {
        "id": "",
        "object": "thread.message",
        "created_at": created_at,
        "assistant_id": None,
        "thread_id": "",
        "run_id": None,
        "status": "completed",
        "incomplete_details": None,
        "incomplete_at": None,
        "completed_at": created_at,
        "role": role,
        "content": list(content),
        "attachments": [],
        "metadata": {},
        **fields,
    }


def text_part(text: str) -> Json:
    """Text as the content of a message."""
    return {"type": "text", "text": {"value": text, "annotations": []}}


def function_call(id: str, name: str, arguments: str) -> Json:
    """A call of one of the client's functions."""
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
