"""OpenAI's runs: an assistant's model works on a thread, with or without its client, and may wait for its tools.

Source: OpenAI API reference, runs and run steps (version 2 of the assistants beta), and OpenAI's OpenAPI document,
schemas RunObject and RunStepObject.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Encoder, Request, Route
from llmsim.dialects import _openai_wire as wire
from llmsim.dialects._openai_assistants_api import AssistantsApi, metadata_of, missing, read_body, told_id
from llmsim.dialects._openai_assistants_create import created, created_with_thread, submitted
from llmsim.dialects._openai_assistants_run import Run, refreshed, stop
from llmsim.dialects._openai_assistants_stream import RunEncoder, last_error
from llmsim.dialects._openai_assistants_thread import Thread, find_thread
from llmsim.dialects._openai_assistants_types import ModifyMetadata, adapter
from llmsim.dialects._openai_assistants_words import Json, State
from llmsim.dialects._openai_lists import page
from llmsim.dialects._openai_refusals import invalid
from llmsim.exchange import Exchange

RESULTS = "step_details.tool_calls[*].file_search.results[*].content"
"""What a client can have included in steps."""

_SOONEST, _LATEST = 50, 1000
"""Milliseconds after which a client is told to ask again: when the turn will be over, within these bounds."""


class OpenAIRuns(AssistantsApi):
    """`/v1/threads/{id}/runs`: create, list, get, modify, cancel, submit outputs; `…/steps`: list, get."""

    kind: ClassVar[str] = "openai_runs"
    early: ClassVar[bool] = True

    def routes(self) -> Sequence[Route]:
        """Runs and their steps."""
        runs = "/v1/threads/{thread_id}/runs"
        run = f"{runs}/{{run_id}}"
        return [
            self.generation("POST", "/v1/threads/runs", lambda request: created_with_thread(request, self.desk)),
            self.generation("POST", runs, lambda request: created(request, self.desk)),
            self.generation("POST", f"{run}/submit_tool_outputs", self._submit),
            self.plain("GET", runs, self._list),
            self.plain("GET", run, self._get),
            self.plain("POST", run, self._modify),
            self.plain("POST", f"{run}/cancel", self._cancel),
            self.plain("GET", f"{run}/steps", self._steps),
            self.plain("GET", f"{run}/steps/{{step_id}}", self._step),
        ]

    # -- replies of models

    def _submit(self, request: Request) -> Ask:
        return submitted(request, self._named(request), self.desk)

    def encoder(self, exchange: Exchange) -> Encoder:
        """An encoder for this one exchange, whose turn begins with it."""
        return RunEncoder(exchange, self.desk)

    def ended(self, exchange: Exchange, answer: Answer | None) -> None:
        """Writes what was said into the thread, or what went wrong into the run."""
        turn = exchange.ask.extra["turn"]
        turn.begin(exchange, self.desk)
        # A reply that a stopping server breaks off has not been taken from its plan, though it has been followed.
        pieces, error = exchange.plan.pieces[: exchange.cursor] or turn.said(self.desk.clock.now()), None
        if answer is None:
            error = last_error(500, "Sorry, something went wrong.")
        elif answer.status >= 400:
            error = last_error(answer.status, orjson.loads(answer.body)["error"]["message"])
        turn.settle(pieces, self.desk.wall(), error=error)
        turn.run.keep(self.desk)

    # -- runs

    def _list(self, request: Request, exchange: Exchange) -> Any:
        thread = self._thread(request)
        return page([self._shown(refreshed(run, self.desk)) for run in list(thread.runs.values())], request)

    def _get(self, request: Request, exchange: Exchange) -> Any:
        run = self._find(request)
        poll = (b"openai-poll-after-ms", b"%d" % self._wait(run))
        return Answer.json(self._shown(run), headers=[*wire.headers(exchange, 0), poll])

    def _wait(self, run: Run) -> int:
        """Milliseconds until it is worth asking again."""
        due = run.turn.exchange.end_due() if run.turn is not None and run.turn.exchange is not None else None
        left = _LATEST if due is None else int((due - self.desk.clock.now()) * 1000) + 1
        return max(_SOONEST, min(left, _LATEST))

    def _modify(self, request: Request, exchange: Exchange) -> Any:
        run = self._find(request)
        told = read_body(request, adapter(ModifyMetadata))
        if "metadata" in told:
            run.settings = {**run.settings, "metadata": metadata_of(told)}
        return self._shown(run)

    def _cancel(self, request: Request, exchange: Exchange) -> Any:
        run = self._find(request)
        if run.state.over:
            raise invalid(f"Cannot cancel run with status '{run.state.status}'.")
        started = self._state(run).started_at
        stop(run, "cancelled", self.desk)
        return run.json(State("cancelling", started))

    def _thread(self, request: Request) -> Thread:
        return find_thread(self.desk.store, request)

    def _find(self, request: Request) -> Run:
        """The run that the path names, as it is at this moment."""
        return refreshed(self._named(request), self.desk)

    def _named(self, request: Request) -> Run:
        thread, id = self._thread(request), told_id(request, "run")
        run = thread.runs.get(id)
        if run is None:
            raise missing("run", id)
        return run

    def _state(self, run: Run) -> State:
        return run.state if run.turn is None else run.turn.state(self.desk.clock.now())

    def _shown(self, run: Run) -> Json:
        return run.json(self._state(run))

    # -- steps

    def _steps(self, request: Request, exchange: Exchange) -> Any:
        full = _included(request)
        return page([_step(step, full) for step in self._all_steps(request)], request)

    def _step(self, request: Request, exchange: Exchange) -> Any:
        full, id = _included(request), told_id(request, "step")
        for step in self._all_steps(request):
            if step["id"] == id:
                return _step(step, full)
        raise missing("step", id)

    def _all_steps(self, request: Request) -> list[Json]:
        run = self._find(request)
        under_way = run.turn.progress(self.desk.clock.now())[1] if run.turn is not None else []
        return [*run.steps.values(), *under_way]


def _included(request: Request) -> bool:
    """Whether the contents of search results are asked for."""
    told = [value for name, value in parse_qsl(request.query) if name in ("include", "include[]")]
    for value in told:
        if value != RESULTS:
            raise invalid(f"Invalid value: '{value}'. Supported values are: '{RESULTS}'.", "include", "invalid_value")
    return bool(told)


def _step(step: Json, full: bool) -> Json:
    """A step, the contents of search results left out unless they are asked for."""
    calls = step["step_details"].get("tool_calls", ())
    if full or all(call["type"] != "file_search" for call in calls):
        return step
    return {**step, "step_details": {"type": "tool_calls", "tool_calls": [_bare(call) for call in calls]}}


def _bare(call: Json) -> Json:
    if call["type"] != "file_search":
        return call
    search = call["file_search"]
    results = [{name: value for name, value in result.items() if name != "content"} for result in search["results"]]
    return {**call, "file_search": {**search, "results": results}}
