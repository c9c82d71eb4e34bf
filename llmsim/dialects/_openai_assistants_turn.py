"""One turn of a run: a reply of the model, as it is so far and as what it comes to for run and thread."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from llmsim.conversation import Stop
from llmsim.dialects import Desk
from llmsim.dialects._openai_assistants_api import new_id
from llmsim.dialects._openai_assistants_builtin import forced_call
from llmsim.dialects._openai_assistants_resources import resources, stores_of
from llmsim.dialects._openai_assistants_run import Run, refreshed
from llmsim.dialects._openai_assistants_spoken import Spoken
from llmsim.dialects._openai_assistants_words import Json, State, message_json, step_ended, step_json
from llmsim.exchange import Exchange
from llmsim.plan import Call, Piece, Say, Usage
from llmsim.tokens import count_tokens

Event = tuple[str, Json]

_QUEUED = 1.0
"""Seconds that a turn is queued for at most; a quarter of the time to its first token where that is less."""

_WHY = {"max_completion_tokens": "max_tokens", "failed": "run_failed", "cancelled": "run_cancelled"}
"""Why a message is incomplete, by why its run is or by how that ended; expired otherwise."""


@dataclass(slots=True)
class Turn:
    """A reply of the model in a run; it begins with the exchange that makes it.

    `streams` says that its client watches, `forced` is the built-in tool that it has to use, `reason` why nothing
    can be said at all. `new` are messages that come with it, `outputs` those of tools by the id of their call; what
    they come to is `answered`. `call` is that of the forced tool and `thought` what it cost. `written` are the
    events that close a message which calls follow; `events` are the last ones of the turn's stream, once it has ended.
    """

    run: Run
    streams: bool = False
    forced: Json | None = None
    question: str = ""
    reason: str | None = None
    new: Sequence[Json] = ()
    outputs: dict[str, str | None] | None = None
    exchange: Exchange | None = None
    opens_thread: bool = False
    answered: Json | None = None
    spoke_at: int = 0
    called_at: int = 0
    call: Json | None = None
    thought: Usage = field(default_factory=Usage)
    written: list[Event] | None = None
    events: list[Event] | None = None

    # -- the beginning

    def begin(self, exchange: Exchange, desk: Desk) -> None:
        """Opens the turn, once: puts a new run on its thread, or goes on with one that waited."""
        if self.exchange is not None:
            return
        self.exchange, run, at = exchange, self.run, int(exchange.wall)
        thread = run.thread
        if thread.active is not None and thread.active is not run:
            refreshed(thread.active, desk)
        if not thread.id:
            thread.id, thread.created_at, self.opens_thread = new_id("thread", exchange), at, True
            thread.tool_resources = resources(thread.tool_resources, (), desk, exchange)
        for index, message in enumerate(self.new, 1):
            thread.add(message, new_id("message", exchange, index))
        if not run.id:
            run.begin(new_id("run", exchange), at)
        elif self.outputs is not None:
            self.answered = self._answered(self.outputs, at)
        run.state, run.turn, thread.active = State(started_at=run.state.started_at), self, run
        self.spoke_at, self.called_at = self._at(Say), self._at(Call)
        if self.forced is not None:
            stores = (*run.stores, *stores_of(thread.tool_resources))
            self.call = forced_call(self.forced, self.question, stores, exchange, desk)
            words = self.call.get("code_interpreter", {}).get("input", self.question)
            self.thought = Usage(exchange.plan.usage.prompt, count_tokens(words, run.settings["model"]))
        thread.keep(desk.store)

    def _answered(self, outputs: dict[str, str | None], at: int) -> Json:
        step = self.run.last_step()
        assert step is not None
        calls = [
            {**call, "function": {**call["function"], "output": outputs.get(call["id"])}}
            for call in step["step_details"]["tool_calls"]
        ]
        step = {**step, "step_details": {"type": "tool_calls", "tool_calls": calls}}
        return self.run.record(step_ended(step, "completed", at, self.run.waiting))

    def _at(self, kind: type[Piece]) -> int:
        """The wall's time at which the first piece of that kind is due, the first piece's where there is none."""
        exchange = self.exchange
        assert exchange is not None
        pieces = exchange.plan.pieces
        index = next((at for at, piece in enumerate(pieces) if type(piece) is kind), 0)
        moment = exchange.moment(index)
        return int(exchange.wall + (0.0 if moment is None else max(0.0, moment - exchange.started)))

    # -- under way

    def said(self, now: float) -> Sequence[Piece]:
        """The pieces that are due by now."""
        exchange = self.exchange
        assert exchange is not None
        return exchange.plan.pieces[: bisect_right(exchange.plan.times, exchange.time(now) + 1e-6)]

    @property
    def queued(self) -> State:
        """How the run stood when the turn began."""
        return State(started_at=None if self.outputs is None else self.run.state.started_at)

    def state(self, now: float) -> State:
        """Queued, then in progress; a turn whose stream has told so is in progress."""
        exchange = self.exchange
        assert exchange is not None
        wait = min(exchange.plan.times[0] / 4, _QUEUED)
        started = self.run.state.started_at
        if not self.streams and exchange.time(now) < wait:
            return State("queued", started)
        return State("in_progress", int(exchange.wall + wait) if started is None else started)

    def message(self, content: Sequence[Json] = ()) -> Json:
        """The message that the turn writes, while it does."""
        run = self.run
        assert self.exchange is not None
        return message_json(
            "assistant",
            content,
            self.spoke_at,
            id=new_id("message", self.exchange),
            thread_id=run.thread.id,
            assistant_id=run.assistant_id,
            run_id=run.id,
            status="in_progress",
            completed_at=None,
        )

    def step(self, kind: str, calls: Sequence[Json] = ()) -> Json:
        """A step of the turn while it is under way: `forced`, `message` or `calls`."""
        exchange = self.exchange
        assert exchange is not None
        id = new_id("step", exchange, ("forced", "message", "calls").index(kind))
        if kind == "message":
            message_id = new_id("message", exchange)
            details: Json = {"type": "message_creation", "message_creation": {"message_id": message_id}}
        else:
            details = {"type": "tool_calls", "tool_calls": list(calls)}
        at = self.called_at if kind == "calls" else self.spoke_at
        return step_json(self.run.json(), id, details, at)

    def progress(self, now: float) -> tuple[list[Json], list[Json]]:
        """The message and the steps that are under way by now, both as lists."""
        spoken = Spoken.of(self.said(now))
        if spoken.calls:
            self.close_message(spoken)
            return [], [self.step("calls", spoken.calls)]
        if not spoken.says:
            return [], []
        steps = [self.forced_step()] if self.call else []
        return [self.message(spoken.content)], [*steps, self.step("message")]

    def forced_step(self) -> Json:
        """The step of the built-in tool, which is over before the first word."""
        assert self.call is not None
        return step_ended(self.step("forced", [self.call]), "completed", self.spoke_at, self.thought)

    # -- the end

    def settle(self, pieces: Sequence[Piece], at: int, status: str = "", error: Json | None = None) -> None:
        """Ends the turn, once: with what was said as the thread's message, the steps, and the run's new state.

        Without a status it is what the pieces come to, or `failed` with an error.
        """
        if self.events is not None:
            return
        spoken, run = Spoken.of(pieces), self.run
        reason = self.reason or ("max_completion_tokens" if spoken.stop is Stop.LENGTH else None)
        status = status or _status(spoken, reason, error)
        reason = reason if status == "incomplete" else None
        spent = self._spent(spoken)
        run.spent = _sum(run.spent, spent)
        started = self.state(float("inf")).started_at
        calls = tuple(_required(call) for call in spoken.calls)
        events: list[Event] = []
        if status == "cancelled":
            events.append(("thread.run.cancelling", run.json(State("cancelling", started))))
        if calls:
            self.close_message(spoken)
            events += self._called(spoken, status, at, spent, error)
        elif spoken.says or status == "completed":
            events += self._written(spoken, status, reason, at, spent, error)
        over = State(status, started, at, calls if status == "requires_action" else (), error, reason, run.spent)
        run.take(over)
        events.append((f"thread.run.{status}", run.json()))
        self.events = events

    def close_message(self, spoken: Spoken) -> list[Event]:
        """Writes the words before the first call, once: they are over with it."""
        if self.written is None:
            self.written = self._written(spoken, "", None, self.called_at, Usage(), None) if spoken.says else []
        return self.written

    def _spent(self, spoken: Spoken) -> Usage:
        """What the turn cost: all of it where it came to its end, else what had been said."""
        exchange = self.exchange
        assert exchange is not None
        whole = exchange.plan.usage
        return whole if spoken.stop is not None else Usage(whole.prompt, spoken.tokens)

    def _written(
        self, spoken: Spoken, status: str, reason: str | None, at: int, spent: Usage, error: Json | None
    ) -> list[Event]:
        """Writes the message into the thread, and the steps that it took."""
        run = self.run
        cut = reason or (status if status in ("failed", "cancelled", "expired") else "")
        why = "content_filter" if spoken.stop is Stop.FILTER else cut and _WHY.get(cut, "run_expired")
        ending: dict[str, Any] = {"status": "completed", "completed_at": at}
        if why:
            ending = {"status": "incomplete", "incomplete_details": {"reason": why}, "incomplete_at": at}
        message = self.message(spoken.content)
        run.thread.add({**message, **ending}, message["id"])
        if self.call:
            run.record(self.forced_step())
            run.spent = _sum(run.spent, self.thought)
        went = status if cut and not reason else "completed"
        step = run.record(step_ended(self.step("message"), went, at, spent, error))
        return [
            (f"thread.message.{ending['status']}", run.thread.messages[message["id"]]),
            (f"thread.run.step.{went}", step),
        ]

    def _called(self, spoken: Spoken, status: str, at: int, spent: Usage, error: Json | None) -> list[Event]:
        """Records the step of the calls: it waits for outputs, or has ended with the run."""
        step = self.step("calls", spoken.calls)
        if status == "requires_action":
            self.run.record(step)
            self.run.waiting = spent
            return []
        went = "cancelled" if status == "incomplete" else status
        return [(f"thread.run.step.{went}", self.run.record(step_ended(step, went, at, spent, error)))]


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(one.prompt + other.prompt, one.completion + other.completion)


def _status(spoken: Spoken, reason: str | None, error: Json | None) -> str:
    if error is not None:
        return "failed"
    if reason is not None:
        return "incomplete"
    return "requires_action" if spoken.calls else "completed"


def _required(call: Json) -> Json:
    """A call as a run asks for its output."""
    function = call["function"]
    return {**call, "function": {"name": function["name"], "arguments": function["arguments"]}}
