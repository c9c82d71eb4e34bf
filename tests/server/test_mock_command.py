"""`llmsim mocks`: checks a file, and converts another tool's to one that reads as the same mocks."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from imports_asked import ASKED, FILES

from llmsim.errors import SettingsError
from llmsim.mocks import Mock
from llmsim.server.mock_command import add_commands
from llmsim.server.mock_files import read


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    options = parser.parse_args(["mocks", *words])
    return int(options.run(options))


def bare(path: Path) -> list[Mock]:
    return [one.model_copy(update={"source": "", "name": ""}) for one in read(path)]


@pytest.mark.parametrize("name", ASKED)
def test_what_is_converted_reads_as_the_same_mocks(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("convert", str(FILES / name)) == 0
    path = tmp_path / "mocks.yaml"
    path.write_text(capsys.readouterr().out)
    assert bare(path) == bare(FILES / name)


def test_a_valid_file_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mocks.yaml"
    path.write_text("- reply: a\n- reply: b\n")
    assert run("check", str(path)) == 0
    assert capsys.readouterr().out == "valid: 2 mocks\n"


def test_what_is_left_out_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fixtures.json"
    path.write_text('{"fixtures": [{"match": {}, "response": {"content": "a"}, "metadata": {}}]}')
    assert run("check", str(path)) == 0
    assert "line 1 column 59: metadata is left out\nvalid: 1 mock\n" in capsys.readouterr().out
    assert run("convert", str(path)) == 0
    assert capsys.readouterr().out.endswith("metadata is left out\nmocks:\n- reply: a\n")


@pytest.mark.parametrize("command", ["check", "convert"])
def test_a_problem_is_raised_with_its_place(command: str, tmp_path: Path) -> None:
    path = tmp_path / "mocks.yaml"
    path.write_text("- reply: a\n  times: 0\n")
    with pytest.raises(SettingsError, match="line 2 column 3: mock 1: times"):
        run(command, str(path))
