"""What clients leave is kept in one budget, the oldest going first."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.clock import ToldClock
from llmsim.store import Store


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


def test_what_was_put_is_there_under_its_kind(clock: ToldClock) -> None:
    store = Store(clock)
    store.put("openai.file", "a", b"data")
    assert store.get("openai.file", "a") == b"data"
    assert store.get("openai.response", "a") is None
    assert store.values("openai.file") == [b"data"]
    assert len(store) == 1


def test_values_come_in_the_order_they_came_in(clock: ToldClock) -> None:
    store = Store(clock)
    for name in "cab":
        store.put("kind", name, name.encode())
    store.put("kind", "a", b"again")
    assert store.values("kind") == [b"c", b"again", b"b"]


def test_what_was_taken_out_is_gone(clock: ToldClock) -> None:
    store = Store(clock)
    store.put("kind", "a", b"data")
    assert store.pop("kind", "a") == b"data"
    assert store.pop("kind", "a") is None
    assert (len(store), store.size) == (0, 0)


def test_beyond_the_count_the_oldest_goes(clock: ToldClock) -> None:
    store = Store(clock, count=2)
    for name in "abc":
        store.put(f"kind.{name}", name, b"")
    assert store.get("kind.a", "a") is None
    assert len(store) == 2


def test_beyond_the_bytes_the_oldest_goes(clock: ToldClock) -> None:
    store = Store(clock, size=5000)
    store.put("kind", "a", b"x" * 2000)
    store.put("kind", "b", b"x" * 2000)
    store.put("kind", "c", {"some": "value"}, size=1000)
    assert [name for name in "abc" if store.get("kind", name)] == ["b", "c"]
    assert store.size <= 5000


def test_what_is_larger_than_the_budget_is_not_kept(clock: ToldClock) -> None:
    store = Store(clock, size=5000)
    store.put("kind", "a", b"x" * 6000)
    assert store.get("kind", "a") is None
    assert store.size == 0


def test_a_value_that_grew_counts_for_what_it_is(clock: ToldClock) -> None:
    store = Store(clock, size=5000)
    store.put("kind", "a", b"x" * 10)
    small = store.size
    store.put("kind", "a", b"x" * 110)
    assert store.size == small + 100


async def test_past_their_age_entries_go(clock: ToldClock) -> None:
    store = Store(clock, age=60)
    store.put("kind", "a", b"")
    await clock.advance(59)
    store.put("kind", "b", b"")
    assert store.get("kind", "a") is not None
    await clock.advance(1)
    assert store.get("kind", "a") is None
    assert store.values("kind") == [b""]


async def test_putting_again_does_not_make_an_entry_younger(clock: ToldClock) -> None:
    store = Store(clock, age=60)
    store.put("kind", "a", b"")
    await clock.advance(59)
    store.put("kind", "a", b"newer")
    await clock.advance(1)
    assert store.get("kind", "a") is None


def test_clearing_forgets_everything(clock: ToldClock) -> None:
    store = Store(clock)
    store.put("one", "a", b"")
    store.put("two", "a", b"")
    assert store.clear() == 2
    assert (len(store), store.size, store.values("one")) == (0, 0, [])


@given(st.lists(st.tuples(st.sampled_from("pgx"), st.sampled_from("abcd"), st.integers(0, 3000)), max_size=60))
def test_the_size_is_the_sum_of_what_is_kept_and_within_the_budget(steps: list[tuple[str, str, int]]) -> None:
    store = Store(ToldClock(), count=3, size=6000)
    for step, name, size in steps:
        if step == "p":
            store.put("kind", name, name, size)
        elif step == "x":
            store.pop("kind", name)
        else:
            store.get("kind", name)
        assert store.size == sum(kept.size for kept in store._order.values()) <= 6000
        assert len(store) == len(store.values("kind")) <= 3


def test_several_threads_may_use_it(clock: ToldClock) -> None:
    store = Store(clock, count=50)

    def work(name: str) -> None:
        for number in range(500):
            store.put("kind", f"{name}{number}", b"x")
            store.values("kind")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store) == 50
    assert store.size == sum(kept.size for kept in store._order.values())
