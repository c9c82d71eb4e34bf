"""The console and its server in one loop, driven by the keyboard on one side and by OpenAI's SDK on the other."""

from __future__ import annotations

import asyncio

import openai
import pytest
from llmsim_tui.app import LlmsimApp
from llmsim_tui.local import LocalBackend

from llmsim.server.config import Config
from llmsim.server.serve import Runner

ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
async def runner():
    runner = Runner(Config(port=0, latency_profile="fast", target_tokens=8))
    await runner.start()
    yield runner
    await runner.stop(grace=0)


@pytest.fixture
async def client(runner):
    async with openai.AsyncOpenAI(base_url=f"{runner.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


async def refused(client: openai.AsyncOpenAI, tries: int = 30) -> int:
    """How many of the tries were answered 429."""
    count = 0
    for _ in range(tries):
        try:
            await client.chat.completions.create(**ASK)
        except openai.RateLimitError:
            count += 1
    return count


async def test_a_storm_armed_and_lifted_at_the_keyboard_is_felt_by_the_clients(runner, client):
    app = LlmsimApp(LocalBackend(runner.simulator, runner.address))
    async with app.run_test(size=(120, 40)) as pilot:
        assert await refused(client, 5) == 0
        await pilot.press("1")
        await pilot.pause()
        assert [one.label for one in runner.simulator.settings.faults] == ["429 storm"]
        assert 10 <= await refused(client) <= 29
        await pilot.press("0")
        await pilot.pause()
        assert runner.simulator.settings.faults == ()
        assert await refused(client) == 0
        await pilot.press("u")
        await pilot.pause()
        assert len(runner.simulator.settings.faults) == 1
    assert [event.text.split(" ")[0] for event in runner.simulator.events.after(0)] == ["armed", "lifted", "undone:"]


async def test_latency_applied_in_the_console_changes_the_next_reply(runner, client):
    app = LlmsimApp(LocalBackend(runner.simulator, runner.address))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("l")
        await pilot.pause()
        await pilot.press("end")
        await pilot.press("a")
        await pilot.pause()
        applied = runner.simulator.settings
        assert applied.latency_profile == "custom"
        await pilot.press("u")
        await pilot.pause()
        assert runner.simulator.settings.latency_profile == "fast"
        await pilot.press("escape")
    slow = applied.profiles["custom"]
    assert slow.ttft.mean > 1000
    await client.chat.completions.create(**ASK)


async def test_speed_reaches_replies_under_way(runner, client):
    runner.simulator.change(latency_profile="gpt4", target_tokens=400)
    app = LlmsimApp(LocalBackend(runner.simulator, runner.address))
    async with app.run_test(size=(120, 40)) as pilot:
        stream = await client.chat.completions.create(**ASK, stream=True)
        chunks = 0
        async for _ in stream:
            chunks += 1
            if chunks == 3:
                await pilot.press(">", ">", ">", ">", ">")
                await pilot.pause()
                assert runner.simulator.settings.speed > 1
                runner.simulator.change(speed=1000)
        assert chunks > 400
        assert runner.simulator.journal.get(1).state == "done"


async def test_a_stream_is_seen_in_the_panel_while_it_runs(runner, client):
    runner.simulator.change(latency_profile="gpt4o", target_tokens=60, speed=5.0)
    backend = LocalBackend(runner.simulator, runner.address)
    stream = await client.chat.completions.create(**ASK, stream=True)
    text = ""
    async for chunk in stream:
        text += chunk.choices[0].delta.content or ""
        if text:
            break
    (line,) = backend.streams(10)
    assert line.state == "streaming"
    assert text in line.text
    assert line.planned == 60
    await stream.close()


async def test_everything_the_inspector_shows_is_there_for_an_ended_request(runner, client):
    runner.simulator.arm({"kind": "refuse", "status": 503, "label": "overload"})
    with pytest.raises(openai.InternalServerError):
        await client.chat.completions.create(**ASK)
    backend = LocalBackend(runner.simulator, runner.address)
    first, last = backend.numbers()
    detail = backend.detail(last)
    assert (first, last) == (1, 1)
    assert detail is not None
    assert detail["row"].outcome == "failed"
    assert detail["row"].faults == ("overload",)
    assert '"hello"' in detail["request"]["body"]
    assert any("overload" in line for line in detail["why"])


async def test_a_blocking_client_in_a_thread_feels_the_storm_and_its_end(runner):
    def ask() -> str:
        with openai.OpenAI(base_url=f"{runner.url}/v1", api_key="sk-test", max_retries=0) as client:
            return client.chat.completions.create(**ASK).choices[0].message.content or ""

    app = LlmsimApp(LocalBackend(runner.simulator, runner.address))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("e", "1")
        await pilot.pause()
        await pilot.press("end", "enter", "1")
        await pilot.pause()
        with pytest.raises(openai.RateLimitError) as refusal:
            await asyncio.to_thread(ask)
        assert refusal.value.response.headers["retry-after"] == "1"
        await pilot.press("1")
        await pilot.pause()
        assert await asyncio.to_thread(ask)
    first, second = (runner.simulator.journal.get(number) for number in (1, 2))
    assert (first.status, second.status) == (429, 200)
    assert first.plan.faults == ("429 storm",)


async def test_a_wait_typed_in_the_latency_dialog_is_what_the_next_reply_is_planned_with(runner, client):
    app = LlmsimApp(LocalBackend(runner.simulator, runner.address))
    async with app.run_test(size=(120, 40)) as pilot:
        await client.chat.completions.create(**ASK)
        await pilot.press("l")
        await pilot.pause()
        await pilot.press(*"300", "enter", "down", *"0", "enter", "down", "right", "right", "right", "right", "a")
        await pilot.pause()
        await client.chat.completions.create(**ASK)
        await pilot.press("u", "escape")
        await pilot.pause()
        await client.chat.completions.create(**ASK)
    before, shaped, after = (runner.simulator.journal.get(number).plan for number in (1, 2, 3))
    assert shaped.times[0] == pytest.approx(0.3, abs=0.02)
    assert max(before.times[0], after.times[0]) < 0.1
    assert (before.profile, shaped.profile, after.profile) == ("fast", "custom", "fast")


async def test_the_safety_line_says_when_the_server_is_stopping(runner):
    app = LlmsimApp(backend := LocalBackend(runner.simulator, runner.address, runner.control), fps=0)
    async with app.run_test(size=(120, 40)) as pilot:
        assert backend.pulse().state == "serving"
        runner.app.desk.stopping = True
        app.tick()
        await pilot.pause()
        assert "STOPPING" in app.screen_stack[0].query_one("#safety").render_line(0).text


async def test_a_scenario_begun_at_the_console_is_the_one_that_the_control_api_tells_of(runner, tmp_path):
    file = tmp_path / "calm.yaml"
    file.write_text("phases: [{name: calm, for: 60s}]\n", "utf-8")
    backend = LocalBackend(runner.simulator, runner.address, runner.control)
    await backend.begin_scenario(str(file))
    assert runner.control.playing is not None
    assert runner.control.playing.phase == "calm"
    assert await backend.stop_scenario()
