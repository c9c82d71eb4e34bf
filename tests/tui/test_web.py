"""The attached console in a browser: a real headless Chromium where there is one, and the guard before it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from llmsim_tui import web, web_guard
from websockets.asyncio.client import connect

from llmsim.errors import LlmsimError
from llmsim.server.config import Config
from llmsim.server.serve import Runner

pytest.importorskip("textual_serve", reason="textual-serve is not installed: pip install '.[web]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

READABLE = """Object.defineProperty(Object.prototype, 'webglAddon', {configurable: true, set(value) {
    window.shown = this.terminal
    Object.defineProperty(this, 'webglAddon', {value: value, writable: true})
}})"""
"""Keeps hold of the terminal that the page makes, which it does not let go of itself."""
LINES = """[...Array(window.shown ? shown.rows : 0).keys()]
    .map(row => shown.buffer.active.getLine(row)?.translateToString(true)).join('\\n')"""


@contextlib.asynccontextmanager
async def process(*arguments: str, says: bytes, **environment: str) -> AsyncIterator[tuple[Any, str]]:
    """A program, once it has said something; the line that it said it in."""
    child = await asyncio.create_subprocess_exec(
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    assert child.stdout is not None
    try:
        line = b"..."
        while line and says not in line:
            line = await asyncio.wait_for(child.stdout.readline(), 120)
        yield child, line.decode()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        await asyncio.wait_for(child.communicate(), 60)


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    runner = Runner(Config(port=0, latency_profile="instant", control_token="all"))
    await runner.start()
    yield runner
    await runner.stop(grace=0)


def serving(url: str, *more: str) -> Any:
    words = (sys.executable, "-m", "llmsim_tui", "--web", "--port", "0", "--attach", url, *more)
    return process(*words, says=b"the console of", LLMSIM_CONTROL_TOKEN="all")


def address(line: str) -> str:
    return line.partition(" is at ")[2].partition(";")[0]


class Tab:
    """A page of a browser, driven through its own protocol."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self._number = 0

    async def call(self, method: str, **params: Any) -> Any:
        self._number += 1
        await self._line.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            told = json.loads(await asyncio.wait_for(self._line.recv(), 120))
            if told.get("id") == self._number:
                return told["result"]

    async def see(self, *words: str) -> str:
        for _ in range(1200):
            told = await self.call("Runtime.evaluate", expression=LINES)
            text = str(told["result"].get("value", "")).replace("\xa0", " ")
            if all(word in text for word in words):
                return text
            await asyncio.sleep(0.1)
        raise AssertionError(f"{words} never came; the page shows:\n{text}")

    async def write(self, text: str) -> None:
        await self.call("Runtime.evaluate", expression="document.querySelector('.xterm-helper-textarea').focus()")
        await self.call("Input.insertText", text=text)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the console in a browser is NOT tested")
async def test_the_screen_is_seen_in_a_browser_and_its_keys_are_felt(runner: Runner, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    browser = (CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
    options = ("--remote-debugging-port=0", f"--user-data-dir={tmp_path}", "--window-size=1400,900", "about:blank")
    async with (
        serving(runner.url) as (_, said),
        process(*browser, *options, says=b"DevTools listening on") as (_, told),
        httpx.AsyncClient() as client,
    ):
        port = told.partition("127.0.0.1:")[2].partition("/")[0]
        pages = (await client.get(f"http://127.0.0.1:{port}/json/list")).json()
        target = next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page")
        async with connect(target, max_size=None) as line:
            tab = Tab(line)
            await tab.call("Page.enable")
            await tab.call("Page.addScriptToEvaluateOnNewDocument", source=READABLE)
            await tab.call("Page.navigate", url=address(said))
            await tab.see("REMOTE", "429 storm", "no request yet")
            await tab.write("1")
            await tab.see("armed 429 storm")
            assert [one.label for one in runner.simulator.settings.faults] == ["429 storm"]


async def test_other_pages_and_other_names_are_refused_and_nothing_comes_from_elsewhere(runner: Runner) -> None:
    async with serving(runner.url, "--read-only") as (_, said), httpx.AsyncClient(base_url=address(said)) as client:
        whole = await client.get("/")
        assert whole.status_code == 200
        assert "googleapis" not in whole.text
        assert "RobotoMono-VariableFont" in whole.text
        assert (await client.get("/static/js/textual.js")).status_code == 200
        assert (await client.get("/", headers={"host": "evil.example"})).status_code == 403
        assert (await client.get("/ws", headers={"origin": "http://evil.example"})).status_code == 403


@pytest.mark.parametrize(
    ("host", "origin", "here", "served"),
    [
        ("127.0.0.1:8000", "", True, True),
        ("localhost:8000", "http://localhost:8000", True, True),
        ("[::1]:8000", "http://[::1]:8000", True, True),
        ("evil.example:8000", "", True, False),
        ("127.0.0.1:8000", "http://evil.example", True, False),
        ("demo.example", "https://demo.example", False, True),
        ("demo.example", "null", False, False),
        ("[", "", False, False),
        ("127.0.0.1:8000", "http://[", True, False),
        ("me@localhost:8000", "", True, False),
        ("\u2100.example", "", False, False),
        ('demo.example"><script>', "", False, False),
        ("demo.example\x1b[2J", "", False, False),
        ("x" * 10_000, "", False, False),
    ],
)
def test_who_is_let_in(host: str, origin: str, here: bool, served: bool) -> None:
    assert bool(web_guard.refusal(host, origin, here)) != served


def test_a_console_that_everybody_could_reach_only_looks() -> None:
    options = Namespace(host="0.0.0.0", port="0", read_only=None, theme="night")
    with pytest.raises(LlmsimError, match="add --read-only"):
        web.serve(options, "http://127.0.0.1:8080", "")


def test_the_token_is_no_argument_of_a_tab() -> None:
    options = Namespace(read_only=True, theme="day")
    words = web.command(options, "http://h:1/a b")
    assert words.endswith("-m llmsim_tui --attach 'http://h:1/a b' --theme day --read-only")


@pytest.mark.parametrize("port", ["x", "-1", "70000"])
def test_what_is_no_port_is_said(port: str) -> None:
    options = Namespace(host=None, port=port, read_only=None, theme="night")
    with pytest.raises(LlmsimError, match="--port"):
        web.serve(options, "http://127.0.0.1:8080", "")
