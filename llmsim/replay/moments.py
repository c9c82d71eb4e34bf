"""When each word of a recorded reply came: the moment of the frame that made its event whole."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from llmsim.replay.heard import Heard
from llmsim.tapes import Frame


def arrivals(frames: Sequence[Frame], places: Sequence[int]) -> list[float]:
    """The moment at which each place in the body had come, in seconds since the request was sent."""
    ends = list(accumulate(len(frame.data) for frame in frames))
    if not ends:
        return [0.0] * len(places)
    return [frames[min(bisect_left(ends, place), len(ends) - 1)].at for place in places]


def tokens(heard: Heard, frames: Sequence[Frame]) -> list[float]:
    """The moment of each token; where an event brings several, its wait is shared among them.

    How many tokens there are is what the reply itself says it cost; without that each event is one.
    """
    words = heard.words
    moments = arrivals(frames, [word.at for word in words])
    told = heard.usage.completion if heard.usage else 0
    if heard.usage and not any(word.kind == "thought" for word in words):
        told -= heard.usage.thinking
    sizes = [1] * len(words)
    if len(words) and told > 1.2 * len(words):
        signs = sum(max(1, len(word.text)) for word in words)
        sizes = [max(1, round(told * max(1, len(word.text)) / signs)) for word in words]
    spaced: list[float] = []
    before = None
    for moment, size in zip(moments, sizes, strict=True):
        if before is None:
            spaced.append(moment)
        else:
            spaced += [before + (moment - before) * (at + 1) / size for at in range(size)]
        before = moment
    return spaced
