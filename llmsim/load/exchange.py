"""An exchange under load: it may wait for a slot first, and its pace follows how many others are at work."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmsim.conversation import Ask
from llmsim.exchange import EPSILON, Exchange
from llmsim.plan import Piece, Plan

if TYPE_CHECKING:
    from llmsim.load.station import Station

_NEVER = -1.0
"""A place before everything in a plan: where one is who still waits."""


class LoadedExchange(Exchange):
    """Plays its plan from the moment it has a slot, with the waits between its tokens stretched by `stretch`.

    What is before the first token is not stretched, as the formula has it, nor are the plan's own pauses, which are
    faults'. `queued` says that it waits, `admitted` when it had its slot, `company` how many others were at work then.
    """

    __slots__ = (
        "_begins",
        "_by_hand",
        "_hold",
        "_still",
        "_stretch",
        "admitted",
        "company",
        "followers",
        "queued",
        "station",
    )

    MOVES = (*Exchange.MOVES, "_begins", "_hold", "_stretch", "queued", "admitted", "company")

    def __init__(self, number: int, ask: Ask, plan: Plan, started: float, wall: float, rate: float = 1.0) -> None:
        super().__init__(number, ask, plan, started, wall, rate)
        self.station: Station | None = None
        self.queued = False
        self.admitted: float | None = None
        self.company = 0
        self._by_hand = False
        self.followers: tuple[LoadedExchange, ...] = ()
        self._stretch = 1.0
        self._begins = self._hold = 0.0
        first = plan.times[0]
        self._still = ((-plan.hold, first), *(pause for pause in plan.pauses if pause[0] >= first))

    # -- where it stands

    @property
    def waited(self) -> float | None:
        """Seconds in the queue; None while it waits or where it never had a slot."""
        return None if self.admitted is None else self.admitted - self.started

    def wait(self) -> None:
        """Waits for a slot: nothing of its plan is due."""
        self.queued = True

    def admit(self, now: float, stretch: float, company: int, ahead: float = 0.0) -> None:
        """Has a slot from now on, beside so many others; `ahead` seconds of its prefill need not be done."""
        for one in (self, *self.followers):
            one.queued, one.admitted, one.company = False, now, company
            one._begins = min(ahead, one.plan.times[0])
            one._anchor, one._time, one._stretch = now, one._begins - one._hold, stretch

    def keep_back(self) -> None:
        """Begins the plan only when its hold is over, or it is let go; one that waits for a slot is held then."""
        self._hold = self.plan.hold
        if not self.queued:
            self._time -= self._hold

    def holds(self, now: float) -> bool:
        """Whether it is kept back, or will be once it has its slot."""
        return self._hold > 0.0 and (self.queued or self.time(now) < self._begins)

    def let_go(self, now: float) -> None:
        """Begins the plan at this moment, or when it has a slot."""
        if self.holds(now) and not self.queued:
            self._time, self._anchor = self._begins, now
        self._hold = 0.0

    def breathe(self, stretch: float, now: float) -> None:
        """Plays the rest with its waits stretched otherwise."""
        for one in (self, *self.followers):
            one._time, one._anchor, one._stretch = one.time(now), now, stretch

    @property
    def stretch(self) -> float:
        """How many times longer the waits between its tokens are than planned."""
        return self._stretch

    # -- as every exchange, with time that stretches

    def time(self, now: float) -> float:
        """The place in the plan that this moment stands for; before its beginning while it waits."""
        if self.queued:
            return _NEVER
        at, stretch, left = self._time, self._stretch, (now - self._anchor) * self._rate
        for start, end in self._still:
            if end <= at:
                continue
            if start > at:
                if left < (start - at) * stretch:
                    break
                left -= (start - at) * stretch
                at = start
            if left < end - at:
                return at + left
            left -= end - at
            at = end
        return at + left / stretch

    def moment(self, index: int) -> float | None:
        """The moment that piece is due, or None while the exchange is paused or waits for a slot."""
        if not self._rate or self.queued:
            return None
        at, to, stretch = self._time, self.plan.times[index], self._stretch
        span = (to - at) * stretch
        for start, end in self._still:
            over = min(to, end) - max(at, start)
            if over > 0:
                span -= over * (stretch - 1.0)
        return self._anchor + span / self._rate

    def due(self) -> float | None:
        """The moment of the next piece, or None when there is none to come or the exchange is paused or waits."""
        return None if self.over else self.moment(self.cursor)

    def take(self, now: float, whole: bool = False) -> Sequence[Piece]:
        """Every piece that is due by now and was not handed out before; measures how late they are."""
        plan, start = self.plan, self.cursor
        end = bisect_right(plan.times, self.time(now) + EPSILON, start)
        if end == start:
            return ()
        due = self.moment(end - 1 if whole else start)
        if self.first is None:
            self.first, self.first_due = now, self.moment(start)
        if due is not None and now - due > self.late:
            self.late = now - due
        self.cursor = end
        return plan.pieces[start:end] if start or end < len(plan.pieces) else plan.pieces

    def advance(self, now: float) -> float:
        """Nothing by this short way: its time is not its plan's."""
        return 0.0

    @property
    def steady(self) -> bool:
        """Whether nobody changed its pace by hand; that it follows the load is as planned."""
        return not self._by_hand

    def step(self, now: float) -> bool:
        """Makes the next piece due at this moment and pauses all after it; False when none is left."""
        self._by_hand = True
        return super().step(now)

    def pace(self, rate: float, now: float) -> None:
        """Plays the rest of the plan at another rate, from this moment on, or from when it has a slot."""
        self._by_hand = True
        if self.queued:
            self._rate = rate
        else:
            super().pace(rate, now)

    def divert(self, piece: Piece, now: float) -> None:
        """Puts this piece in place of all that has not been played, due at once."""
        self.force()
        super().divert(piece, now)

    def force(self) -> None:
        """Stops waiting, whether there is a slot or not."""
        if self.queued and self.station is not None:
            self.station.force(self)

    def beside(self, number: int, ask: Ask, wall: float) -> Exchange:
        """Another exchange that plays this one's plan at the same moments, from its first piece on."""
        other = LoadedExchange(number, ask, self.plan, self.started, wall)
        other._anchor, other._time, other._rate, other._stretch = self._anchor, self._time, self._rate, self._stretch
        other.queued, other.admitted, other.company = self.queued, self.admitted, self.company
        other._begins, other._hold = self._begins, self._hold
        if self.state != "live":
            other.queued = False  # nobody will admit it any more
        other.seed, other.standing = self.seed, self.standing
        if self.state == "live":
            self.followers = (*(one for one in self.followers if one.state == "live"), other)
        return other
