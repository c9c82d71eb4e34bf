"""A text written for a regular expression is found by it."""

from __future__ import annotations

import pytest

from llmsim.dice import Dice
from llmsim.schema.document import UnsatisfiableSchema
from llmsim.schema.patterns import finds, matching, matching_all

PATTERNS = [
    "",
    "^$",
    "abc",
    "^[A-Z]{3}$",
    r"^\d{3}-\d{2}-\d{4}$",
    r"^(\([0-9]{3}\))?[0-9]{3}-[0-9]{4}$",
    r"^(?P<word>\w+) (?P=word)$",
    r"^(?<word>[a-z]+)-\k<word>$",
    r"^(?i:yes|no)$",
    r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z\d]{8,}$",
    r"^(?!.*admin)[a-z]{4,12}$",
    r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$",
    r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
    r"^\p{L}+$",
    r"^[\p{Lu}\d_]+$",
    r"^[\u4e00-\u9fff]{2,4}$",
    r"^(a|b(c|d){2})*e+?$",
    r"^.*\.(png|jpe?g)$",
    r"\bword\b",
    r"^\S+\s\S+$",
    r"^v\d+(\.\d+){2}(-[a-z]+)?$",
    r"^[\[\]{}\\/^-]{5}$",
    r"^(?:[01]\d|2[0-3]):[0-5]\d$",
    r"^(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$",
    r"^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    r"^[A-Za-z_$][\w$]*+$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_text_is_found_by_the_pattern(pattern: str) -> None:
    for seed in range(30):
        assert finds(pattern, matching(pattern, Dice(seed)))


@pytest.mark.parametrize("pattern", ["^[a-z]+$", "^([a-z]{2,5} ?)+$", "[0-9]", "^a*b*c*$"])
@pytest.mark.parametrize(("least", "most"), [(0, 3), (10, 10), (40, 60)])
def test_the_text_keeps_the_lengths(pattern: str, least: int, most: int) -> None:
    for seed in range(20):
        text = matching(pattern, Dice(seed), least, most)
        assert least <= len(text) <= most
        assert finds(pattern, text)


def test_several_patterns_match_at_once() -> None:
    text = matching_all(["^[a-z]+$", "^.{5,8}$", "e"], Dice(2), 0, 7)
    assert finds("^[a-z]{5,7}$", text)
    assert "e" in text


@pytest.mark.parametrize("pattern", ["(", "[z-a]", r"^a(?!a)a$"])
def test_a_pattern_without_a_text_is_an_error(pattern: str) -> None:
    with pytest.raises(UnsatisfiableSchema):
        matching(pattern, Dice(1))


@pytest.mark.parametrize(
    "pattern",
    [
        r"((?:){1000}){1000}",
        r"(?:(?=(?:(?=b)*)*)*)*x",
        r"(a+)+b(?!)",
        r"((((a{10}){10}){10}){10}){10}",
        "(?=(?=(?=(?=(?=a)*)*)*)*)*",
    ],
)
def test_a_pattern_that_would_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(UnsatisfiableSchema):
        matching(pattern, Dice(1), 30)


def test_a_search_that_would_take_for_ever_is_ended() -> None:
    with pytest.raises(UnsatisfiableSchema, match="takes too long"):
        finds(r"(a|aa)+$", "a" * 60 + "b")
