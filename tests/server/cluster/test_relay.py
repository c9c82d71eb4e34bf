"""What a client is told by whom, while the worker that keeps what it asks for is being started again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from llmsim.clock import ToldClock
from llmsim.server.cluster.relay import App, Away, Relays
from llmsim.server.cluster.worker import WorkerApplication
from llmsim.settings import Settings
from llmsim.simulator import Simulator

STARTED_AGAIN = "The server that keeps this is being started again. Please try again in a moment."


class _Peer:
    gone, room = False, None

    def __init__(self, tell: Callable[..., None]) -> None:
        self.tell = tell


class End(Relays):
    """One end of a relay; what it tells the other end is heard there at once."""

    def __init__(self, app: App | None = None) -> None:
        super().__init__()
        self.app = app
        self.peer: Any = _Peer(self._tell)
        self.other: End

    def _tell(self, kind: str, *told: Any) -> None:
        getattr(self.other, f"on_{kind}")(self.other.peer, *told)

    def app_for(self, target: str) -> App:
        if self.app is None:
            raise Away
        return self.app


def ends(app: App | None) -> End:
    """The client's end of two."""
    near, far = End(), End(app)
    near.other, far.other = far, near
    return near


def worker(hand: Callable[..., Any], *, taped: bool = False) -> httpx.AsyncClient:
    """A client of a worker that keeps nothing itself."""
    simulator = Simulator(Settings(latency_profile="instant"), clock=ToldClock())
    app = WorkerApplication(simulator)
    app.link = SimpleNamespace(  # type: ignore[assignment]
        keeper=False, taped=taped, simulator=simulator, peer=None, hand=hand, elsewhere=lambda *_: True
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://llmsim")


async def away(*_: Any) -> None:
    raise Away


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/v1/responses", {"input": "x"}, {"type": "server_error", "message": STARTED_AGAIN}),
        ("/v1/messages", {"messages": []}, {"type": "api_error", "message": STARTED_AGAIN}),
        (
            "/v1beta/models/gemini-2.5-pro:generateContent",
            {"cachedContent": "cachedContents/1"},
            {"code": 503, "status": "UNAVAILABLE", "message": STARTED_AGAIN},
        ),
    ],
)
async def test_a_client_is_told_in_its_providers_own_words_to_come_again(
    path: str, body: dict[str, Any], error: dict[str, Any]
) -> None:
    async with worker(away) as client:
        answer = await client.post(path, json=body)
        assert answer.status_code == 503
        told = answer.json()["error"]
        assert error.items() <= told.items()
        assert answer.headers.get("retry-after") == (None if "status" in error else "1")  # Google sends none


async def test_while_a_tape_answers_all_it_is_told_of_any_path() -> None:
    async with worker(away, taped=True) as client:
        for path in ("/v1/chat/completions", "/v1/nothing"):
            answer = await client.post(path, json={})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["error"]["message"] == STARTED_AGAIN


async def test_that_nobody_could_serve_it_comes_back_over_the_relay() -> None:
    near = ends(None)
    with pytest.raises(Away):
        await near.hand(near.peer, "keeper", {"type": "http"}, _never, _nothing)


async def test_who_is_gone_before_the_first_word_is_away_and_after_it_has_cut() -> None:
    begins = asyncio.Event()

    async def half(scope: Any, receive: Any, send: Any) -> None:
        await begins.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    for started, raised in ((False, Away), (True, ConnectionResetError)):
        near = ends(half)
        sent = asyncio.Event()

        async def send(message: Any, sent: asyncio.Event = sent) -> None:
            sent.set()

        served = asyncio.ensure_future(near.hand(near.peer, "keeper", {"type": "http"}, _never, send))
        await asyncio.sleep(0)
        if started:
            begins.set()
            await sent.wait()
        near.on_lost(near.peer)
        near.other.on_lost(near.other.peer)
        with pytest.raises(raised):
            await served


async def test_a_call_of_the_control_api_is_told_in_its_own() -> None:
    near, sent = ends(None), list[Any]()

    async def send(message: Any) -> None:
        sent.append(message)

    await near.relay(near.peer, "control", {"type": "http"}, _never, send)
    assert sent[0]["status"] == 503
    assert b"try once more in a moment" in sent[1]["body"]


async def _never() -> Any:
    return await asyncio.Event().wait()


async def _nothing(message: Any) -> None:
    raise AssertionError(message)
