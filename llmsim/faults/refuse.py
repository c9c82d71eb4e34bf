"""Refuse: the provider's own error instead of a reply, or in the middle of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llmsim.dice import Dice
from llmsim.errors import Failure
from llmsim.faults import Fault, Tokens, Wait
from llmsim.plan import Fail, Plan


class Refuse(Fault):
    """Answers with `status` after `after_ms`, or with an error event after `after_tokens` of the reply.

    `retry_after` seconds are told to the client; None tells none.
    """

    kind: ClassVar[str] = "refuse"

    status: Literal[400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529] = 429
    retry_after: Annotated[float | None, Field(ge=0, le=86_400)] = None
    message: str | None = None
    after_ms: Wait = 0
    after_tokens: Tokens = 0

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The error instead of all that was to come; the same plan where nothing was."""
        if plan.failure or plan.place(self.after_tokens) >= len(plan.pieces):
            return plan
        piece = Fail(Failure.of_status(self.status, self.message, self.retry_after))
        if self.after_tokens:
            return plan.cut_after(self.after_tokens, (piece, 0.0))
        return replace(plan, pieces=[piece], times=[self.after_ms / 1000])

    def summary(self) -> str:
        """The status and where it comes."""
        return str(self.status) + (f" after {self.after_tokens} tokens" if self.after_tokens else "")
