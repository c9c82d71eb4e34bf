"""A simulator in the console's own event loop, as the console's backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from llmsim.errors import SettingsError
from llmsim.server.control import Control
from llmsim.simulator import Simulator
from llmsim.verdict.tries import tries_of
from llmsim.views.masked import MaskedView
from llmsim.views.recording import Seen
from llmsim_tui.backend import Action
from llmsim_tui.local_rules import LocalRules


class LocalBackend(LocalRules):
    """Reads the simulator's own objects; what it gives is made when asked for.

    `control` is the server's, so that a scenario begun here and one begun over HTTP are the same.
    """

    kind: Literal["local", "remote", "replay"] = "local"
    read_only = False
    stale = False
    away = ""
    note = ""
    locked = ""

    def __init__(self, simulator: Simulator, address: str, control: Control | None = None) -> None:
        super().__init__(simulator, control or Control(simulator))
        self.address = address

    def shown(self) -> Seen:
        """The simulator, keys masked."""
        return MaskedView(self._simulator, self._control)

    async def change(self, who: str = "console", *, text: str = "", mark: str = "", **changes: Any) -> None:
        """Changes settings."""
        self._simulator.change(who=who, text=text, mark=mark, **changes)

    async def arm(self, fault: Mapping[str, Any], *, label: str, seconds: float | None, id: str = "") -> str:
        """Arms a fault."""
        fields = {**fault, "label": label, "for_s": seconds, "id": id}
        return self._simulator.arm(fields, who="console").id

    async def lift(self, id: str | None = None) -> int:
        """Lifts one fault or all."""
        return self._simulator.lift(id, who="console")

    async def undo(self) -> str | None:
        """Takes the last change back."""
        return self._simulator.undo(who="console")

    async def redo(self) -> str | None:
        """Makes it again."""
        return self._simulator.redo(who="console")

    async def tries(self, number: int) -> Sequence[int]:
        """The tries of one call."""
        return await tries_of(self._simulator.journal, number)

    async def resend(self, number: int) -> int:
        """Asks the same once more."""
        exchange = self._simulator.journal.get(number)
        again = self._control.resend(exchange) if exchange is not None else None
        if again is None:
            raise SettingsError(f"#{number} cannot be asked again: no API has its path, or it is no longer kept")
        self._simulator.events.add("act", f"resent #{number} as #{again.number}", "console")
        return again.number

    async def act(
        self, number: int, action: Action, value: float = 1.0, error: Mapping[str, Any] | None = None
    ) -> bool:
        """Acts on one reply under way."""
        return self._simulator.act(number, action, value=value, error=error, who="console")

    # -- real APIs

    @property
    def untaped(self) -> str:
        """Why no real APIs can be recorded."""
        return "" if self._control.recorder is not None else "There is no server here that could record real APIs."

    def taping(self) -> Mapping[str, Any] | None:
        """The recording under way."""
        return None if self._control.recorder is None else self._control.recorder.told()

    async def begin_tape(self, options: Mapping[str, Any]) -> None:
        """Begins to record."""
        from llmsim.server.record.options import Recording  # late: it brings what masks

        if self._control.recorder is None:
            raise SettingsError(self.untaped)
        made = Recording.of({**options, "tape": _at_home(str(options["tape"]))})
        made.elsewhere(self._control.address or f"http://{self.address}")
        await self._control.recorder.start(made, "console")

    async def end_tape(self) -> Mapping[str, Any] | None:
        """Ends it."""
        return None if self._control.recorder is None else await self._control.recorder.stop("console")


def _at_home(tape: str) -> str:
    return str(Path(tape).expanduser()) if tape.startswith("~") else tape
