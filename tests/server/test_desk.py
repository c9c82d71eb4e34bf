"""Replies without a client, plain answers, things in parts: what the server does for dialects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from inprocess import ask
from running import Wire, nothing_left, running, until
from toy import Toy, toys

from llmsim.server import desk
from llmsim.server.handlers import Application
from llmsim.server.serve import Runner
from llmsim.settings import Settings
from llmsim.simulator import Simulator

WORDS = "fixed:one two three four"


@pytest.fixture
def toy() -> Iterator[type[Toy]]:
    with toys() as toy:
        yield toy


@pytest_asyncio.fixture
async def server(toy: type[Toy]) -> AsyncIterator[Runner]:
    async with running(generator=WORDS) as runner, nothing_left(runner):
        yield runner


# -- plain answers


async def test_a_plain_answer_is_an_exchange_like_any_other(server: Runner) -> None:
    told = await ask(server.app, "/toy/submit", {"text": "Hi"})
    assert told.json == {"begun": True}
    inner, outer = sorted(server.simulator.journal, key=lambda one: -one.number)
    assert (outer.ask.endpoint, outer.ask.parts, outer.status, outer.state) == ("/toy/submit", 0, 200, "done")
    assert (inner.ask.endpoint, inner.state) == ("/toy", "done")


async def test_a_plain_answer_has_the_status_it_says(server: Runner) -> None:
    number = (await ask(server.app, "/toy", {"detached": True})).json["number"]
    told = await ask(server.app, f"/toy/{number}", method="GET")
    assert told.status == 201
    assert told.json["state"] == "done"


async def test_a_plain_answer_may_be_a_refusal(server: Runner) -> None:
    told = await ask(server.app, "/toy/99", method="GET")
    assert (told.status, told.json) == (404, {"failure": "not_found", "message": "There is no such toy."})
    (exchange,) = server.simulator.journal
    assert (exchange.state, exchange.status) == ("failed", 404)


async def test_faults_hold_for_plain_answers(server: Runner) -> None:
    server.simulator.arm({"kind": "refuse", "status": 503})
    told = await ask(server.app, "/toy/submit", {"text": "Hi"})
    assert told.status == 503
    assert not list(Toy.submitted)


async def test_a_plain_answer_takes_no_time_of_a_model(server: Runner) -> None:
    server.simulator.change(latency_profile="silent")
    assert (await ask(server.app, "/toy/submit", {"text": "Hi"})).status == 200
    server.simulator.change(latency_profile="instant")
    for exchange in list(server.simulator.meter.live.values()):
        server.simulator.end(exchange, "abandoned")


async def test_unknown_models_are_no_matter_of_plain_answers_under_strict(server: Runner) -> None:
    server.simulator.change(strict=True)
    assert (await ask(server.app, "/toy/submit", {"text": "Hi"})).status == 200
    assert (await ask(server.app, "/toy/submit", {"text": "Hi"}, authorization="")).status == 401


# -- things in parts


async def test_a_thing_in_parts_is_timed_like_tokens(server: Runner) -> None:
    told = await ask(server.app, "/toy", {"parts": 3, "stream": True})
    assert told.body == b"data: open\n\ndata: <0>\n\ndata: <1>\n\ndata: <2>\n\ndata: .\n\ndata: close\n\n"
    (exchange,) = server.simulator.journal
    assert len(exchange.plan.times) == 4


async def test_a_cut_after_parts_counts_them_as_tokens(server: Runner) -> None:
    server.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2})
    told = await ask(server.app, "/toy", {"parts": 3, "stream": True})
    assert told.body == b"data: open\n\ndata: <0>\n\ndata: <1>\n\ndata: fail internal\n\n"


# -- early openings


async def test_an_early_stream_opens_before_its_first_token(server: Runner) -> None:
    server.simulator.change(latency_profile="silent")
    async with Wire.to(server) as wire:
        await wire.ask({"stream": True}, "/early")
        status, _ = await wire.head()
        assert (status, await wire.chunk()) == (200, b"data: open\n\n")


async def test_an_early_stream_without_latency_is_one_write(server: Runner) -> None:
    async with Wire.to(server) as wire:
        await wire.ask({"stream": True}, "/early")
        await wire.head()
        assert (await wire.chunk()).endswith(b"data: close\n\n")


FIRST = (
    {"kind": "refuse", "status": 500},
    {"kind": "timeout", "after_ms": 3_600_000},
    {"kind": "cut", "after_tokens": 0},
)


@pytest.mark.parametrize("fault", FIRST, ids=[str(fault["kind"]) for fault in FIRST])
async def test_an_early_stream_that_fails_first_does_not_open(server: Runner, fault: dict[str, Any]) -> None:
    server.simulator.arm(fault)
    async with Wire.to(server) as wire:
        await wire.ask({"stream": True}, "/early")
        if fault["kind"] == "refuse":
            assert (await wire.answer())[0] == 500
        elif fault["kind"] == "cut":
            with pytest.raises((ConnectionError, EOFError)):
                await wire.head()
        else:
            await until(lambda: server.simulator.meter.live)
            (live,) = server.simulator.meter.live.values()
            assert live.status == 0


# -- replies that go on by themselves


async def test_a_detached_reply_goes_on_without_its_client(server: Runner) -> None:
    server.simulator.change(latency_profile="glacial")
    told = await ask(server.app, "/toy", {"detached": True})
    number = told.json["number"]
    state = await ask(server.app, f"/toy/{number}", method="GET")
    assert state.json == {"state": "live", "said": ""}
    server.simulator.change(speed=1000.0)
    server.simulator.act(number, "cut")
    await until(lambda: Toy.over)
    assert Toy.over[0][0].number == number
    assert Toy.over[0][1] is None


async def test_the_dialect_is_told_the_whole_answer_of_a_detached_reply(server: Runner) -> None:
    await ask(server.app, "/toy", {"detached": True})
    ((exchange, answer),) = Toy.over
    assert answer is not None
    assert answer.body == b'{"said":"one two three four."}'
    assert exchange.state == "done"


async def test_a_detached_reply_that_fails_is_told_too(server: Runner) -> None:
    server.simulator.arm({"kind": "refuse", "status": 500, "after_tokens": 2})
    await ask(server.app, "/toy", {"detached": True})
    ((exchange, answer),) = Toy.over
    assert answer is not None
    assert (answer.status, exchange.state) == (500, "failed")


async def test_a_failure_that_comes_first_is_the_answer_to_who_asked(server: Runner) -> None:
    server.simulator.arm({"kind": "refuse", "status": 429})
    assert (await ask(server.app, "/toy", {"detached": True})).status == 429
    assert not Toy.over


async def test_a_detached_stream_is_followed_by_its_client(server: Runner) -> None:
    told = await ask(server.app, "/toy", {"detached": True, "stream": True})
    assert told.body == b"".join(
        b"data: %b\n\n" % word for word in (b"open", b"one", b" two", b" three", b" four", b".", b"close")
    )
    assert server.simulator.meter.tokens == 4


async def test_who_follows_later_gets_what_has_passed_at_once(server: Runner) -> None:
    server.simulator.change(latency_profile="glacial")
    number = (await ask(server.app, "/toy", {"detached": True})).json["number"]
    async with Wire.to(server) as wire:
        await wire.ask(b"", f"/toy/{number}/stream", method="GET")
        await wire.head()
        assert await wire.chunk() == b"data: open\n\ndata: one\n\n"
        await ask(server.app, f"/toy/{number}", method="DELETE")
        assert await wire.chunk() == b"data: fail unavailable\n\n"
    assert (await ask(server.app, f"/toy/{number}", method="GET")).json["state"] == "abandoned"


async def test_what_is_done_to_a_detached_reply_reaches_who_follows_it(server: Runner) -> None:
    server.simulator.change(latency_profile="glacial")
    async with Wire.to(server) as wire:
        await wire.ask({"detached": True, "stream": True}, "/toy")
        await wire.head()
        assert await wire.chunk() == b"data: open\n\ndata: one\n\n"
        detached = next(one for one in server.simulator.meter.live.values() if one.ask.detached)
        server.simulator.act(detached.number, "fail")
        assert await wire.chunk() == b"data: fail internal\n\n"


async def test_there_are_only_so_many_replies_without_a_client(server: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST_UNATTENDED", 1)
    server.simulator.change(latency_profile="silent")
    number = (await ask(server.app, "/toy", {"detached": True})).json["number"]
    assert (await ask(server.app, "/toy", {"detached": True})).status == 503
    await ask(server.app, f"/toy/{number}", method="DELETE")
    number = (await ask(server.app, "/toy", {"detached": True})).json["number"]
    await ask(server.app, f"/toy/{number}", method="DELETE")


async def test_a_server_that_stops_ends_detached_replies(toy: type[Toy]) -> None:
    async with running(generator=WORDS, latency_profile="silent") as runner:
        await ask(runner.app, "/toy", {"detached": True})
    ((exchange, answer),) = Toy.over
    assert answer is not None
    assert (answer.status, exchange.state) == (503, "failed")


# -- requests that dialects make themselves


async def test_a_submitted_request_is_served_like_a_clients(server: Runner) -> None:
    await ask(server.app, "/toy/submit", {"stream": True})
    (answer,) = Toy.submitted
    assert answer is not None
    assert (answer.status, answer.body) == (200, b'{"said":"one two three four."}')


async def test_a_submitted_request_may_be_refused(server: Runner) -> None:
    await ask(server.app, "/toy/submit", {"refuse": "No."})
    (answer,) = Toy.submitted
    assert answer is not None
    assert answer.status == 400


async def test_a_submitted_request_may_be_cut(server: Runner) -> None:
    server.simulator.change(latency_profile="glacial")
    await ask(server.app, "/toy/submit", {"text": "Hi"})
    (live,) = server.simulator.meter.live.values()
    server.simulator.act(live.number, "cut")
    await until(lambda: Toy.submitted)
    assert list(Toy.submitted) == [None]


async def test_a_submitted_request_for_no_api_is_not_begun(server: Runner) -> None:
    assert (await ask(server.app, "/toy/submit?path=/nowhere", {})).json == {"begun": False}


async def test_limits_and_faults_are_asked_once_about_a_detached_reply(server: Runner) -> None:
    server.simulator.change(rpm=1)
    assert (await ask(server.app, "/toy", {"detached": True})).status == 200
    assert (await ask(server.app, "/toy", {"detached": True})).status == 429
    server.simulator.change(rpm=None)
    server.simulator.arm({"kind": "refuse", "status": 500, "probability": 0.5})
    statuses = [(await ask(server.app, "/toy", {"detached": True})).status for _ in range(40)]
    assert len(Toy.over) == 1 + statuses.count(200)


async def test_what_is_public_needs_no_key_under_strict(server: Runner) -> None:
    server.simulator.change(strict=True)
    assert (await ask(server.app, "/toy/open", method="GET", authorization="")).status == 200
    assert (await ask(server.app, "/toy/9", method="GET", authorization="")).status == 401


async def test_a_file_may_be_longer_than_other_bodies(toy: type[Toy]) -> None:
    app = Application(Simulator(Settings()), body_limit=1024, upload_limit=4096)
    body = b'{"text": "%b"}' % (b"x" * 2000)
    assert (await ask(app, "/toy/upload", body)).status == 200
    assert (await ask(app, "/toy", body)).status == 413
    assert (await ask(app, "/toy/upload", body * 3)).status == 413
