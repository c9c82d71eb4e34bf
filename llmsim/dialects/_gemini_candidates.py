"""Words the candidates of a Gemini reply: their parts, why they ended, their log probabilities.

Source: Google's API reference, Candidate and Part; its guide "Thought signatures".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from llmsim.conversation import Stop
from llmsim.dialects import _gemini_modalities as media
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_logprobs import LogprobsResult
from llmsim.dialects._gemini_models import Ability, ability
from llmsim.dialects._gemini_own_tools import OwnTools
from llmsim.exchange import Exchange
from llmsim.plan import Call, Decline, End, Garbled, Part, Piece, Say, Think

Json = dict[str, Any]

FINISH = {
    Stop.END: "STOP",
    Stop.SEQUENCE: "STOP",
    Stop.LENGTH: "MAX_TOKENS",
    Stop.CALLS: "STOP",
    Stop.FILTER: "SAFETY",
}
_HARMLESS = [
    {"category": f"HARM_CATEGORY_{harm}", "probability": "NEGLIGIBLE"}
    for harm in ("SEXUALLY_EXPLICIT", "HATE_SPEECH", "HARASSMENT")
]
RATINGS = [
    *_HARMLESS,
    {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True},
]
_BLOCKED = b'"promptFeedback":%b,' % orjson.dumps({"blockReason": "SAFETY", "safetyRatings": RATINGS})


@dataclass(slots=True)
class _Told:
    """What has been told of one candidate; `arguments` are those of a call that is not complete yet.

    `ran` says that what Google's own tools did has been told.
    """

    begun: bool = False
    ran: bool = False
    texts: list[str] = field(default_factory=list)
    arguments: str = ""
    calls: int = 0
    malformed: str | None = None


class Candidates:
    """All candidates of one exchange; `plain` says that a token of text is worded as its text alone."""

    def __init__(self, exchange: Exchange) -> None:
        ask = exchange.ask
        self._exchange = exchange
        self._able: Ability = ask.extra.get("able") or ability(ask.model)
        # The value of an enum is planned as JSON, and told without its quotes when it is whole.
        self._enum = bool(ask.extra.get("enum"))
        top = ask.extra.get("logprobs")
        self._logprobs = None if top is None else LogprobsResult(exchange, top)
        self._own = OwnTools(exchange)
        self._signs = self._able.thinks and bool(exchange.plan.usage.thinking or self._able.generation >= 3)
        self._thoughts: dict[int, int] = {}
        if ask.shows_thinking:
            self._thoughts = Counter(piece.choice for piece in exchange.plan.pieces if type(piece) is Think)
        self._told: dict[int, _Told] = {}
        self.plain = self._logprobs is None and not self._enum and not self._own and ask.n == 1

    def about(self) -> bytes:
        """What ends each response: which model answered, and under which id."""
        exchange = self._exchange
        answered_by, id = _answered_by(self._able.name), wire.response_id(exchange)
        if exchange.ask.dialect == "vertex":
            return b'%b%b","createTime":"%b"}' % (answered_by, id, wire.timestamp(exchange.wall).encode())
        return b'%b%b"}' % (answered_by, id)

    def streamed(self, piece: Piece, end: End | None) -> bytes | None:
        """`"candidates":[…],` with what a piece adds, and the end that is told with it; None where it adds none."""
        end = piece if isinstance(piece, End) else end
        told = self._told.setdefault(piece.choice, _Told())
        parts = self._parts(told, [piece], end)
        if end is None and not parts:
            return None
        if end is not None and end.stop is Stop.FILTER and not told.begun and not parts and not piece.choice:
            return _BLOCKED
        if not parts and told.begun:
            parts = [{"text": ""}]
        told.begun = told.begun or bool(parts)
        return b'"candidates":[%b],' % orjson.dumps(self._candidate(piece.choice, told, parts, end, [piece]))

    def whole(self, pieces: Sequence[Piece]) -> bytes:
        """`"candidates":[…],` with all of it, or what there is in its place where the prompt was blocked."""
        each: dict[int, list[Piece]] = {choice: [] for choice in range(self._exchange.ask.n)}
        for piece in pieces:
            each.setdefault(piece.choice, []).append(piece.piece if isinstance(piece, Garbled) else piece)
        candidates = [self._whole(choice, own) for choice, own in each.items()]
        if len(candidates) == 1 and candidates[0] is None:
            return _BLOCKED
        return b'"candidates":%b,' % orjson.dumps([one for one in candidates if one is not None])

    def _whole(self, choice: int, pieces: Sequence[Piece]) -> Json | None:
        end = next((piece for piece in pieces if isinstance(piece, End)), None)
        told = _Told()
        parts = _joined(self._parts(told, pieces, end))
        if end is not None and end.stop is Stop.FILTER and not parts:
            return None
        return self._candidate(choice, told, parts, end, pieces)

    # -- parts

    def _parts(self, told: _Told, pieces: Sequence[Piece], end: End | None) -> list[Json]:
        """The parts that pieces of one candidate come to; the last text of Gemini 3 is signed."""
        parts: list[Json] = []
        for piece in pieces:
            if not told.ran and type(piece) in (Say, Decline):
                told.ran = True
                parts += self._own.run()
            part = self._part(told, piece)
            if part is not None:
                parts.append(part)
        if end is None:
            return parts
        if self._enum and told.texts:
            parts.append({"text": _bare("".join(told.texts))})
            told.texts.clear()
        signature = self.signed(end)
        if signature and not told.calls:
            if not parts or "thought" in parts[-1]:
                parts.append({"text": ""})
            parts[-1]["thoughtSignature"] = signature
        return parts

    def signed(self, end: End) -> str:
        """The signature that the last text of a candidate has, empty where it has none."""
        signs = self._signs and self._able.generation >= 3 and end.stop is Stop.END
        return self._signature(end.choice, 0) if signs else ""

    def _part(self, told: _Told, piece: Piece) -> Json | None:
        """The part that a piece comes to; None for what is not shown, or not complete yet."""
        if isinstance(piece, Call):
            return self._call(told, piece)
        if isinstance(piece, Think):
            return self._thought(piece)
        if isinstance(piece, Part):
            return media.part(self._exchange.ask.extra["medium"], self._exchange.seed)
        if not isinstance(piece, Say):
            return None
        if self._enum:
            told.texts.append(piece.text)
            return None
        return {"text": piece.text}

    def _thought(self, piece: Think) -> Json | None:
        if not self._exchange.ask.shows_thinking:
            return None
        part: Json = {"text": piece.text, "thought": True}
        self._thoughts[piece.choice] -= 1
        if not self._thoughts[piece.choice]:
            part["thoughtSignature"] = self._signature(piece.choice, 1)
        return part

    def _call(self, told: _Told, piece: Call) -> Json | None:
        """A call, once all of its arguments are there; the first one of a reply is signed."""
        call = piece.call
        told.arguments = piece.text if piece.opens else told.arguments + piece.text
        if len(told.arguments) < len(call.arguments):
            return None
        try:
            arguments = orjson.loads(told.arguments or "{}")
        except orjson.JSONDecodeError:
            arguments = None
        if not isinstance(arguments, dict):
            told.malformed = f"{call.name}({told.arguments})"
            return None
        part: Json = {"functionCall": {"id": call_id(call.id), "name": call.name, "args": arguments}}
        if self._signs and not told.calls:
            part["thoughtSignature"] = self._signature(piece.choice, 2)
        told.calls += 1
        return part

    def _signature(self, choice: int, index: int) -> str:
        return wire.signature(self._exchange.seed, 3 * choice + index)

    # -- all of a candidate

    def _candidate(self, choice: int, told: _Told, parts: list[Json], end: End | None, pieces: Sequence[Piece]) -> Json:
        content: Json = {"parts": parts, "role": "model"} if parts else {"role": "model"}
        candidate: Json = {"content": content}
        if end is not None:
            candidate["finishReason"] = FINISH[end.stop]
            if end.stop is Stop.FILTER:
                candidate["safetyRatings"] = RATINGS
            if told.malformed is not None:
                candidate["finishReason"] = "MALFORMED_FUNCTION_CALL"
                candidate["finishMessage"] = f"Malformed function call: {told.malformed}"
            if self._own:
                candidate.update(self._own.found(choice))
        candidate["index"] = choice
        if self._logprobs is not None:
            candidate.update(self._logprobs.of(pieces))
        return candidate


@lru_cache(maxsize=1024)
def _answered_by(model: str) -> bytes:
    return b',"modelVersion":%b,"responseId":"' % orjson.dumps(model)


def call_id(id: str) -> str:
    """The id of a call as the API has them: eight small letters and digits."""
    return id[5:13].lower() if id.startswith("call_") and len(id) >= 13 else id


def _joined(parts: list[Json]) -> list[Json]:
    """Parts with neighbouring texts of one kind as one, whose signature is that of the last."""
    joined: list[Json] = []
    texts: list[list[str]] = []
    for part in parts:
        same = joined and "text" in part and "text" in joined[-1] and ("thought" in part) == ("thought" in joined[-1])
        if same:
            texts[-1].append(part["text"])
            joined[-1].update(part)
        else:
            joined.append(dict(part))
            texts.append([part["text"]] if "text" in part else [])
    for part, said in zip(joined, texts, strict=True):
        if said:
            part["text"] = "".join(said)
    return joined


def _bare(text: str) -> str:
    """The text that a JSON string holds; what is none as it is, but for the quote that it may begin with."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.removeprefix('"')
    return value if isinstance(value, str) else text
