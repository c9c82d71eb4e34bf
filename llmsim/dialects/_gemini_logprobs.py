"""Log probabilities as Gemini tells them: the chosen tokens, and beside each the likeliest ones.

Source: Google's API reference, LogprobsResult.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmsim.dialects._openai_logprobs import Logprobs
from llmsim.dice import mix
from llmsim.exchange import Exchange
from llmsim.plan import Piece

Entry = Mapping[str, Any]


class LogprobsResult:
    """Gives each token of text its log probability and, beside it, the `top` likeliest tokens."""

    def __init__(self, exchange: Exchange, top: int) -> None:
        self._logprobs = Logprobs(exchange, top)
        self._top = top

    def of(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        """`avgLogprobs` and `logprobsResult` of a candidate's pieces; nothing where none of them is text."""
        told = self._logprobs.whole(pieces, pieces[0].choice) if pieces else None
        entries = [*((told or {}).get("content") or ()), *((told or {}).get("refusal") or ())]
        if not entries:
            return {}
        result: dict[str, Any] = {"chosenCandidates": [_worded(entry) for entry in entries]}
        if self._top:
            result["topCandidates"] = [{"candidates": [_worded(one) for one in e["top_logprobs"]]} for e in entries]
        total = sum(entry["logprob"] for entry in entries)
        return {"avgLogprobs": total / len(entries), "logprobsResult": result}


def token_id(token: str) -> int:
    """A number that stands for a token, always the same one."""
    return mix(token) % 256_000


def _worded(entry: Entry) -> dict[str, Any]:
    return {"token": entry["token"], "tokenId": token_id(entry["token"]), "logProbability": entry["logprob"]}
