"""Lorem: the printers' old filler text, in sentences, to the exact number of tokens asked for."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import ClassVar

from llmsim import tokens
from llmsim.conversation import Ask, Reply
from llmsim.dice import Dice
from llmsim.generators import Generator

_FIRST = "Lorem ipsum dolor sit amet, consectetur adipiscing elit."
_WORDS = (
    "sed do eiusmod tempor incididunt ut labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation"
    " ullamco laboris nisi aliquip ex ea commodo consequat duis aute irure in reprehenderit voluptate velit esse cillum"
    " eu fugiat nulla pariatur excepteur sint occaecat cupidatat non proident sunt culpa qui officia deserunt mollit"
    " anim id est laborum"
).split()
_FILLERS = (" et", " in", " ad")
SENTENCES = 256
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
    corpus = _corpus()
    segments: list[str] = []
    left, at = target, start
    while left > 0:
        text = corpus[at % SENTENCES]
        if not segments:
            text = text.lstrip()
        cost = _cost(text, encoding)
        if cost > left:
            text, cost = _shortened(text, left, encoding), left
        segments.append(text)
        left -= cost
        at += stride
    return tuple(segments)


@cache
def _corpus() -> tuple[str, ...]:
    """Each sentence, with the space before it; sentence borders are token borders."""
    dice = Dice(256)
    sentences = [f" {_FIRST}"]
    while len(sentences) < SENTENCES:
        words = [dice.choice(_WORDS) for _ in range(dice.between(6, 14))]
        if len(words) > 9:
            words[4] += ","
        sentences.append(f" {words[0].capitalize()} {' '.join(words[1:])}.")
    return tuple(sentences)


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
