"""A recorded session on the same screens: played, sought by keys and by the mouse, and never changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from llmsim_tui.replay import ReplayBackend
from llmsim_tui.widgets.scrubber import Scrubber
from tui.fake import FakeBackend, Told
from tui.stage import Stage, stage

from llmsim.clock import ToldClock
from llmsim.errors import SettingsError
from llmsim.views.recording import Recorder
from llmsim.views.session import Session, read


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A minute of made-up traffic, with a storm at its twentieth second."""
    file = tmp_path_factory.mktemp("replay") / "session.jsonl"
    backend = FakeBackend(Told())
    recorder = Recorder(backend, file, backend.address)
    for beat in range(240):
        backend.now.now += 0.25  # type: ignore[attr-defined]
        if beat == 80:
            asyncio.run(backend.arm({"kind": "refuse", "status": 429}, label="429 storm", seconds=20, id="pad-1"))
        recorder.frame()
    recorder.stop()
    return read(file)


@asynccontextmanager
async def shown(session: Session, size: tuple[int, int] = (120, 40)) -> AsyncIterator[tuple[Stage, ToldClock]]:
    clock = ToldClock()
    async with stage(size, backend=ReplayBackend(session, clock=clock), seconds=0) as console:
        yield console, clock


async def after(console: Stage, clock: ToldClock, seconds: float) -> str:
    await clock.advance(seconds)
    await console.tick()
    return console.text()


async def test_it_plays_by_itself_faster_and_stands_still(session: Session) -> None:
    async with shown(session) as (console, clock):
        assert "REPLAY 0:00/1:00" in console.lines()[0]
        await after(console, clock, 10.0)
        assert "REPLAY 0:10/1:00" in console.lines()[0]
        await console.press("greater_than_sign")
        await after(console, clock, 10.0)
        assert "REPLAY 0:30/1:00" in console.lines()[0]
        assert "429 storm" in console.lines()[0]
        await console.press("space")
        await after(console, clock, 10.0)
        assert "REPLAY 0:30/1:00 · still" in console.lines()[0]
        await console.press("space")
        await after(console, clock, 60.0)
        assert "REPLAY 1:00/1:00 · still" in console.lines()[0]
        await console.press("space")
        assert "REPLAY 0:00/1:00" in console.lines()[0]


async def test_arrows_and_changes_move_in_time_and_every_panel_with_them(session: Session) -> None:
    async with shown(session) as (console, _clock):
        await console.press("space", "shift+right")
        assert "REPLAY 0:30" in console.lines()[0]
        late = console.backend.numbers()[1]
        assert "armed 429 storm" in console.text()
        await console.press("left", "left", "left")
        assert "REPLAY 0:15" in console.lines()[0]
        assert console.backend.numbers()[1] < late
        assert "armed 429 storm" not in console.text()
        assert "429 storm" not in console.lines()[0]
        await console.press("full_stop")
        assert "REPLAY 0:20" in console.lines()[0]
        await console.press("comma")
        assert console.toasts()[-1] == "There is no earlier change."
        await console.press("B")
        assert "REPLAY 0:00" in console.lines()[0]


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
async def test_a_click_on_the_time_line_goes_there(session: Session, size: tuple[int, int]) -> None:
    async with shown(session, size) as (console, _clock):
        await console.press("space")
        line = console.one(Scrubber)
        await console.pilot.click(Scrubber, offset=(line._left + line._cells // 2, 0))
        await console.tick()
        assert console.backend.position == pytest.approx(session.lasts / 2, abs=1.5)
        await console.on_bar("play/still")
        assert console.backend.playing_on
        await console.on_bar("5 s back", "play/still")
        assert console.backend.position == pytest.approx(session.lasts / 2 - 5, abs=1.5)


async def test_an_exchange_is_looked_into_and_filtered(session: Session) -> None:
    async with shown(session) as (console, _clock):
        await console.press("space", "shift+right")
        await console.press("slash")
        await console.write("status:429")
        await console.press("enter")
        await console.tick()
        shown_ = [line for line in console.lines() if "agent-" in line and " 200 " in line]
        assert not shown_
        await console.press("escape", "enter")
        assert "profile" in console.text()
        console.backend.session._details.clear()
        for _ in range(3):
            await console.press("tab")
            assert "the recording has no more" in console.text()
        await console.press("y")
        assert console.toasts()[-1] == "There is nothing to copy of it: it is not known here."


async def test_nothing_can_be_changed_and_it_says_why(session: Session) -> None:
    async with shown(session) as (console, _clock):
        for key in ("1", "0", "u"):
            await console.press(key)
            assert console.toasts()[-1] == "This is a recording: nothing in it can be changed."
        backend = console.backend
        for act in (backend.lift, backend.undo, backend.redo, backend.drain, lambda: backend.change(speed=2.0)):
            with pytest.raises(SettingsError):
                await act()
        await console.press("R")
        assert "this is a recording already" in console.toasts()[-1]


def recordings(folder: Path) -> list[Path]:
    return list(folder.glob("session-*.jsonl.gz"))


async def test_a_session_is_recorded_by_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with stage((120, 40)) as console:
        await console.press("R")
        assert "REC 0:00" in console.lines()[0]
        for _ in range(4):
            await console.wait(0.5)
            console.app.keep_recording()
        await console.press("R")
        assert "REC" not in console.lines()[0]
    (file,) = recordings(tmp_path)
    assert read(file).lasts == pytest.approx(2.0, abs=0.3)
