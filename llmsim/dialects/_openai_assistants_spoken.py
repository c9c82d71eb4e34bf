"""What pieces of a plan come to: the text of a message, a refusal, calls of functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from llmsim.conversation import Stop
from llmsim.dialects._openai_assistants_words import Json, text_part
from llmsim.plan import Call, Decline, End, Garbled, Piece, Say, Think


@dataclass(slots=True)
class Spoken:
    """What some pieces come to: text, a refusal, calls of functions, and how they end, if they do."""

    text: str = ""
    refusal: str = ""
    calls: list[Json] = field(default_factory=list)
    stop: Stop | None = None
    tokens: int = 0

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> Spoken:
        """The sum of the pieces."""
        text: list[str] = []
        refusal: list[str] = []
        calls: dict[int, tuple[Call, list[str]]] = {}
        spoken = cls()
        for piece in pieces:
            plain = piece.piece if isinstance(piece, Garbled) else piece
            spoken.tokens += plain.tokens
            if isinstance(plain, Call):
                calls.setdefault(plain.index, (plain, []))[1].append(plain.text)
            elif isinstance(plain, Decline):
                refusal.append(plain.text)
            elif isinstance(plain, Say) and not isinstance(plain, Think):
                text.append(plain.text)
            elif isinstance(plain, End):
                spoken.stop = plain.stop
        spoken.text, spoken.refusal = "".join(text), "".join(refusal)
        spoken.calls = [_function(call, "".join(parts)) for call, parts in calls.values()]
        return spoken

    @property
    def says(self) -> bool:
        """Whether there are words in it."""
        return bool(self.text or self.refusal)

    @property
    def content(self) -> list[Json]:
        """The text or the refusal, as the content of a message."""
        return [{"type": "refusal", "refusal": self.refusal}] if self.refusal else [text_part(self.text)]


def _function(call: Call, arguments: str) -> Json:
    """A call as a step shows it."""
    name = call.call.name
    return {
        "id": call.call.id,
        "type": "function",
        "function": {"name": name, "arguments": arguments, "output": None},
    }
