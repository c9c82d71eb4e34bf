"""Files of mocks: read with the place of each problem, watched, and in force again whole or not at all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import running, until

from llmsim.errors import SettingsError
from llmsim.mocks import Mock
from llmsim.server.mock_files import look, read
from llmsim.server.serve import Runner

ONE = "mocks:\n- name: one\n  reply: first\n- name: two\n  when: text:hello\n  reply: second\n"
OTHER = "- name: three\n  reply: third\n"
WRONG = "mocks:\n- name: one\n  reply: first\n- name: two\n  times: never\n  reply: second\n"


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[tuple[Runner, Path]]:
    path = tmp_path / "mocks.yaml"
    path.write_text(ONE)
    async with running(mock_files=(str(path),)) as runner:
        elsewhere = Mock.model_validate({"name": "elsewhere", "reply": "by hand"})
        runner.simulator.change(mocks=[*runner.simulator.settings.mocks, elsewhere])
        yield runner, path


def names(runner: Runner) -> list[str]:
    return [one.name for one in runner.simulator.settings.mocks]


def warnings(runner: Runner) -> list[str]:
    return [one.text for one in runner.simulator.events.after(0) if one.kind == "warning"]


async def test_a_file_written_anew_in_its_place(watched: tuple[Runner, Path]) -> None:
    runner, path = watched
    assert names(runner) == ["one", "two", "elsewhere"]
    path.write_text(OTHER)
    await until(lambda: names(runner) == ["three", "elsewhere"])


async def test_a_file_put_in_its_place(watched: tuple[Runner, Path]) -> None:
    runner, path = watched
    for text, expected in ((OTHER, ["three"]), (ONE, ["one", "two"])):
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(path)
        await until(lambda expected=expected: names(runner) == [*expected, "elsewhere"])  # type: ignore[misc]


async def test_a_file_that_goes_and_comes_again(watched: tuple[Runner, Path]) -> None:
    runner, path = watched
    path.unlink()
    await until(lambda: str(path) in runner.mock_files.problems)
    assert names(runner) == ["one", "two", "elsewhere"]
    assert "No such file" in warnings(runner)[-1]
    path.write_text(OTHER)
    await until(lambda: names(runner) == ["three", "elsewhere"])
    assert runner.mock_files.problems == {}


async def test_a_file_that_is_wrong_for_a_while(watched: tuple[Runner, Path]) -> None:
    runner, path = watched
    path.write_text(WRONG)
    await until(lambda: str(path) in runner.mock_files.problems)
    assert names(runner) == ["one", "two", "elsewhere"]
    assert (
        f"mocks stay as they were: {path} line 5 column 3: mock two: times: 'never' is not allowed"
        in warnings(runner)[-1]
    )
    path.write_text(OTHER)
    await until(lambda: names(runner) == ["three", "elsewhere"])
    assert runner.mock_files.problems == {}


async def test_never_a_half_set(watched: tuple[Runner, Path]) -> None:
    runner, path = watched
    seen = {tuple(names(runner))}
    change = runner.simulator.change
    runner.simulator.change = lambda **told: (change(**told), seen.add(tuple(names(runner))))[0]  # type: ignore[method-assign,func-returns-value]
    for text in (ONE[:40], ONE[:60], WRONG, OTHER):
        path.write_text(text)
    await until(lambda: names(runner) == ["three", "elsewhere"])
    assert seen <= {("one", "two", "elsewhere"), ("one", "elsewhere"), ("three", "elsewhere")}


async def test_a_change_before_the_watch_begins_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "mocks.yaml"
    path.write_text(ONE)
    async with running(mock_files=(str(path),)) as runner:
        runner.mock_files._stamps[path] = None  # as if it had been written between the reading and the watch
        runner.simulator.change(mocks=[])
        await until(lambda: names(runner) == ["one", "two"])


async def test_fixtures_of_another_tool_are_watched_too(watched: tuple[Runner, Path]) -> None:
    runner, path = watched
    one = {"match": {"userMessage": "a"}, "response": {"content": "b"}}
    path.write_text(json.dumps({"fixtures": [one]}))
    await until(lambda: names(runner) == ["mocks.yaml#1", "elsewhere"])
    path.write_text(json.dumps({"fixtures": [{**one, "metadata": {}}]}))
    await until(lambda: any("read as aimock's, with something left out" in one for one in warnings(runner)))
    path.write_text(json.dumps({"fixtures": [{**one, "chaos": {"dropRate": 1}}, one]}, indent=1))
    await until(lambda: str(path) in runner.mock_files.problems)
    assert f"{path} line 10 column 4: chaos is no part of a mock" in warnings(runner)[-1]
    assert names(runner) == ["mocks.yaml#1", "elsewhere"]


async def test_two_files_whose_mocks_have_no_names(tmp_path: Path) -> None:
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "other" / "a.yaml"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"- reply: {path.stem}\n")
    async with running(mock_files=tuple(map(str, paths))) as runner:
        assert names(runner) == [f"{tmp_path.name}/a.yaml#1", "b.yaml#1", "other/a.yaml#1"]
        paths[1].write_text("- reply: again\n- reply: more")
        await until(lambda: names(runner)[1:3] == ["b.yaml#1", "b.yaml#2"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mocks: [", " line 1 column 9: "),
        ("mocks: 3", ": mocks are a list, not a int"),
        ("mocks: []\nmore: 1", " line 2 column 1: more: there is no such field; there is mocks"),
        ("more: 1", " line 1 column 1: more: "),
        ("{}", ": it has no mocks"),
        ("- reply: a\n- replies: []", " line 2 column 3: mock 2: "),
        ("- name: a\n  reply: b\n- name: a\n  reply: b", ": mocks: the name 'a' comes twice"),
        ("- name: a\n  reply:\n    json: 1\n    text: b", " line 2 column 3: mock a: "),
        ("rules:\n- path: /v1\n  match: '!body.a'\n  response: {content: '{}'}", " line 3 column 3: match: "),
    ],
)
def test_a_problem_is_told_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mocks.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read(path)
    assert f"{path}{sentence}" in str(caught.value)


def test_of_many_problems_some_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mocks.yaml"
    path.write_text("- reply: 1\n" * 60)
    with pytest.raises(SettingsError, match="and 10 more problems"):
        look(path)
