"""A player writes what is due when it is due, waits for a client that does not read, and ends as the plan says."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest

from llmsim import tokens
from llmsim.clock import ToldClock
from llmsim.server.handlers import Application
from llmsim.server.outlet import WIRE
from llmsim.settings import Settings
from llmsim.simulator import Simulator

# One token each second, the first after two.
STEADY: Any = {"ttft": {"kind": "fixed", "mean": 2000}, "tbt": {"kind": "fixed", "mean": 1000}}


class Wire:
    """The transport of a connection; ending it ends the client's connection."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.how = ""

    def close(self) -> None:
        self.how = "closed"
        self.client.gone.set()

    abort = close

    def get_extra_info(self, name: str) -> None:
        return None


class Client:
    """A client in this very process; notes what it gets and at which moment."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.clock = app.simulator.clock
        self.start: dict[str, Any] = {}
        self.got: list[tuple[float, bytes]] = []
        self.whole = False
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = asyncio.Event()
        self.wire = Wire(self)

    @property
    def words(self) -> list[tuple[float, int]]:
        """The moments of writes, and how many words came in each."""
        return [(moment, data.count(b'"content":"') - data.count(b'"content":""')) for moment, data in self.got]

    async def send(self, message: Any) -> None:
        if not self.reads.is_set():
            await self.reads.wait()
        if message["type"] == "http.response.start":
            self.start = message
            return
        if message["body"]:
            self.got.append((self.clock.now(), message["body"]))
        self.whole = not message["more_body"]
        if self.whole:
            self.gone.set()

    @contextlib.asynccontextmanager
    async def asking(self, stream: bool = True, **fields: Any) -> AsyncIterator[Client]:
        body: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "stream": stream, **fields}
        messages = [{"type": "http.request", "body": orjson.dumps(body), "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await self.gone.wait()
            return {"type": "http.disconnect"}

        path = "/v1/chat/completions"
        scope: Any = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": []}
        scope["extensions"] = {WIRE: self.wire}
        task = asyncio.ensure_future(self.app(scope, receive, self.send))
        await self.app.simulator.clock.advance(0)  # type: ignore[attr-defined]
        try:
            yield self
        finally:
            self.gone.set()
            await task


@pytest.fixture
def app() -> Iterator[Application]:
    """An application with a told clock; nothing may be left of its requests in the end."""
    tokens.preload()
    settings = Settings.model_validate(
        {"generator": "fixed:one two three four", "latency_profile": "steady", "profiles": {"steady": STEADY}}
    )
    app = Application(Simulator(settings, clock=ToldClock()))
    yield app
    assert not app.players
    assert not app.simulator.meter.live


@pytest.fixture
def clock(app: Application) -> ToldClock:
    assert isinstance(app.simulator.clock, ToldClock)
    return app.simulator.clock


@pytest.fixture
def client(app: Application) -> Client:
    return Client(app)


async def test_each_word_is_written_at_its_moment(client: Client, clock: ToldClock) -> None:
    async with client.asking():
        await clock.advance(10)
    assert client.words == [(2, 1), (3, 1), (4, 1), (5, 1)]
    assert client.whole


async def test_words_that_are_due_together_are_one_write(client: Client, clock: ToldClock, app: Application) -> None:
    app.simulator.change(latency_profile="instant")
    async with client.asking():
        pass
    assert client.words == [(0, 4)]


async def test_a_whole_reply_comes_when_its_last_word_is_due(client: Client, clock: ToldClock) -> None:
    async with client.asking(stream=False):
        await clock.advance(4.9)
        assert not client.start
        await clock.advance(0.2)
    assert [moment for moment, _ in client.got] == [5]
    assert client.start["status"] == 200


async def test_speed_reaches_replies_under_way(client: Client, clock: ToldClock, app: Application) -> None:
    async with client.asking():
        await clock.advance(2)
        app.simulator.change(speed=0)
        await clock.advance(100)
        assert client.words == [(2, 1)]
        app.simulator.change(speed=2)
        await clock.advance(10)
    assert client.words == [(2, 1), (102.5, 1), (103, 1), (103.5, 1)]


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_reply_that_begins_while_time_stands_still_waits(
    client: Client, clock: ToldClock, app: Application, streamed: bool
) -> None:
    app.simulator.change(speed=0)
    async with client.asking(stream=streamed):
        await clock.advance(100)
        assert not client.start
        app.simulator.change(speed=1)
        await clock.advance(5)
    assert client.whole


async def test_a_client_that_does_not_read_is_not_written_to(
    client: Client, clock: ToldClock, app: Application
) -> None:
    async with client.asking():
        await clock.advance(2)
        client.reads.clear()
        await clock.advance(50)
        assert client.words == [(2, 1)]
        client.reads.set()
        await clock.advance(1)
    # The write that found the socket full, then all that had become due in one.
    assert [count for _, count in client.words] == [1, 1, 2]
    assert client.whole


async def test_a_client_that_does_not_read_keeps_nobody_waiting(
    client: Client, clock: ToldClock, app: Application
) -> None:
    other = Client(app)
    client.reads.clear()
    async with client.asking(), other.asking():
        await clock.advance(10)
        assert other.words == [(2, 1), (3, 1), (4, 1), (5, 1)]
        assert client.words == []
        (slow,) = app.players.values()
        assert len(slow.outlet._queue) <= 1


async def test_a_client_that_never_reads_and_leaves_is_let_go(client: Client, clock: ToldClock) -> None:
    client.reads.clear()
    async with client.asking():
        await clock.advance(10)
    assert [one.state for one in client.app.simulator.journal] == ["abandoned"]


async def test_pausing_a_client_that_does_not_read_loses_nothing(
    client: Client, clock: ToldClock, app: Application
) -> None:
    async with client.asking():
        await clock.advance(2)
        client.reads.clear()
        await clock.advance(2)
        app.simulator.change(speed=0)
        client.reads.set()
        await clock.advance(10)
        app.simulator.change(speed=1)
        await clock.advance(10)
    assert sum(count for _, count in client.words) == 4
    assert client.whole


@pytest.mark.parametrize(("action", "state"), [("cut", "dropped"), ("fail", "failed")])
@pytest.mark.parametrize("streamed", [True, False])
async def test_one_reply_can_be_ended_by_hand(
    client: Client, clock: ToldClock, app: Application, action: str, state: str, streamed: bool
) -> None:
    async with client.asking(stream=streamed):
        await clock.advance(3)
        (exchange,) = app.simulator.meter.live.values()
        assert app.simulator.act(exchange.number, action)
        await clock.advance(1)
        assert exchange.state == state
    assert client.wire.how == ("closed" if action == "cut" else "")


async def test_a_reset_comes_after_the_words_have_gone_out(client: Client, clock: ToldClock, app: Application) -> None:
    app.simulator.arm({"kind": "cut", "after_tokens": 1})
    async with client.asking():
        await clock.advance(3)
        assert client.words == [(2, 1)]
        assert client.wire.how == ""
        await clock.advance(0.05)
        assert client.wire.how == "closed"


async def test_a_change_of_speed_does_not_keep_a_reset_from_coming(
    client: Client, clock: ToldClock, app: Application
) -> None:
    app.simulator.arm({"kind": "cut", "after_tokens": 1})
    async with client.asking():
        await clock.advance(3.005)
        app.simulator.change(speed=3)
        await clock.advance(1)
        assert client.wire.how == "closed"
    assert [one.state for one in app.simulator.journal] == ["dropped"]


async def test_a_whole_reply_that_is_cut_promises_more_than_it_sends(
    client: Client, clock: ToldClock, app: Application
) -> None:
    app.simulator.arm({"kind": "cut", "after_tokens": 2})
    async with client.asking(stream=False):
        await clock.advance(10)
    promised = int(dict(client.start["headers"])[b"content-length"])
    assert 0 < sum(len(data) for _, data in client.got) < promised
    assert client.wire.how == "closed"


async def test_an_error_while_playing_ends_the_reply(
    client: Client, clock: ToldClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(*_: Any) -> bytes:
        raise RuntimeError("the encoder fell")

    with caplog.at_level(logging.ERROR):
        async with client.asking():
            await clock.advance(2)
            monkeypatch.setattr("llmsim.dialects.openai_chat.ChatEncoder.following", fall)
            await clock.advance(2)
    assert [one.state for one in client.app.simulator.journal] == ["dropped"]
    assert "the encoder fell" in caplog.text


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_server_that_stops_tells_replies_under_way(
    client: Client, clock: ToldClock, app: Application, streamed: bool
) -> None:
    async with client.asking(stream=streamed):
        await clock.advance(3)
        assert app.desk.finish() == 1
    last = client.got[-1][1]
    assert b"The server is shutting down." in last
    assert client.whole
    assert client.start["status"] == (200 if streamed else 503)


async def test_a_server_that_stops_takes_no_more_requests(client: Client, app: Application) -> None:
    app.desk.stopping = True
    async with client.asking():
        pass
    assert client.start["status"] == 503
    assert b"The server is shutting down." in client.got[0][1]
