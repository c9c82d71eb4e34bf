"""The journal keeps the newest exchanges, bounded in number and in bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ask_for, plan_of

from llmsim.exchange import Exchange
from llmsim.journal import Journal


def exchange(number: int, request: bytes = b"{}") -> Exchange:
    one = Exchange(number, ask_for(), plan_of(), 0.0, 0.0)
    one.request = request
    return one


def filled(journal: Journal, numbers: range, size: int = 2) -> Journal:
    for number in numbers:
        journal.add(exchange(number, b"x" * size))
    return journal


def numbers(journal: Journal) -> list[int]:
    return [one.number for one in journal]


def test_an_empty_journal_has_nothing():
    journal = Journal()
    assert (len(journal), journal.first, journal.last, journal.size) == (0, 0, -1, 0)
    assert journal.get(0) is None
    assert journal.newest(5) == []


def test_the_oldest_goes_where_there_are_too_many():
    journal = filled(Journal(count=3), range(1, 8))
    assert numbers(journal) == [5, 6, 7]
    assert (len(journal), journal.first, journal.last) == (3, 5, 7)


def test_the_oldest_go_where_they_take_too_many_bytes():
    journal = filled(Journal(size=100_000), range(1, 50), size=10_000)
    assert journal.size <= 100_000
    assert journal.last == 49
    assert 3 <= len(journal) <= 5


def test_the_newest_stays_even_where_it_is_too_large_by_itself():
    journal = filled(Journal(size=1000), range(1, 4), size=50_000)
    assert numbers(journal) == [3]


def test_an_exchange_is_found_by_its_number_as_long_as_it_is_kept():
    journal = filled(Journal(count=3), range(1, 8))
    assert journal.get(6).number == 6
    assert journal.get(4) is None
    assert journal.get(8) is None
    assert journal.get(-1) is None


def test_the_newest_come_oldest_first():
    journal = filled(Journal(), range(1, 6))
    assert [one.number for one in journal.newest(2)] == [4, 5]
    assert [one.number for one in journal.newest(99)] == [1, 2, 3, 4, 5]
    assert journal.newest(0) == []


def test_a_cleared_journal_goes_on_with_the_next_number():
    journal = filled(Journal(), range(1, 6))
    journal.clear()
    assert (len(journal), journal.size) == (0, 0)
    filled(journal, range(6, 8))
    assert journal.get(6).number == 6
    assert journal.get(5) is None


def test_a_longer_request_and_a_longer_plan_weigh_more():
    journal = Journal()
    small, large = exchange(1), exchange(2, b"x" * 5000)
    journal.add(small)
    journal.add(large)
    assert large.weight - small.weight == pytest.approx(10_000, abs=10)
    assert journal.size == small.weight + large.weight


@settings(derandomize=True, deadline=None, max_examples=80)
@given(sizes=st.lists(st.integers(0, 20_000), max_size=40), count=st.integers(1, 10), limit=st.integers(2_000, 60_000))
def test_the_bounds_hold_whatever_comes(sizes, count, limit):
    journal = Journal(count, limit)
    for number, size in enumerate(sizes, 1):
        journal.add(exchange(number, b"x" * size))
        kept = numbers(journal)
        assert kept == list(range(journal.first, number + 1))
        assert len(kept) <= count
        assert journal.size == sum(one.weight for one in journal)
        assert journal.size <= limit or len(kept) == 1
        assert all(journal.get(one).number == one for one in kept)
