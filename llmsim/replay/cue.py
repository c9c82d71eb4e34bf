"""A cue: one take of a tape, ready to answer a request; or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from llmsim.conversation import Reply
from llmsim.replay.heard import Heard
from llmsim.replay.normal import Normal
from llmsim.replay.spots import Spot, spots
from llmsim.tapes import Take


@dataclass(eq=False)
class Cue:
    """A take with what is known of it: `place` on its tape, the request's keys, what its reply says.

    `heard` is None where the reply has no words. `played` counts how often it has answered.
    """

    place: str
    take: Take
    exact: bytes
    dialect: str = ""
    provider: str = ""
    stream: bool = False
    normal: Normal | None = None
    heard: Heard | None = None
    played: int = 0

    @cached_property
    def body(self) -> bytes:
        """The reply's whole body."""
        return self.take.body

    @cached_property
    def spots(self) -> list[Spot]:
        """The ids and dates in it."""
        return spots(self.body, self.take.at)

    @cached_property
    def reply(self) -> Reply | None:
        """The reply as any API can word it; None where it is no words of one alternative."""
        if self.heard is None or self.take.status != 200 or self.take.end != "done":
            return None
        return self.heard.reply(f"tape {self.place}")

    @property
    def failed(self) -> bool:
        """Whether the reply is an error, which every API can tell."""
        return self.take.status >= 400

    def cannot(self) -> str:
        """Why another API, or the same one in another way, cannot word it; empty where it can."""
        if self.failed or self.reply is not None:
            return ""
        if self.take.end != "done":
            return "it was cut, and only its own API has that half of a reply"
        if self.heard is None:
            return f"{self.dialect or self.take.upstream or 'its API'} has no words that another could say"
        return "it has several alternatives" if self.heard.choices > 1 else "it says nothing"

    @property
    def size(self) -> int:
        """Bytes that it holds, about, once it has been played: its frames, and all of them as one."""
        return len(self.take.request_body) + sum(2 * len(frame.data) + 120 for frame in self.take.frames) + 2000


@dataclass(slots=True)
class Hit:
    """A cue that answers: `verbatim` byte by byte, or else in the words of the API that was asked.

    `wall` is this moment, `known` the new ids of old ones that a client has been told; `made` is filled with those of
    this reply once it is planned.
    """

    cue: Cue
    verbatim: bool
    wall: float = 0.0
    known: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Miss:
    """No take answers: why, one sentence each, the nearest one first."""

    why: tuple[str, ...]

    def told(self) -> str:
        """All of it, for the client."""
        return " ".join(self.why)
