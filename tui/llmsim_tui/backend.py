"""What the console needs of a simulator: read its state, change its settings, act on one exchange.

Widgets know this protocol and nothing behind it: the simulator may live in the same event loop or on another machine.
Every time is in seconds; `wall` moments are seconds since the epoch by the server's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from llmsim.latency import Profile
from llmsim.settings import Settings
from llmsim_tui.rules import Rules

Outcome = Literal["live", "ok", "limited", "failed", "cut", "abandoned"]
"""live: under way; ok: 2xx to the end; limited: 429; failed: another 4xx or 5xx, also one told in mid-stream;
cut: ended early or garbled by a fault; abandoned: the client left."""

Action = Literal["pause", "resume", "cut", "fail", "step", "speed"]


@dataclass(slots=True, frozen=True)
class Row:
    """One exchange as the request list shows it."""

    number: int
    wall: float
    client: str
    model: str
    endpoint: str
    attempt: int
    stream: bool
    outcome: Outcome
    status: int | None
    ttft: float | None
    duration: float | None
    tokens: int
    planned: int
    prompt_tokens: int
    profile: str
    origin: str
    faults: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Stream:
    """One reply under way; `text` is the tail of what the client has been sent, a `whole` reply comes at its end.

    `factor` is its own pace beside that of all replies.
    """

    number: int
    client: str
    model: str
    tokens: int
    planned: int
    rate: float
    waited: float
    state: Literal["waiting", "streaming", "stalled", "paused"]
    text: str
    faults: tuple[str, ...]
    whole: bool = False
    factor: float = 1.0


@dataclass(slots=True, frozen=True)
class Bucket:
    """Half a second of traffic: how many exchanges ended in it by outcome, and the tokens sent in it."""

    wall: float
    counts: Mapping[str, int]
    tokens: int


@dataclass(slots=True, frozen=True)
class Happening:
    """One line of the event log: a change, a fault armed or lifted, a warning; `mark` is its flag on the charts."""

    number: int
    wall: float
    kind: str
    text: str
    who: str
    mark: str = ""


@dataclass(slots=True, frozen=True)
class ArmedFault:
    """One fault in force; `left` is the seconds until its fuse lifts it (None: it stays), `seconds` its whole fuse.

    A fuse that counts has `most` strikes or requests, named by `unit`, and `more` of them left; it never ends where
    each key, client or request has its own (`per`). `waits` is the seconds until it is in force, 0 while it is.
    """

    id: str
    label: str
    kind: str
    summary: str
    left: float | None
    seconds: float | None
    hits: int
    scope: str = ""
    more: int | None = None
    most: int | None = None
    unit: str = ""
    per: str = ""
    waits: float = 0.0


@dataclass(slots=True, frozen=True)
class Pulse:
    """The figures of the safety line, at one moment."""

    wall: float
    up: float
    state: Literal["serving", "stopping", "disconnected"]
    requests: int
    requests_per_s: float
    tokens_per_s: float
    live: int
    error_share: float
    lag_p95: float
    seed: int
    armed: Sequence[ArmedFault] = field(default=())
    asked_ttft: float | None = None
    achieved_ttft: float | None = None


class Backend(Rules, Protocol):
    """A simulator as the console sees it; reading is cheap and synchronous, acting is awaited.

    `change`, `arm`, `lift`, `undo` and what else changes something raise `llmsim.errors.SettingsError` with one
    sentence for the operator and then change nothing.
    """

    address: str
    read_only: bool

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
        """All that is known of one exchange: `why` (list of lines), `request` and `reply` (text), `row`, `mock`."""
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

    async def act(self, number: int, action: Action, value: float = 1.0) -> bool:
        """Acts on one reply under way, `speed` by its `value`; False when it has already ended."""
        ...
