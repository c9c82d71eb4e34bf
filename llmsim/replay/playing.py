"""The plan of a replay: the bytes of a take at its moments, or its words at theirs."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from llmsim.conversation import Stop
from llmsim.dice import Dice
from llmsim.errors import Failure
from llmsim.latency import Profile
from llmsim.plan import Drop, End, Head, Piece, Plan, Raw, Say, Usage, Verbatim
from llmsim.replay.cue import Cue, Hit
from llmsim.replay.moments import arrivals
from llmsim.replay.spots import fresh, is_id, new_id

_OWN = frozenset(
    ("content-length", "transfer-encoding", "connection", "keep-alive", "date", "content-encoding", "x-llmsim-exchange")
)
"""Headers of the connection and of this server, which are its own."""


def verbatim(hit: Hit, dice: Dice, *, prompt: int, ids: bool, speed: float, profile: Profile | None, seed: int) -> Plan:
    """The take byte by byte, with new `ids` and dates or the old ones, `speed` times as fast.

    With a `profile` the moments are drawn from it. `prompt` counts the request's tokens where the take does not.
    """
    cue, take = hit.cue, hit.cue.take
    body = cue.body
    if ids:
        body, hit.made = fresh(body, cue.spots, dice, hit.wall - take.at, hit.known)
    headers = [(name, _fresh(name, value, dice) if ids else value) for name, value in take.headers]
    head: Head | None = Head(take.status, [_wire(name, value) for name, value in headers if name.lower() not in _OWN])
    pieces, times = _pieces(cue, body)
    usage = (cue.heard.usage if cue.heard else None) or Usage(prompt, sum(piece.tokens for piece in pieces))
    if take.status != 200 and take.end == "done" and head is not None:
        pieces, times, head = [Raw(take.status, head.headers, body)], [take.ended], None
    moments: Sequence[float] = [time / speed for time in times]
    if profile is not None and head is not None:
        moments = redrawn(pieces, profile, dice, seed)
    return Plan(pieces, moments, usage, take=cue.place, head=head)


def _wire(name: str, value: str) -> tuple[bytes, bytes]:
    return name.encode("latin-1", "replace"), value.encode("latin-1", "replace")


def _fresh(name: str, value: str, dice: Dice) -> str:
    return new_id(value, dice) if name.lower().endswith("request-id") and is_id(value) else value


def _pieces(cue: Cue, body: bytes) -> tuple[list[Piece], list[float]]:
    """A piece for each event and each frame, with what it says, and the end as it was."""
    take = cue.take
    pieces: list[Piece] = []
    times: list[float] = []
    if take.end == "error" or not take.status:
        return [Drop()], [take.ended]
    segments = _streamed(cue) if cue.stream else _whole(cue)
    start = 0
    for end, moment, text, tokens in segments:
        pieces.append(Verbatim(body[start:end], text, tokens))
        times.append(moment)
        start = end
    if not pieces:  # the head alone came
        pieces.append(Verbatim(b""))
        times.append(take.begun or 0.0)
    stop = cue.heard.stop if cue.heard else Stop.END
    pieces.append(End(stop) if take.end == "done" else Drop(reset=False))
    times.append(times[-1] if take.end == "done" else max(take.ended, times[-1]))
    return pieces, times


Segment = tuple[int, float, str, int]
"""Where it ends in the body, when it came, what it says, how many tokens that is."""


def _streamed(cue: Cue) -> Iterator[Segment]:
    frames = cue.take.frames
    words: dict[int, list[str]] = {}
    for word in cue.heard.words if cue.heard else ():
        words.setdefault(word.at, []).append(word.text)
    ends = [end for end in accumulate(len(frame.data) for frame in frames) if end]
    places = sorted({*words, *ends})
    for place, moment in zip(places, arrivals(frames, places), strict=True):
        yield place, moment, "".join(words.get(place, ())), 1 if place in words else 0


def _whole(cue: Cue) -> Iterator[Segment]:
    """All of it, once it is there."""
    frames, heard = cue.take.frames, cue.heard
    text = "".join(word.text for word in heard.words if word.kind != "thought") if heard else ""
    tokens = (heard.usage.completion if heard and heard.usage else 0) or 1
    if frames:
        yield len(cue.body), frames[-1].at, text, tokens


def redrawn(pieces: Sequence[Piece], profile: Profile, dice: Dice, seed: int) -> array[float]:
    """Moments from a profile for pieces that are words or not: what is no word comes with the next one."""
    count = sum(piece.tokens for piece in pieces)
    drawn = profile.times(max(1, count), dice.fork("times"), seed)
    moments, at = array("d"), 0
    for piece in pieces:
        at += piece.tokens
        place = at - 1 if piece.tokens else at
        moments.append(drawn[min(max(0, place), len(drawn) - 1)])
    return moments


def failure(cue: Cue) -> Failure:
    """An error on the tape, for the words of another API."""
    heard = cue.heard.failure if cue.heard else None
    told = cue.take.header("retry-after")
    after = float(told) if told.replace(".", "", 1).isdigit() else None
    return Failure.of_status(cue.take.status, heard.message if heard else None, after)


def retimed(cue: Cue, pieces: Sequence[Piece], speed: float) -> array[float]:
    """When pieces that say what a take says are due: each when the take had said as much."""
    words = cue.heard.words if cue.heard else []
    moments = arrivals(cue.take.frames, [word.at for word in words]) if cue.stream else [cue.take.ended] * len(words)
    said = list(accumulate(len(word.text) for word in words))
    end = cue.take.ended
    times, signs = array("d"), 0
    for piece in pieces:
        signs += len(piece.text) if isinstance(piece, Say) else 0
        place = bisect_left(said, signs) if isinstance(piece, Say) else len(said) - 1
        moment = moments[min(max(0, place), len(moments) - 1)] if moments else end
        times.append(max(moment / speed, times[-1] if times else 0.0))
    return times
