"""Who may pass: all limits that a request is under let it in, what is told is true, and nothing is forgiven."""

import pytest
from support import ask_for

from llmsim.conversation import Ask
from llmsim.limits import NOMINAL_RPM, NOMINAL_TPM, Limit, accounts, failure, founding
from llmsim.limits.limiter import Limiter
from llmsim.match import Subject


class Plain(Limiter):
    """Asked with a key, a model and the plain settings; every request has a number of its own."""

    number = 0

    def plain(self, key, model, tokens, rpm, tpm):
        return self.ask(founding(rpm, tpm), 0, tokens, key=key, model=model)

    def ask(self, limits, tokens_in=0, tokens_out=0, model="gpt-4o", **fields):
        self.number += 1
        return self.admit(Subject(Ask(model, number=self.number, **fields)), limits, tokens_in, tokens_out)


@pytest.fixture
def limiter(clock):
    return Plain(clock)


async def test_as_many_requests_as_the_limit_may_come_at_once_and_no_more(limiter):
    standings = [limiter.plain("k", "m", 1, 5, None) for _ in range(6)]
    assert [standing.refused for standing in standings] == ["", "", "", "", "", "requests"]
    assert [standing.requests_left for standing in standings] == [4, 3, 2, 1, 0, 0]
    assert standings[-1].wait == pytest.approx(12.0)


async def test_an_edited_limit_shows_in_its_buckets_before_the_next_request(limiter):
    limiter.ask([Limit(rpm=5)])
    edited = [Limit(rpm=9)]
    limiter.renew(edited)
    (bucket,) = limiter.buckets()
    assert (bucket.rule, bucket.limit) == (edited[0], 9)
    assert bucket.level == pytest.approx(8)


async def test_who_waits_as_long_as_told_is_let_in(clock, limiter):
    for _ in range(5):
        limiter.plain("k", "m", 1, 5, None)
    wait = limiter.plain("k", "m", 1, 5, None).wait
    await clock.advance(wait - 0.01)
    assert limiter.plain("k", "m", 1, 5, None).refused == "requests"
    await clock.advance(0.01)
    assert limiter.plain("k", "m", 1, 5, None).refused == ""


async def test_tokens_are_limited_beside_requests(clock, limiter):
    assert limiter.plain("k", "m", 600, 100, 1000).refused == ""
    refused = limiter.plain("k", "m", 600, 100, 1000)
    assert (refused.refused, refused.needed, refused.tokens_left) == ("tokens", 600, 400)
    assert refused.wait == pytest.approx(12.0)
    assert refused.requests_left == 99
    await clock.advance(12)
    assert limiter.plain("k", "m", 600, 100, 1000).refused == ""


async def test_what_is_more_than_the_whole_bucket_waits_for_a_full_one_and_owes_the_rest(clock, limiter):
    assert limiter.plain("k", "m", 3000, None, 1000).refused == ""
    after = limiter.plain("k", "m", 1, None, 1000)
    assert (after.refused, after.tokens_left) == ("tokens", 0)
    assert after.wait == pytest.approx(2001 * 60 / 1000)


async def test_the_limit_that_takes_longer_is_the_one_that_is_told(limiter):
    limiter.plain("k", "m", 1000, 1, 1000)
    assert limiter.plain("k", "m", 10, 1, 1000).refused == "requests"


async def test_a_refused_request_spends_nothing(limiter):
    limiter.plain("k", "m", 10, 1, 1000)
    left = [limiter.plain("k", "m", 10, 1, 1000).tokens_left for _ in range(5)]
    assert left == [990] * 5


async def test_keys_and_models_have_buckets_of_their_own(limiter):
    assert limiter.plain("k", "m", 1, 1, None).refused == ""
    assert limiter.plain("k", "n", 1, 1, None).refused == ""
    assert limiter.plain("l", "m", 1, 1, None).refused == ""
    assert limiter.plain("k", "m", 1, 1, None).refused == "requests"


async def test_the_resets_say_when_a_bucket_is_full_again(clock, limiter):
    standing = limiter.plain("k", "m", 250, 60, 1000)
    assert standing.requests_reset == pytest.approx(1.0)
    assert standing.tokens_reset == pytest.approx(15.0)
    await clock.advance(15)
    assert limiter.plain("k", "m", 0, 60, 1000).tokens_left == 1000


async def test_without_limits_the_nominal_ones_are_told_and_nobody_is_refused(limiter):
    standing = limiter.plain("k", "m", 100, None, None)
    assert (standing.requests_limit, standing.tokens_limit) == (NOMINAL_RPM, NOMINAL_TPM)
    assert (standing.requests_left, standing.tokens_left) == (NOMINAL_RPM - 1, NOMINAL_TPM - 100)
    assert not any(limiter.plain("k", "m", 100, None, None).refused for _ in range(NOMINAL_RPM + 1))


async def test_a_limit_of_tokens_alone_does_not_limit_requests(limiter):
    assert not any(limiter.plain("k", "m", 0, None, 1000).refused for _ in range(NOMINAL_RPM + 10))


async def test_a_limit_of_requests_alone_does_not_limit_tokens(limiter):
    assert not any(limiter.plain("k", "m", NOMINAL_TPM, 10, None).refused for _ in range(10))


async def test_a_higher_limit_does_not_forgive_what_was_spent(limiter):
    for _ in range(10):
        limiter.plain("k", "m", 1, 10, None)
    assert limiter.plain("k", "m", 1, 12, None).requests_left == 1


async def test_a_lower_limit_lets_in_again_within_its_own_time(clock, limiter):
    for _ in range(5000):
        limiter.plain("k", "m", 1, 10_000, None)
    refused = limiter.plain("k", "m", 1, 10, None)
    assert refused.refused == "requests"
    assert refused.wait <= 6.0 + 1e-6
    await clock.advance(6.1)
    assert limiter.plain("k", "m", 1, 10, None).refused == ""


async def test_the_bucket_unused_for_longest_goes_where_there_are_too_many(limiter, monkeypatch):
    monkeypatch.setattr(accounts, "BUCKETS", 3)
    for key in "abcd":
        limiter.plain(key, "m", 1, 1, None)
    assert limiter.plain("d", "m", 1, 1, None).refused == "requests"
    assert limiter.plain("a", "m", 1, 1, None).refused == ""


async def test_cleared_buckets_are_full(limiter):
    limiter.plain("k", "m", 1, 1, None)
    limiter.clear()
    assert limiter.plain("k", "m", 1, 1, None).refused == ""


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


# -- rules


async def test_a_limit_is_for_the_requests_that_it_is_about(limiter):
    limits = (Limit(when="model:gpt-4o key:a", rpm=1),)
    assert not limiter.ask(limits, key="a").refused
    assert limiter.ask(limits, key="a").refused == "requests"
    assert not any(limiter.ask(limits, key="b").refused for _ in range(3))


@pytest.mark.parametrize(
    ("per", "same"), [((), "bcd"), (("key",), "bd"), (("key", "provider"), ""), (("provider",), "cd")]
)
async def test_what_a_limit_goes_by_has_buckets_of_its_own(limiter, per, same):
    limits = (Limit(rpm=1, per=per),)
    askers = {
        "a": {"key": "k", "provider": "openai"},
        "b": {"key": "k", "provider": "azure"},
        "c": {"key": "l", "provider": "openai"},
        "d": {"key": "l", "provider": "azure"},
    }
    limiter.ask(limits, **askers["a"])
    assert [name for name in "bcd" if limiter.ask(limits, **askers[name]).refused] == list(same)
    assert limiter.ask(limits, **askers["a"]).refused == "requests"


async def test_all_limits_must_let_in_and_a_refused_request_spends_of_none(limiter):
    limits = (Limit(name="all", rpm=10, per=()), Limit(name="one", when="key:a", rpm=1))
    limiter.ask(limits, key="a")
    told = limiter.ask(limits, key="a")
    assert (told.refused, told.rule, told.limit, told.used) == ("requests", "one", 1, 1)
    assert limiter.ask(limits, key="b").requests_left == 8


async def test_the_tightest_of_several_limits_is_told(limiter):
    standing = limiter.ask((Limit(rpm=3, rpd=200),))
    assert (standing.requests_limit, standing.requests_left) == (3, 2)
    daily = limiter.ask((Limit(name="day", rpm=500, rpd=200),))
    assert (daily.requests_limit, daily.requests_left, daily.requests_reset) == (200, 199, 432.0)


async def test_a_day_is_a_bucket_that_refills_all_day_long(clock, limiter):
    limits = (Limit(rpd=200),)
    for _ in range(200):
        assert not limiter.ask(limits).refused
    told = limiter.ask(limits)
    assert (told.wait, told.daily) == (432.0, True)
    await clock.advance(432)
    assert not limiter.ask(limits).refused


async def test_input_and_output_have_limits_of_their_own(clock, limiter):
    limits = (Limit(input_tpm=1000, output_tpm=100),)
    standing = limiter.ask(limits, 300, 80)
    assert (standing.input_limit, standing.input_left, standing.input_reset) == (1000, 700, 18.0)
    assert (standing.output_limit, standing.output_left, standing.output_reset) == (100, 20, 48.0)
    assert (standing.tokens_limit, standing.tokens_left) == (1100, 720)
    told = limiter.ask(limits, 10, 50)
    assert (told.refused, told.needed, told.limit, told.wait) == ("output_tokens", 50, 100, 18.0)
    assert limiter.ask(limits, 800, 10).refused == "input_tokens"


async def test_a_burst_lets_less_come_at_once_and_as_much_in_a_minute(clock, limiter):
    limits = (Limit(rpm=60, burst=2),)
    assert [limiter.ask(limits).refused for _ in range(3)] == ["", "", "requests"]
    for _ in range(58):
        await clock.advance(1)
        assert not limiter.ask(limits).refused


async def test_a_prompt_that_is_more_than_the_limit_is_never_let_in_and_no_wait_is_told(limiter):
    told = limiter.ask((Limit(tpm=1000),), 1001, 10)
    assert (told.refused, told.too_large, told.needed, told.limit) == ("tokens", True, 1011, 1000)
    assert failure(told).retry_after is None


async def test_a_long_reply_to_a_short_prompt_is_let_in_by_a_full_bucket(limiter):
    assert not limiter.ask((Limit(tpm=1000),), 10, 4096).refused


# -- settling


async def test_what_was_estimated_too_high_is_given_back_at_the_end(limiter):
    limits = (Limit(tpm=1000, input_tpm=2000),)
    assert limiter.ask(limits, 100, 400).tokens_left == 500
    limiter.settle(1, 100, 50)
    assert limiter.ask(limits).tokens_left == 850
    assert limiter.look(Subject(ask_for()), limits).input_left == 1900


async def test_what_was_estimated_too_low_is_taken_at_the_end(limiter):
    limits = (Limit(tpm=1000),)
    limiter.ask(limits, 100, 100)
    limiter.settle(1, 100, 1100)
    told = limiter.ask(limits, 10, 0)
    assert (told.refused, told.tokens_left, told.used) == ("tokens", 0, 1200)
    assert told.wait == pytest.approx(210 * 60 / 1000)


async def test_settling_twice_or_what_was_never_opened_changes_nothing(limiter):
    limits = (Limit(tpm=1000, concurrency=1),)
    limiter.ask(limits, 100, 400)
    for _ in range(3):
        limiter.settle(1, 0, 0)
    limiter.settle(99, 0, 0)
    (tokens, slots) = limiter.buckets()
    assert (tokens.level, slots.level, slots.busy) == (1000.0, 1.0, 0)


async def test_so_many_run_at_one_time_and_the_end_of_one_lets_the_next_in(limiter):
    limits = (Limit(concurrency=2),)
    assert [limiter.ask(limits).refused for _ in range(3)] == ["", "", "concurrency"]
    told = limiter.ask(limits)
    assert (told.limit, told.used, failure(told).retry_after) == (2, 2, None)
    limiter.settle(1, 0, 0)
    limiter.settle(1, 0, 0)
    assert [limiter.ask(limits).refused for _ in range(2)] == ["", "concurrency"]


async def test_a_limit_of_concurrency_counts_those_that_run_already(limiter):
    limiter.ask((Limit(name="a", rpm=10),))
    assert limiter.ask((Limit(name="a", rpm=10, concurrency=1),)).refused == "concurrency"


# -- quotas


async def test_a_quota_is_spent_for_good_until_it_is_refilled(clock, limiter):
    limits = (Limit(name="purse", quota_tokens=100),)
    limiter.ask(limits, 10, 90)
    limiter.settle(1, 10, 90)
    await clock.advance(1e6)
    told = limiter.ask(limits, 1, 0)
    assert (told.refused, told.quota, told.wait) == ("tokens", True, 0.0)
    assert (failure(told).kind, failure(told).retry_after) == ("quota", None)
    assert limiter.refill("purse") == 1
    assert not limiter.ask(limits, 1, 0).refused


async def test_a_spent_quota_weighs_more_than_a_wait(limiter):
    limits = (Limit(rpm=1, quota_requests=1),)
    limiter.ask(limits)
    assert limiter.ask(limits).quota


# -- changes


async def test_no_change_of_a_limit_forgives_what_was_spent(limiter):
    for limit in (Limit(rpm=10), Limit(rpm=12), Limit(rpm=12, tpm=5), Limit(tpm=5), Limit(rpm=12)):
        limiter.ask((limit,))
    assert limiter.ask((Limit(rpm=12),)).requests_left == 12 - 5
    limiter.ask(())
    assert limiter.ask((Limit(rpm=12),)).requests_left == 12 - 6


async def test_a_limit_that_is_lifted_for_a_while_has_forgiven_nothing(limiter):
    for _ in range(3):
        limiter.ask((Limit(name="a", rpm=5),))
    limiter.ask((Limit(name="b", rpm=5),))
    assert limiter.ask((Limit(name="a", when="model:gpt*", rpm=5),)).requests_left == 1


async def test_what_is_settled_after_a_change_goes_to_the_bucket_it_came_from(limiter):
    limiter.ask((Limit(tpm=1000),), 0, 800)
    limiter.ask((Limit(tpm=2000),), 0, 0)
    limiter.settle(1, 0, 300)
    assert limiter.ask((Limit(tpm=2000),)).tokens_left == 1700


# -- people


async def test_buckets_can_be_read(clock, limiter):
    limit = Limit(name="ours", rpm=60, concurrency=3)
    limiter.ask((limit,), key="k")
    requests, slots = limiter.buckets()
    assert requests == ("ours", limit, ("k", "gpt-4o"), "rpm", 60, 59.0, 1.0, 1)
    assert (slots.kind, slots.limit, slots.level, slots.busy) == ("concurrency", 3, 2.0, 1)
    await clock.advance(1)
    assert limiter.buckets()[0].level == 60.0


async def test_buckets_can_be_drained_and_refilled_by_name(limiter):
    limits = (Limit(name="a", rpm=10, per=()), Limit(name="b", rpm=100, per=()))
    limiter.ask(limits)
    assert limiter.drain("a") == 1
    assert limiter.ask(limits).rule == "a"
    assert limiter.refill("a") == 1
    assert limiter.drain(share=0.5) == 2
    assert [round(state.level, 1) for state in limiter.buckets()] == [5.0, 49.5]
    with pytest.raises(ValueError, match="share: 2 is not allowed: it goes from 0 to 1"):
        limiter.drain("a", 2)


async def test_full_buckets_go_before_those_that_remember_something(clock, limiter, monkeypatch):
    monkeypatch.setattr(accounts, "BUCKETS", 3)
    limits = (Limit(rpd=2, concurrency=5),)
    limiter.ask(limits, key="spent")
    limiter.ask(limits, key="spent")
    limiter.look(Subject(ask_for(key="full")), limits)
    for key in "abc":
        limiter.ask(limits, key=key)
    assert [state.per[0] for state in limiter.buckets()][::2] == ["a", "b", "c"]


async def test_a_tier_is_shared_by_a_family_and_own_figures_replace_its(limiter):
    limits = (Limit(tier="openai-tier-1", rpm=2),)
    one = limiter.ask(limits, model="gpt-4o", provider="openai")
    assert (one.requests_limit, one.tokens_limit) == (2, 30_000)
    limiter.ask(limits, model="gpt-4o-2024-08-06", provider="openai")
    told = limiter.ask(limits, model="gpt-4o", provider="openai")
    assert (told.refused, told.tier) == ("requests", "openai-tier-1")
    assert not limiter.ask(limits, model="gpt-4o-mini", provider="openai").refused
    assert limiter.ask(limits, model="claude-sonnet-4-5", provider="anthropic").requests_limit == NOMINAL_RPM
