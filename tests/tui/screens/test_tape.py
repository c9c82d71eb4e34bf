"""Real APIs recorded from the console: begun, seen and stopped by keys and mouse, here and on a server elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from llmsim_tui.local import LocalBackend
from llmsim_tui.remote import RemoteBackend
from llmsim_tui.screens.live import Live
from llmsim_tui.screens.tape import TapeStart, TapeWatch
from llmsim_tui.widgets.keybar import KeyBar
from running import running
from textual.widgets import Input, TextArea
from tui.real import simulated
from tui.stage import Stage, stage

from llmsim.server.serve import Runner
from llmsim.tapes import Tape

SIZES = [(60, 16), (80, 24), (120, 40)]
WRONG = [
    ("openai=ftp://there", "a.jsonl", "'ftp://there' is no address"),
    ("openai\nopenai=http://there", "a.jsonl", "upstreams: openai is given twice"),
    ("", "a.jsonl", "there must be an upstream"),
    ("openai", "", "tape: it must be the name of a file"),
    ("openai", "folder", "folder"),
    ("me={own}", "a.jsonl", "me is this server itself"),
]


@pytest.fixture
async def api() -> AsyncIterator[Runner]:
    """What stands for a real API."""
    async with running(target_tokens=4) as runner:
        yield runner


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    async with running(target_tokens=4) as runner:
        yield runner


@pytest.fixture(params=["embedded", "attached"])
async def backend(request: pytest.FixtureRequest, runner: Runner) -> AsyncIterator[Any]:
    if request.param == "embedded":
        yield LocalBackend(runner.simulator, runner.address, runner.control)
        return
    remote = RemoteBackend(runner.url)
    await remote.pull()
    yield remote
    await remote.stop()


async def look(console: Stage) -> str:
    """The screen with what is newest."""
    if console.backend.kind == "remote":
        await console.backend.pull()
    await console.tick()
    return console.text()


async def fill(console: Stage, upstreams: str, tape: object, masks: str = "") -> None:
    screen = console.app.screen
    screen.query_one("#upstreams", TextArea).text = upstreams
    screen.query_one("#tape", Input).value = str(tape)
    screen.query_one("#mask_patterns", TextArea).text = masks


async def ask(runner: Runner, text: str = "hello") -> int:
    """Asks for a stream: it ends when the exchange is on the tape."""
    body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": text}]}
    async with httpx.AsyncClient(base_url=runner.url, timeout=60) as client:
        return (await client.post("/v1/chat/completions", json=body)).status_code


async def press_bar(console: Stage, word: str) -> None:
    """Clicks the word on the key bar."""
    at = console.lines()[-1].index(word)
    await console.pilot.click(console.app.screen.query_one(KeyBar), offset=(at, 0))
    await console.settle()
    await console.tick()


async def test_real_apis_are_recorded_seen_and_stopped(
    backend: Any, runner: Runner, api: Runner, tmp_path: Path
) -> None:
    tape, by = tmp_path / "run.jsonl", "mouse" if backend.kind == "remote" else "keys"
    async with stage((120, 40), backend=backend, seconds=0) as console:
        await console.press("t")
        await fill(console, f"openai={api.url}\n\n", tape, "ACME-[0-9]+")
        await (console.press("ctrl+s") if by == "keys" else press_bar(console, "record"))
        assert isinstance(console.app.screen, Live)
        assert console.toasts()[-1].endswith("run.jsonl; t shows and stops it.")
        assert await ask(runner, "about ACME-4711 and more") == 200
        assert "REC APIs 1 exchanges → run.jsonl" in (await look(console)).splitlines()[0]
        assert "the real APIs answer, and nothing is listed here" in console.text()
        assert (api.simulator.journal.last, runner.simulator.journal.last) == (1, -1)
        await console.press("t")
        assert isinstance(console.app.screen, TapeWatch)
        assert f"openai  {api.url}" in console.text()
        assert "1: 1 done" in console.text()
        await (console.press("x") if by == "keys" else press_bar(console, "stop recording"))
        assert console.toasts()[-1].startswith("1 exchanges were recorded to ")
        assert "REC" not in (await look(console)).splitlines()[0]
        assert await ask(runner) == 200
    (take,) = Tape(tape)
    assert "ACME-4711" not in str(take)
    assert runner.simulator.journal.last == 1
    assert {one.who.split()[0] for one in runner.simulator.events.after(0) if one.kind == "recorder"} == {"console"}


async def test_what_stands_in_the_way_is_told_in_the_dialog_and_nothing_is_recorded(
    backend: Any, runner: Runner, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    async with stage((80, 24), backend=backend, seconds=0) as console:
        await console.press("t")
        for upstreams, tape, says in WRONG:
            await fill(console, upstreams.replace("{own}", runner.url), tape and tmp_path / tape)
            await console.press("ctrl+s")
            assert isinstance(console.app.screen, TapeStart)
            said = " ".join(console.text().replace("│", " ").split())
            assert says in said.partition("Nothing is recorded: ")[2]
            assert runner.app.recorder.told() is None
        await console.press("escape")
        assert isinstance(console.app.screen, Live)
    assert not (tmp_path / "a.jsonl").exists()


async def test_one_that_somebody_else_began_meanwhile_is_told_shown_and_stopped(
    backend: Any, runner: Runner, tmp_path: Path
) -> None:
    others = LocalBackend(runner.simulator, runner.address, runner.control)
    async with stage((80, 24), backend=backend, seconds=0) as console:
        await console.press("t")
        await others.begin_tape({"upstreams": {"openai": ""}, "tape": str(tmp_path / "theirs.jsonl")})
        await fill(console, "openai", tmp_path / "mine.jsonl")
        await console.press("ctrl+s")
        assert "it has to be stopped first" in " ".join(console.text().replace("│", " ").split())
        await console.press("escape", "t")
        assert "https://api.openai.com" in console.text()
        await others.end_tape()
        assert "Nothing is recorded any more" in await look(console)
        await console.press("x")
        assert console.toasts()[-1] == "Nothing was being recorded any more."
    assert not (tmp_path / "mine.jsonl").exists()


async def test_the_safety_line_says_that_real_apis_answer_at_any_width(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with stage((120, 40)) as console:
        console.backend.tape = {"exchanges": 12345, "tape": "/tapes/monday.jsonl.gz"}
        for size in SIZES:
            await console.resize(*size)
            assert "REC APIs 12.3k" in console.lines()[0]
            assert size[0] == 60 or "day.jsonl.gz" in console.lines()[0]
        await console.press("1", "2", "3", "R")
        for size in SIZES:
            await console.resize(*size)
            assert "REC APIs 12.3k" in console.lines()[0]
        assert "REC 0:0" in console.lines()[0]


async def test_the_providers_own_addresses_and_a_name_are_offered(runner: Runner) -> None:
    backend = LocalBackend(runner.simulator, runner.address, runner.control)
    async with stage((60, 16), backend=backend, seconds=0) as console:
        await console.press("t")
        for size in SIZES:
            await console.resize(*size)
            lines = console.text()
            assert "openai=https://api.openai.com" in lines
            assert "anthropic=https://api.anthropic.com" in lines
            assert "gemini=https://generativelanguage" in lines
            assert "tape-" in lines
            assert "^s record" in console.lines()[-1]
        await console.press("tab", "tab", "right")
        assert "of the server's environment" in console.text()


async def test_it_is_refused_in_words_where_it_cannot_be(runner: Runner) -> None:
    _, alone = simulated()
    async with stage(backend=alone, seconds=0) as console:
        await console.press("t")
        assert isinstance(console.app.screen, Live)
        assert console.toasts() == ["There is no server here that could record real APIs."]
    watching = RemoteBackend(runner.url, watches=True)
    await watching.pull()
    async with stage(backend=watching, seconds=0) as console:
        await console.press("t")
        assert console.toasts() == ["This console only watches: start it without --read-only to change anything."]
    await watching.stop()
    runner.control.recorder = None  # as where several workers serve
    many = RemoteBackend(runner.url)
    await many.pull()
    async with stage(backend=many, seconds=0) as console:
        await console.press("t")
        assert console.toasts()[-1].startswith("This server cannot record real APIs: it is one of several workers")
    await many.stop()


async def test_a_dialog_closed_at_once_leaves_no_half_begun_recording(
    runner: Runner, api: Runner, tmp_path: Path
) -> None:
    backend = LocalBackend(runner.simulator, runner.address, runner.control)
    async with stage((80, 24), backend=backend, seconds=0) as console:
        await console.press("t")
        await fill(console, f"openai={api.url}", tmp_path / "run.jsonl")
        await asyncio.gather(console.pilot.press("ctrl+s", "ctrl+s", "escape"))
        await console.settle()
        assert isinstance(console.app.screen, Live)
        told = runner.app.recorder.told()
        assert told is not None
        assert told["tape"] == str(tmp_path / "run.jsonl")
