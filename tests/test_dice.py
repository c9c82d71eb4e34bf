"""The dice depend on their seed and on nothing else, and fall evenly."""

from collections import Counter
from itertools import pairwise
from statistics import correlation, fmean

import pytest

from llmsim.dice import Dice, mix


def test_the_numbers_are_those_of_splitmix64():
    # Reference output for seed 0, as in Vigna's splitmix64.c and Java's SplittableRandom.
    dice = Dice(0)
    assert [dice.bits() for _ in range(3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_the_same_seed_gives_the_same_draws():
    one, other = Dice(7), Dice(7)
    assert [one.random() for _ in range(50)] == [other.random() for _ in range(50)]
    assert one.text(24) == other.text(24)
    assert one.generator().random() == other.generator().random()


def test_different_seeds_give_different_draws():
    assert len({Dice(seed).bits() for seed in range(10_000)}) == 10_000


def test_a_seed_of_any_size_is_taken_by_its_lowest_64_bits():
    assert Dice(1 << 64 | 5).bits() == Dice(5).bits()
    assert Dice(-1).seed == (1 << 64) - 1


def test_drawing_from_a_fork_changes_nothing_in_its_parent_and_the_other_way_round():
    quiet, busy = Dice(3), Dice(3)
    fork = busy.fork("text")
    for _ in range(100):
        fork.bits()
    assert quiet.bits() == busy.bits()
    assert busy.fork("text").bits() == Dice(3).fork("text").bits()


def test_forks_for_different_purposes_differ():
    dice = Dice(3)
    draws = {dice.fork(purpose).bits() for purpose in ("text", "times", "fault a", "fault b")} | {dice.bits()}
    assert len(draws) == 5


def test_a_fork_of_a_fork_is_not_its_grandparent():
    assert Dice(3).fork("text").fork("text").seed != Dice(3).seed


def test_forks_of_many_seeds_do_not_go_together():
    parents = [Dice(mix(seed)) for seed in range(3000)]
    texts = [dice.fork("text").random() for dice in parents]
    times = [dice.fork("times").random() for dice in parents]
    assert abs(correlation(texts, times)) < 0.06
    assert abs(correlation([dice.random() for dice in parents], texts)) < 0.06


def test_draws_fall_evenly():
    dice = Dice(11)
    counts = Counter(int(dice.random() * 100) for _ in range(100_000))
    chi_square = sum((counts[i] - 1000) ** 2 / 1000 for i in range(100))
    # 99 degrees of freedom: beyond 149 once in a thousand seeds.
    assert chi_square < 149
    assert set(counts) == set(range(100))


def test_one_draw_says_nothing_about_the_next():
    dice = Dice(12)
    draws = [dice.random() for _ in range(20_000)]
    assert abs(correlation(draws[:-1], draws[1:])) < 0.03
    assert fmean(draws) == pytest.approx(0.5, abs=0.01)
    assert all(a != b for a, b in pairwise(draws))


def test_draws_keep_to_their_bounds():
    dice = Dice(5)
    assert {dice.between(2, 4) for _ in range(200)} == {2, 3, 4}
    assert {dice.below(3) for _ in range(200)} == {0, 1, 2}
    assert {dice.choice("ab") for _ in range(100)} == {"a", "b"}
    assert all(2.5 <= dice.uniform(2.5, 3.5) < 3.5 for _ in range(1000))
    assert all(0 <= dice.random() < 1 for _ in range(1000))
    assert dice.below(1) == 0
    assert dice.between(9, 9) == 9


def test_text_is_letters_and_digits_of_the_asked_length():
    assert len(Dice(1).text(29)) == 29
    assert Dice(1).text(1000).isalnum()
    assert Dice(1).text(0) == ""


def test_a_mix_depends_on_every_part_and_on_their_order():
    mixes = {mix("a", "b"), mix("b", "a"), mix("ab"), mix("ab", ""), mix("a", 1), mix("a", 2), mix(b"\xff", "a")}
    assert len(mixes) == 7
    assert mix("a", 1) == mix(b"a", "1")
    assert all(0 <= value < 1 << 64 for value in mixes)
