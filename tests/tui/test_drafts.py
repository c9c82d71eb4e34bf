"""Rules as people write them: read with the place of each problem, written so that they read the same again."""

from __future__ import annotations

import pytest
from llmsim_tui.drafts import read, written

from llmsim.limits import Limit
from llmsim.mocks import Mock


def test_what_is_written_reads_the_same_again() -> None:
    fields = {"name": "sea", "when": {"model": "gpt-4o", "text": "the\nsea"}, "reply": {"text": "blue\nand wide"}}
    text = written(fields)
    assert "text: |" in text
    made = read(text, Mock).made
    assert made == Mock.model_validate(fields)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name: a\nreply:\n  text: x\n  error: {status: 500}\n", 2, "an answer has one of"),
        ("name: a\nreply: {text: b}\npriority: high\n", 3, "priority"),
        ("name: a\nreply: {json: 1, text: b}\n", 2, "one of"),
        ("name: a\nwhen:\n  modell: x\nreply: b\n", 2, "modell: there is no such condition"),
        ("name: [a\n", 2, ""),
        ("- a\n", 1, "write a mapping"),
        ("", 1, "a mock has either reply or replies"),
        ("name: \x07\n", 0, "not YAML"),
    ],
)
def test_a_problem_is_told_with_its_line(text: str, line: int, words: str) -> None:
    draft = read(text, Mock)
    assert draft.made is None
    assert draft.problems[0].line == line
    assert words in str(draft.problems[0])


def test_each_problem_has_a_place_of_its_own() -> None:
    problems = read("rpm: 0\nper: [key, house]\ntpm: many\n", Limit).problems
    assert [one.line for one in problems] == [2, 1, 3]
