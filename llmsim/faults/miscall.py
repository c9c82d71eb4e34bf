"""Miscall: a tool call that the client cannot carry out as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from llmsim.conversation import ToolCall
from llmsim.dice import Dice
from llmsim.faults import Fault
from llmsim.plan import Call, Piece, Plan


class Miscall(Fault):
    """Breaks every tool call of a reply; one without calls stays as it is.

    `bad_json`: the arguments end too early; `unknown_tool`: the name is that of no tool; `no_arguments`: an empty
    object, whatever the schema asks for.
    """

    kind: ClassVar[str] = "miscall"

    how: Literal["bad_json", "unknown_tool", "no_arguments"] = "bad_json"
    name: str = "no_such_tool"

    def spoil(self, plan: Plan, dice: Dice) -> Plan:
        """The plan with its calls broken; what was to come after their end comes when it was to come."""
        if plan.failure or not any(isinstance(piece, Call) for piece in plan.pieces):
            return plan
        broken = dict(self._calls(plan.pieces))
        pieces: list[Piece] = []
        times: list[float] = []
        said: dict[tuple[int, int], int] = {}
        for piece, moment in zip(plan.pieces, plan.times, strict=True):
            made = self._piece(piece, broken, said) if isinstance(piece, Call) else piece
            if made is not None:
                pieces.append(made)
                times.append(moment)
        return replace(plan, pieces=pieces, times=times)

    def _calls(self, pieces: Sequence[Piece]) -> list[tuple[tuple[int, int], ToolCall]]:
        """Every call as it is to be, by its alternative and its place in it."""
        found = [piece for piece in pieces if isinstance(piece, Call) and piece.opens]
        return [((piece.choice, piece.index), self._broken(piece.call)) for piece in found]

    def _broken(self, call: ToolCall) -> ToolCall:
        if self.how == "unknown_tool":
            return replace(call, name=self.name)
        half = call.arguments[: max(1, len(call.arguments) * 2 // 3)]
        if half == call.arguments or half.endswith("}"):
            half = half[:-1] or "{"
        return replace(call, arguments="{}" if self.how == "no_arguments" else half)

    def _piece(
        self, piece: Call, broken: dict[tuple[int, int], ToolCall], said: dict[tuple[int, int], int]
    ) -> Call | None:
        """A fragment of the broken call; None for one that has nothing more to say."""
        place = (piece.choice, piece.index)
        call = broken[place]
        if piece.opens:
            return Call(call, piece.index, piece.text, piece.tokens, True, piece.choice)
        start = said.get(place, 0)
        text = call.arguments[start : start + max(1, len(piece.text))]
        said[place] = start + len(text)
        return Call(call, piece.index, text, piece.tokens, False, piece.choice) if text else None

    def summary(self) -> str:
        """What is wrong with the calls."""
        return f"tool calls: {self.how.replace('_', ' ')}"
