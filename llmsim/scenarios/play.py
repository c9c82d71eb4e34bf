"""Plays a scenario: each deed at its moment, through the one call by which everything changes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from llmsim import faults
from llmsim.errors import LlmsimError
from llmsim.scenarios import Scenario
from llmsim.scenarios.timeline import Deed, deeds
from llmsim.simulator import Simulator

_AT_ONCE = 20
"""Deeds between two turns of the loop; to arm the thousandth fault takes 10 ms."""

PlayState = Literal["running", "done", "stopped", "failed"]


class Playing:
    """A scenario under way on a simulator; its end, early by `stop` or not, lifts what it has armed, and no more."""

    def __init__(
        self, scenario: Scenario, simulator: Simulator, ended: Callable[[Playing], None] | None = None
    ) -> None:
        self.scenario = scenario
        self.state: PlayState = "running"
        self.problem = ""
        self.phase = ""
        self.started = simulator.clock.now()
        self.first = simulator.journal.last + 1
        self.over = asyncio.Event()
        self._simulator = simulator
        self._ended = ended
        self._left = deque(deeds(scenario))
        self._armed: set[str] = set()
        self._timer: Any = None
        self._say("began")
        self._next()

    @property
    def who(self) -> str:
        """Who makes its changes."""
        return f"scenario {self.scenario.name}"

    @property
    def elapsed(self) -> float:
        """Seconds since it began, at most as long as it lasts."""
        return min(self.scenario.length, self._simulator.clock.now() - self.started)

    def _next(self) -> None:
        """Does what is due and waits for the next deed, or for the end; of very many the others have turns between."""
        clock, left = self._simulator.clock, _AT_ONCE
        while self._left and left and self.started + self._left[0].at <= clock.now() + 1e-6:
            left -= 1
            try:
                self._do(self._left.popleft())
            except LlmsimError as error:
                self.problem = str(error)
                self._end("failed")
                return
        end = self.started + self.scenario.length
        if not self._left and end <= clock.now() + 1e-6:
            self._end("done")
            return
        moment = self.started + self._left[0].at if self._left else end
        self._timer = clock.call_at(moment, self._next)

    def _do(self, deed: Deed) -> None:
        simulator = self._simulator
        if deed.phase:
            self.phase = deed.phase
            simulator.events.add("scenario", f"{self.scenario.name}: {deed.phase}", self.who, deed.phase)
        if deed.mark:
            simulator.events.add("scenario", deed.mark, self.who, deed.mark)
        if deed.number:
            self._slide(deed)
        elif deed.change:
            simulator.change(who=self.who, **deed.change)
        if deed.arm is not None:
            self._armed.add(simulator.arm(deed.arm, who=self.who).id)
        if deed.lift:
            simulator.lift(None if deed.lift == "all" else deed.lift, who=self.who)
            self._armed.discard(deed.lift)

    def _slide(self, deed: Deed) -> None:
        """Puts a number at its place on a ramp."""
        simulator, settings = self._simulator, self._simulator.settings
        armed = next((one for one in settings.faults if one.id == deed.fault), None) if deed.fault else None
        if deed.fault and armed is None:
            return  # lifted meanwhile
        now = getattr(armed.fault if armed is not None else settings, deed.number, None)
        base = float(now) if isinstance(now, int | float) else 0.0
        value: float = base + (deed.to - base) * deed.way
        kind = type(armed.fault if armed is not None else settings).model_fields.get(deed.number)
        if kind is not None and "float" not in str(kind.annotation):
            value = round(value)
        if armed is None:
            changes: dict[str, Any] = {deed.number: value}
            simulator.change(who=self.who, **changes)
        else:
            fault = faults.make({"kind": armed.fault.kind, **armed.fault.model_dump(), deed.number: value})
            slid = armed.model_copy(update={"fault": fault})  # its fuse burns on
            told = [slid if one is armed else one for one in settings.faults]
            simulator.change(who=self.who, text=f"{armed.label or armed.id}: {deed.number} {value:g}", faults=told)

    def stop(self) -> None:
        """Ends it early, and what it has armed with it."""
        if self.state == "running":
            self._end("stopped")

    def _end(self, state: PlayState) -> None:
        self.state = state
        if self._timer is not None:
            self._timer.cancel()
        if self._armed:
            self._simulator.lift(self._armed, who=self.who)
        self._say(state + (f": {self.problem}" if self.problem else ""))
        self.over.set()
        if self._ended is not None:
            self._ended(self)

    def _say(self, text: str) -> None:
        self._simulator.events.add("scenario", f"{self.scenario.name} {text}", self.who, "scenario")

    def json(self) -> dict[str, Any]:
        """How far it is, as the control API tells it."""
        return {
            "name": self.scenario.name,
            "state": self.state,
            "phase": self.phase,
            "phases": [phase.name for phase in self.scenario.phases],
            "elapsed_s": round(self.elapsed, 3),
            "lasts_s": self.scenario.length,
            **({"problem": self.problem} if self.problem else {}),
        }
