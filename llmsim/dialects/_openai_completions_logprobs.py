"""Log probabilities as legacy completions list them: tokens, numbers and offsets, each in a list of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmsim import tokens
from llmsim.dialects._openai_logprobs import Logprobs
from llmsim.exchange import Exchange
from llmsim.plan import Piece, Say

Entries = list[dict[str, Any]]


class LegacyLogprobs:
    """Gives each token its log probability and, beside it, the `top` likeliest ones; offsets count characters.

    Offsets begin with the prompt's text, told or not. The first token of a prompt has no probability, as nothing
    stands before it.
    """

    def __init__(self, exchange: Exchange, top: int) -> None:
        self._made = Logprobs(exchange, top or 1)
        self._encoding = tokens.encoding_for(exchange.ask.model)
        self._spoken: dict[int, int] = {}

    def prompt(self, text: str) -> dict[str, Any]:
        """The prompt's own tokens."""
        return _listed(self._of_prompt(text), 0, first=True)

    def streamed(self, piece: Say, prompt: str) -> dict[str, Any]:
        """One piece's, whose choice has said before what was streamed before."""
        start = self._spoken.get(piece.choice, len(prompt))
        self._spoken[piece.choice] = start + len(piece.text)
        return _listed(self._of([piece]), start)

    def whole(self, pieces: Sequence[Say], prompt: str, echo: bool) -> dict[str, Any]:
        """All of one choice, the prompt's before it where that is told too."""
        if not echo:
            return _listed(self._of(pieces), len(prompt))
        return _listed(self._of_prompt(prompt) + self._of(pieces), 0, first=True)

    def _of_prompt(self, text: str) -> Entries:
        return self._of([Say(piece, count) for piece, count in tokens.pieces(text, self._encoding)])

    def _of(self, pieces: Sequence[Piece]) -> Entries:
        found = self._made.whole(pieces, pieces[0].choice) if pieces else None
        return [] if found is None else found["content"] or found["refusal"] or []


def _listed(entries: Entries, start: int, first: bool = False) -> dict[str, Any]:
    """The lists; `start` is where the first token begins, and with `first` nothing at all stands before it."""
    offsets, read, begun = [], b"", start
    for entry in entries:
        # A token that ends in the middle of a character begins where that character begins.
        offsets.append(begun)
        read += bytes(entry["bytes"])
        whole = read.decode("utf-8", "ignore")
        if whole.encode() == read:
            begun, read = begun + len(whole), b""
    numbers: list[float | None] = [entry["logprob"] for entry in entries]
    tops: list[dict[str, float] | None] = [
        {one["token"]: one["logprob"] for one in (*entry["top_logprobs"], entry)} for entry in entries
    ]
    if first and entries:
        numbers[0] = tops[0] = None
    names = [entry["token"] for entry in entries]
    return {"text_offset": offsets, "token_logprobs": numbers, "tokens": names, "top_logprobs": tops}
