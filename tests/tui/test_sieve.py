"""The filter: words that all must hold, over a history of any length, for replies still under way too."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llmsim_tui.backend import Row
from llmsim_tui.sieve import Sieve, parse
from tui.fake import FakeBackend, Told

from llmsim.errors import SettingsError

ROW = Row(
    1, 0.0, "Agent-07", "gpt-4o-mini", "POST /v1/chat", 0, True, "limited", 429, None, 0.1, 0, 10, 5, "gpt4o", "lorem",
    ("429",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True), ("agent", True), ("AGENT-07", True), ("model:gpt", True), ("model:claude", False),
        ("status:429", True), ("status:4xx", True), ("status:5xx", False), ("status:limited", True),
        ("client:07 model:mini", True), ("client:07 model:o3", False), ("!model:o3", True), ("!agent", False),
        ("fault:429", True), ("profile:gpt4o", True), ("chat", True), ("model:", True), ("!", True),
    ],
)  # fmt: skip
def test_all_words_must_hold(text: str, holds: bool) -> None:
    assert all(term.holds(ROW) for term in parse(text)) is holds


def test_an_unknown_field_is_told_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="stat: there is no such field; there are model, client, status"):
        parse("stat:429")


def test_a_long_past_is_looked_through_a_stretch_a_tick() -> None:
    sieve = Sieve.of("agent")
    assert len(sieve.update(0, 9_999, lambda n: replace(ROW, number=n))) == 4_000
    sieve.update(0, 9_999, lambda n: replace(ROW, number=n))
    assert sieve.update(0, 9_999, lambda n: replace(ROW, number=n)) == list(range(10_000))
    assert list(sieve.update(9_990, 10_004, lambda n: replace(ROW, number=n))) == list(range(9_990, 10_005))


def test_a_reply_under_way_is_looked_at_until_it_has_ended() -> None:
    clock = Told()
    backend = FakeBackend(clock)
    sieve = Sieve.of("status:ok")
    clock.now = 10
    backend.pulse()
    before = list(sieve.update(*backend.numbers(), backend.row))
    backend.rate, clock.now = 0, 60
    after = list(sieve.update(*backend.numbers(), backend.row))
    assert set(before) < set(after)
    assert after == list(range(backend.numbers()[1] + 1))


def test_a_word_that_no_longer_holds_takes_the_row_out() -> None:
    sieve = Sieve.of("status:live")
    row = replace(ROW, number=0, outcome="live", status=None)
    assert list(sieve.update(0, 0, lambda n: row)) == [0]
    assert list(sieve.update(0, 0, lambda n: replace(row, outcome="ok"))) == []
    assert list(sieve.update(0, 0, lambda n: None)) == []
