"""Garble: an event that does not arrive as it should."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from llmsim.dice import Dice
from llmsim.faults import Fault, Tokens
from llmsim.plan import Drop, Garbled, HowGarbled, Plan


class Garble(Fault):
    """Spoils the event after `after_tokens`.

    `broken`: its JSON ends too early, and the stream goes on; `malformed`: its line is no SSE field, and the stream
    goes on; `truncated`: half of it arrives and the connection closes. A whole reply is one event.
    """

    kind: ClassVar[str] = "garble"

    how: HowGarbled = "broken"
    after_tokens: Tokens = 3

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The plan with one piece garbled; the last text piece when the reply is shorter."""
        told = [index for index, piece in enumerate(plan.pieces) if piece.tokens and plan.seen(piece)]
        if plan.failure or not told:
            return plan
        at = min(plan.place(self.after_tokens), told[-1])
        if isinstance(plan.pieces[at], Garbled):
            return plan
        garbled = Garbled(plan.pieces[at], self.how)
        if self.how == "truncated":
            moment = plan.times[at]
            return replace(
                plan,
                pieces=[*plan.pieces[:at], garbled, Drop(reset=False)],
                times=[*plan.times[:at], moment, moment],
            )
        return replace(plan, pieces=[*plan.pieces[:at], garbled, *plan.pieces[at + 1 :]])

    def summary(self) -> str:
        """What is wrong with which event."""
        return f"{self.how} event after {self.after_tokens} tokens"
