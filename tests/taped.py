"""Records a simulator on a told clock, as a recorder in front of it would: tapes with known times, and no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from llmsim.clock import ToldClock
from llmsim.dialects import Headers, Request
from llmsim.server.desk import ServerDesk
from llmsim.settings import Settings
from llmsim.simulator import Simulator
from llmsim.tapes import Frame, Take

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
RESPONSES = "/v1/responses"
GEMINI = "/v1beta/models/gemini-2.5-flash:generateContent"
GEMINI_STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
HEADERS = {b"authorization": b"Bearer sk-test", b"x-api-key": b"sk-test", b"anthropic-version": b"2023-06-01"}


def post(path: str, body: Mapping[str, Any] | bytes, query: str = "", **headers: str) -> Request:
    """A request as a client sends it."""
    told = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return Request("POST", path, query, {**HEADERS, **told}, data)


class Ear:
    """Where a reply goes: notes its bytes with their moments."""

    blocked = False

    def __init__(self, clock: ToldClock) -> None:
        self._clock, self.sent = clock, clock.now()
        self.started = False
        self.status = 0
        self.headers: Headers = []
        self.begun: float | None = None
        self.frames: list[Frame] = []
        self.end = ""
        self.ended = 0.0

    def start(self, status: int, headers: Headers, length: int | None = None) -> None:
        self.started, self.status, self.headers = True, status, list(headers)
        self.begun = self._clock.now() - self.sent

    def body(self, data: bytes, more: bool) -> None:
        if data:
            self.frames.append(Frame(self._clock.now() - self.sent, data))
        if not more:
            self._over("done")

    def part(self, data: bytes) -> None:
        self.body(data, True)

    def sever(self, reset: bool) -> None:
        self._over("cut" if self.started else "error")

    def shut(self) -> None:
        """Nothing is kept."""

    def _over(self, how: str) -> None:
        self.end, self.ended = how, self._clock.now() - self.sent

    @property
    def told(self) -> bytes:
        return b"".join(frame.data for frame in self.frames)


def serving(settings: Settings | None = None, **fields: Any) -> ServerDesk:
    """A desk over a simulator on a told clock, whose wall clock stands at a round second."""
    return ServerDesk(Simulator(settings or Settings(**fields), clock=ToldClock()))


async def asked(desk: ServerDesk, *requests: Request, apart: float | None = None) -> list[Ear]:
    """What each request is answered with, one after the other, or that many seconds apart."""
    clock = desk.clock
    assert isinstance(clock, ToldClock)
    ears = []
    for request in requests:
        found = desk.routes.find(request)
        assert found is not None, request.path
        dialect, route = found
        ear = Ear(clock)
        exchange = desk.begin(dialect, route, request, desk.read(dialect, route, request))
        desk.player(dialect, route, request, exchange, ear).begin()
        ears.append(ear)
        await clock.advance(7200.0 if apart is None else apart)
    await clock.advance(7200.0)
    return ears


def take(desk: ServerDesk, request: Request, ear: Ear, **fields: Any) -> Take:
    """The take that a recorder makes of it."""
    found = desk.routes.find(request)
    assert found is not None
    told: dict[str, Any] = {
        "id": f"take-{ear.sent:.3f}",
        "at": ear.sent + 1_700_000_000.0,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "upstream": found[0].provider,
        "provider": found[0].provider,
        "dialect": found[0].kind,
        "request_headers": tuple((name.decode(), value.decode()) for name, value in request.headers.items()),
        "request_body": request.body,
        "status": ear.status,
        "headers": tuple((name.decode(), value.decode("latin-1")) for name, value in ear.headers),
        "begun": ear.begun,
        "frames": tuple(ear.frames),
        "end": ear.end or "left",
        "ended": ear.ended,
    }
    return Take(**{**told, **fields})


def recorded(settings: Settings, *requests: Request, apart: float | None = None) -> list[Take]:
    """The takes of a tape on which these requests were recorded."""

    async def record() -> list[Take]:
        desk = serving(settings)
        ears: Sequence[Ear] = await asked(desk, *requests, apart=apart)
        return [take(desk, request, ear) for request, ear in zip(requests, ears, strict=True)]

    return asyncio.run(record())
