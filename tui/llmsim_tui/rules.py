"""What the console needs of a simulator's rules: mocks, scopes, scenarios, rate limits and the verdict on clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from llmsim.match import Match
from llmsim.mocks import Mock
from llmsim.views import Gauge, Play, Tried

__all__ = ["Gauge", "Play", "Rules", "Sift", "Tried"]


class Sift(Protocol):
    """A match asked of one exchange after the other; `work` counts what that cost since somebody set it to 0."""

    work: int

    def look(self, number: int) -> tuple[bool, bool] | None:
        """Whether the exchange is under way, and whether it is meant; None when it is no longer kept."""
        ...


class Rules(Protocol):
    """The part of the backend that is about rules."""

    def answered(self) -> Mapping[str, int]:
        """How often each mock has answered, by name."""
        ...

    async def draft(self, number: int) -> Mapping[str, Any] | None:
        """The fields of a mock that answers such a request as this one was answered; None when it is not kept."""
        ...

    async def try_mocks(self, mocks: Sequence[Mock], last: int = 100) -> Sequence[Tried]:
        """Which of the mocks would have answered each of the last requests, oldest first; nothing is changed."""
        ...

    async def preview(self, scope: Match, last: int = 100) -> tuple[int, int]:
        """How many of the last requests a scope would have met, and of how many."""
        ...

    def sift(self, match: Match) -> Sift:
        """The match, to be asked of one exchange after the other."""
        ...

    def playing(self) -> Play | None:
        """The scenario that was begun last; None while there was none."""
        ...

    async def begin_scenario(self, path: str) -> None:
        """Begins the scenario in a file, in the place of any that runs; SettingsError says what is wrong in it."""
        ...

    async def stop_scenario(self) -> bool:
        """Stops the scenario and lifts what it has armed; False where none runs."""
        ...

    async def recorded(self) -> Mapping[str, Any]:
        """What was changed by hand so far, as a scenario's fields."""
        ...

    async def calls(self, event: int) -> Sequence[Mapping[str, Any]]:
        """The calls (`method`, `path`, `body`) that make an event's change again; none where it tells of no change."""
        ...

    def gauges(self) -> Sequence[Gauge]:
        """Every bucket that somebody has spent from, those unused for longest first."""
        ...

    async def drain(self, name: str | None = None, share: float = 1.0) -> int:
        """Takes that share out of the buckets of a limit, or of all; gives how many there are."""
        ...

    async def refill(self, name: str | None = None) -> int:
        """Fills the buckets of a limit, or of all; gives how many there are."""
        ...

    async def verdict(self) -> Sequence[str]:
        """The verdict on all clients, in lines: all of them, then each, indented what is to be known about it."""
        ...
