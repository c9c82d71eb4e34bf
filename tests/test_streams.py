"""Answers without a server are the answers of the server."""

from __future__ import annotations

import orjson
import pytest

import llmsim
from llmsim import Refused, Settings, SettingsError, Simulator, ToldClock
from llmsim.errors import LlmsimError

ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}


def events(data: bytes) -> list[str]:
    return [line.removeprefix("data: ") for line in data.decode().split("\n") if line]


async def collect(**settings) -> bytes:
    simulator = Simulator(Settings(latency_profile="instant", **settings))
    return b"".join([part async for part in llmsim.stream(ASK, simulator=simulator)])


async def test_a_stream_says_the_text_token_by_token_and_ends_with_done():
    told = events(await collect(generator="fixed:Hello there"))
    assert told[-1] == "[DONE]"
    text = [orjson.loads(event)["choices"][0]["delta"].get("content") for event in told[:-1]]
    assert text == ["", "Hello", " there", None]


async def test_a_whole_reply_says_the_same():
    simulator = Simulator(Settings(latency_profile="instant", generator="fixed:Hello there"))
    reply = orjson.loads(await llmsim.whole(ASK, simulator=simulator))
    assert reply["choices"][0]["message"]["content"] == "Hello there"
    assert simulator.meter.live == {}


async def test_a_cut_stream_ends_without_its_end():
    data = await collect(generator="fixed:Hello there", faults=[{"kind": "cut", "after_tokens": 1}])
    assert b"Hello" in data
    assert b"[DONE]" not in data


async def test_a_whole_reply_that_is_cut_is_no_reply():
    simulator = Simulator(Settings(latency_profile="instant", faults=[{"kind": "cut", "after_tokens": 1}]))
    with pytest.raises(LlmsimError, match="was cut"):
        await llmsim.whole(ASK, simulator=simulator)
    assert simulator.journal.get(1).state == "dropped"


async def test_a_failure_in_mid_stream_is_told():
    fault = {"kind": "refuse", "status": 503, "after_tokens": 1}
    assert "overloaded" in events(await collect(faults=[fault]))[-1]


async def test_what_the_provider_refuses_is_refused():
    with pytest.raises(Refused) as refused:
        await llmsim.whole({**ASK, "messages": []})
    assert refused.value.failure.code == "empty_array"
    with pytest.raises(Refused) as refused:
        await llmsim.whole(ASK, simulator=Simulator(Settings(server_error_rate=1)))
    assert refused.value.failure.status == 500


async def test_an_unknown_dialect_is_named_with_those_there_are():
    with pytest.raises(LlmsimError, match=r"there is no .klingon.; there are .*openai_chat"):
        await llmsim.whole(ASK, dialect="klingon")
    with pytest.raises(LlmsimError, match="has no generations"):
        await llmsim.whole(ASK, dialect="openai_models")


async def test_a_stream_keeps_its_moments():
    clock = ToldClock()
    simulator = Simulator(Settings(latency_profile="gpt4", generator="fixed:one two three"), clock=clock)
    got: list[bytes] = []

    async def read() -> None:
        got.extend([part async for part in llmsim.stream(ASK, simulator=simulator)])

    import asyncio

    reading = asyncio.get_running_loop().create_task(read())
    await clock.advance(0.1)
    assert got == []
    await clock.advance(10)
    await reading
    assert simulator.journal.get(1).ended == pytest.approx(simulator.journal.get(1).plan.times[-1], abs=0.002)


def test_settings_errors_are_value_errors_too():
    assert issubclass(SettingsError, ValueError)
