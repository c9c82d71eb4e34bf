"""Figures of the traffic: what is under way, how it ended, and when."""

import pytest
from support import ask_for, plan_of

from llmsim.conversation import Stop
from llmsim.errors import Failure
from llmsim.exchange import Exchange
from llmsim.metrics import Meter, outcome
from llmsim.plan import End, Fail, Plan, Usage


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
