"""What is done from the live screen beside faults: one reply, the pace of all, the scenario, the report, undoing."""

from __future__ import annotations

from typing import Any, Final

from llmsim.errors import LlmsimError
from llmsim_tui import report
from llmsim_tui.backend import Stream
from llmsim_tui.screens.fail_with import FailWith
from llmsim_tui.screens.holding import Holding
from llmsim_tui.screens.mock_edit import mock_from
from llmsim_tui.screens.scenario import save
from llmsim_tui.widgets.flows import Act

_SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
_SLOWEST, _FASTEST = 1 / 64, 64.0
"""How far a reply alone is slowed down and sped up."""


class Acting(Holding):
    """A live screen's deeds; each is one call of the backend and one sentence."""

    def action_stop_scenario(self) -> None:
        """Stops the scenario that runs."""

        def told(stopped: bool) -> None:
            self.console.say("The scenario was stopped." if stopped else "No scenario is running: s runs one.")

        self.console.attempt(self.console.backend.stop_scenario, told)

    def action_save_scenario(self) -> None:
        """Writes what was done by hand into a file."""
        self.run_worker(self._save_scenario(), group="changes")

    async def _save_scenario(self) -> None:
        try:
            self.console.say(f"What was changed so far is a scenario now: {await save(self.console.backend)}")
        except (LlmsimError, OSError) as error:
            self.console.say(f"No scenario was written: {error}", "warning")

    def action_report(self) -> None:
        """Writes the report of the session so far."""
        self.run_worker(self._report(), group="changes")

    async def _report(self) -> None:
        try:
            files = await report.write(self.console.backend, report.usual(), self.app.export_screenshot())
        except (LlmsimError, OSError) as error:
            self.console.say(f"No report was written: {error}", "warning")
        else:
            self.console.say(f"The session so far is told in {files[0].resolve()}, its picture beside it.")

    def action_speed(self, by: int) -> None:
        """Takes the next of five speeds, slower or faster."""
        backend = self.console.backend
        speed = backend.settings().speed
        near = min(range(len(_SPEEDS)), key=lambda place: abs(_SPEEDS[place] - speed))
        wanted = _SPEEDS[min(max(0, near + by), len(_SPEEDS) - 1)]
        if wanted != speed:
            self.console.attempt(lambda: backend.change(speed=wanted))

    def action_undo(self) -> None:
        """Takes the last change back."""
        self.console.undo()

    def action_redo(self) -> None:
        """Makes it again."""
        self.console.redo()

    def on_act(self, message: Act) -> None:
        """Pauses, lets go on, steps, cuts, fails or paces one reply; makes a mock of one."""
        if message.what == "mock":
            mock_from(self.console, message.number)
            return
        backend = self.console.backend
        if message.what == "fail with":
            self._fail_with(message.number)
            return
        streams = backend.streams(10_000) if message.what in ("pause", "slower", "faster") else ()
        stream = next((one for one in streams if one.number == message.number), None)
        row = backend.row(message.number)
        what, value = _deed(message.what, stream, held=row is not None and row.held)

        def told(done: bool) -> None:
            if not done:
                self.console.say(f"#{message.number} has already ended: only a reply under way can be touched.")
            elif what == "speed":
                self.console.say(f"#{message.number} goes at {value:g} times the pace of all others.")

        self.console.attempt(lambda: backend.act(message.number, what, value), told)

    def _fail_with(self, number: int) -> None:
        row = self.console.backend.row(number)
        if row is not None and row.outcome != "live":
            self.console.say(f"#{number} has already ended: only a reply under way can be touched.")
        elif self.console.may_change():
            self.app.push_screen(FailWith(number))


def _deed(wanted: str, stream: Stream | None, held: bool) -> tuple[Any, float]:
    """The action that a key asks of a reply, and its value."""
    if wanted == "release":
        return "resume", 1.0
    if wanted == "pause":
        return ("resume" if held or (stream is not None and stream.state == "paused") else "pause"), 1.0
    if wanted in ("slower", "faster"):
        factor = stream.factor if stream is not None else 1.0
        return "speed", min(_FASTEST, max(_SLOWEST, factor * (2.0 if wanted == "faster" else 0.5)))
    return wanted, 1.0
