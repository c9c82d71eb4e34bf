"""A bucket is what a slow, exact one is: the same levels, the same waits, also when spendings are put right later."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim.limits.bucket import Bucket


class ReferenceBucket:
    """Remembers what was spent when, and works out what is there by going through all of it; slow and plain."""

    def __init__(self, limit: int, seconds: int = 60, size: Fraction | None = None) -> None:
        self.limit = Fraction(limit)
        self.rate = Fraction(limit, seconds) if seconds else Fraction(0)
        self.size = Fraction(limit) if size is None else size
        self.spent: list[list[Fraction]] = []

    def level(self, now: Fraction) -> Fraction:
        """What is there at that moment."""
        level, at = self.size, Fraction(0)
        for moment, amount in sorted(self.spent, key=lambda one: one[0]):
            level = min(self.size, level + (moment - at) * self.rate) - amount
            at = moment
        return min(self.size, level + (now - at) * self.rate)

    def wait(self, amount: int, now: Fraction) -> Fraction | None:
        """Seconds until it can be spent; None for never."""
        missing = min(Fraction(amount), self.size) - self.level(now)
        if missing <= 0:
            return Fraction(0)
        return missing / self.rate if self.rate else None

    def spend(self, amount: int, now: Fraction) -> list[Fraction]:
        """Notes a spending, which may be put right later."""
        entry = [now, Fraction(amount)]
        self.spent.append(entry)
        return entry


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("spend"), st.integers(0, 150)),
        st.tuples(st.just("wait"), st.sampled_from([0.125, 1.0, 7.5, 40.0])),
        st.tuples(st.just("settle"), st.integers(0, 150)),
    ),
    max_size=50,
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.integers(1, 120), STEPS, st.sampled_from([60, 86_400]))
def test_it_is_the_exact_bucket_also_when_spendings_are_put_right(limit, steps, seconds):
    bucket, reference = Bucket(limit, limit, limit / seconds, 0.0), ReferenceBucket(limit, seconds)
    now, spent = 0.0, []
    for step, amount in steps:
        if step == "wait":
            now += amount
        bucket.reach(now)
        moment = Fraction(now)
        if step == "spend":
            wait = bucket.wait(amount)
            assert wait == pytest.approx(float(reference.wait(amount, moment)), abs=2e-6)
            if not wait:
                bucket.spend(amount)
                spent.append((now, amount, reference.spend(amount, moment)))
        elif step == "settle" and spent:
            since, estimate, entry = spent.pop(amount % len(spent))
            used = amount % (estimate + 1)
            bucket.give_back(estimate - used, since)
            entry[1] = Fraction(used)
        assert bucket.level == pytest.approx(float(reference.level(moment)), abs=1e-4)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.integers(1, 10**9),
    st.lists(st.floats(0.0, 2.0), min_size=1, max_size=30),
    st.floats(0, 1e9),
    st.floats(1e-3, 60.0),
)
def test_who_waits_as_long_as_told_gets_it_whatever_the_rounding(limit, shares, start, burst):
    size = max(1.0, limit * burst / 60)
    bucket, now = Bucket(limit, size, limit / 60, start), start
    for share in shares:
        amount = share * size
        wait = bucket.wait(amount)
        if wait:
            now += wait
            bucket.reach(now)
            assert bucket.wait(amount) == 0.0
        bucket.spend(amount)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(1, 1000), st.lists(st.tuples(st.integers(1, 100), st.floats(0, 30)), max_size=80))
def test_no_stretch_of_time_gets_more_than_the_limit(limit, asks):
    bucket, now, granted = Bucket(limit, limit, limit / 60, 0.0), 0.0, []
    for amount, gap in asks:
        amount = min(amount, limit)
        now += gap
        bucket.reach(now)
        if not bucket.wait(amount):
            bucket.spend(amount)
            granted.append((now, amount))
    for first, (start, _) in enumerate(granted):
        total = 0
        for end, amount in granted[first:]:
            total += amount
            assert total <= limit + (end - start) * limit / 60 + 1e-3 * (1 + limit / 60)


def test_what_would_have_run_over_meanwhile_is_not_given_back():
    bucket = Bucket(60, 60, 1.0, 0.0)
    bucket.spend(60)
    bucket.reach(60.0)
    bucket.spend(60)  # it was full again: the first spending has long been forgotten
    bucket.give_back(60, since=0.0)
    assert bucket.level == 0.0


def test_what_was_spent_too_much_comes_back_while_it_is_missing():
    bucket = Bucket(60, 60, 1.0, 0.0)
    bucket.spend(60)
    bucket.reach(10.0)
    bucket.give_back(50, since=0.0)
    assert bucket.level == 60.0
    assert bucket.reset == 0.0


def test_many_spendings_need_little_room_and_give_back_no_more_than_they_should():
    bucket, reference = Bucket(10_000, 10_000, 10_000 / 60, 0.0), ReferenceBucket(10_000)
    spent = []
    for step in range(400):
        now = step / 8
        bucket.reach(now)
        bucket.spend(100)
        spent.append((now, reference.spend(100, Fraction(now))))
    for since, entry in spent:
        bucket.give_back(90, since)
        entry[1] = Fraction(10)
    assert bucket.level <= float(reference.level(Fraction(now))) + 1e-3
    assert len(bucket._lows) <= 64


def test_a_quota_is_spent_for_good():
    bucket = Bucket(100, 100, 0.0, 0.0)
    bucket.spend(90)
    bucket.reach(1e9)
    assert (bucket.left, bucket.used, bucket.wait(10), bucket.wait(11), bucket.reset) == (
        10,
        90,
        0.0,
        math.inf,
        math.inf,
    )
    bucket.fill()
    assert (bucket.left, bucket.reset) == (100, 0.0)


def test_another_limit_forgives_only_what_exceeds_its_size():
    bucket = Bucket(100, 100, 100 / 60, 0.0)
    bucket.spend(100)
    bucket.resize(150, 150, 150 / 60)
    assert bucket.left == 50
    bucket.resize(10, 10, 10 / 60)
    assert (bucket.left, bucket.wait(1)) == (0, 6.0)


def test_draining_takes_a_share_of_what_is_there():
    bucket = Bucket(100, 100, 100 / 60, 0.0)
    bucket.spend(20)
    bucket.drain(0.5)
    assert bucket.left == 40
    bucket.drain(1.0)
    assert bucket.left == 0
