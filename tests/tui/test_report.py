"""The report of a session: what was done and how the clients took it, safe to be opened, written beside its picture."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from llmsim_tui import report
from tui.real import asked, simulated
from tui.stage import stage

from llmsim.errors import SettingsError


def read(path: Path) -> str:
    return path.read_text("utf-8")


async def test_it_tells_the_traffic_the_changes_the_clients_and_how_to_do_it_again() -> None:
    simulator, backend = simulated()
    await backend.arm({"kind": "refuse", "status": 503}, label="outage|<b>", seconds=None)
    for _ in range(3):
        asked(simulator)
    text = await report.markdown(backend, "x.svg")
    assert "![The console at the end](x.svg)" in text
    assert "3 requests, 0 of them still under way" in text
    assert "| failed | 3 | 100.0% |" in text
    assert "armed outage\\|\\<b\\> 100%" in text
    assert "## The clients" in text
    assert "agent-01" in text
    assert "sk-test" not in text
    assert "status: 503" in text.partition("```yaml")[2]


@pytest.mark.parametrize("signs", ["", "\x1b]0;owned\x07\u202e\x9b"])
async def test_no_text_of_others_ends_its_block_or_steers_who_reads_it(signs: str) -> None:
    _simulator, backend = simulated()
    hostile = "a\n```\n# owned\n<script>alert(1)</script>\n~~~\n" + signs
    await backend.change(text=hostile)
    await backend.arm({"kind": "refuse", "status": 503, "message": hostile}, label=hostile, seconds=None)
    text = await report.markdown(backend)
    assert all(line.isprintable() for line in text.split("\n"))
    before, _, block = text.partition("\n````yaml\n")
    yaml_text, _, after = block.partition("\n````\n")
    assert repr(hostile) in repr(yaml.safe_load(yaml_text)["steps"])
    assert not after.strip()
    assert "owned" not in [line.strip("# ") for line in before.splitlines()]
    assert "<script" not in before.replace("\\<", "")


async def test_what_is_too_long_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    _simulator, backend = simulated()
    for number in range(520):
        await backend.change(seed=number, text="x" * 5_000 if number == 519 else f"seed {number}")
    monkeypatch.setattr(report, "_AGAIN", 1_000)
    text = await report.markdown(backend)
    assert "too long to stand here" in text
    assert "```yaml" not in text
    assert "the newest 500 events" in text
    assert "… and 4500 characters more" in text
    assert len(text) < 80_000


async def test_an_idle_session_has_a_report_too() -> None:
    _, backend = simulated()
    text = await report.markdown(backend)
    assert "No client asked for anything" in text
    assert "nothing can be told of the times" in text
    assert "## Once more" not in text


async def test_the_key_writes_it_with_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with stage((100, 30)) as console:
        await console.press("W")
        assert str(tmp_path) in console.toasts()[-1]
    (file,) = (Path(name) for name in os.listdir(tmp_path) if name.endswith(".md"))
    assert f"]({file.stem}.svg)" in read(tmp_path / file)
    assert read(tmp_path / f"{file.stem}.svg").startswith("<svg")


async def test_leaving_keeps_the_last_picture(tmp_path: Path) -> None:
    async with stage((100, 30)) as console:
        console.app.keeps_picture = True
        await console.press("q")
    assert console.app.last_picture.startswith("<svg")
    files = await report.write(console.backend, tmp_path / "end.md", console.app.last_picture)
    assert [file.name for file in files] == ["end.md", "end.svg"]
    assert await report.write(console.backend, tmp_path / "alone.svg", "") == []


@pytest.mark.parametrize(("path", "words"), [("x.pdf", "it ends in .md"), ("nowhere/x.md", "there is no directory")])
def test_a_file_that_cannot_be_written_is_said_before_the_screen_opens(path: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        report.checked(path)
