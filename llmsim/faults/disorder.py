"""Disorder: an event of a stream that comes twice, or before the one it should follow."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from llmsim.dice import Dice
from llmsim.faults import Fault, Tokens
from llmsim.plan import Plan


class Disorder(Fault):
    """`duplicate`: the event after `after_tokens` is sent twice; `reorder`: it changes places with the one behind it.

    A whole reply is one event, and stays as it is.
    """

    kind: ClassVar[str] = "disorder"

    how: Literal["duplicate", "reorder"] = "duplicate"
    after_tokens: Tokens = 3

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The plan with the event twice, or with two in the wrong order; usage is told as it should have been."""
        told = [at for at, piece in enumerate(plan.pieces) if piece.tokens and plan.seen(piece)]
        if plan.failure or not plan.streamed or not told:
            return plan
        at = min(plan.place(self.after_tokens), told[-1])
        pieces, times = list(plan.pieces), list(plan.times)
        if self.how == "duplicate":
            pieces.insert(at, pieces[at])
            times.insert(at, times[at])
            return replace(plan, pieces=pieces, times=times)
        if at + 1 >= len(pieces) or not pieces[at + 1].tokens:
            at -= 1
        if at < 0 or not pieces[at].tokens:
            return plan
        pieces[at], pieces[at + 1] = pieces[at + 1], pieces[at]
        return replace(plan, pieces=pieces)

    def summary(self) -> str:
        """Which event."""
        return f"{self.how} the event after {self.after_tokens} tokens"
