"""Short ASCII texts are cut as tiktoken cuts them, before tiktoken is there."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmsim import bytepairs, tokens

SIGNS = [
    "'s",
    "'S",
    "'ll",
    "'RE",
    "hello",
    " World",
    "aBc",
    "ABC",
    "123456",
    "\r\n",
    "\n",
    "/",
    " ",
    "  ",
    "\t",
    "\x1c",
]
TEXTS = st.one_of(
    st.text(st.characters(max_codepoint=127), max_size=120),
    st.lists(st.sampled_from([*SIGNS, "://", "<|endoftext|>", "()", "...", "x" * 60]), max_size=25).map("".join),
)


@pytest.mark.parametrize("encoding", tokens.ENCODINGS)
@given(text=TEXTS)
@settings(max_examples=250, deadline=None)
@example(text="antidisestablishmentarianism")
@example(text=" " * 100 + "\n")
@example(text="\n \n ")
def test_a_short_text_is_cut_exactly_as_tiktoken_cuts_it(encoding: str, text: str) -> None:
    tokens.preload(encoding)
    pairs = tokens.prime(encoding)
    pairs._left = 1
    told = pairs.cut(text)
    if told is None:
        assert max(map(len, pairs._words(text))) > bytepairs.LONGEST
    else:
        assert told == tokens.token_bytes(text, encoding)


@pytest.mark.parametrize("encoding", tokens.ENCODINGS)
def test_a_word_longer_than_any_token_is_left_to_tiktoken(encoding: str) -> None:
    pairs = tokens.prime(encoding)
    pairs._left = 1
    assert pairs.cut("short words") is not None
    assert pairs.cut("x" * (bytepairs.LONGEST + 1)) is None


def test_after_much_work_the_rest_is_left_to_tiktoken() -> None:
    pairs = tokens.prime("cl100k_base")
    pairs._cut.cache_clear()
    pairs._left = 1
    assert pairs.cut("qwrtz") is not None
    assert pairs.cut("hello") is None


FIRST = """
from llmsim import tokens
assert tokens.count("The quick brown fox jumps over the lazy dog.") == 10
assert tokens.pieces("hello world!") == (("hello", 1), (" world", 1), ("!", 1))
assert tokens.token_bytes("hello world!") == [b"hello", b" world", b"!"]
assert not tokens.loaded() and tokens.quick(b'{"a": "b"}') and not tokens.quick("ä".encode())
import sys
assert "tiktoken" not in sys.modules
assert not tokens.quick(b" " * 10_000)
assert tokens.count("naïve café") == 4
assert tokens.loaded() and tokens.quick("ä".encode())
"""


def test_tiktoken_is_set_up_by_the_first_text_that_needs_it() -> None:
    subprocess.run([sys.executable, "-c", FIRST], check=True)
