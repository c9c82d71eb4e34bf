"""What is held back at the live screen: an intercept set and turned off, one reply let go or failed, all let go."""

from __future__ import annotations

from typing import Any

from llmsim.faults.hold import Hold
from llmsim.settings import Armed
from llmsim_tui.screens.docking import Docking
from llmsim_tui.screens.intercept import INTERCEPT, Intercept, in_force

_LOOKED_AT = 2_000
"""Of the newest requests so many are looked at for those that are held by a hold that is no more."""


class Holding(Docking):
    """A live screen's deeds about holds."""

    def action_intercept(self) -> None:
        """Asks whom to hold back."""
        if self.console.may_change():
            last = in_force(self.console.backend.settings()) or self.console.intercepted
            self.app.push_screen(Intercept(last))

    def action_switch_intercept(self) -> None:
        """Turns the intercept off, or on again as it was last."""
        backend, fields = self.console.backend, self.console.intercepted
        if (now := in_force(backend.settings())) is not None:
            self.console.intercepted = now
            self.console.attempt(lambda: backend.lift(INTERCEPT))
        elif fields:
            self.console.attempt(lambda: backend.arm(fields, label=INTERCEPT, seconds=None, id=INTERCEPT))
        else:
            self.action_intercept()

    def action_release_all(self) -> None:
        """Lets go of all that is held; what holds stays in force."""
        held = self.console.backend.pulse().held

        def told(_: Any) -> None:
            self.console.say(f"{held} held {'reply' if held == 1 else 'replies'} let go.")

        if held:
            self.console.attempt(self._release_all, told)
        else:
            self.console.say("Nothing is held: i sets an intercept.")

    async def _release_all(self) -> None:
        """Arms each hold again as it is, which lets go; what those used up have left is let go one by one."""
        backend = self.console.backend
        for one in backend.settings().faults:
            if isinstance(one.fault, Hold):
                await backend.arm(_fields(one), label=one.label, seconds=one.for_s, id=one.id)
        first, last = backend.numbers()
        for number in range(max(first, last - _LOOKED_AT), last + 1):
            row = backend.row(number)
            if row is not None and row.held:
                await backend.act(number, "resume")


def _fields(one: Armed) -> dict[str, Any]:
    return {name: value for name, value in one.flat().items() if name not in ("id", "label", "for_s")}
