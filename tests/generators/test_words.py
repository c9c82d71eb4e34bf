"""Words: common words at random, one a token."""

from collections import Counter

import pytest
from support import ask_for

from llmsim import generators, tokens
from llmsim.dice import Dice
from llmsim.generators.words import WORDS


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4"])
@pytest.mark.parametrize("target", [1, 2, 50, 500])
def test_the_reply_has_a_word_a_token(model, target):
    for seed in range(20):
        reply = generators.make("words").reply(ask_for(model=model), Dice(seed), target)
        assert len(reply.text.split()) == target
        assert tokens.count_tokens(reply.text, model) == target


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base"])
def test_every_word_is_one_token_also_where_it_opens_the_reply(encoding):
    assert [
        word for word in WORDS if (tokens.count(word, encoding), tokens.count(f" {word}", encoding)) != (1, 1)
    ] == []


def test_every_word_comes_about_as_often_as_the_others():
    counts = Counter(generators.make("words").reply(ask_for(), Dice(9), 20_000).text.split())
    assert set(counts) == set(WORDS)
    assert max(counts.values()) < 1.5 * 20_000 / len(WORDS)
    assert min(counts.values()) > 0.5 * 20_000 / len(WORDS)


def test_own_words_replace_the_built_in_ones():
    reply = generators.make("words:la li lu").reply(ask_for(), Dice(1), 40)
    assert set(reply.text.split()) == {"la", "li", "lu"}


def test_the_dice_choose_the_words():
    words = generators.make("words")
    assert words.reply(ask_for(), Dice(1), 20) == words.reply(ask_for(), Dice(1), 20)
    assert words.reply(ask_for(), Dice(1), 20) != words.reply(ask_for(), Dice(2), 20)
