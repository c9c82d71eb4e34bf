"""Reads the times on a tape: of each streamed reply its first token and its pace, by model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from llmsim.dialects import Dialect, kinds
from llmsim.fitting.needs import FitError
from llmsim.fitting.seen import Seen
from llmsim.replay.heard import listen
from llmsim.replay.moments import tokens
from llmsim.tapes import Take, Tape


def mine(path: Path) -> bool:
    """Whether the path is a tape's, by its first bytes or because its parts are there."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:
        return True  # a tape may be parts alone; if not, reading it says what is missing
    return start.startswith(b"\x1f\x8b") or b'"v":' in start[:64] or path.name.endswith(".jsonl.gz")


def read(path: Path) -> list[Seen]:
    """The streamed replies on a tape; raises TapeError where it cannot be read, FitError where there are none."""
    found = list(replies(Tape(path)))
    if not found:
        raise FitError(
            f"{path}: there is no streamed reply on this tape; only a stream tells a first token from the next"
        )
    return found


def replies(takes: Iterator[Take] | Tape) -> Iterator[Seen]:
    """What the takes tell of times; whole replies, errors and APIs without words are passed over."""
    dialects: dict[str, Dialect | None] = {}
    for take in takes:
        if take.dialect not in dialects:
            made = kinds().get(take.dialect)
            dialects[take.dialect] = made() if made is not None else None
        dialect = dialects[take.dialect]
        if dialect is None or take.status != 200:
            continue
        heard = listen(dialect.hear, take.body)
        if heard is None or len({word.at for word in heard.words}) < 2 or heard.choices > 1:
            continue
        moments = tokens(heard, take.frames)
        gaps = [1000 * (late - early) for early, late in pairwise(moments)]
        prompt = heard.usage.prompt - heard.usage.cached if heard.usage and heard.usage.prompt else None
        yield Seen(heard.model, 1000 * moments[0], gaps, prompt, take.at, take.at + take.ended)
