"""What others wrote is shown in a terminal, and never obeyed there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmsim import signs


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï 漢字 \t", "plain ünï 漢字 \t"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("a\u202eb\u2066c\u200e", "a\\u202eb\\u2066c\\u200e"),
        ("one\r\ntwo\u2028three\x85", "one\\r\\ntwo\\u2028three\\x85"),
        ("\x00\ud800\U000e0041", "\\x00\\ud800\\U000e0041"),
    ],
)
def test_what_would_steer_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert signs.safe(text) == shown


def test_ends_of_lines_stay_where_there_may_be_several() -> None:
    assert signs.safe("one\ntwo\r", lines=True) == "one\ntwo\\r"


def test_json_means_the_same_and_all_of_it_is_seen() -> None:
    told = {"\u202e": "\x9b\x7f\u2028 é 漢 \U000e0041\ud800", "plain": [1, "x"]}
    text = signs.in_json(json.dumps(told, ensure_ascii=False, indent=1))
    assert json.loads(text) == told
    assert signs.seen(text)
    assert "漢" in text


def test_half_a_pair_of_surrogates_is_found_wherever_it_is() -> None:
    assert signs.half({"a": [1, ("b", {"c\ud800": None})]}) == "c\ud800"
    assert signs.half({"a": ["\U0001f600", "漢", b"x", None]}) is None
    endless: list[Any] = []
    endless += [endless] * 2
    laughs: Any = "ha"
    for _ in range(60):
        laughs = [laughs, laughs]
    assert signs.half([endless, laughs]) is None
