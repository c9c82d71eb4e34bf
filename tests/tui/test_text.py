"""Words and figures: client text is shown and never obeyed, figures keep their width."""

from __future__ import annotations

import pytest
from llmsim_tui.text import (
    amount,
    brief,
    briefly,
    clip,
    countdown,
    millis,
    moment,
    reachable,
    safe,
    share,
    span,
    tail,
    uptime,
    wait,
)
from rich.cells import cell_len


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("a\x00b\x07", "a␀b␇"),
        ("a\nb\tc\r", "a␊b␉c␍"),
        ("\x7f", "␡"),
        ("\x9b31m", "\ufffd31m"),
        ("\u202eevil", "\ufffdevil"),
        ("zero\u200bwidth", "zero\ufffdwidth"),
        ("\ud800", "\ufffd"),
        ("grüße 世界", "grüße 世界"),
        ("[bold]no markup[/]", "[bold]no markup[/]"),
    ],
)
def test_control_characters_become_symbols(hostile: str, shown: str) -> None:
    assert safe(hostile) == shown


def test_lines_stay_lines_where_lines_are_wanted() -> None:
    assert safe("a\r\n\tb\x1b", lines=True) == "a\n    b␛"


@pytest.mark.parametrize("text", ["short", "much too long for it", "世界世界世界世界", "naïve", ""])
@pytest.mark.parametrize("width", [1, 5, 8])
def test_clipped_text_has_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(clip(text, width)) == width


def test_a_tail_is_the_end_without_line_breaks() -> None:
    assert tail("one\n\n  two\x1b[m three", 9) == "␛[m three"[-9:]
    assert cell_len(tail("世界" * 40, 7)) <= 7


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (9_999, "9999"), (12_345, "12.3k"), (999_960, "1.0M"), (123_456, "123k"), (4.5e6, "4.5M"), (3e12, "3T")],
)
def test_amounts_take_five_characters_at_most(number: float, words: str) -> None:
    assert amount(number) == words
    assert len(words) <= 5


def test_times_read_as_people_write_them() -> None:
    assert [uptime(252), uptime(3_723)] == ["4:12", "1:02:03"]
    assert [countdown(13.2), countdown(99.5)] == ["14s", "1:40"]
    assert [millis(0.2554), millis(12.34)] == ["255ms", "12.34s"]
    assert [span(0.004), span(99.999), span(431.25), span(4_000)] == ["0.00s", "100.0s", "431.2s", "67min"]
    assert [wait(22), wait(1_500), wait(0.5)] == ["22 ms", "1.5 s", "0.5 ms"]
    assert [share(0.7), share(0.005)] == ["70%", "0.5%"]
    assert moment(0.0) == "00:00:00"


def test_an_sdk_is_named_briefly_and_any_other_client_as_it_is() -> None:
    assert [brief("AsyncOpenAI/Python"), brief("google-genai-sdk/1.52.0"), brief("OpenAI/JS")] == [
        "OpenAI",
        "google-genai-sdk",
        "OpenAI",
    ]
    assert [brief("agent-07"), brief("team/app"), brief("-")] == ["agent-07", "team/app", "-"]


def test_an_address_of_all_networks_is_shown_as_this_machines_own() -> None:
    shown = [reachable(address) for address in ("0.0.0.0:80", "[::]:80", "127.0.0.1:80", "10.0.0.7:8080")]
    assert shown == ["127.0.0.1:80", "[::1]:80", "127.0.0.1:80", "10.0.0.7:8080"]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("AsyncOpenAI/Python: gave up 3", "OpenAI: gave up 3"),
        ("AsyncOpenAI/Python sk-…06: gave up 3", "OpenAI sk-…06: gave up 3"),
        ("agent-01: 2 retries", "agent-01: 2 retries"),
        ("a client/ of mine: left 1", "a client/ of mine: left 1"),
    ],
)
def test_a_line_about_a_client_begins_with_its_short_name(line: str, seen: str) -> None:
    assert briefly(line) == seen
