"""Puts a response's output together, piece by piece: which item is being said, what is told of it, what is done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import orjson

from llmsim.conversation import Stop
from llmsim.dialects._openai_responses_client_runs import call_draft
from llmsim.dialects._openai_responses_drafts import Draft, Scene, Speech, Summary, Thought, ToolRun
from llmsim.dialects._openai_responses_runs import Run
from llmsim.plan import Call, Decline, End, Piece, Say, Think


class Composer:
    """The output in the making: thoughts first, then built-in tools, then words or calls.

    `items` are those that are done, as JSON; `stop` is why the reply ended, None while it has not.
    """

    def __init__(self, scene: Scene, runs: list[Run]) -> None:
        self.items: list[bytes] = []
        self.stop: Stop | None = None
        self._scene = scene
        self._runs = list(reversed(runs))
        self._notes = [note for run in runs for note in run.notes]
        self._draft: Draft | None = None
        self._called: tuple[str, int] | None = None

    @property
    def output(self) -> bytes:
        """The items that are done."""
        return b",".join(self.items)

    def begin(self, first: Piece | None) -> bytes:
        """What can be told before the first piece comes: that the model thinks, or that a tool is at work."""
        if isinstance(first, Think):
            return self._open(Thought)
        return self._next_run() if self._runs else b""

    def turn(self, piece: Piece) -> bytes:
        """What has to be told before a piece: the end of what was said before, the beginning of what it belongs to."""
        if isinstance(piece, Think):
            return b"" if isinstance(self._draft, Thought) else self._open(Thought)
        if isinstance(piece, End):
            return self._ended(piece)
        if not isinstance(piece, Say):
            return b""
        told = self._thought_and_done()
        if isinstance(piece, Call):
            return told + self._call(piece)
        if self._scene.wanted.compacts:
            return told if isinstance(self._draft, Summary) else told + self._open(Summary)
        if isinstance(self._draft, Speech):
            return told
        return told + self._speak(Decline if isinstance(piece, Decline) else Say)

    def take(self, piece: Piece) -> bytes:
        """What is told of the piece itself."""
        return self._draft.take(piece) if self._draft is not None and isinstance(piece, Say) else b""

    def finish(self, status: str = "incomplete") -> bytes:
        """The end of the item that is being said."""
        draft, self._draft = self._draft, None
        if draft is None:
            return b""
        self.items.append(orjson.dumps(draft.item(status)))
        return draft.close(status)

    # -- the parts of an output

    def _open(self, make: Callable[[Scene, int], Draft]) -> bytes:
        told = self.finish("completed")
        self._draft = draft = make(self._scene, len(self.items))
        return told + draft.open()

    def _next_run(self) -> bytes:
        return self._open(partial(ToolRun, run=self._runs.pop()))

    def _thought_and_done(self) -> bytes:
        """The end of the thoughts, and everything that built-in tools do before the words."""
        told = self.finish("completed") if isinstance(self._draft, Thought | ToolRun) else b""
        while self._runs:
            told += self._next_run() + self.finish("completed")
        return told

    def _speak(self, kind: type[Say]) -> bytes:
        return self._open(partial(Speech, notes=self._notes, kind=kind))

    def _call(self, piece: Call) -> bytes:
        named = (piece.call.id, piece.index)
        if self._called == named:
            return b""
        self._called = named
        return self._open(partial(call_draft, piece=piece))

    def _ended(self, end: End) -> bytes:
        self.stop = end.stop
        cut = end.stop in (Stop.LENGTH, Stop.FILTER)
        if cut and isinstance(self._draft, Thought):
            return self.finish("incomplete")
        told = self._thought_and_done()
        wanted = self._scene.wanted
        if self._draft is None and end.stop is not Stop.LENGTH and wanted.generates and not self._called:
            told += self._open(Summary) if wanted.compacts else self._speak(Say)
        return told + self.finish("incomplete" if cut else "completed")
