"""Vectors are of length 1, the same for ever, and near where texts share their words."""

from __future__ import annotations

import subprocess
import sys
from array import array
from math import hypot

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim import vectors
from llmsim.vectors import embed, shortened

# Texts that are about the same thing in much the same words; everything else here is about something else.
RELATED = [
    ("The cat sat on the mat.", "A cat was sitting on the mat."),
    ("What is the capital of France?", "Paris is the capital of France."),
    ("How do I reset my password?", "Password reset instructions for users"),
    ("Quarterly revenue grew by ten percent", "Revenue in the quarter rose by ten percent"),
    ("今日は天気がいいですね", "天気がとても良い日です"),
    ("Der Zug nach Hamburg hat Verspätung", "Zug nach Hamburg: Verspätung von zehn Minuten"),
    ("def add(a, b): return a + b", "def add(x, y): return x + y"),
]
# A vector once made stays as it is: people keep them in databases.
KNOWN = [-0.891494, -0.148746, -0.058347, -0.2117, 0.146294, -0.036901, -0.178124, 0.28355]
TEXTS = [text for pair in RELATED for text in pair]


def cosine(one: array[float], other: array[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("size", [1536, 768, 256])
def test_related_texts_are_nearer_than_unrelated_ones(size: int) -> None:
    made = {text: shortened(embed(text, 1536), size) for text in TEXTS}
    for one, other in RELATED:
        strangers = [cosine(made[one], made[text]) for text in TEXTS if text not in (one, other)]
        assert cosine(made[one], made[other]) > max(strangers)


def test_texts_that_share_nothing_have_the_cosine_of_what_all_share() -> None:
    strangers = [
        cosine(embed(one, 1536), embed(other, 1536)) for one, _ in RELATED for other, _ in RELATED if one < other
    ]
    assert sum(strangers) / len(strangers) == pytest.approx(vectors.LEAN**2, abs=0.05)
    assert max(strangers) < 0.3


@pytest.mark.parametrize(("one", "other"), [("planet", "planets"), ("run fast", "fast run"), ("Hello", "hello!")])
def test_forms_and_orders_of_the_same_words_are_near(one: str, other: str) -> None:
    assert cosine(embed(one, 1536), embed(other, 1536)) > 0.4


def test_common_words_hardly_count() -> None:
    bare = embed("weather Oslo", 1536)
    assert cosine(bare, embed("what is the weather like in Oslo", 1536)) > 0.7


@given(text=st.text(), size=st.integers(1, 4096))
@settings(max_examples=80, deadline=None)
def test_every_text_has_a_vector_of_length_one(text: str, size: int) -> None:
    vector = embed(text, size)
    assert (type(vector), vector.typecode, len(vector)) == (array, "f", size)
    assert hypot(*vector) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("text", ["", " ", "\n", "!?", "🎉", "_", "\ud800", "a" * 100_000, "the of and", "\x00"])
def test_odd_texts_have_vectors_too(text: str) -> None:
    assert hypot(*embed(text, 1536)) == pytest.approx(1.0, abs=1e-5)


def test_the_same_text_has_the_same_vector_in_every_process() -> None:
    text = "Some words, and some more words; 12 of them, or so. Ünïcödé 漢字 🎉"
    code = f"from llmsim.vectors import embed; print(embed({text!r}, 64).tobytes().hex())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == embed(text, 64).tobytes().hex()
    assert embed("hello world", 8).tolist() == pytest.approx(KNOWN, abs=1e-6)


def test_different_texts_have_different_vectors() -> None:
    texts = [*TEXTS, "Hello", "hello", "hello ", "hello!", "", " "]
    assert len({embed(text, 1536).tobytes() for text in texts}) == len(texts)


def test_a_vector_has_no_zeros() -> None:
    assert all(embed("hello", 3072))


def test_who_changes_a_vector_changes_only_his_own() -> None:
    first = embed("hello", 16)
    first[0] = 7.0
    assert embed("hello", 16)[0] != 7.0


@pytest.mark.parametrize("size", [1, 2, 100, 1536])
def test_a_shortened_vector_is_its_beginning_made_longer(size: int) -> None:
    whole = embed("The quick brown fox", 1536)
    front = shortened(whole, size)
    assert len(front) == size
    assert hypot(*front) == pytest.approx(1.0, abs=1e-6)
    assert front[0] / whole[0] == pytest.approx(1.0 / hypot(*whole[:size]))


def test_what_is_kept_is_bounded() -> None:
    for cache in (vectors._kept, vectors._word, vectors._run, vectors._lean):
        assert cache.cache_info().maxsize
    before = vectors._kept.cache_info().currsize
    embed("word " * 1000, 64)
    assert vectors._kept.cache_info().currsize == before
