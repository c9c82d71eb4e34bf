"""What the console needs of a simulator: read its state, change its settings, act on one exchange.

Widgets know this protocol and nothing behind it: the simulator may live in the same event loop or on another machine.
Every time is in seconds; `wall` moments are seconds since the epoch by the server's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from llmsim.honesty import Honesty
from llmsim.latency import Profile
from llmsim.settings import Settings
from llmsim.views import ArmedFault, Bucket, Gauge, Happening, Outcome, Pulse, Retries, Row, Stream
from llmsim.views.recording import Seen
from llmsim_tui.rules import Rules

__all__ = [
    "Action",
    "ArmedFault",
    "Backend",
    "Bucket",
    "Gauge",
    "Happening",
    "Outcome",
    "Pulse",
    "Retries",
    "Row",
    "Stream",
]

Action = Literal["pause", "resume", "cut", "fail", "step", "speed"]


class Backend(Rules, Protocol):
    """A simulator as the console sees it; reading is cheap and synchronous, acting is awaited.

    `change`, `arm`, `lift`, `undo` and what else changes something raise `llmsim.errors.SettingsError` with one
    sentence for the operator and then change nothing.
    """

    address: str

    @property
    def kind(self) -> Literal["local", "remote", "replay"]:
        """Where it is: in this process, elsewhere, or in a file."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether the keys that change something have no place here."""
        ...

    @property
    def locked(self) -> str:
        """Why nothing may be changed at this moment, in a sentence; empty where it may."""
        ...

    @property
    def away(self) -> str:
        """Why the simulator cannot be seen, in a sentence; empty while it can."""
        ...

    @property
    def stale(self) -> bool:
        """Whether what is shown is no longer what is."""
        ...

    @property
    def note(self) -> str:
        """What is to be known of all that is shown: that it is elsewhere, of when it is; empty for nothing."""
        ...

    def shown(self) -> Seen:
        """What a recording is made of, with keys masked; SettingsError where nothing can be recorded."""
        ...

    def pulse(self) -> Pulse:
        """The figures of this moment."""
        ...

    def numbers(self) -> tuple[int, int]:
        """Numbers of the oldest and the newest exchange kept; (0, -1) while there is none. No gaps between."""
        ...

    def row(self, number: int) -> Row | None:
        """One exchange, or None when it is no longer kept. Cheap: called for each visible line."""
        ...

    def detail(self, number: int) -> Mapping[str, Any] | None:
        """All that is known of one exchange, as `llmsim.views.inspect.inspected` tells it, and its `row`."""
        ...

    async def tries(self, number: int) -> Sequence[int]:
        """The numbers of all tries of the call that an exchange is one of, oldest first."""
        ...

    async def resend(self, number: int) -> int:
        """Asks the same once more and gives the new exchange's number; SettingsError where that cannot be."""
        ...

    def honesty(self) -> Honesty:
        """Asked beside achieved over the newest replies; worked out when asked, for once a second at most."""
        ...

    def retries(self) -> Retries:
        """How clients took what went wrong, over the newest requests; worked out once a second at most."""
        ...

    def streams(self, limit: int) -> Sequence[Stream]:
        """Replies under way, oldest first."""
        ...

    def buckets(self, count: int) -> Sequence[Bucket]:
        """The newest half-seconds, oldest first, empty ones included; the last one is still filling."""
        ...

    def ttfts(self) -> Sequence[float]:
        """Achieved TTFTs of the newest exchanges (at most 512), in seconds."""
        ...

    def happenings(self, after: int) -> Sequence[Happening]:
        """Events with a greater number than `after`, oldest first (at most the newest 500)."""
        ...

    def settings(self) -> Settings:
        """The settings in force."""
        ...

    def profiles(self) -> Mapping[str, Profile]:
        """Every latency profile by name, the user's own among them."""
        ...

    def models(self) -> Sequence[str]:
        """Models seen in traffic so far, then those of the catalogue."""
        ...

    async def change(self, who: str = "console", *, text: str = "", mark: str = "", **changes: Any) -> None:
        """Changes settings, all or nothing; `text` says what was changed, `mark` is its flag on the charts."""
        ...

    async def arm(self, fault: Mapping[str, Any], *, label: str, seconds: float | None, id: str = "") -> str:
        """Arms a fault (`kind` and its fields, as in a config file) and gives its id; re-arming an id replaces it."""
        ...

    async def lift(self, id: str | None = None) -> int:
        """Lifts one armed fault, or all; gives how many were lifted."""
        ...

    async def undo(self) -> str | None:
        """Takes the last change back and says which; None when there is nothing to take back."""
        ...

    async def redo(self) -> str | None:
        """Makes the change that was taken back last again and says which; None when there is none."""
        ...

    async def act(
        self, number: int, action: Action, value: float = 1.0, error: Mapping[str, Any] | None = None
    ) -> bool:
        """Acts on one reply under way, `speed` by its `value`, `fail` with an `error`; False when it has ended."""
        ...

    @property
    def untaped(self) -> str:
        """Why no real APIs can be recorded from here, in a sentence; empty where they can."""
        ...

    def taping(self) -> Mapping[str, Any] | None:
        """How the recording of real APIs is, as `GET /llmsim/record` tells it; None while there is none."""
        ...

    async def begin_tape(self, options: Mapping[str, Any]) -> None:
        """Passes requests on to real APIs and records them; `options` are those of `POST /llmsim/record`."""
        ...

    async def end_tape(self) -> Mapping[str, Any] | None:
        """Ends that recording and tells how it was; None where there was none."""
        ...
