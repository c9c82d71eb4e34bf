"""Words an interaction: whole as its steps, streamed as events that open, fill and close each step.

Source: Google's guide "Streaming interactions" and the types of google-genai 3.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import orjson

from llmsim.dialects import Encoder, Headers
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_interaction_errors import error_body
from llmsim.dialects._gemini_interaction_media import content_of, spent_on
from llmsim.dialects._gemini_interaction_steps import BLOCKED, LOST, STATUS, call_step, end_of, resource, steps, usage
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.plan import Call, End, Garbled, Part, Piece, Say, Think

Keep = Callable[[Exchange, dict[str, Any]], None]


class InteractionEncoder(Encoder):
    """Words one interaction; `keep` is told it when it is whole. Events of one that can be resumed are numbered."""

    media_type = b"text/event-stream"
    whole_type = wire.JSON

    def __init__(self, exchange: Exchange, keep: Keep) -> None:
        super().__init__(exchange)
        ask = exchange.ask
        self._keep = keep
        self._made_by: Exchange = ask.follows or exchange
        self._about: dict[str, Any] = ask.extra["about"]
        self._id = wire.interaction_id(self._made_by)
        self._index = -1
        self._kind = ""
        self._content: dict[str, Any] | None = None
        self._numbered = bool(self._about.get("background")) or ask.follows is not None
        self._number, self._from = 0, int(ask.extra.get("after", 0))

    def headers(self) -> Headers:
        """Google's headers."""
        return wire.headers(self.exchange)

    # -- streamed

    def open(self) -> bytes:
        """The interaction as it begins."""
        shown: dict[str, Any] = {name: self._about[name] for name in ("model", "agent") if name in self._about}
        begun: dict[str, Any] = {"id": self._id, "status": "in_progress", "object": "interaction", **shown}
        update: dict[str, Any] = {"interaction_id": self._id, "status": "in_progress"}
        created = self._told("interaction.created", {"interaction": begun})
        return created + self._told("interaction.status_update", update)

    def frames(self, pieces: Sequence[Piece]) -> bytes:
        """Everything that is due; tokens of one text in one go."""
        if self._kind == "model_output" and not self._numbered and set(map(type, pieces)) == {Say}:
            return self._texts(pieces)
        return b"".join([self.wording(piece) for piece in pieces])

    def _texts(self, pieces: Sequence[Piece]) -> bytes:
        head = b'event: step.delta\ndata: {"index":%d,"delta":{"text":' % self._index
        return head + head.join([_text(piece.text) for piece in pieces])  # type: ignore[attr-defined]

    def frame(self, piece: Piece) -> bytes:
        """One piece's event, and those that close the step before it and open its own."""
        if isinstance(piece, End):
            return self._close_step()
        if isinstance(piece, Think):
            opened = self._open_step("thought", {"type": "thought"})
            if not self.exchange.ask.shows_thinking:
                return opened
            content = {"text": piece.text, "type": "text"}
            return opened + self._delta({"content": content, "type": "thought_summary"})
        if isinstance(piece, Call):
            opened = self._open_step(f"call {piece.index}", call_step(piece, {}))
            return opened + (self._delta({"arguments": piece.text, "type": "arguments_delta"}) if piece.text else b"")
        if isinstance(piece, Say):
            opened = self._open_step("model_output", {"type": "model_output"})
            return opened + self._delta({"text": piece.text, "type": "text"})
        if isinstance(piece, Part):
            return self._open_step("model_output", {"type": "model_output"}) + self._delta(self._made())
        return b""

    def _made(self) -> dict[str, Any]:
        """The picture or the sound, drawn once."""
        if self._content is None:
            self._content = content_of(self.exchange.ask.extra["medium"], self._made_by.seed)
        return self._content

    def _open_step(self, kind: str, step: dict[str, Any]) -> bytes:
        if kind == self._kind:
            return b""
        closed = self._close_step()
        self._kind, self._index = kind, self._index + 1
        return closed + self._told("step.start", {"index": self._index, "step": step})

    def _close_step(self) -> bytes:
        if not self._kind:
            return b""
        signed = b""
        if self._kind == "thought":
            signed = self._delta({"signature": self._signature(), "type": "thought_signature"})
        self._kind = ""
        return signed + self._told("step.stop", {"index": self._index})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return self._told("step.delta", {"index": self._index, "delta": delta})

    def _signature(self) -> str:
        return wire.signature(self._made_by.seed)

    def _told(self, event: str, data: dict[str, Any]) -> bytes:
        """An event; nothing of one that the client has seen before."""
        self._number += 1
        if self._number <= self._from:
            return b""
        told = {**data, "event_type": event}
        if self._numbered:
            told["event_id"] = str(self._number)
        return b"event: %b\ndata: %b\n\n" % (event.encode(), orjson.dumps(told))

    def close(self) -> bytes:
        """The interaction as it ended, without its steps, and the end mark."""
        whole = self._resource(self.exchange.plan.pieces)
        self._keep(self.exchange, whole)
        completed = {name: value for name, value in whole.items() if name != "steps"}
        return self._told("interaction.completed", {"interaction": completed}) + b"event: done\ndata: [DONE]\n\n"

    def fail(self, failure: Failure) -> bytes:
        """An error event."""
        return self._told("error", error_body(failure, self.exchange))

    # -- whole

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """The interaction as it ended."""
        told = self._resource(pieces)
        self._keep(self.exchange, told)
        return orjson.dumps(told)

    def _usage(self, extra: dict[str, Any]) -> dict[str, Any]:
        return usage(self.exchange, extra["spent"], extra.get("cached", Counter()), spent_on(extra.get("medium")))

    def _resource(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        end, ask = end_of(pieces), self.exchange.ask
        status = STATUS[end.stop] if end is not None else "failed"
        plain = [piece.piece if isinstance(piece, Garbled) else piece for piece in pieces]
        told: dict[str, Any] = {
            "steps": steps(plain, self._signature(), ask.shows_thinking, self._made),
            "usage": usage(
                self.exchange, ask.extra["spent"], ask.extra.get("cached", Counter()), spent_on(ask.extra.get("medium"))
            ),
        }
        if status == "failed":
            told["errors"] = [BLOCKED if end is not None else LOST]
        return resource(self._made_by, self._about, status, **told)


@lru_cache(maxsize=1 << 15)
def _text(text: str) -> bytes:
    """A delta of text from its words on; one object for every occurrence of the token."""
    return b'%b,"type":"text"},"event_type":"step.delta"}\n\n' % orjson.dumps(text)
