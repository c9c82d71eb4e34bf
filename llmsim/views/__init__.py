"""What is shown of a simulator at one moment: its figures, its exchanges a line each, its streams, faults and limits.

The console in the same process, one on another machine and a recorded session all show these. Every time is in
seconds; `wall` moments are seconds since the epoch by the server's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["live", "ok", "limited", "failed", "cut", "abandoned"]
"""live: under way; ok: 2xx to the end; limited: 429; failed: another 4xx or 5xx, also one told in mid-stream;
cut: ended early or garbled by a fault; abandoned: the client left."""


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
    held: bool = False


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
    state: Literal["waiting", "streaming", "stalled", "paused", "held"]
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
    """The figures of the safety line, at one moment; `held` replies wait for somebody to let them go."""

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
    held: int = 0


@dataclass(slots=True, frozen=True)
class Tried:
    """One request in a dry run: the mock that would have answered it, or in `near` why the nearest would not."""

    number: int
    mock: str
    near: str


@dataclass(slots=True, frozen=True)
class Gauge:
    """A bucket of a rate limit: whose it is, its figure, what is left of it, `reset` seconds until it is full.

    `reset` is infinite for a quota; `busy` requests are under way under it. `place` is that of its rule among
    `Settings.limits`, None for the founding `rpm` and `tpm`.
    """

    name: str
    whose: str
    kind: str
    limit: int
    level: float
    reset: float
    busy: int
    place: int | None


@dataclass(slots=True, frozen=True)
class Retries:
    """How clients took what went wrong, over the newest `requests`: `firsts` were first tries, `second` first retries.

    `wait` is the middle wait between two tries in seconds, `told` how many waits the server had told, `early` how many
    of these were cut short. `gave_up` calls went wrong and did not come again, `left` ones were not waited for. `worst`
    says it of each client, the worst first; `links` leads from each retry to the try before it.
    """

    requests: int = 0
    firsts: int = 0
    second: int = 0
    third: int = 0
    more: int = 0
    gave_up: int = 0
    left: int = 0
    wait: float | None = None
    told: int = 0
    early: int = 0
    worst: tuple[str, ...] = ()
    links: Mapping[str, int] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """The figures beside the tries, each in a few words; those that are nothing are left out."""
        parts = (
            (self.gave_up, f"gave up {self.gave_up}"),
            (self.left, f"left {self.left}"),
            (self.early, f"too early {self.early}/{self.told}"),
            (self.wait is not None, f"wait p50 {self.wait or 0.0:.2g}s"),
        )
        return [said for there, said in parts if there]


@dataclass(slots=True, frozen=True)
class Play:
    """The scenario that was begun last, and how far it is; seconds."""

    name: str
    state: Literal["running", "done", "stopped", "failed"]
    phase: str
    elapsed: float
    lasts: float
    problem: str = ""
