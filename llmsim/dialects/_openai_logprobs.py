"""Log probabilities of tokens: made up, but likely-looking, in order, and the same for the same exchange."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import orjson

from llmsim import tokens
from llmsim.dice import Dice
from llmsim.exchange import Exchange
from llmsim.plan import Decline, Garbled, Piece, Say

_OTHERS = (" the", " a", " and", " of", " to", " in", " is", " it", " that", " for", " with", " as", " on", " are",
           " this", " be", " by", " or", " an", " not", ".", ",")  # fmt: skip


class Logprobs:
    """Gives each output token its log probability and, beside it, the `top` likeliest tokens."""

    def __init__(self, exchange: Exchange, top: int) -> None:
        self._top = top
        self._encoding = tokens.encoding_for(exchange.ask.model)
        self._seed = exchange.seed

    def streamed(self, piece: Piece) -> bytes:
        """One piece's logprobs as a chunk has them."""
        if not _counts(piece):
            return b"null"
        return orjson.dumps(self._lists([piece]))

    def whole(self, pieces: Sequence[Piece], choice: int) -> dict[str, Any] | None:
        """All logprobs of one choice."""
        plain = [piece.piece if isinstance(piece, Garbled) else piece for piece in pieces]
        counted = [piece for piece in plain if _counts(piece) and piece.choice == choice]
        return self._lists(counted) if counted else None

    def _lists(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        content = [entry for piece in pieces if type(piece) is Say for entry in self.entries(piece)]
        refusal = [entry for piece in pieces if isinstance(piece, Decline) for entry in self.entries(piece)]
        return {"content": content if content or not refusal else None, "refusal": refusal or None}

    def entries(self, piece: Say) -> list[dict[str, Any]]:
        """The tokens of one piece with their log probabilities."""
        return [self._entry(raw) for raw in tokens.token_bytes(piece.text, self._encoding)]

    def _entry(self, raw: bytes) -> dict[str, Any]:
        dice = Dice(self._seed).fork(repr(raw))
        chosen = 0.5 + 0.5 * dice.random()
        top = [_worded(raw, chosen)]
        left = 1.0 - chosen
        others = [text for text in _OTHERS if text.encode() != raw]
        start = dice.below(len(others))
        for place in range(self._top - 1):
            left *= 0.5
            top.append(_worded(others[(start + place) % len(others)].encode(), left))
        return {**_worded(raw, chosen), "top_logprobs": top[: self._top]}


def _counts(piece: Piece) -> bool:
    return type(piece) is Say or type(piece) is Decline


def _worded(raw: bytes, probability: float) -> dict[str, Any]:
    r"""A token that is no whole character is told by its bytes, as `bytes: \xf0\x9f` (OpenAI's cookbook, logprobs)."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = "bytes:" + raw.decode(errors="backslashreplace")
    return {"token": text, "logprob": round(math.log(max(probability, 1e-9)), 8), "bytes": list(raw)}
