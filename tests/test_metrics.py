"""Figures of the traffic: what is under way, how it ended, and when."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ask_for, plan_of

from llmsim import catalogue
from llmsim.buckets import TTFT, Histogram
from llmsim.conversation import Stop
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.figures import MOST_ENDPOINTS, MOST_MODELS, MOST_SERIES, Counts
from llmsim.limits import Standing
from llmsim.metrics import Meter, outcome
from llmsim.plan import End, Fail, Plan, Usage
from llmsim.verdict.costs import price_of


@pytest.fixture
def meter(clock):
    return Meter(clock)


def exchange(number=1, plan=None, **ask):
    return Exchange(number, ask_for(**ask), plan or plan_of("a b c"), 0.0, 0.0)


def ended(one, state="done", status=200):
    one.state, one.status = state, status
    return one


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [
        ("live", 0, "live"),
        ("live", 200, "live"),
        ("done", 200, "ok"),
        ("failed", 429, "limited"),
        ("failed", 500, "failed"),
        ("failed", 400, "failed"),
        ("failed", 200, "failed"),
        ("dropped", 200, "cut"),
        ("dropped", 0, "cut"),
        ("abandoned", 200, "abandoned"),
        ("abandoned", 0, "abandoned"),
    ],
)
def test_how_an_exchange_went_is_told_in_one_word(state, status, expected):
    assert outcome(ended(exchange(), state, status)) == expected


def test_what_is_under_way_is_live_until_it_ends(meter):
    one, other = exchange(1), exchange(2)
    meter.began(one)
    meter.began(other)
    assert meter.live == {1: one, 2: other}
    meter.finished(ended(one))
    assert meter.live == {2: other}
    assert (meter.begun, meter.outcomes["ok"]) == (2, 1)


def test_tokens_are_counted_as_far_as_they_were_sent(meter):
    one = exchange(plan=Plan([*plan_of("a b c").pieces[:3], End(Stop.END)], [0.0, 0.0, 5.0, 5.0], Usage(7, 3)))
    meter.began(one)
    one.take(0.0)
    meter.finished(ended(one, "abandoned"))
    assert (meter.tokens, meter.prompt_tokens) == (2, 7)


def test_an_answer_of_no_tokens_counts_none(meter):
    one = exchange(plan=Plan([Fail(Failure("internal"))], [0.0]))
    meter.began(one)
    one.take(0.0)
    meter.finished(ended(one, "failed", 500))
    assert meter.tokens == 0


def test_asked_and_achieved_ttft_are_kept_side_by_side(meter):
    one = exchange(stream=True)
    meter.began(one)
    one.take(0.52)
    meter.finished(ended(one))
    ((asked, achieved),) = meter.ttfts
    assert asked == pytest.approx(0.5)
    assert achieved == pytest.approx(0.52)


def test_at_another_speed_the_asked_ttft_is_that_of_the_speed(meter):
    one = exchange(stream=True)
    one.pace(2.0, 0.0)
    one.take(0.25)
    meter.finished(ended(one))
    ((asked, achieved),) = meter.ttfts
    assert asked == pytest.approx(achieved)


def test_a_reply_sent_whole_has_no_ttft(meter):
    one = exchange()
    one.take(1.0)
    meter.finished(ended(one))
    assert list(meter.ttfts) == []


def test_requests_are_counted_by_model_and_the_names_are_bounded(meter):
    for i in range(600):
        meter.finished(ended(exchange(i, model=f"model-{i}")))
    meter.finished(ended(exchange(601, model="model-3")))
    assert len(meter.models) == 500
    assert meter.models["model-3"] == 2


async def test_outcomes_fall_into_buckets_of_half_a_second(clock, meter):
    meter.finished(ended(exchange(1)))
    meter.finished(ended(exchange(2), "failed", 429))
    await clock.advance(1.0)
    meter.finished(ended(exchange(3)))
    window = meter.window(4)
    assert [dict(slot.counts) for slot in window] == [{}, {"ok": 1, "limited": 1}, {}, {"ok": 1}]
    assert [slot.number - window[0].number for slot in window] == [0, 1, 2, 3]


async def test_pieces_sent_are_booked_when_they_are_sampled(clock, meter):
    one = exchange()
    meter.began(one)
    one.take(0.6)
    meter.sample()
    await clock.advance(0.5)
    one.take(5.0)
    meter.sample()
    meter.sample()
    sent = [slot.tokens for slot in meter.window(2)]
    assert sent[0] == 2
    assert sum(sent) == one.cursor


async def test_buckets_are_bounded(clock, meter):
    for _ in range(1300):
        await clock.advance(0.5)
        meter.sample()
    assert len(meter.slots) == 1200


# -- what is counted for monitoring


@pytest.fixture
def tallies(meter):
    return meter.tallies


def asked(number=1, plan=None, **ask):
    given = {"provider": "openai", "endpoint": "/v1/chat/completions", "stream": True, **ask}
    return exchange(number, plan, **given)


def gone(meter, one, state="done", status=200, at=1.0):
    meter.began(one)
    one.take(at)
    one.ended = at
    meter.finished(ended(one, state, status))
    return one


def labels_of(tallies):
    return {tuple(labels) for labels in tallies.series}


def only(tallies):
    (series,) = tallies.series.values()
    return series


def test_a_value_falls_into_the_first_bucket_that_holds_it():
    one = Histogram((0.1, 0.5, 1.0))
    for value in (2.0, 0.1, 0.11, 0.5, 0.0):
        one.add(value)
    assert one.counts == [2, 2, 0, 1]
    assert one.sum == pytest.approx(2.71)


def test_a_weighted_value_counts_as_often_as_it_came():
    one = Histogram((0.1, 0.5))
    one.weigh([(0.05, 3), (0.3, 2), (9.0, 1)])
    one.add(0.2)
    assert one.counts == [3, 3, 1]
    assert one.sum == pytest.approx(0.15 + 0.6 + 9.0 + 0.2)


def test_a_copy_of_a_histogram_stands_still():
    one = Histogram((1.0,))
    one.add(0.5)
    other = one.copy()
    one.add(0.5)
    assert (one.counts, other.counts) == ([2, 0], [1, 0])


@given(st.lists(st.floats(0, 1000), max_size=50))
def test_sorting_at_times_counts_as_finding_each_bucket_does(values):
    one = Histogram(TTFT)
    for place, value in enumerate(values):
        one.add(value)
        if place % 7 == 0:
            one.sort()
    edges = [0.0, *TTFT, float("inf")]
    expected = [
        sum((low < value or not place) and value <= high for value in values)
        for place, (low, high) in enumerate(pairwise(edges))
    ]
    assert one.counts == expected


def test_times_of_a_stream_are_counted_by_request_and_by_gap(meter, tallies):
    gone(meter, asked(plan=plan_of("a b c d e", ttft=0.5, gap=0.1)), at=0.5)
    one = asked(2, plan=plan_of("a b c d e", ttft=0.5, gap=0.1))
    meter.began(one)
    for at in (0.5, 0.6, 0.7, 0.8, 0.9):
        one.take(at)
    one.ended = 0.9
    meter.finished(ended(one))
    series = only(tallies)
    tallies.sort()
    assert (sum(series.ttft.counts), series.ttft.sum) == (2, pytest.approx(1.0))
    assert (sum(series.each.counts), sum(series.between.counts)) == (2, 8)
    assert series.between.sum == pytest.approx(0.4)
    assert series.total.sum == pytest.approx(1.4)


def test_a_whole_reply_is_as_late_as_its_last_piece(meter, tallies):
    gone(meter, asked(plan=plan_of("a b c", ttft=0.5, gap=0.1), stream=False), at=0.7)
    gone(meter, asked(2, plan=plan_of("a b c", ttft=0.5, gap=0.1), stream=False), at=0.9)
    assert tallies.late.sum == pytest.approx(0.2)
    assert sum(tallies.late.counts) == 2


def test_requests_are_counted_by_status_and_outcome(meter, tallies):
    gone(meter, asked(1))
    gone(meter, asked(2))
    gone(meter, asked(3), "failed", 500)
    gone(meter, asked(4), "abandoned", 0)
    assert {key: cell.count for key, cell in only(tallies).cells.items()} == {
        (200, "ok"): 2,
        (500, "failed"): 1,
        (0, "abandoned"): 1,
    }


def test_tokens_cost_what_the_catalogue_says(meter, tallies):
    plan = plan_of("a b c")
    plan.usage = Usage(1000, 500, cached=400)
    gone(meter, asked(plan=plan, model="gpt-4o"))
    assert only(tallies).dollars == pytest.approx((600 * 2.5 + 400 * 1.25 + 500 * 10) / 1e6)


@pytest.mark.parametrize("model", ["made-up", "ft:gpt-4o-2024-08-06:acme::x"])
def test_what_has_no_known_price_costs_nothing(meter, tallies, model):
    gone(meter, asked(model=model))
    assert (only(tallies).dollars, only(tallies).prompts.sum) == (0.0, 7)


def test_what_was_refused_takes_no_tokens(meter, tallies):
    gone(meter, asked(plan=Plan([Fail(Failure("rate_limit"))], [0.0], Usage(9))), "failed", 429)
    assert only(tallies).prompts.sum == 0


def test_a_reply_that_is_followed_is_one_request_and_takes_its_tokens_once(meter, tallies):
    one = asked(1, detached=True, stream=False)
    other = asked(2, plan=one.plan, follows=one)
    gone(meter, other)
    gone(meter, one)
    counted = [cell.count for series in tallies.series.values() for cell in series.cells.values()]
    assert sum(counted) == 1
    assert sum(series.completions.sum for series in tallies.series.values()) == 3


@pytest.mark.parametrize(
    ("asked_for", "told"),
    [
        ("gpt-4o", "gpt-4o"),
        ("claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("GPT-4o", "gpt-4o"),
        ("openai/gpt-4o", "gpt-4o"),
        ("ft:gpt-4o-2024-08-06:acme::x", "ft:gpt-4o-2024-08-06"),
        ("my-own", "other"),
        ("x" * 5000, "other"),
        ("", "none"),
    ],
)
def test_models_are_told_by_names_that_are_known(meter, tallies, asked_for, told):
    gone(meter, asked(model=asked_for))
    assert only(tallies).labels.model == told


def test_labels_do_not_grow_with_what_clients_make_up(meter, tallies):
    for number in range(3000):
        gone(meter, asked(number, model=f"m-{number}", endpoint=f"/v1/things/{number}", stream=number % 2 == 0))
    assert len(tallies.series) <= 2 * (MOST_ENDPOINTS + 1)
    assert {model for _, _, model, _ in labels_of(tallies)} == {"other"}


def test_all_models_of_the_catalogue_at_all_endpoints_stay_bounded_and_lose_no_dollar(meter, tallies):
    number, dollars = 0, 0.0
    for endpoint in ("/a", "/b", "/c", "/d"):
        for model in (one for one in catalogue.known() if one.price_output is not None):
            for stream in (True, False):
                number += 1
                one = gone(meter, asked(number, model=model.id, endpoint=endpoint, stream=stream))
                dollars += price_of(one, 7, 3) or 0.0
    assert len(tallies.series) <= MOST_SERIES + 2
    assert len({model for _, _, model, _ in labels_of(tallies)}) <= MOST_MODELS + 1
    assert sum(series.dollars for series in tallies.series.values()) == pytest.approx(dollars)
    assert sum(cell.count for series in tallies.series.values() for cell in series.cells.values()) == number


def test_rules_are_counted_by_name_as_an_exchange_begins(meter, tallies):
    one = asked()
    one.plan.struck, one.plan.faults, one.plan.mock = ("fault-1",), ("bad day",), "greeting"
    one.standing = Standing(refused="requests", rule="tight")
    tallies.kind_of = lambda exchange, id: f"kind of {id}"
    meter.began(one)
    assert tallies.faults == {("kind of fault-1", "bad day"): 1}
    assert tallies.mocks == {("greeting",): 1}
    assert tallies.limits == {("requests", "tight"): 1}


def test_names_of_rules_are_bounded():
    counts = Counts()
    for number in range(1000):
        counts.add("refuse", f"{number} {'x' * 500}")
    assert len(counts) == 201
    assert counts["refuse", "other"] == 800
    assert max(len(name) for _, name in counts) == 100


async def test_tokens_of_a_time_without_a_look_are_spread_over_it(clock, meter):
    meter.sample()
    await clock.advance(100)
    meter.tokens += 2000
    meter.sample()
    assert [slot.tokens for slot in meter.window(14)] == [0, 0, *[10] * 12]
    assert [slot.number for slot in meter.slots] == sorted(slot.number for slot in meter.slots)
