"""One ask, its plan, how far the plan has been played, and how late."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from llmsim.conversation import Ask
from llmsim.limits import Standing
from llmsim.plan import Garbled, Piece, Plan, Say, Script, Think

State = Literal["live", "done", "failed", "dropped", "abandoned"]

EPSILON = 1e-6
"""Seconds that a timer may come early; a microsecond is below what any client can tell."""

_UNKNOWN = Standing()


class Exchange:
    """A reply under way or ended; moments are of the simulator's clock, times are of the plan.

    `first` is the moment the first piece was handed out and `first_due` when it was to be, `ended` the moment of the
    end, `held` whether it was paused by itself, `factor` its own share in the pace of all replies; `late` is the
    greatest lateness of any batch in seconds, `hindered` whether its client read too slowly for a while. `status` is
    the HTTP status that was told, 0 while none was. `seed` is that of its dice, `seen` how often the very same request
    came before, `standing` what its rate limits were, `request` the body as the client sent it, `asked` what the server
    needs to read it again.
    """

    __slots__ = (
        "_anchor",
        "_rate",
        "_time",
        "ask",
        "asked",
        "cursor",
        "ended",
        "factor",
        "first",
        "first_due",
        "held",
        "hindered",
        "late",
        "number",
        "plan",
        "request",
        "seed",
        "seen",
        "standing",
        "started",
        "state",
        "status",
        "wall",
        "weight",
    )

    MOVES: ClassVar[tuple[str, ...]] = (
        *("cursor", "state", "status", "first", "first_due", "ended", "held", "factor", "late"),
        *("_anchor", "_time", "_rate"),
    )
    """What of it changes while it is played."""

    queued: bool = False
    """Whether it waits for a slot; only an exchange under load ever does (llmsim/load/)."""

    def __init__(self, number: int, ask: Ask, plan: Plan, started: float, wall: float, rate: float = 1.0) -> None:
        self.number = number
        self.ask = ask
        self.plan = plan
        self.started = started
        self.wall = wall
        self.cursor = 0
        self.state: State = "live"
        self.status = 0
        self.first: float | None = None
        self.ended: float | None = None
        self.first_due: float | None = None
        self.held = False
        self.hindered = False
        self.factor = 1.0
        self.asked: Any = None
        self.late = 0.0
        self.weight = 0
        self.request: bytes = b""
        self.seed = 0
        self.seen = 0
        self.standing = _UNKNOWN
        self._anchor = started
        self._time = 0.0
        self._rate = rate

    @property
    def over(self) -> bool:
        """Whether every piece has been handed out or the exchange has ended otherwise."""
        return self.state != "live" or self.cursor >= len(self.plan.pieces)

    @property
    def rate(self) -> float:
        """How fast the plan is played: 1 is as planned, 0 is paused."""
        return self._rate

    @property
    def steady(self) -> bool:
        """Whether its pace was never changed while it was played."""
        return self._time == 0.0 and self._anchor == self.started

    def time(self, now: float) -> float:
        """The place in the plan that this moment stands for."""
        return self._time + (now - self._anchor) * self._rate

    def beside(self, number: int, ask: Ask, wall: float) -> Exchange:
        """Another exchange that plays this one's plan at the same moments, from its first piece on."""
        other = Exchange(number, ask, self.plan, self.started, wall)
        other._anchor, other._time, other._rate = self._anchor, self._time, self._rate
        other.seed, other.standing = self.seed, self.standing
        return other

    def pace(self, rate: float, now: float) -> None:
        """Plays the rest of the plan at another rate, from this moment on."""
        self._time, self._anchor, self._rate = self.time(now), now, rate

    def keep_back(self) -> None:
        """Begins the plan only when its hold is over, or it is let go."""
        self._time = -self.plan.hold

    def holds(self, now: float) -> bool:
        """Whether it is kept back."""
        return self._time < 0.0 and self.time(now) < 0.0

    def let_go(self, now: float) -> None:
        """Begins the plan at this moment, if it is kept back."""
        if self.holds(now):
            self._time, self._anchor = 0.0, now

    def step(self, now: float) -> bool:
        """Makes the next piece that the client sees due at this moment and pauses what follows; False without one.

        Of pieces that are due together it is one alone.
        """
        if self.over:
            return False
        pieces = self.plan.pieces
        seen = (index for index in range(self.cursor, len(pieces)) if self.plan.seen(pieces[index]))
        at = next(seen, len(pieces) - 1)
        self.plan = self.plan.apart(at)
        self._time, self._anchor, self._rate, self.held = self.plan.times[at], now, 0.0, True
        return True

    def moment(self, index: int) -> float | None:
        """The moment that piece is due, or None while the exchange is paused."""
        if not self._rate:
            return None
        return self._anchor + (self.plan.times[index] - self._time) / self._rate

    def due(self) -> float | None:
        """The moment of the next piece, or None when there is none to come or the exchange is paused."""
        plan, at, rate = self.plan, self.cursor, self._rate  # asked once a token
        if not rate or self.state != "live" or at >= len(plan.pieces):
            return None
        return self._anchor + (plan.times[at] - self._time) / rate

    def end_due(self) -> float | None:
        """The moment of the last piece: when a reply that is sent whole is due."""
        return None if self.over else self.moment(len(self.plan.pieces) - 1)

    def take(self, now: float, whole: bool = False) -> Sequence[Piece]:
        """Every piece that is due by now and was not handed out before; measures how late they are.

        Of a reply that is sent `whole`, the last piece is what was waited for.
        """
        plan, start, anchor, time, rate = self.plan, self.cursor, self._anchor, self._time, self._rate
        times, pieces = plan.times, plan.pieces
        end = bisect_right(times, time + (now - anchor) * rate + EPSILON, start)
        if end == start:
            return ()
        self.cursor = end
        if rate:
            late = now - (anchor + (times[end - 1 if whole else start] - time) / rate)
            if late > self.late:
                self.late = late
        if start:
            return pieces[start:end]
        if self.first is None:
            self.first = now
            self.first_due = anchor + (times[0] - time) / rate if rate else None
        return pieces[:end] if end < len(pieces) else pieces

    def advance(self, now: float) -> float:
        """Hands out the next piece where it alone is due and another follows, and gives that one's moment, else 0.

        In mid-stream this is `take` and `due` in one, for what nearly every token is; where it gives 0 it has done
        nothing.
        """
        times, at, rate = self.plan.times, self.cursor, self._rate
        after = at + 1
        if not rate or after >= len(times):
            return 0.0
        anchor, time, reached = self._anchor, self._time, now + EPSILON
        due = anchor + (times[at] - time) / rate
        following = anchor + (times[after] - time) / rate
        if due > reached or following <= reached:
            return 0.0
        self.cursor = after
        if now - due > self.late:
            self.late = now - due
        return following

    @property
    def tokens(self) -> int:
        """Tokens handed out so far; counted when asked, so that playing them costs nothing more."""
        if self.ask.parts is not None:
            return 0
        pieces = self.plan.pieces
        if type(pieces) is Script:
            return pieces.spent[self.cursor]
        return sum(piece.tokens for piece in pieces[: self.cursor])

    def divert(self, piece: Piece, now: float) -> None:
        """Puts this piece in place of all that has not been played, due at once."""
        plan, at = self.plan, self.cursor
        time = max(self.time(now), plan.times[at - 1] if at else 0.0)
        self.plan = replace(plan, pieces=[*plan.pieces[:at], piece], times=[*plan.times[:at], time])

    def text(self, start: int = 0) -> str:
        """What the client has been sent so far, from the piece at `start`: words, and the arguments of calls."""
        sent = (piece.piece if isinstance(piece, Garbled) else piece for piece in self.plan.pieces[start : self.cursor])
        hidden = not self.ask.shows_thinking
        return "".join(
            [piece.text for piece in sent if isinstance(piece, Say) and not (hidden and type(piece) is Think)]
        )
