"""Lorem: filler text of exactly as many tokens as were asked for."""

from itertools import product

import pytest
from support import ask_for

from llmsim import generators, tokens
from llmsim.dice import Dice
from llmsim.generators.lorem import CORPUS, SENTENCES, STRIDES, _passage

FIRST = "Lorem ipsum dolor sit amet, consectetur adipiscing elit."
WORDS = (
    "sed do eiusmod tempor incididunt ut labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation"
    " ullamco laboris nisi aliquip ex ea commodo consequat duis aute irure in reprehenderit voluptate velit esse cillum"
    " eu fugiat nulla pariatur excepteur sint occaecat cupidatat non proident sunt culpa qui officia deserunt mollit"
    " anim id est laborum"
).split()


def drawn():
    """The 256 sentences of the corpus."""
    dice = Dice(256)
    yield f" {FIRST}"
    for _ in range(255):
        words = [dice.choice(WORDS) for _ in range(dice.between(6, 14))]
        if len(words) > 9:
            words[4] += ","
        yield f" {words[0].capitalize()} {' '.join(words[1:])}."


def test_the_corpus_is_what_was_drawn():
    assert tuple(drawn()) == CORPUS


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4", "claude-sonnet-4-5"])
@pytest.mark.parametrize("target", [1, 2, 3, 4, 5, 9, 10, 17, 100, 500])
def test_the_reply_has_exactly_the_tokens_asked_for_wherever_it_starts(model, target):
    encoding = tokens.encoding_for(model)
    for start, stride in product(range(0, SENTENCES, 5), STRIDES):
        segments = _passage(encoding, start, stride, target)
        assert sum(tokens.count(part, encoding) for part in segments) == target
        assert tokens.count("".join(segments), encoding) == target


def test_the_text_reads_as_sentences():
    text = generators.make("lorem").reply(ask_for(), Dice(3), 200).text
    assert text[0].isupper()
    assert text.endswith(".")
    assert "  " not in text
    assert ".." not in text


def test_the_dice_choose_where_it_starts():
    lorem = generators.make("lorem")
    texts = {lorem.reply(ask_for(), Dice(seed), 50).text for seed in range(50)}
    assert len(texts) > 20
    assert lorem.reply(ask_for(), Dice(1), 50) == lorem.reply(ask_for(), Dice(1), 50)


def test_no_tokens_are_no_text():
    assert generators.make("lorem").reply(ask_for(), Dice(3), 0).text == ""
