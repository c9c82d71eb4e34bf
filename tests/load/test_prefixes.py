"""A cache of prompts' beginnings: what is found in it, and that it stays within its bounds."""

import pytest
from support import ask_for

from llmsim.clock import ToldClock
from llmsim.conversation import Message, Tool
from llmsim.latency import Profile
from llmsim.load import Prefixes

WORDS = "all work and no play makes jack a dull boy " * 50


def prefixes(**fields):
    clock = ToldClock()
    return Prefixes(Profile(**{"cache_tokens": 100_000, "cache_block": 1, **fields}), clock)


def asked(*texts, tokens=500, **fields):
    roles = ("user", "assistant")
    messages = tuple(Message(roles[i % 2], text) for i, text in enumerate(texts))
    return ask_for("x", messages=messages, prompt_tokens=tokens, **fields)


def test_a_prompt_that_has_not_been_seen_is_not_there():
    assert prefixes().look(asked(WORDS)) == 0


def test_the_same_prompt_is_there_but_for_its_last_token_which_is_always_read():
    kept = prefixes()
    kept.keep(asked(WORDS))
    assert kept.look(asked(WORDS)) == 499


def test_a_conversation_that_goes_on_finds_all_that_was_said_before():
    kept = prefixes()
    kept.keep(asked(WORDS, tokens=500))
    found = kept.look(asked(WORDS, WORDS, tokens=1000))
    assert found == pytest.approx(500, abs=1)


def test_a_prompt_that_begins_otherwise_shares_nothing():
    kept = prefixes()
    kept.keep(asked(WORDS))
    assert kept.look(asked("Z" + WORDS)) == 0


def test_a_prompt_that_ends_otherwise_shares_its_beginning():
    kept = prefixes()
    kept.keep(asked(WORDS))
    assert 350 < kept.look(asked(WORDS[:-200] + "Z" * 200)) < 460


@pytest.mark.parametrize("fields", [{"key": "other"}, {"model": "gpt-4"}, {"tools": (Tool("f", "does", {}),)}])
def test_another_key_another_model_and_other_tools_have_prefixes_of_their_own(fields):
    kept = prefixes()
    kept.keep(asked(WORDS))
    assert kept.look(asked(WORDS, **fields)) == 0


def test_hits_are_told_in_whole_blocks_and_only_from_the_least_on():
    kept = prefixes(cache_block=128, cache_least=300)
    kept.keep(asked(WORDS))
    assert kept.look(asked(WORDS)) == 384
    kept = prefixes(cache_block=128, cache_least=400)
    kept.keep(asked(WORDS))
    assert kept.look(asked(WORDS)) == 0


async def test_what_was_not_used_for_long_is_forgotten_and_what_was_is_not():
    kept = prefixes(cache_s=60)
    kept.keep(asked(WORDS))
    await kept._clock.advance(50)
    kept.keep(asked(WORDS))
    await kept._clock.advance(50)
    assert kept.look(asked(WORDS)) > 0
    await kept._clock.advance(11)
    assert kept.look(asked(WORDS)) == 0


async def test_a_prompt_is_there_from_when_it_has_been_read():
    kept = prefixes()
    kept.keep(asked(WORDS), 2.0)
    assert kept.look(asked(WORDS)) == 0
    await kept._clock.advance(1)
    kept.keep(asked(WORDS), 9.0)
    await kept._clock.advance(1)
    assert kept.look(asked(WORDS)) == 499


def test_the_prefix_unused_for_longest_goes_when_there_is_no_room():
    kept = prefixes(cache_tokens=1100)
    for text in ("a", "b", "c"):
        kept.keep(asked(text + WORDS))
        assert kept.tokens <= 1100
    assert kept.look(asked("a" + WORDS)) < 100
    assert kept.look(asked("c" + WORDS)) == 499


def test_many_short_messages_count_for_more_than_their_tokens_so_that_memory_is_bounded():
    kept = prefixes(cache_tokens=1600)
    kept.keep(asked(*["x"] * 1000, tokens=1000))
    assert len(kept._kept) <= 100


def test_a_prompt_with_images_is_not_kept_as_only_their_kind_is_known():
    kept = prefixes()
    ask = ask_for("x", messages=(Message("user", WORDS, media=("image",)),), prompt_tokens=500)
    kept.keep(ask)
    assert kept.look(ask) == 0
    assert not kept._kept


def test_a_prompt_without_messages_is_not_kept():
    kept = prefixes()
    ask = ask_for("x", messages=(), prompt_tokens=500)
    kept.keep(ask)
    assert kept.look(ask) == 0
