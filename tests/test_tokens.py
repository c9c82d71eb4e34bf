"""Token counts are exact, offline, bounded in time and memory."""

import hashlib
import subprocess
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim import tokens

# Text, its tokens in o200k_base, its tokens in cl100k_base: counted with tiktoken 0.14.0 on the official tables.
KNOWN = [
    ("", 0, 0),
    ("hello world", 2, 2),
    ("tiktoken is great!", 6, 6),
    ("Hello, world!", 4, 4),
    ("antidisestablishmentarianism", 6, 6),
    ("2 + 2 = 4", 7, 7),
    ("3.14159265358979", 7, 7),
    ("お誕生日おめでとう", 8, 9),
    ("你好，世界", 3, 6),
    ("안녕하세요 세계", 3, 9),
    ("مرحبا بالعالم", 4, 10),
    ("שלום עולם", 2, 10),
    ("Привет, мир", 4, 6),
    ("नमस्ते दुनिया", 5, 13),
    ("สวัสดีชาวโลก", 7, 13),
    ("😀", 1, 2),
    ("👩\u200d👩\u200d👧\u200d👦 family", 12, 19),
    ("🤷🏽\u200d♀️", 7, 10),
    ("𠮷野家", 6, 7),
    ("e\u0301 and \u00e9", 4, 4),
    ("naïve café", 4, 4),
    ("def f(x: int) -> int:\n    return x + 1\n", 16, 16),
    ('{"name": "get_weather", "arguments": {"city": "Paris"}}', 16, 16),
    ("SELECT * FROM users WHERE id = 42;", 10, 10),
    ("<|endoftext|>", 7, 7),
    ("<|im_start|>user<|im_end|>", 13, 13),
    ("<|endofprompt|><|fim_prefix|>", 12, 13),
    ("   ", 1, 1),
    ("\n\n\n", 1, 1),
    ("a    b", 3, 3),
    ("\t\tindented", 4, 4),
    ("line one\r\nline two\r\n", 6, 6),
    ("I'm sure they'll've gone", 5, 7),
    ("ALLCAPS camelCase snake_case kebab-case", 10, 10),
    ("https://example.com/a/b?c=d#e", 11, 11),
    ("\x00\x01", 2, 2),
    ("a" * 40, 5, 5),
    (" " * 100, 2, 2),
    ("\ufdfa", 2, 3),
    ("The quick brown fox jumps over the lazy dog.", 10, 10),
]

OFFICIAL = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}


@pytest.mark.parametrize(("text", "o200k", "cl100k"), KNOWN)
def test_known_texts_have_their_known_counts(text: str, o200k: int, cl100k: int) -> None:
    assert tokens.count_tokens(text, "gpt-4o") == tokens.count(text, "o200k_base") == o200k
    assert tokens.count_tokens(text, "gpt-4") == tokens.count(text, "cl100k_base") == cl100k


@pytest.mark.parametrize("encoding", tokens.ENCODINGS)
def test_the_packed_vocabulary_is_the_official_file_byte_for_byte(encoding: str) -> None:
    lines = (b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens.unpack(encoding)))
    assert hashlib.sha256(b"".join(lines)).hexdigest() == OFFICIAL[encoding]


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        *((name, "cl100k_base") for name in ("gpt-4", "gpt-4-0613", "gpt-4-turbo", "gpt-4-32k", "gpt-4-1106-preview")),
        *((name, "cl100k_base") for name in ("gpt-3.5-turbo", "gpt-3.5-turbo-0125", "gpt-35-turbo")),
        *((name, "cl100k_base") for name in ("text-embedding-3-small", "text-embedding-ada-002", "davinci-002")),
        *((name, "cl100k_base") for name in ("ft:gpt-4:acme::id", "ft:gpt-3.5-turbo:acme::id", "openai/gpt-4")),
        *((name, "o200k_base") for name in ("gpt-4o", "gpt-4o-mini", "gpt-4o-2024-08-06", "chatgpt-4o-latest")),
        *((name, "o200k_base") for name in ("gpt-4.1", "gpt-4.1-nano-2025-04-14", "gpt-4.5-preview", "gpt-oss-120b")),
        *((name, "o200k_base") for name in ("gpt-5", "gpt-5.1-codex-max", "gpt-5.6-sol", "gpt-6-astra", "gpt-6.1-sol")),
        *((name, "o200k_base") for name in ("o1", "o1-preview", "o3", "o3-mini", "o4-mini-2025-04-16")),
        *((name, "o200k_base") for name in ("ft:gpt-4o:acme::id", "ft:gpt-4o-mini-2024-07-18:acme::id", "GPT-4O")),
    ],
)
def test_models_of_openai_are_counted_exactly(model: str, encoding: str) -> None:
    assert tokens.encoding_for(model) == encoding
    assert tokens.is_exact(model)


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("claude-opus-4-5-20251101", "cl100k_base"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "cl100k_base"),
        ("models/gemini-2.5-pro", "o200k_base"),
        ("deepseek-chat", "o200k_base"),
        ("o1x", "o200k_base"),
        ("my-own-model", "o200k_base"),
        ("", "o200k_base"),
    ],
)
def test_other_models_are_estimated_and_it_says_so(model: str, encoding: str) -> None:
    assert tokens.encoding_for(model) == encoding
    assert not tokens.is_exact(model)


@pytest.mark.parametrize("use", [tokens.preload, tokens.unpack, lambda name: tokens.count("a", name)])
def test_an_unknown_encoding_is_an_error_that_lists_those_there_are(use) -> None:
    with pytest.raises(ValueError, match="o200k_base, cl100k_base"):
        use("p50k_base")


@pytest.mark.parametrize("encoding", tokens.ENCODINGS)
@pytest.mark.parametrize("text", [text for text, _, _ in KNOWN])
def test_pieces_join_to_the_text_and_add_up_to_its_count(text: str, encoding: str) -> None:
    pieces = tokens.pieces(text, encoding)
    assert "".join(piece for piece, _ in pieces) == text
    assert sum(number for _, number in pieces) == tokens.count(text, encoding)


@given(st.text())
@settings(max_examples=60, deadline=None)
def test_pieces_of_any_text_join_and_add_up(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    pieces = tokens.pieces(text)
    assert "".join(piece for piece, _ in pieces) == text
    assert sum(number for _, number in pieces) == tokens.count(text)
    assert b"".join(tokens.token_bytes(text)) == text.encode()


def test_a_piece_is_one_token_where_characters_are_whole() -> None:
    assert tokens.pieces("hello world!") == (("hello", 1), (" world", 1), ("!", 1))


def test_tokens_that_are_parts_of_a_character_stay_together() -> None:
    assert tokens.pieces("a 🫨!") == (("a", 1), (" 🫨", 3), ("!", 1))


def test_token_bytes_are_the_bytes_of_each_token() -> None:
    assert tokens.token_bytes("hello world") == [b"hello", b" world"]
    assert len(tokens.token_bytes("🫨")) == 3
    assert b"".join(tokens.token_bytes("🫨")).decode() == "🫨"


def test_a_lone_surrogate_counts_as_the_replacement_character() -> None:
    assert tokens.count("a\ud800b") == tokens.count("a\ufffdb")
    assert "".join(piece for piece, _ in tokens.pieces("a\ud800b")) == "a\ufffdb"


def test_a_text_in_parts_counts_the_same_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "A line of words, 42 numbers; don't cut them.\n\n\tif x:\r\n  return 'ünïcödé' // 中文 \n" * 40
    whole = [tokens.token_bytes(text, encoding) for encoding in tokens.ENCODINGS]
    monkeypatch.setattr(tokens, "_PART", 100)
    monkeypatch.setattr(tokens, "_SEARCHED", 40)
    assert [tokens.token_bytes(text, encoding) for encoding in tokens.ENCODINGS] == whole


@pytest.mark.parametrize("text", ["a", " ", "\n", "\t", "!", "中"])
def test_a_megabyte_of_one_character_is_counted(text: str) -> None:
    pieces = tokens.pieces(text * 1_000_000)
    assert "".join(piece for piece, _ in pieces) == text * 1_000_000
    assert sum(number for _, number in pieces) == tokens.count(text * 1_000_000)


def test_a_hard_cut_adds_a_token_or_two_at_most() -> None:
    parts = 1_000_000 / 65_536
    assert 125_000 <= tokens.count("a" * 1_000_000) <= 125_000 + 2 * parts


def test_the_cache_remembers_counts() -> None:
    cache = tokens.CountCache()
    assert [cache.count("hello world", "o200k_base") for _ in range(3)] == [2, 2, 2]
    assert len(cache) == 1


def test_the_cache_keeps_encodings_apart() -> None:
    cache = tokens.CountCache()
    assert cache.count("שלום עולם", "o200k_base") == 2
    assert cache.count("שלום עולם", "cl100k_base") == 10


def test_the_cache_forgets_the_text_met_longest_ago_when_its_bytes_are_used_up() -> None:
    cache = tokens.CountCache(limit=3 * (tokens.CountCache.OVERHEAD + 100))
    for text in ("a", "b", "c", "a", "d", "e", "f"):
        cache.count(text * 40, "o200k_base")
        assert cache.size <= cache.limit
    assert [key[1][0] for key in cache._counts] == ["d", "e", "f"]


def test_a_long_text_takes_no_more_room_in_the_cache_than_its_digest() -> None:
    cache = tokens.CountCache()
    cache.count("word " * 100_000, "o200k_base")
    assert cache.size < 1_000


def test_counting_in_many_threads_gives_the_same_counts() -> None:
    cache = tokens.CountCache(limit=2_000)
    texts = [f"text number {number} " * 20 for number in range(20)] * 10
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: cache.count(text, "o200k_base"), texts))
    assert together == [tokens.count(text) for text in texts]
    assert cache.size <= cache.limit


def test_importing_counts_loads_neither_tiktoken_nor_a_vocabulary() -> None:
    code = "import sys, llmsim.tokens as t; print('tiktoken' in sys.modules, t.loaded('o200k_base'))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False", "False"]


def test_preload_loads_an_encoding_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tokens.preload, ["o200k_base"] * 4))
    assert tokens.loaded("o200k_base")
    assert not tokens.loaded("p50k_base")


@pytest.mark.parametrize("encoding", tokens.ENCODINGS)
@pytest.mark.parametrize("text", [text for text, _, _ in KNOWN])
def test_the_ids_of_a_text_decode_to_it(text: str, encoding: str) -> None:
    assert tokens.decode(tokens._vocabulary(encoding).ids(text), encoding) == text


def test_special_tokens_decode_to_their_names() -> None:
    assert tokens.decode([15339, 100257], "cl100k_base") == "hello<|endoftext|>"
    assert tokens.decode([200018], "o200k_base") == "<|endofprompt|>"


def test_a_part_of_a_character_decodes_to_the_replacement_character() -> None:
    first, *_ = tokens._vocabulary("o200k_base").ids("🫨")
    assert "\ufffd" in tokens.decode([first])


@pytest.mark.parametrize("token", [-1, 100256, 100277, 1 << 40])
def test_a_number_that_is_no_token_is_an_error_that_names_it(token: int) -> None:
    with pytest.raises(tokens.NoToken, match=f"{token} is no token of cl100k_base, whose tokens are 0 to 100276"):
        tokens.decode([1, token], "cl100k_base")
