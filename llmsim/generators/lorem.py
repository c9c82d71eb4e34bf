"""Lorem: the printers' old filler text, in sentences, to the exact number of tokens asked for."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import ClassVar

from llmsim import tokens
from llmsim.conversation import Ask, Reply
from llmsim.dice import Dice
from llmsim.generators import Generator

with open(os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "lorem.txt"), encoding="ascii") as _file:
    CORPUS = tuple(f" {sentence}" for sentence in _file.read().splitlines())
"""Each sentence, with the space before it; sentence borders are token borders.

They were drawn once (tests/generators/test_lorem.py shows how), as that takes 5 ms of a server's start.
"""

_FILLERS = (" et", " in", " ad")
SENTENCES = len(CORPUS)
STRIDES = (1, 5, 11, 23)


class Lorem(Generator):
    """Latin-looking sentences from a corpus of 256, in 1,024 orders that the dice choose from."""

    kind: ClassVar[str] = "lorem"

    def reply(self, ask: Ask, dice: Dice, target_tokens: int) -> Reply:
        """Exactly `target_tokens` tokens by the model's encoding."""
        places = dice.bits()
        passage = _passage(tokens.encoding_for(ask.model), places % SENTENCES, STRIDES[places >> 62], target_tokens)
        return Reply(passage, origin="generator lorem")


@lru_cache(maxsize=4096)
def _passage(encoding: str, start: int, stride: int, target: int) -> tuple[str, ...]:
    """Sentences from that place on, a stride apart, the last one shortened to meet the target."""
    segments: list[str] = []
    left, at = target, start
    while left > 0:
        text = CORPUS[at % SENTENCES]
        if not segments:
            text = text.lstrip()
        cost = _cost(text, encoding)
        if cost > left:
            text, cost = _shortened(text, left, encoding), left
        segments.append(text)
        left -= cost
        at += stride
    return tuple(segments)


@lru_cache(maxsize=4096)  # a few encodings, their sentences, each with and without the space before it
def _cost(text: str, encoding: str) -> int:
    """Tokens of a text; of a sentence when it is first said, as those of all take 30 ms of a server's start."""
    return sum(count for _, count in tokens.pieces(text, encoding))


def _shortened(sentence: str, target: int, encoding: str) -> str:
    """The sentence's first words and a full stop, filled up with words of one token to meet the target."""
    text, cost = "", 0
    for word in re.findall(r" ?[^ ,.]+", sentence):
        more = _cost(word, encoding)
        if cost + more > target - 1:
            break
        text, cost = text + word, cost + more
    while cost < max(1, target - 1):
        filler = _FILLERS[cost % 3]
        text, cost = text + (filler if text or sentence.startswith(" ") else filler.lstrip()), cost + 1
    # A full stop alone would make one token with the stop before it.
    return f"{text}." if target > 1 else text
