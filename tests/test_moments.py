"""The moments of replies that are looked at: exact, bounded, and free for all others."""

from __future__ import annotations

import pytest
from tui.real import asked, simulated

from llmsim import moments
from llmsim.exchange import Exchange
from llmsim.load import LoadedExchange


def test_each_batch_is_noted_from_the_first_look_on_and_the_plan_stays_as_it_was() -> None:
    simulator, view = simulated(latency_profile="gpt4o")
    one = asked(simulator, live=True)
    times = list(one.plan.times)
    one.take(one.started + times[0])
    view.streams(10)
    one.take(one.started + times[2] + 0.003)
    one.take(one.started + times[3])
    told = view.detail(one.number)
    assert told is not None
    went, pieces = told["went"], told["pieces"]
    assert went[:1] == [None]
    assert went[1] == went[2] == pytest.approx(pieces[2][0] + 3.0, abs=0.02)
    assert went[3:] == [pytest.approx(pieces[3][0], abs=0.02)]
    assert isinstance(one, Exchange)


def test_what_nobody_looks_at_is_not_watched_and_whole_replies_have_no_moments() -> None:
    simulator, view = simulated(latency_profile="gpt4o")
    one = asked(simulator, live=True)
    assert type(one) is Exchange
    assert simulator.moments.went(one, 10) == []
    one.ask.stream = False
    view.streams(10)
    assert type(one) is Exchange


def test_a_few_are_remembered_and_the_one_that_is_looked_into_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "MOST", 3)
    monkeypatch.setattr(moments, "BATCHES", 2)
    simulator, view = simulated(latency_profile="gpt4o")
    live = [asked(simulator, f"{n}", live=True) for n in range(5)]
    view.streams(10)
    assert [type(one) is Exchange for one in live] == [False] * 3 + [True] * 2
    view.detail(live[4].number)
    for one in live:
        for at in range(4):
            one.take(one.started + one.plan.times[at])
    assert [len(simulator.moments.went(one, 10)) for one in live] == [0, 2, 2, 0, 2]
    simulator.end(live[1], "done")
    view.row(live[3].number)
    assert type(live[3]) is not Exchange


def test_a_reply_under_load_stays_one_under_load() -> None:
    simulator, view = simulated(
        profiles={"busy": {"ttft": {"mean": 100}, "tbt": {"mean": 10}, "slots": 4, "queue": 4}}, latency_profile="busy"
    )
    one = asked(simulator, live=True)
    assert isinstance(one, LoadedExchange)
    view.streams(10)
    assert isinstance(one, LoadedExchange)
    simulator.end(one, "done")
    assert simulator.journal.get(one.number) is one
