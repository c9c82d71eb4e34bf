"""A reply as it will be: pieces, the moments they are due, what it all costs, before the first byte is sent."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal, NamedTuple, Self

import orjson

from llmsim.conversation import Stop, ToolCall
from llmsim.errors import Failure

_APART = 2e-6
"""Seconds between pieces that are told apart: above what a timer may come early by."""

HowGarbled = Literal["malformed", "truncated", "broken"]


class Piece:
    """One token's worth of something; carries no time, so that it can be shared between plans.

    `choice` is the index of the alternative it belongs to, `tokens` the number of tokens it stands for.
    """

    __slots__ = ("choice", "tokens")

    def __init__(self, tokens: int = 0, choice: int = 0) -> None:
        self.tokens = tokens
        self.choice = choice

    def __repr__(self) -> str:
        """The kind and the values, as tests and logs show them."""
        names = [name for base in type(self).__mro__ for name in getattr(base, "__slots__", ())]
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        """Pieces are values."""
        return type(other) is type(self) and repr(other) == repr(self)

    __hash__ = None  # type: ignore[assignment]


class Say(Piece):
    """A token of the reply's text."""

    __slots__ = ("text",)

    def __init__(self, text: str, tokens: int = 1, choice: int = 0) -> None:
        super().__init__(tokens, choice)
        self.text = text

    @property
    def json(self) -> bytes:
        """The text's JSON form; not kept, as what orjson gives holds on to its buffer of 4 KB."""
        return orjson.dumps(self.text)


class Think(Say):
    """A token of thinking, shown to the client or not as its dialect has it."""

    __slots__ = ()


class Decline(Say):
    """A token of a refusal to answer."""

    __slots__ = ()


class Call(Say):
    """A fragment of a tool call's arguments; the call's first fragment has `opens` set."""

    __slots__ = ("call", "index", "opens")

    def __init__(self, call: ToolCall, index: int, text: str, tokens: int, opens: bool, choice: int = 0) -> None:
        super().__init__(text, tokens, choice)
        self.call = call
        self.index = index
        self.opens = opens


class Verbatim(Say):
    """Bytes of a recorded reply as they came: `data` with what it says, which may be nothing."""

    __slots__ = ("data",)

    def __init__(self, data: bytes, text: str = "", tokens: int = 0) -> None:
        super().__init__(text, tokens)
        self.data = data


class Part(Piece):
    """A part of a thing that is no words, which the dialect makes: the `index`-th; faults count it as a token."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        super().__init__(1)
        self.index = index


class End(Piece):
    """The ordinary end of one alternative; `sequence` is the stop sequence that ended it, if one did."""

    __slots__ = ("sequence", "stop")

    def __init__(self, stop: Stop, choice: int = 0, sequence: str | None = None) -> None:
        super().__init__(0, choice)
        self.stop = stop
        self.sequence = sequence


class Fail(Piece):
    """Bad news: the whole answer when it comes first, else an error told in the middle of the stream."""

    __slots__ = ("failure",)

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


class Raw(Piece):
    """The whole answer, byte by byte, in place of what a dialect would word: status, headers and body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        super().__init__()
        self.status = status
        self.headers = headers
        self.body = body


class Drop(Piece):
    """The connection goes: reset at once, or closed after what was written, without the ordinary end."""

    __slots__ = ("reset",)

    def __init__(self, reset: bool = True) -> None:
        super().__init__()
        self.reset = reset


class Garbled(Piece):
    """Another piece whose event does not arrive as it should."""

    __slots__ = ("how", "piece")

    def __init__(self, piece: Piece, how: HowGarbled) -> None:
        super().__init__(piece.tokens, piece.choice)
        self.piece = piece
        self.how = how


class Script(tuple[Piece, ...]):
    """Pieces that many plans share, with what dialects made of them once.

    `memo` holds that by the dialect's own key; `plain` says that there is one alternative of text alone, so that a
    dialect may take its fast way. A plan that a fault has touched has a list of its own in place of a script.
    """

    memo: dict[object, Any]

    def __new__(cls, pieces: Iterable[Piece]) -> Self:
        """The pieces, nothing made of them yet."""
        self = super().__new__(cls, pieces)
        self.memo = {}
        return self

    @cached_property
    def spent(self) -> array[int]:
        """Tokens in the first so many pieces, from none to all of them."""
        return array("L", accumulate((piece.tokens for piece in self), initial=0))

    @cached_property
    def plain(self) -> bool:
        """Whether it is text and its end, and nothing else."""
        return all(type(piece) is Say and not piece.choice for piece in self[:-1]) and type(self[-1]) is End


@dataclass(slots=True, frozen=True)
class Usage:
    """Tokens in and out; `thinking` is part of `completion`, `cached` part of `prompt`."""

    prompt: int = 0
    completion: int = 0
    thinking: int = 0
    cached: int = 0


class Head(NamedTuple):
    """The status and the headers of a reply that is played byte by byte."""

    status: int
    headers: list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Plan:
    """Pieces and, beside them, the moments they are due in seconds from the start; never changed once made.

    `origin` says who made the reply, `notes` why the plan is as it is, one line each, `faults` which faults touched
    it, by the names that people gave them, and `struck` the same by id; `mock` is the mock that answered, `take` the
    place on a tape, and `head` is there where that is played byte by byte. With
    `hides_thinking` the client is not shown the thinking, so that faults do not count it; `streamed` says that each
    piece is an event of its own. `content_type` stands in place of the dialect's, `drip` is the most bytes a second
    that the line carries, 0 for any. `load` is the latency profile whose slots and cache have a say, where one has;
    `pauses` are waits, from one moment of the plan to another, that no load makes longer. `hold` is how long all of it
    is kept back before it begins, in seconds, unless it is let go.
    """

    pieces: Sequence[Piece]
    times: Sequence[float]
    usage: Usage = field(default_factory=Usage)
    origin: str = ""
    profile: str = ""
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    struck: tuple[str, ...] = ()
    mock: str = ""
    hides_thinking: bool = False
    streamed: bool = False
    content_type: str = ""
    drip: float = 0.0
    load: Any = None
    pauses: tuple[tuple[float, float], ...] = ()
    take: str = ""
    head: Head | None = None
    hold: float = 0.0

    @property
    def failure(self) -> Failure | None:
        """The failure that is the whole answer, if the plan is one."""
        first = self.pieces[0] if self.pieces else None
        return first.failure if isinstance(first, Fail) else None

    @property
    def end(self) -> float:
        """The moment of the last piece."""
        return self.times[-1] if self.times else 0.0

    def cut_after(self, tokens: int, *tail: tuple[Piece, float]) -> Plan:
        """The plan up to that many tokens, then the tail: pieces with their delays after the moment of the cut."""
        place = self.place(tokens)
        moment = self.times[place] if place < len(self.times) else self.end
        at = place if tokens else 0
        return replace(
            self,
            pieces=[*self.pieces[:at], *(piece for piece, _ in tail)],
            times=[*self.times[:at], *(moment + delay for _, delay in tail)],
        )

    def apart(self, index: int) -> Plan:
        """The plan in which what is due together with that piece follows it one by one, 2 µs apart."""
        if index + 1 >= len(self.times) or self.times[index + 1] >= self.times[index] + _APART:
            return self
        times = list(self.times)
        for later in range(index + 1, len(times)):
            if times[later] >= times[later - 1] + _APART:
                break
            times[later] = times[later - 1] + _APART
        return replace(self, times=times)

    def place(self, tokens: int) -> int:
        """The index of the first piece that the client sees after that many tokens."""
        for index, piece in enumerate(self.pieces):
            if self.seen(piece):
                if tokens <= 0:
                    return index
                tokens -= piece.tokens
        return len(self.pieces)

    def seen(self, piece: Piece) -> bool:
        """Whether the client is shown the piece."""
        return not (self.hides_thinking and type(piece) is Think)
