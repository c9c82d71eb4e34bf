"""Rate limits: a bucket for requests and one for tokens, for each key and model."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ask_for

from llmsim.limits import accounts as limits
from llmsim.clock import ToldClock
from llmsim.limits import NOMINAL_RPM, NOMINAL_TPM, Limiter


@pytest.fixture
def limiter(clock):
    return Limiter(clock)


async def test_as_many_requests_as_the_limit_may_come_at_once_and_no_more(limiter):
    standings = [limiter.admit("k", "m", 1, 5, None) for _ in range(6)]
    assert [standing.refused for standing in standings] == ["", "", "", "", "", "requests"]
    assert [standing.requests_left for standing in standings] == [4, 3, 2, 1, 0, 0]
    assert standings[-1].wait == pytest.approx(12.0)


async def test_who_waits_as_long_as_told_is_let_in(clock, limiter):
    for _ in range(5):
        limiter.admit("k", "m", 1, 5, None)
    wait = limiter.admit("k", "m", 1, 5, None).wait
    await clock.advance(wait - 0.01)
    assert limiter.admit("k", "m", 1, 5, None).refused == "requests"
    await clock.advance(0.01)
    assert limiter.admit("k", "m", 1, 5, None).refused == ""


async def test_tokens_are_limited_beside_requests(clock, limiter):
    assert limiter.admit("k", "m", 600, 100, 1000).refused == ""
    refused = limiter.admit("k", "m", 600, 100, 1000)
    assert (refused.refused, refused.needed, refused.tokens_left) == ("tokens", 600, 400)
    assert refused.wait == pytest.approx(12.0)
    assert refused.requests_left == 99
    await clock.advance(12)
    assert limiter.admit("k", "m", 600, 100, 1000).refused == ""


async def test_what_is_more_than_the_whole_bucket_waits_for_a_full_one_and_owes_the_rest(clock, limiter):
    assert limiter.admit("k", "m", 3000, None, 1000).refused == ""
    after = limiter.admit("k", "m", 1, None, 1000)
    assert (after.refused, after.tokens_left) == ("tokens", 0)
    assert after.wait == pytest.approx(2001 * 60 / 1000)


async def test_the_limit_that_takes_longer_is_the_one_that_is_told(limiter):
    limiter.admit("k", "m", 1000, 1, 1000)
    assert limiter.admit("k", "m", 10, 1, 1000).refused == "requests"


async def test_a_refused_request_spends_nothing(limiter):
    limiter.admit("k", "m", 10, 1, 1000)
    left = [limiter.admit("k", "m", 10, 1, 1000).tokens_left for _ in range(5)]
    assert left == [990] * 5


async def test_keys_and_models_have_buckets_of_their_own(limiter):
    assert limiter.admit("k", "m", 1, 1, None).refused == ""
    assert limiter.admit("k", "n", 1, 1, None).refused == ""
    assert limiter.admit("l", "m", 1, 1, None).refused == ""
    assert limiter.admit("k", "m", 1, 1, None).refused == "requests"


async def test_the_resets_say_when_a_bucket_is_full_again(clock, limiter):
    standing = limiter.admit("k", "m", 250, 60, 1000)
    assert standing.requests_reset == pytest.approx(1.0)
    assert standing.tokens_reset == pytest.approx(15.0)
    await clock.advance(15)
    assert limiter.admit("k", "m", 0, 60, 1000).tokens_left == 1000


async def test_without_limits_the_nominal_ones_are_told_and_nobody_is_refused(limiter):
    standing = limiter.admit("k", "m", 100, None, None)
    assert (standing.requests_limit, standing.tokens_limit) == (NOMINAL_RPM, NOMINAL_TPM)
    assert (standing.requests_left, standing.tokens_left) == (NOMINAL_RPM - 1, NOMINAL_TPM - 100)
    assert not any(limiter.admit("k", "m", 100, None, None).refused for _ in range(NOMINAL_RPM + 1))


async def test_a_limit_of_tokens_alone_does_not_limit_requests(limiter):
    assert not any(limiter.admit("k", "m", 0, None, 1000).refused for _ in range(NOMINAL_RPM + 10))


async def test_a_limit_of_requests_alone_does_not_limit_tokens(limiter):
    assert not any(limiter.admit("k", "m", NOMINAL_TPM, 10, None).refused for _ in range(10))


async def test_a_higher_limit_does_not_forgive_what_was_spent(limiter):
    for _ in range(10):
        limiter.admit("k", "m", 1, 10, None)
    assert limiter.admit("k", "m", 1, 12, None).requests_left == 1


async def test_a_lower_limit_lets_in_again_within_its_own_time(clock, limiter):
    for _ in range(5000):
        limiter.admit("k", "m", 1, 10_000, None)
    refused = limiter.admit("k", "m", 1, 10, None)
    assert refused.refused == "requests"
    assert refused.wait <= 6.0 + 1e-6
    await clock.advance(6.1)
    assert limiter.admit("k", "m", 1, 10, None).refused == ""


async def test_the_bucket_unused_for_longest_goes_where_there_are_too_many(limiter, monkeypatch):
    monkeypatch.setattr(limits, "BUCKETS", 3)
    for key in "abcd":
        limiter.admit(key, "m", 1, 1, None)
    assert limiter.admit("d", "m", 1, 1, None).refused == "requests"
    assert limiter.admit("a", "m", 1, 1, None).refused == ""


async def test_cleared_buckets_are_full(limiter):
    limiter.admit("k", "m", 1, 1, None)
    limiter.clear()
    assert limiter.admit("k", "m", 1, 1, None).refused == ""


async def test_a_request_counts_its_prompt_and_all_the_tokens_it_may_get(simulator):
    simulator.change(tpm=1000, rpm=10)
    standing = simulator.begin(ask_for(prompt_tokens=100, max_tokens=50, n=3, key="k")).standing
    assert (standing.needed, standing.tokens_left) == (250, 750)
    assert simulator.begin(ask_for(prompt_tokens=100, key="k")).standing.needed == 105


async def test_a_request_over_the_limit_is_refused_with_the_wait(simulator):
    simulator.change(rpm=1)
    simulator.begin(ask_for(key="k"))
    plan = simulator.begin(ask_for(key="k")).plan
    assert (plan.failure.status, plan.failure.code) == (429, "requests")
    assert plan.failure.retry_after == pytest.approx(60.0)


class Reference:
    """A bucket that is filled once every tick; what is asked of it is what a real one should do."""

    def __init__(self, limit: float):
        self.limit = self.level = limit

    def wait(self, seconds: float) -> None:
        self.level = min(self.limit, self.level + seconds * self.limit / 60)

    def change(self, limit: float) -> None:
        if limit != self.limit:
            self.level = max(0.0, limit - (self.limit - self.level))
        self.limit = limit

    def admit(self, amount: float) -> bool:
        if self.level < min(amount, self.limit) - 1e-4:
            return False
        self.level -= amount
        return True


steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 150)),
        st.tuples(st.just("wait"), st.sampled_from([0.25, 1.0, 7.0, 60.0])),
        st.tuples(st.just("limit"), st.sampled_from([10, 60, 100])),
    ),
    max_size=60,
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(steps)
def test_it_decides_as_a_simple_bucket_does_also_when_the_limit_changes(steps):
    clock = ToldClock()
    limiter, reference, tpm = Limiter(clock), Reference(60), 60
    limiter.admit("k", "m", 0, None, tpm)
    for step, amount in steps:
        if step == "wait":
            clock._now += amount
            reference.wait(amount)
        elif step == "limit":
            tpm = amount
        else:
            reference.change(tpm)
            standing = limiter.admit("k", "m", amount, None, tpm)
            assert (standing.refused == "") == reference.admit(amount)
            assert standing.tokens_left == pytest.approx(max(0, int(reference.level + 1e-6)), abs=1)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(1, 10_000), st.lists(st.integers(1, 500), max_size=20), st.floats(0, 1e7))
def test_a_client_that_waits_as_told_is_never_refused_twice(tpm, amounts, start):
    clock = ToldClock(start=start)
    limiter = Limiter(clock)
    for amount in amounts:
        standing = limiter.admit("k", "m", amount, None, tpm)
        if standing.refused:
            clock._now += standing.wait
            assert not limiter.admit("k", "m", amount, None, tpm).refused
