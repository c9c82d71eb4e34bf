"""Sessions as files: what was shown is shown again, at any moment; what cannot be read is told in a sentence."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest
from tui.real import ADDRESS, asked, simulated

from llmsim.clock import ToldClock
from llmsim.errors import SettingsError
from llmsim.server.control import Control
from llmsim.server.session import SessionFile
from llmsim.views.masked import MaskedView
from llmsim.views.recording import Recorder
from llmsim.views.session import Session, read


async def recorded(path: Path) -> Session:
    """Two seconds: a request, a storm that refuses the next one, its end; one request still under way."""
    simulator, _ = simulated()
    clock = simulator.clock
    assert isinstance(clock, ToldClock)
    recorder = Recorder(MaskedView(simulator, Control(simulator)), path, ADDRESS)
    asked(simulator, "first")
    for beat in range(8):
        if beat == 2:
            simulator.arm({"kind": "refuse", "status": 429, "label": "storm", "id": "pad-1"}, who="console")
            asked(simulator, "second", client="sk-proj-abcdefghijklmnopqrstuvwxyz0123456789")
        if beat == 4:
            simulator.lift(who="console")
            asked(simulator, "third", live=True)
        recorder.frame()
        await clock.advance(0.25)
    recorder.stop()
    return read(path)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
async def test_what_was_shown_at_a_moment_is_shown_again(tmp_path: Path, name: str) -> None:
    session = await recorded(tmp_path / name)
    assert session.lasts == pytest.approx(1.75, abs=0.01)
    early, storm, late = (session.line(seconds) for seconds in (0.1, 0.6, 1.7))
    assert [session.numbers[line] for line in (early, storm, late)] == [(1, 1), (1, 2), (1, 3)]
    assert [[one.label for one in session.pulse(line).armed] for line in (early, storm, late)] == [[], ["storm"], []]
    second = session.row(2, storm)
    assert second is not None
    assert (second.outcome, second.status, second.faults) == ("limited", 429, ("storm",))
    assert session.row(2, early) is None
    assert session.row(3, late).outcome == "live"  # type: ignore[union-attr]
    assert [one.kind for one in session.happened(late, -1)] == ["change", "change"]
    assert session.happened(early, -1) == []
    assert session.detail(1)["why"]  # type: ignore[index]
    assert session.told("settings", late)["faults"] == []
    assert not session.notes


async def test_changes_can_be_jumped_to(tmp_path: Path) -> None:
    session = await recorded(tmp_path / "a.jsonl")
    armed, lifted = session.marks()
    assert (armed, lifted) == (pytest.approx(0.5, abs=0.01), pytest.approx(1.0, abs=0.01))
    assert session.beside(0.0, 1) == armed
    assert session.beside(armed, 1) == lifted
    assert session.beside(lifted, -1) == armed
    assert session.beside(lifted, 1) is None


async def test_no_key_is_in_the_file(tmp_path: Path) -> None:
    await recorded(tmp_path / "a.jsonl")
    assert b"abcdefghijklmnopqrstuvwxyz0123456789" not in (tmp_path / "a.jsonl").read_bytes()


async def test_a_file_that_was_cut_off_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    await recorded(tmp_path / "a.jsonl")
    whole = (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(whole[: len(whole) * 2 // 3])
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(whole)[:-9])
    for name in ("cut.jsonl", "cut.jsonl.gz"):
        session = read(tmp_path / name)
        assert session.times
        assert "cut off" in session.notes[0]


def test_a_recording_is_bounded_and_says_so(tmp_path: Path) -> None:
    simulator, _ = simulated()
    recorder = Recorder(MaskedView(simulator, Control(simulator)), tmp_path / "a.jsonl", ADDRESS, longest=1 << 14)
    while not recorder.over:
        asked(simulator)
        recorder.frame()
    assert "is full" in recorder.problem
    assert (tmp_path / "a.jsonl").stat().st_size <= 1 << 14
    assert read(tmp_path / "a.jsonl").notes == ["the recording ended because it was full"]


def test_a_thousand_requests_between_two_lines_are_not_all_kept_and_the_rest_is_counted(tmp_path: Path) -> None:
    simulator, _ = simulated()
    recorder = Recorder(MaskedView(simulator, Control(simulator)), tmp_path / "a.jsonl", ADDRESS)
    for _ in range(700):
        asked(simulator)
    recorder.frame()
    recorder.stop()
    session = read(tmp_path / "a.jsonl")
    assert session.skipped == 200
    assert session.row(700, 0) is not None
    assert session.row(1, 0) is None


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("there", [False, True])
def test_it_can_be_read_by_its_owner_alone(tmp_path: Path, name: str, there: bool) -> None:
    path, (simulator, _) = tmp_path / name, simulated()
    if there:
        path.touch(0o644)
    recorder = Recorder(MaskedView(simulator, Control(simulator)), path, ADDRESS)
    recorder.stop()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("mine")
    simulator, _ = simulated()
    with pytest.raises(SettingsError, match="there is such a file already"):
        Recorder(MaskedView(simulator, Control(simulator)), tmp_path / "a.jsonl", ADDRESS)
    with pytest.raises(SettingsError, match="cannot be written"):
        Recorder(MaskedView(simulator, Control(simulator)), tmp_path / "no" / "a.jsonl", ADDRESS)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "no session that llmsim recorded"),
        ([{"hello": 1}], "no session that llmsim recorded"),
        ([{"llmsim_session": 9, "version": "9.0"}], "recorded by llmsim 9.0, in form 9"),
        ([{"llmsim_session": 1, "wall": 0}], "nothing was recorded in it"),
        ([{"llmsim_session": 1, "wall": 0}, {"t": "x"}], "line 2: it is no line of a session"),
    ],
)
def test_what_is_no_session_is_told_in_a_sentence(tmp_path: Path, lines: list[object], words: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in lines))
    with pytest.raises(SettingsError, match=words):
        read(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        read(tmp_path / "none.jsonl")


async def test_a_server_records_itself_by_its_clock(tmp_path: Path) -> None:
    simulator, _ = simulated()
    file = SessionFile(Control(simulator), str(tmp_path / "a.jsonl"))
    clock = simulator.clock
    assert isinstance(clock, ToldClock)
    await clock.advance(2.0)
    file.stop()
    assert len(read(tmp_path / "a.jsonl").times) == 10
    await clock.advance(2.0)
    assert len(read(tmp_path / "a.jsonl").times) == 10
