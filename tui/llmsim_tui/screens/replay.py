"""The live screen over a recorded session: a time line in the place of the pads, and keys that move in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from textual.app import ComposeResult
from textual.geometry import Region

from llmsim_tui.commands import bindings
from llmsim_tui.replay import SPEEDS, ReplayBackend
from llmsim_tui.screens.live import Live
from llmsim_tui.widgets.scrubber import Scrubber
from llmsim_tui.widgets.streams import Streams


class ReplayLive(Live):
    """Plays a session; everything else is as in the live screen."""

    BINDINGS = bindings("replay")
    own_places = ("replay",)

    @property
    def replay(self) -> ReplayBackend:
        """The session that is shown."""
        return cast(ReplayBackend, self.console.backend)

    def compose(self) -> ComposeResult:
        """The panels, and the time line."""
        yield from super().compose()
        yield Scrubber(id="scrubber")

    def on_mount(self) -> None:
        """Leaves the arrows to the time line; says what is odd about the file."""
        self.query_one(Streams).can_focus = False
        for note in self.replay.session.notes:
            self.console.say(note[:1].upper() + note[1:] + ".", "warning")
        if self.replay.session.skipped:
            self.console.say(f"{self.replay.session.skipped} requests came too fast to be recorded.", "warning")

    def placed(self, places: Mapping[str, Region]) -> Mapping[str, Region]:
        """The time line stands where the pads are."""
        return {"scrubber" if name == "pads" else name: region for name, region in places.items()}

    def _never_frozen(self) -> None:
        super()._never_frozen()
        replay = self.replay
        plays = replay.playing_on and not replay.at_end
        line = self.query_one(Scrubber)
        line.show_moment(replay.position, replay.session.lasts, plays, replay.speed, replay.session.marks())

    def _go(self, seconds: float) -> None:
        self.replay.seek(seconds)
        self.log_lines.clear()
        self.console.refresh_views()

    def on_scrubber_sought(self, message: Scrubber.Sought) -> None:
        """A click on the time line goes there."""
        self._go(message.share * self.replay.session.lasts)

    def action_seek(self, seconds: float) -> None:
        """Goes so far back or on."""
        self._go(self.replay.position + seconds)

    def action_mark(self, by: int) -> None:
        """Goes to the change before or the one behind."""
        found = self.replay.session.beside(self.replay.position, by)
        if found is None:
            self.console.say("There is no change behind this moment." if by > 0 else "There is no earlier change.")
        else:
            self._go(found)

    def action_begin(self) -> None:
        """Goes to the beginning."""
        self._go(0.0)

    def action_freeze(self) -> None:
        """Plays, or stands still."""
        replay = self.replay
        was = replay.position
        replay.play(not replay.playing_on or replay.at_end)
        if replay.position < was:
            self.log_lines.clear()
        self.console.refresh_views()

    def action_speed(self, by: int) -> None:
        """Plays slower or faster."""
        near = min(range(len(SPEEDS)), key=lambda place: abs(SPEEDS[place] - self.replay.speed))
        self.replay.pace(SPEEDS[min(max(0, near + by), len(SPEEDS) - 1)])
        self.console.refresh_views()
