"""Scenarios at the keyboard: a file is played in sight of everyone, stopped, and what was done by hand becomes one."""

from __future__ import annotations

from pathlib import Path

import pytest
from llmsim_tui.screens.live import Live
from llmsim_tui.screens.scenario import ScenarioRun
from tui.real import asked, simulated
from tui.stage import stage

from llmsim.server.scenario_files import read

STORM = """\
phases:
  - name: calm
    for: 10s
  - name: storm
    for: 20s
    arm: {kind: refuse, status: 429, label: weather}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "storm.yaml").write_text(STORM, "utf-8")
    return tmp_path


def written(folder: Path) -> list[Path]:
    return sorted(folder.glob("scenario-*.yaml"))


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_scenario_is_seen_while_it_runs_and_gone_when_it_is_over(size: tuple[int, int], folder: Path) -> None:
    simulator, backend = simulated()
    async with stage(size, backend=backend) as console:
        await console.press("s")
        assert "Here: storm.yaml" in console.text()
        await console.write("storm.yaml")
        await console.press("enter")
        assert isinstance(console.app.screen, Live)
        await simulator.clock.advance(12)
        await console.tick()
        assert "12/30s" in console.lines()[0]
        assert asked(simulator).status == 429
        if size[0] == 120:
            assert "▶ storm 12/30s" in console.lines()[0]
            assert "scenario" in console.text().split("events")[1]
        await simulator.clock.advance(20)
        await console.tick()
        assert "/30s" not in console.text()
        assert asked(simulator).status == 200


async def test_a_scenario_is_stopped_and_lifts_what_it_armed(folder: Path) -> None:
    simulator, backend = simulated()
    async with stage((80, 24), backend=backend) as console:
        await console.press("X")
        assert console.toasts()[-1] == "No scenario is running: s runs one."
        await backend.begin_scenario("storm.yaml")
        await simulator.clock.advance(11)
        await console.press("s")
        assert "storm is running and would be stopped" in console.text()
        await console.press("escape", "X")
        assert console.toasts()[-1] == "The scenario was stopped."
        assert backend.settings().faults == ()


async def test_what_is_wrong_in_a_file_is_told_with_its_line(folder: Path) -> None:
    _, backend = simulated()
    (folder / "wrong.yaml").write_text("phases:\n  - name: a\n    for: soon\n", "utf-8")
    (folder / "other.yaml").write_text("themes: none\n", "utf-8")
    (folder / "bytes.yaml").write_bytes(b"\xff\xfe")
    async with stage((80, 24), backend=backend) as console:
        await console.press("s")
        assert "other.yaml" not in console.text()
        await console.write("wrong.yaml")
        await console.press("enter")
        assert isinstance(console.app.screen, ScenarioRun)
        assert "wrong.yaml line 3" in console.text()
        await console.press("x", "enter")
        assert "cannot be read" in console.text()
        assert backend.playing() is None


async def test_what_was_done_by_hand_is_written_as_a_scenario_that_can_be_read(folder: Path) -> None:
    simulator, backend = simulated()
    async with stage((80, 24), backend=backend) as console:
        await console.press("S")
        assert "nothing has been changed yet" in console.toasts()[-1]
        await console.press("1")
        await simulator.clock.advance(5)
        await console.press("0", "greater_than_sign", "S", "S")
        files = written(folder)
        assert len(files) == 2
        assert any(str(file) in console.toasts()[-1] for file in files)
        scenario = read(files[0])
        assert [step.at for step in scenario.steps] == [0, 5, 5]
        assert scenario.steps[0].arm[0]["label"] == "429 storm"


async def test_the_palette_runs_a_scenario(folder: Path) -> None:
    async with stage((80, 24)) as console:
        names = [one.title for one in console.app.get_system_commands(console.app.screen)]
        assert "run scenario…: play a file of timed changes" in names


async def test_the_beginning_of_a_name_will_do_as_long_as_it_means_one_file(folder: Path) -> None:
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "recovery.yaml").write_text(STORM, "utf-8")
    _, backend = simulated()
    async with stage((80, 24), backend=backend) as console:
        await console.press("s")
        await console.write("rec")
        await console.press("enter")
        playing = backend.playing()
        assert playing is not None
        assert playing.name == "recovery"
