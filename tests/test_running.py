"""`llmsim.running()` and `llmsim.transport()`: a simulator in this process, for tests of any kind."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading

import httpx
import httpx2
import openai
import pytest

import llmsim
from llmsim.clock import ToldClock
from llmsim.server.config import Config
from llmsim.server.serve import Runner
from llmsim.simulator import Simulator
from llmsim.testing.environment import pointing_to
from llmsim.testing.thread import LoopThread

HELLO = [{"role": "user", "content": "Hello"}]
LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2])
SLOW = {"slow": {"ttft": {"kind": "fixed", "mean": 0}, "tbt": {"kind": "fixed", "mean": 3_600_000}}}


@pytest.fixture
def sim():
    with llmsim.running(generator="echo") as sim:
        yield sim


@pytest.fixture
def transport():
    with llmsim.transport() as transport:
        yield transport


def client_of(place, **options):
    """An OpenAI client of a server, or of a transport."""
    if isinstance(place, llmsim.Running):
        return openai.OpenAI(base_url=place.openai_url, api_key="any", max_retries=0, **options)
    return openai.OpenAI(api_key="any", max_retries=0, http_client=httpx.Client(transport=place), **options)


def ask(place, text="Hello", **fields):
    with client_of(place) as client:
        asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **fields}
        return client.chat.completions.create(**asked).choices[0].message.content


# -- its life


def test_nothing_is_left_behind():
    threads, threshold, frozen = threading.active_count(), gc.get_threshold(), gc.get_freeze_count()
    with llmsim.running() as sim:
        port = int(sim.url.rpartition(":")[2])
        assert threading.active_count() > threads
        ask(sim)
    assert threading.active_count() == threads
    assert gc.get_threshold() == threshold
    assert gc.get_freeze_count() <= frozen  # of what the run itself has frozen some is gone by now
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert sim.requests[0].model == "gpt-4o"
    sim.verify("model:gpt-4o", times=1)


async def test_async_with_beside_another_loop():
    async with (
        llmsim.running(generator="echo") as sim,
        openai.AsyncOpenAI(base_url=sim.openai_url, api_key="any") as client,
    ):
        replies = [client.chat.completions.create(model="gpt-4o", messages=HELLO) for _ in range(5)]
        told = [reply.choices[0].message.content for reply in await asyncio.gather(*replies)]
    assert told == ["Hello"] * 5


async def test_a_server_that_is_a_guest_leaves_the_collector_alone():
    clock = ToldClock()
    runner = Runner(Config(port=0), Simulator(clock=clock))
    threshold = gc.get_threshold()
    starting = asyncio.ensure_future(runner.start())
    while not starting.done():
        await clock.advance(0.01)
        await asyncio.sleep(0.001)
    await clock.advance(60)
    assert gc.get_threshold() == threshold
    await runner.stop(grace=0)


def test_a_reply_under_way_does_not_hold_up_the_end():
    with llmsim.running(profiles=SLOW, latency_profile="slow") as sim, client_of(sim) as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        next(iter(stream))
        assert sim.requests[0].outcome == "live"
        assert sim.requests[0].text == "Hello"
        sim.stop()
        with pytest.raises(openai.APIError, match="shutting down"):
            list(stream)


def test_the_environment_of_the_tests_is_not_asked(monkeypatch):
    monkeypatch.setenv("LLMSIM_TARGET_TOKENS", "nonsense")
    monkeypatch.setenv("LLMSIM_PORT", "1")
    with llmsim.running() as sim:
        assert sim.simulator.settings.target_tokens == 100


def test_settings_that_cannot_be_are_refused_in_a_sentence():
    threads = threading.active_count()
    with pytest.raises(llmsim.SettingsError, match="target_tokens: 0 is not allowed"):
        llmsim.running(target_tokens=0).start()
    with pytest.raises(llmsim.SettingsError, match="nonsense: there is no such setting"):
        llmsim.running(nonsense=1).start()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(llmsim.LlmsimError, match="cannot listen on"):
        llmsim.running(port=taken.getsockname()[1]).start()
    assert threading.active_count() == threads


def test_it_says_when_it_does_not_run():
    sim = llmsim.running()
    with pytest.raises(RuntimeError, match="does not run yet"):
        sim.mock("", "Hi.")
    sim.stop()
    with sim, pytest.raises(RuntimeError, match="runs once"):
        sim.start()


def test_a_thread_can_begin_again():
    thread = LoopThread("test")
    for _ in range(2):
        thread.start()
        thread.start()
        assert thread.call(threading.current_thread).name == "test"
        assert thread.call(lambda: thread.call(lambda: 1)) == 1
        thread.stop()
        thread.stop()
    assert thread.call(threading.current_thread) is threading.current_thread()
    with pytest.raises(RuntimeError, match="does not run"):
        thread.run(asyncio.sleep(0))


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "internal")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "real")
    before = dict(os.environ)
    with pointing_to("http://127.0.0.1:1"):
        assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "internal,127.0.0.1,localhost,::1"
        assert "ANTHROPIC_AUTH_TOKEN" not in os.environ
        with pointing_to("http://127.0.0.1:2"):
            assert os.environ["NO_PROXY"] == "internal,127.0.0.1,localhost,::1"
    assert dict(os.environ) == before


# -- rules


@pytest.fixture(params=["sim", "transport"])
def place(request):
    """A server or a transport: both have the same controls."""
    return request.getfixturevalue(request.param)


def test_the_newest_mock_goes_first(place):
    place.mock(reply="For all.")
    with place.mock("text:hello", "For some.") as rule:
        assert [ask(place), ask(place, "Bye")] == ["For some.", "For all."]
        assert repr(rule) == "<mock mock-2, 1 hits>"
    rule.remove()
    assert ask(place) == "For all."
    place.mock("text:hello", "Not so soon.", priority=-1)
    assert ask(place) == "For all."


def test_replies_of_every_form(place):
    place.mock("text:turns", ["one", {"text": "two"}], then="loop")
    assert [ask(place, "turns") for _ in range(3)] == ["one", "two", "one"]
    place.mock("text:json", json={"age": 3})
    assert ask(place, "json") == '{"age":3}'
    place.mock({"text": "mapping"}, {"text": "Cut"}, finish="length")
    with client_of(place) as client:
        asked = [{"role": "user", "content": "mapping"}]
        assert client.chat.completions.create(model="gpt-4o", messages=asked).choices[0].finish_reason == "length"
    place.mock("text:once", "Once.", times=1, name="once")
    assert [ask(place, "once") == "Once." for _ in range(2)] == [True, False]
    place.mock("text:oops", error={"status": 503, "message": "Not today."})
    with pytest.raises(openai.InternalServerError, match="Not today"):
        ask(place, "oops")


def test_faults_of_every_form(place):
    with place.fail(429, times=1, when="model:gpt-4o", retry_after=7) as rule:
        with pytest.raises(openai.RateLimitError) as caught:
            ask(place)
        assert caught.value.response.headers["retry-after"] == "7"
        assert ask(place)
    assert rule.hits == 1
    with place.fail({"kind": "refuse", "status": 400}), pytest.raises(openai.BadRequestError):
        ask(place)
    for reset in ("true", "false"):
        with place.fail(f"cut after_tokens=1 reset={reset}"), pytest.raises(openai.APIConnectionError):
            ask(place)
    assert place.requests[-1].outcome == "cut"
    assert ask(place)
    assert place.verdict().requests == len(place.requests)


@pytest.mark.parametrize(
    ("say", "told"),
    [
        (lambda place: place.mock("tex:x", "y"), "mock: when: .*there is no such condition"),
        (lambda place: place.mock("x", "y", nothing=3), "mock: nothing: there is no such setting"),
        (lambda place: place.mock("x"), "mock: a mock has either reply or replies"),
        (lambda place: place.mock("x", ["a"], finish="length"), "mock: finish: with several replies"),
        (lambda place: [place.mock("x", "a", name="a") for _ in range(2)], "the name 'a' comes twice"),
        (lambda place: place.fail("nope"), "there is no fault 'nope'"),
        (lambda place: place.fail(418), "418 is not allowed"),
        (lambda place: place.fail(429, when="status:3"), "only the journal has it"),
        (lambda place: place.change(nope=2), "nope: there is no such setting"),
        (lambda place: place.requests.matching("nope:2"), "there is no such condition"),
        (lambda place: place.verify(times="often"), "times: 'often' is not allowed"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(transport, say, told):
    with pytest.raises(llmsim.SettingsError, match=told):
        say(transport)


# -- questions


def test_what_is_seen_of_a_request(place):
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    messages = [{"role": "system", "content": "Be brief."}, *HELLO]
    place.mock("tool:get_weather", "Hi.")
    ask(place, messages=messages, tools=[tool], extra_headers={"X-Team": "blue", "x-llmsim-client": "tester"})
    (seen,) = place.requests
    assert (seen.provider, seen.api, seen.path) == ("openai", "openai_chat", "/v1/chat/completions")
    assert (seen.model, seen.key, seen.client, seen.stream, seen.attempt) == ("gpt-4o", "any", "tester", False, 0)
    assert (seen.text, seen.system, seen.tools) == ("Hello", "Be brief.", ["get_weather"])
    assert [message.role for message in seen.messages] == ["system", "user"]
    assert seen.headers["x-team"] == "blue"
    assert seen.body["messages"] == messages
    assert seen.raw.startswith(b"{")
    assert (seen.status, seen.outcome, seen.reply, seen.mock, seen.faults) == (200, "ok", "Hi.", "mock-1", ())
    assert seen.usage.completion > 0
    assert repr(seen) == "<#1 gpt-4o 'Hello' -> 200 'Hi.' by mock-1>"


def test_what_is_seen_steers_no_terminal_and_tells_no_secret(sim):
    hostile = "\x1b]0;x\x07\n\u202e\x00[/b]sk-proj-abcdefghijklmnop" + "x" * 100_000
    sim.mock("", "Hi.", name="\x1b[2J\n")
    ask(sim, hostile, model=hostile)
    httpx.post(f"{sim.openai_url}/none%1b[2J%0a", content=b"")
    told = "".join(map(repr, sim.requests))
    assert told.isprintable()
    assert "\\x1b]0;x\\x07\\n\\u202e" in told
    assert r"by \x1b[2J\n" in told
    assert "efghij" not in told
    assert len(told) < 1_000


def test_a_part_of_what_was_seen(place):
    for text in ("a refund", "hello", "another refund"):
        ask(place, text)
    assert [one.text for one in place.requests.matching("text:refund")] == ["a refund", "another refund"]
    assert place.requests.matching("text:refund").matching("another")[0].number == 3
    assert place.verify("text:refund", times="2..3", of_clients=1).seen == 2
    with pytest.raises(AssertionError, match=r"expected no request with text:refund, saw 2 \(#1, #3\)"):
        place.verify("text:refund", times=0)


def test_what_is_no_json_is_seen_too(sim):
    told = httpx.post(f"{sim.openai_url}/chat/completions", content=b"{nonsense")
    (seen,) = sim.requests
    assert (told.status_code, seen.status, seen.body, seen.raw) == (400, 400, None, b"{nonsense")
    assert "/v1/chat/completions" in repr(seen)


def test_a_reset_leaves_nothing_but_the_settings_of_the_start(place):
    before = place.simulator.settings
    place.mock("", "Hi.", times=1)
    place.fail(500, when="text:never")
    place.change(target_tokens=3)
    ask(place)
    place.reset()
    assert place.simulator.settings == before
    assert place.requests == []
    place.mock("", "Hi.", times=1)
    assert ask(place) == "Hi."


def test_many_threads_may_say_something_at_once(sim):
    def work(number: int) -> None:
        with sim.mock(f"text:=call{number}", f"reply{number}"):
            told.append(ask(sim, f"call{number}") == f"reply{number}")

    told: list[bool] = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [True] * 8
    assert sim.simulator.settings.mocks == ()


# -- without a socket


@LIBRARIES
def test_a_sync_client_streams_without_a_socket(transport, library, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", None)
    monkeypatch.setattr(socket.socket, "bind", None)
    transport.mock("", "One two three.")
    with openai.OpenAI(api_key="any", http_client=library.Client(transport=transport)) as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "One two three."
        assert client.models.retrieve("gpt-4o").id == "gpt-4o"
    assert transport.requests[0].reply == "One two three."
    assert not any(thread.name == "llmsim transport" for thread in threading.enumerate())


@LIBRARIES
async def test_an_async_client_gets_each_part_as_it_comes(transport, library):
    transport.change(profiles=SLOW, latency_profile="slow")
    async with openai.AsyncOpenAI(api_key="any", http_client=library.AsyncClient(transport=transport)) as client:
        stream = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        assert transport.requests[0].outcome == "live"
        await stream.close()
    assert transport.requests[0].outcome == "abandoned"
    assert not transport.app.players


@LIBRARIES
async def test_an_async_client_feels_every_fault(transport, library):
    async with library.AsyncClient(transport=transport, base_url="http://any") as client:
        body = {"model": "gpt-4o", "messages": HELLO}
        for fault, error in (
            ("cut after_tokens=0", library.ReadError),
            ("cut after_tokens=0 reset=false", library.RemoteProtocolError),
            ("timeout", library.ReadTimeout),
        ):
            with transport.fail(fault), pytest.raises(error):
                await client.post("/v1/chat/completions", json=body, timeout=0.05)
        assert (await client.post("/v1/chat/completions", json=body)).status_code == 200
        assert (await client.head("/health")).content == b""


def test_a_transport_goes_from_loop_to_loop(transport):
    async def leave_early() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://any") as client:
            body = {"model": "gpt-4o", "messages": HELLO, "stream": True}
            async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
                async for _ in answer.aiter_raw():
                    break

    transport.change(profiles=SLOW, latency_profile="slow")
    asyncio.run(leave_early())
    transport.change(
        profiles={"brief": {"tbt": {"kind": "fixed", "mean": 1}}}, latency_profile="brief", target_tokens=3
    )
    assert ask(transport)
    asyncio.run(leave_early())


def test_two_loops_at_once_are_refused(transport):
    transport.change(profiles=SLOW, latency_profile="slow")

    async def other() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://any") as client:
            await client.get("/v1/models")

    with client_of(transport) as client:
        stream = client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
        with pytest.raises(RuntimeError, match="one event loop at a time"):
            asyncio.run(other())
        stream.close()


async def test_a_told_clock_without_a_socket(simulator, clock):
    transport = llmsim.transport(simulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://any") as client:
        body = {"model": "gpt-4o", "messages": HELLO}
        reply = asyncio.ensure_future(client.post("/v1/chat/completions", json=body))
        await clock.advance(0.13)
        assert not reply.done()
        await clock.advance(0.02)
        assert (await reply).status_code == 200
