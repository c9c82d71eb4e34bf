"""The console over a server elsewhere: the same keys, felt by the same clients, and honest when the line is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from llmsim_tui.remote import RemoteBackend, Unfit, read_settings
from tui.stage import Stage, stage

from llmsim.clock import ToldClock
from llmsim.match import Match
from llmsim.server.config import Config
from llmsim.server.serve import Runner

ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    runner = Runner(Config(port=0, latency_profile="instant", target_tokens=8))
    await runner.start()
    yield runner
    await runner.stop(grace=0)


@asynccontextmanager
async def attached(runner: Runner, size: tuple[int, int] = (120, 40), **options: object) -> AsyncIterator[Stage]:
    """The console over the server, brought up to date by hand."""
    backend = RemoteBackend(runner.url, **options)  # type: ignore[arg-type]
    await backend.pull()
    async with stage(size, backend=backend, seconds=0) as console:
        yield console
    await backend.stop()


async def see(console: Stage, words: str) -> str:
    """The screen, once it shows the words."""
    for _ in range(50):
        await console.backend.pull()
        await console.backend.sifted()
        await console.tick()
        if words in console.text():
            break
    assert words in console.text()
    return console.text()


async def ask(runner: Runner, **more: object) -> int:
    async with httpx.AsyncClient(base_url=runner.url, timeout=60) as client:
        return (await client.post("/v1/chat/completions", json={**ASK, **more})).status_code


async def test_a_storm_armed_from_afar_is_felt_by_clients_seen_on_the_chart_and_undone(runner: Runner) -> None:
    async with attached(runner) as console:
        assert "REMOTE" in console.lines()[0]
        await console.press("1")
        assert [one.label for one in runner.simulator.settings.faults] == ["429 storm"]
        assert {await ask(runner) for _ in range(12)} == {200, 429}
        shown = await see(console, "429 storm")
        assert "▼" in shown
        await console.press("u")
        assert runner.simulator.settings.faults == ()
        assert "429 storm" not in console.lines()[0]
        await console.press("U")
        assert len(runner.simulator.settings.faults) == 1
        await console.on_bar("lift all")
        assert runner.simulator.settings.faults == ()
        await console.on_line("2 500 burst")
        assert [one.label for one in runner.simulator.settings.faults] == ["500 burst"]
    assert {event.who.split()[0] for event in runner.simulator.events.after(0)} == {"console"}


async def test_a_request_is_inspected_and_made_a_mock_that_answers_the_next_one(runner: Runner) -> None:
    async with attached(runner) as console:
        await ask(runner)
        await see(console, "gpt-4o")
        await console.press("enter")
        await see(console, "made by: generator")
        await console.press("escape")
        await console.press("M")
        await see(console, "like-1")
        console.fill("name: greeting\nwhen: {text: hello}\nreply: Hi there")
        await console.press("ctrl+s")
        (mock,) = runner.simulator.settings.mocks
        assert mock.name == "greeting"
        await ask(runner)
        await console.press("m")
        await see(console, "2 of the last 2 requests would have been answered by a mock")


async def test_an_event_over_there_gives_the_command_that_makes_its_change_again(runner: Runner) -> None:
    async with attached(runner) as console:
        await console.press("1")
        await see(console, "429 storm")
        console.one("#events").focus()
        await console.press("enter")
        shown = await see(console, "llmsim/faults/pad-1")
        assert f"curl -X PUT 'http://{console.backend.address}/llmsim/faults/pad-1'" in shown
        assert console.app.clipboard.startswith("curl -X PUT")
        assert list(await console.backend.calls(9999)) == []


async def test_a_filter_is_judged_over_there_also_by_texts_that_the_console_does_not_have(runner: Runner) -> None:
    async with attached(runner) as console:
        for words in ("hello", "refund please", "hello"):
            await ask(runner, messages=[{"role": "user", "content": words}])
        await see(console, "3 · follow")
        await console.press("slash")
        await console.write("text:refund")
        await console.press("enter")
        await see(console, "1 · follow")
        sift = console.backend.sift(Match("model:gpt*"))
        assert sift.look(2) == (True, False)
        await console.backend.sifted()
        assert sift.look(2) == (False, True)
        assert sift.look(99) is None


async def test_a_reply_is_paused_stepped_and_cut_from_afar(runner: Runner) -> None:
    runner.simulator.change(latency_profile="gpt4", target_tokens=200)
    async with attached(runner) as console, httpx.AsyncClient(base_url=runner.url, timeout=60) as client:
        async with client.stream("POST", "/v1/chat/completions", json={**ASK, "stream": True}) as reply:
            lines = reply.aiter_lines()
            await anext(lines)
            backend = console.backend
            await backend.pull()
            assert await backend.act(1, "pause")
            backend.streams(10)
            await backend.pull()
            (stream,) = backend.streams(10)
            assert stream.state == "paused"
            assert await backend.act(1, "step")
            assert await backend.act(1, "cut")
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                async for _ in lines:
                    pass
        assert not await backend.act(1, "cut")
        assert not await backend.act(99, "pause")


async def test_what_an_intercept_set_from_afar_holds_is_seen_and_let_go_here(runner: Runner) -> None:
    async with attached(runner) as console:
        await console.press("i")
        await console.write("model:gpt*")
        await console.press("enter")
        asked = [asyncio.create_task(ask(runner)) for _ in range(3)]
        await see(console, "3 HELD")
        assert "a release" in console.lines()[-1]
        await console.press("home", "a")
        await see(console, "2 HELD")
        await console.press("down", "x", *"429", "enter")
        await see(console, "1 HELD")
        await console.press("A")
        assert sorted([await one for one in asked]) == [200, 200, 429]
        await console.press("0")
        assert runner.simulator.settings.faults == ()


async def test_latency_limits_rates_and_a_scenario_go_through_the_same_screens(runner: Runner, tmp_path) -> None:
    file = tmp_path / "calm.yaml"
    file.write_text("phases: [{name: calm, for: 60s}]\nsteps: [{at: 30s, ramp: {setting: speed, to: 2, for: 5s}}]\n")
    async with attached(runner) as console:
        backend = console.backend
        await console.press("l", "end", "a")
        assert runner.simulator.settings.latency_profile == "custom"
        await console.press("u", "escape", "L", "a")
        console.fill("name: free\nrpm: 3\nper: [key]")
        await console.press("ctrl+s")
        assert [one.name for one in runner.simulator.settings.limits] == ["free"]
        await ask(runner)
        await see(console, "free")
        assert await backend.drain("free") == 1
        assert await ask(runner) == 429
        assert await backend.refill() == 1
        await console.press("escape")
        await backend.begin_scenario(str(file))
        assert runner.control.playing is not None
        assert backend.playing().phase == "calm"
        assert (await backend.recorded())["steps"]
        assert await backend.stop_scenario()
        assert not await backend.stop_scenario()
        assert "1 client" in (await backend.verdict())[0]
        assert await backend.preview(Match("model:gpt*")) == (2, 2)


async def test_two_consoles_that_change_profiles_lose_nothing_of_each_other(runner: Runner) -> None:
    async with attached(runner) as console:
        backend = console.backend
        await backend.change(profiles={"a": {"ttft": {"mean": 5}}})
        runner.simulator.change(profiles={**runner.simulator.settings.profiles, "b": backend.profiles()["a"]})
        await backend.change(profiles={**backend.settings().profiles, "c": backend.profiles()["a"]})
        assert set(runner.simulator.settings.profiles) == {"a", "b", "c"}
        await backend.change(profiles={})
        assert not runner.simulator.settings.profiles


# -- what may not be


async def test_a_read_only_server_says_so_and_no_key_changes_it() -> None:
    runner = Runner(Config(port=0, read_only=True))
    await runner.start()
    async with attached(runner) as console:
        assert "READ ONLY" in console.lines()[0]
        await console.press("1")
        assert console.toasts()[-1].startswith("This server is read-only for you")
    await runner.stop(grace=0)


async def test_a_token_for_looking_and_a_console_that_only_watches_change_nothing() -> None:
    runner = Runner(Config(port=0, control_token="all", watch_token="look"))
    await runner.start()
    async with attached(runner, token="look") as console:
        await console.press("1")
        assert console.toasts()[-1].startswith("This server is read-only for you")
    async with attached(runner, token="all", watches=True) as console:
        await console.press("1")
        assert console.toasts()[-1].startswith("This console only watches")
    async with attached(runner, token="all") as console:
        await console.press("1")
        assert len(runner.simulator.settings.faults) == 1
    await runner.stop(grace=0)


# -- what is not there


async def served(answer: bytes) -> tuple[asyncio.Server, str]:
    """A server that answers everything with the same bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def answered(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        status.encode(),
        len(body),
        body,
    )


REFUSED = answered("403 Forbidden", b'{"error": {"message": "only programs ...; they need the token"}}')
OLDER = answered("404 Not Found", b'{"error": {"message": "there is nothing at /llmsim/console"}}')
OTHER = answered("404 Not Found", b'{"detail": "Not Found"}')
NEWER = answered("200 OK", b'{"format": 9, "version": "9.0", "run": "", "pulse": {}, "first": 0, "last": 0}')
NONE = answered("200 OK", b"[]")


@pytest.mark.parametrize(
    ("answer", "token", "words"),
    [
        (REFUSED, "", "wants its token: --token TOKEN, or LLMSIM_CONTROL_TOKEN"),
        (REFUSED, "wrong", "does not take this token"),
        (OLDER, "", "older than consoles that attach"),
        (OTHER, "", "has no control API of llmsim: it answers with status 404"),
        (NEWER, "", "the server is llmsim 9.0"),
        (NONE, "", "is no llmsim server"),
    ],
)
async def test_what_cannot_be_attached_to_is_said_in_a_sentence(answer: bytes, token: str, words: str) -> None:
    server, url = await served(answer)
    backend = RemoteBackend(url, token)
    await backend.pull()
    assert words in backend.away
    assert isinstance(backend.failure, Unfit)
    await backend.stop()
    server.close()
    await server.wait_closed()


async def test_a_server_that_is_gone_leaves_a_dated_picture_and_its_return_is_seen(runner: Runner) -> None:
    clock, port = ToldClock(), int(runner.address.rpartition(":")[2])
    backend = RemoteBackend(runner.url, clock=clock)
    await backend.pull()
    async with stage((120, 40), backend=backend, seconds=0) as console:
        await ask(runner)
        await see(console, "gpt-4o")
        await runner.stop(grace=0)
        await backend.pull()
        await clock.advance(3)
        await console.tick()
        safety = console.lines()[0]
        assert "DISCONNECTED" in safety
        assert "as of " in safety
        assert console.app.screen.has_class("-stale")
        assert "gpt-4o" in console.text()
        assert "The server is away" in backend.locked
        await console.press("1")
        assert console.toasts()[-1].startswith("The server is away, so that nothing can be changed")
        again = Runner(Config(port=port))
        await again.start()
        await backend.pull()
        await console.tick()
        assert "DISCONNECTED" not in console.lines()[0]
        assert backend.numbers() == (0, -1)
        assert [one.text for one in backend.happenings(-1)][-1] == "the server has been started anew"
        await again.stop(grace=0)
    await backend.stop()


async def test_a_replica_that_is_cut_off_from_its_cluster_says_so_at_any_width_until_it_is_back(runner: Runner) -> None:
    state = {"replica": "1a2b", "redis": "follows"}
    runner.control.cluster = lambda: {"cluster": state}
    for width in (120, 80, 60):
        async with attached(runner, (width, 24)) as console:
            for redis, said in (("follows", ""), ("lost", "redis lost"), ("looks for its leader", "no leader")):
                state["redis"] = redis
                await console.backend.pull()
                await console.press("1")
                assert ("REMOTE, " in console.lines()[0]) is bool(said)
                assert said in console.lines()[0]
            state["redis"] = "leads"
            await console.backend.pull()
            await console.tick()
            assert "REMOTE, " not in console.lines()[0]


async def test_a_picture_of_another_replica_is_told_of_as_such(runner: Runner) -> None:
    backend = RemoteBackend(runner.url)
    await backend.pull()
    backend.run = "the leader's"
    runner.control.cluster = lambda: {"cluster": {"replica": "1a2b", "redis": "lost", "why": "refused"}}
    await backend.pull()
    assert [one.text for one in backend.happenings(-1)][-1] == "what is shown is now as replica 1a2b knows it"
    await backend.stop()


async def test_silence_is_no_news(runner: Runner) -> None:
    clock = ToldClock()
    backend = RemoteBackend(runner.url, clock=clock)
    await backend.pull()
    assert not backend.stale
    await clock.advance(2.5)
    assert backend.stale
    assert backend.pulse().state == "disconnected"
    await backend.stop()


async def test_it_asks_a_few_times_a_second_and_ever_less_often_of_a_server_that_is_gone(runner: Runner) -> None:
    clock = ToldClock()
    backend = RemoteBackend(runner.url, clock=clock)
    asked = []

    async def pull() -> None:
        asked.append(clock.now())

    backend.pull = pull  # type: ignore[method-assign]
    backend._problem = ""
    backend.start()
    await clock.advance(1.0)
    assert 3 <= len(asked) <= 5
    backend._problem, backend._tries = "gone", 10
    await clock.advance(20.0)
    assert len(asked) <= 9
    await backend.stop()


def test_settings_of_another_release_are_read_as_far_as_they_are_known() -> None:
    settings, odd = read_settings({"speed": 2.0, "gravity": 9.81, "seed": "none", "rpm": 5}, ())
    assert settings is not None
    assert (settings.speed, settings.rpm, settings.seed) == (2.0, 5, 0)
    assert odd == "settings of another release are not shown: gravity, seed"


@pytest.mark.parametrize("url", ["ftp://here", "http://", "http://h:x"])
def test_what_is_no_address_is_said_by_the_flag(url: str) -> None:
    from llmsim.errors import LlmsimError

    with pytest.raises(LlmsimError, match=r"^--attach: "):
        RemoteBackend(url)
