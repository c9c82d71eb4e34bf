"""Keeps what passes through of one exchange, decoded and within bounds, until it is written as a take."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from llmsim.server.record import codings, hops
from llmsim.tapes import End, Frame, Take

_FRAME = 100
"""Bytes that a frame costs besides its own."""

Pairs = Iterable[tuple[bytes, bytes]]


class Room:
    """Bytes that all exchanges under way may keep together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0


class Body:
    """One body: its frames as they are to be read; of one that is too large or cannot be decoded only its length."""

    def __init__(self, limit: int, room: Room, coding: str = "") -> None:
        self.frames: list[Frame] = []
        self.size = 0
        self.left_out = 0
        self.problem = ""
        self._limit, self._room = limit, room
        self._held = 0
        self._coding: codings.Coding | None = None
        try:
            self._coding = codings.coding(coding)
        except codings.Unread as error:
            self.problem = str(error)

    def add(self, at: float, data: bytes) -> None:
        """Keeps what has come."""
        self.size += len(data)
        if self.problem:
            return
        try:
            told = self._coding.feed(data, self._limit) if self._coding else data
        except codings.Unread as error:
            self._drop(f"it cannot be decoded: {error}")
            return
        if not told:
            return
        cost = len(told) + _FRAME
        if self._held + cost > self._limit + _FRAME or self._room.taken + cost > self._room.limit:
            self._drop("it is over the limit of what is recorded")
            return
        self._held += cost
        self._room.taken += cost
        self.frames.append(Frame(at, told))

    def _drop(self, why: str) -> None:
        self.problem = why
        self.frames.clear()
        self.free()

    def free(self) -> None:
        """Gives back the room that it took."""
        self._room.taken -= self._held
        self._held = 0

    @property
    def lost(self) -> int:
        """Bytes that are not kept."""
        return self.size if self.problem else 0


@dataclass(slots=True)
class Keeper:
    """One exchange while it passes; `sent` is the moment its request went out, `wall` the same as people count."""

    method: str
    path: str
    query: str
    headers: Pairs
    asked: Body
    limit: int
    room: Room
    upstream: str = ""
    provider: str = ""
    dialect: str = ""
    beside: int = 0
    sent: float = 0.0
    wall: float = 0.0
    status: int = 0
    begun: float | None = None
    answer_headers: Pairs = ()
    coding: str = ""
    answered: Body | None = None
    error: str = ""
    own: list[str] = field(default_factory=list)

    def begin(self, at: float, status: int, headers: Pairs) -> Body:
        """The head of the response has come; gives what its body is kept in."""
        told = list(headers)
        self.begun, self.status, self.answer_headers = at, status, told
        self.coding = ", ".join(v.decode("latin-1") for n, v in told if n.lower() == b"content-encoding")
        self.answered = body = Body(self.limit, self.room, self.coding)
        return body

    def take(self, end: End, ended: float) -> Take:
        """What is known of it, as a take that is not masked yet."""
        answered = self.answered or Body(0, self.room)
        problems = [f"the {name} is left out: {one.problem}" for name, one in self._bodies() if one.problem]
        return Take(
            id=f"{int(self.wall * 1000):012x}-{secrets.token_hex(4)}",
            at=self.wall,
            method=self.method,
            path=self.path,
            query=self.query,
            upstream=self.upstream,
            provider=self.provider,
            dialect=self.dialect,
            request_headers=hops.taped(self.headers),
            request_body=b"".join([frame.data for frame in self.asked.frames]),
            status=self.status,
            headers=hops.taped(self.answer_headers),
            begun=self.begun,
            frames=tuple(answered.frames),
            end=end,
            ended=ended,
            error="; ".join((*([self.error] if self.error else []), *problems)),
            coding=self.coding,
            beside=self.beside,
            left_out=self.asked.lost + answered.lost,
        )

    def _bodies(self) -> list[tuple[str, Body]]:
        there = [("request's body", self.asked)]
        return there if self.answered is None else [*there, ("response's body", self.answered)]

    def free(self) -> None:
        """Gives back the room that its bodies took."""
        for _, body in self._bodies():
            body.free()
