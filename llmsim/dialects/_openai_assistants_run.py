"""A run of an assistant on a thread: what was asked for, the steps it came to, the state it is in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from llmsim.dialects import Desk
from llmsim.dialects._openai_assistants_thread import KIND, Thread
from llmsim.dialects._openai_assistants_words import EXPIRES_AFTER, Json, State, run_json, step_ended
from llmsim.plan import Usage

if TYPE_CHECKING:
    from llmsim.dialects._openai_assistants_turn import Turn

FRAME_BYTES = 1500
"""What a run or a step costs beside what it echoes: ids, moments, objects."""


@dataclass(slots=True)
class Run:
    """A run; `settings` echo what was asked for, `effort` is how hard the model is to think.

    `steps` have ended, but for a last one that waits for the outputs of tools; `turn` is under way. `spent` counts all
    tokens so far, `waiting` those of the turn that the waiting step came from.
    """

    thread: Thread
    assistant_id: str
    settings: Json
    effort: str | None = None
    stores: tuple[str, ...] = ()
    id: str = ""
    created_at: int = 0
    state: State = field(default_factory=State)
    steps: dict[str, Json] = field(default_factory=dict)
    spent: Usage = field(default_factory=Usage)
    waiting: Usage = field(default_factory=Usage)
    turn: Turn | None = None

    def json(self, state: State | None = None) -> Json:
        """The run as the API shows it, in this state or in another one."""
        return run_json(self.id, self.created_at, self.thread.id, self.assistant_id, state or self.state, self.settings)

    def begin(self, id: str, at: int) -> None:
        """Puts a new run on its thread."""
        self.id, self.created_at = id, at
        self.thread.runs[id] = self
        self.thread.size += FRAME_BYTES + len(orjson.dumps(self.settings))

    def record(self, step: Json) -> Json:
        """Keeps a step, in place of an earlier state of it."""
        if step["id"] not in self.steps:
            self.thread.size += FRAME_BYTES
        else:
            self.thread.size -= len(orjson.dumps(self.steps[step["id"]]["step_details"]))
        self.thread.size += len(orjson.dumps(step["step_details"]))
        self.steps[step["id"]] = step
        return step

    def take(self, state: State) -> None:
        """Takes a state; one that is the last frees the thread, one that waits or is the last has no turn any more."""
        self.state, self.turn = state, None
        if state.over and self.thread.active is self:
            self.thread.active = None

    def last_step(self) -> Json | None:
        """The newest step."""
        return self.steps[next(reversed(self.steps))] if self.steps else None

    def keep(self, desk: Desk) -> None:
        """Keeps the thread at its new size, unless it is gone."""
        if desk.store.get(KIND, self.thread.id) is self.thread:
            self.thread.keep(desk.store)


def stop(run: Run, status: str, desk: Desk) -> None:
    """Ends a run before its time: as cancelled or as expired."""
    turn, at = run.turn, desk.wall()
    if turn is not None and turn.exchange is not None:
        exchange = turn.exchange
        turn.settle(turn.said(desk.clock.now()), at, status=status)
        desk.stop(exchange)
    else:
        step = run.last_step()
        if step is not None and step["status"] == "in_progress":
            run.record(step_ended(step, status, at, run.waiting))
        run.take(State(status, run.state.started_at, at, usage=run.spent))
    run.keep(desk)


def overdue(run: Run, desk: Desk) -> bool:
    """Whether the run's time is up before it has ended."""
    return not run.state.over and desk.wall() >= run.created_at + EXPIRES_AFTER


def refreshed(run: Run, desk: Desk) -> Run:
    """The run, which expires here if its time is up; not for use in threads."""
    if overdue(run, desk):
        stop(run, "expired", desk)
    return run


def busy(thread: Thread, desk: Desk) -> Run | None:
    """The run that a thread is busy with, if it is."""
    run = thread.active
    return None if run is None or run.state.over or overdue(run, desk) else run
