"""Scenarios from files: read with the place of each problem, played beside a server, judged by an exit status."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from running import running, until

from llmsim.errors import SettingsError
from llmsim.scenarios import Scenario
from llmsim.server import logs, mock_files
from llmsim.server.scenario_command import Show, _logged, _printed, _printed_json, attend
from llmsim.server.scenario_files import play, read, told
from llmsim.server.serve import End, Runner, serve
from llmsim.settings import Settings
from llmsim.simulator import Simulator

ROOT = Path(__file__).parents[2]
CHAT: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
BLINK = {"name": "blink", "phases": [{"name": "lid", "for": 0.01}]}
LONG = {"name": "long", "phases": [{"name": "wait", "for": 600, "arm": {"kind": "refuse", "id": "mine"}}]}


def show(fields: Any, **more: Any) -> Show:
    return Show(Scenario.model_validate(fields), more.pop("tell", _printed), **more)


async def ask(runner: Runner) -> None:
    async with httpx.AsyncClient(base_url=runner.url, timeout=60) as client:
        await client.post("/v1/chat/completions", json=CHAT, headers={"authorization": "Bearer sk-test"})


# -- files


EXAMPLES = sorted((ROOT / "examples").glob("*/*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_examples_are_valid(path: Path) -> None:
    if path.parent.name == "scenarios":
        scenario = read(path)
        assert scenario.name == path.stem
        assert scenario.expect
    elif path.parent.name == "mocks":
        assert mock_files.read(path)


def test_a_scenario_is_called_like_its_file(tmp_path: Path) -> None:
    (tmp_path / "calm.toml").write_text('[[phases]]\nname = "a"\nfor = "1s"\n')
    assert read(tmp_path / "calm.toml").name == "calm"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("phases:\n  - {name: a, for: soon}\n", "line 2 column 15: phases[0].for: 'soon' is not allowed"),
        ("phases:\n  - {nam: a, for: 1s}\n", "line 2 column 6: phases[0].nam: there is no such setting"),
        ("steps:\n  - at: 1\n    change: {sped: 2}\n", "sped: there is no such setting; there are seed"),
        ("name: x\n", "a scenario has phases, steps or settings"),
        ("phases: [", "line 1 column 10"),
        ("- 1\n", "is a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(SettingsError) as error:
        read(tmp_path / "bad.yaml")
    assert str(error.value).startswith(f"{tmp_path}/bad.yaml")
    assert words in str(error.value)


async def test_a_scenario_is_played_to_its_end_and_told() -> None:
    simulator = Simulator(Settings(latency_profile="instant"))
    playing, found = await play(Scenario.model_validate({**BLINK, "expect": [{"times": 0}, {"times": 1}]}), simulator)
    assert told(playing, found) == [
        "scenario blink done",
        "met    expected no request, saw none",
        "UNMET  expected exactly 1 request, saw none",
    ]


# -- beside a server


@pytest.mark.parametrize(("times", "status"), [(0, 0), (1, 1)])
async def test_the_status_tells_whether_all_was_met(
    times: int, status: int, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    end = End()
    async with running() as runner:
        one = show({**BLINK, "expect": [{"times": times}]}, then_exit=True)
        with caplog.at_level(logging.INFO, "llmsim"):
            await one.attend(runner, end)
    assert one.status == status
    assert end.come.is_set()
    assert capsys.readouterr().out.startswith("scenario blink done\n" + ("met  " if not status else "UNMET"))
    assert [line for line in caplog.messages if line.startswith("scenario")] == [
        "scenario blink began",
        "scenario blink: lid",
        "scenario blink done",
    ]


async def test_the_server_goes_on_when_it_is_not_to_end() -> None:
    end = End()
    async with running() as runner:
        one = show(BLINK)
        await one.attend(runner, end)
        assert (one.status, end.come.is_set()) == (0, False)


async def test_it_waits_for_requests_which_count(capsys: pytest.CaptureFixture[str]) -> None:
    end = End()
    async with running() as runner:
        one = show({**BLINK, "expect": [{"when": "model:gpt*", "times": ">=2"}]}, wait_for=2, tell=_printed_json)
        task = asyncio.ensure_future(one.attend(runner, end))
        await ask(runner)
        assert one.playing is None
        await ask(runner)
        await task
    assert one.status == 0
    outcome = json.loads(capsys.readouterr().out)
    assert (outcome["state"], outcome["status"], outcome["results"][0]["met"]) == ("done", 0, True)


async def test_what_cannot_be_played_is_the_operators_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    async with running(latency_profile="glacial") as runner:
        one = show({"name": "odd", "settings": {"profiles": {}}})  # takes the profile away that is in use
        await one.attend(runner, End())
    assert one.status == 2
    assert "scenario odd failed: latency_profile: there is no profile 'glacial'" in capsys.readouterr().out


@pytest.mark.parametrize("wait_for", [0, 1])
async def test_a_signal_before_its_end_judges_nothing(
    wait_for: int, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    end = End()
    async with running() as runner:
        one = show(LONG, wait_for=wait_for)
        task = asyncio.ensure_future(one.attend(runner, end))
        await until(lambda: wait_for or one.playing is not None)
        end.signal = signal.SIGTERM
        end.come.set()
        runner.control.stop_scenario()
        await task
        assert not runner.simulator.settings.faults
    assert one.status == 143
    assert capsys.readouterr().out == ""
    assert "by SIGTERM: nothing is judged" in caplog.text


async def test_who_stops_it_over_the_control_api_leaves_it_unmet(capsys: pytest.CaptureFixture[str]) -> None:
    end = End()
    async with running() as runner:
        one = show(LONG)
        task = asyncio.ensure_future(one.attend(runner, end))
        await until(lambda: one.playing is not None)
        async with httpx.AsyncClient(base_url=runner.url, timeout=60) as client:
            assert (await client.delete("/llmsim/scenario")).json()["state"] == "stopped"
        await task
    assert one.status == 1
    assert capsys.readouterr().out == "scenario long stopped\n"


async def test_a_server_logs_the_outcome_of_its_scenario(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running() as runner:
        await show({**BLINK, "expect": [{"times": 1}]}, tell=_logged).attend(runner, End())
        (tmp_path / "x.yaml").write_text("phases: [{name: a, for: 1}]")
        assert attend(runner.config.model_copy(update={"scenario": str(tmp_path / "x.yaml")}))
    assert "UNMET  expected exactly 1 request, saw none" in caplog.messages


async def test_serving_ends_with_what_is_beside_it(caplog: pytest.LogCaptureFixture) -> None:
    from llmsim.server.config import Config

    with caplog.at_level(logging.INFO, "llmsim"):
        await serve(Config(port=0), show(BLINK, then_exit=True).attend)
    assert caplog.messages[-1] == "stopped"


# -- the command


def run(*words: str, cwd: Path) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("LLMSIM_")}
    env["PYTHONPATH"] = str(ROOT)
    code = "import sys; from llmsim.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "run", *words, "--port", "0"]
    return subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_run_ends_with_the_scenario_and_its_status(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("phases: [{name: a, for: 10ms}]\nexpect: [{when: 'model:gpt*'}]\n")
    with run("x.yaml", "--then-exit", cwd=tmp_path) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out.splitlines() == ["scenario x done", "UNMET  expected at least 1 request with model:gpt*, saw none"]
    assert re.search(r"INFO llmsim: serving on .*INFO llmsim: scenario x: a\n", err, re.DOTALL)


def test_ctrl_c_in_the_middle_ends_it_with_130(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("phases: [{name: a, for: 10m}]\n")
    with run("x.yaml", cwd=tmp_path) as process:
        assert process.stderr is not None
        assert any("scenario x: a" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert re.search(r"scenario x stopped after \d+\.\d s by SIGINT: nothing is judged", err)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x.yaml",), "llmsim: x.yaml line 1 column 10: phases[0].name: Field required"),
        (("none.yaml",), "llmsim: none.yaml: cannot be read: No such file or directory"),
        (("good.yaml", "--wait-for", "-1"), "llmsim: --wait-for: -1 is not allowed: it is 0 or more"),
        (("good.yaml", "--seed", "x"), "llmsim: --seed: seed: 'x' is not allowed"),
    ],
)
def test_what_cannot_be_run_ends_with_2(
    words: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from llmsim import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logs, "set_up", lambda *_: None)
    (tmp_path / "x.yaml").write_text("phases: [{for: 1}]\n")
    (tmp_path / "good.yaml").write_text("phases: [{name: a, for: 1}]\n")
    assert cli.main(["run", *words]) == 2
    assert capsys.readouterr().err.startswith(told)
