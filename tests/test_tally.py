"""Rules count: faults that strike so often, per key or request, for so many requests or seconds; mocks in turn."""

from __future__ import annotations

from typing import Any

import pytest
from support import ask_for

from llmsim.clock import ToldClock
from llmsim.errors import SettingsError
from llmsim.overrides import Overrides
from llmsim.plan import Fail, Think
from llmsim.settings import Settings
from llmsim.simulator import Simulator
from llmsim.tally import GROUPS


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(Settings(latency_profile="instant", generator="fixed:ok"), clock=ToldClock())


def statuses(simulator: Simulator, many: int, text: str = "", **fields: Any) -> list[int]:
    """The status that each of so many requests is told; all differ but where a text is given."""
    told = []
    for at in range(many):
        plan = simulator.begin(ask_for(text or f"{at} {len(simulator.journal)}", **fields)).plan
        told.append(plan.failure.status if plan.failure else 200)
    return told


def test_the_next_three_fail_and_then_it_is_lifted(simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 503, "count": 3})
    assert statuses(simulator, 5) == [503, 503, 503, 200, 200]
    assert not simulator.settings.faults
    assert "used up: " in simulator.events.after(0)[-1].text
    simulator.undo()
    assert not simulator.settings.faults  # what lifted itself is nobody's change to take back


def test_each_request_fails_twice_and_then_succeeds(simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 429, "count": 2, "per": "request"})
    told = [statuses(simulator, 1, text)[0] for text in ("a", "b", "a", "a", "b", "b", "a")]
    assert told == [429, 429, 429, 200, 429, 200, 200]
    assert simulator.settings.faults


@pytest.mark.parametrize(("per", "field"), [("key", "key"), ("client", "client")])
def test_each_key_or_client_fails_once(simulator: Simulator, per: str, field: str) -> None:
    simulator.arm({"kind": "refuse", "count": 1, "per": per})
    told = [statuses(simulator, 1, **{field: name})[0] for name in ("x", "y", "x", "y")]
    assert told == [429, 429, 200, 200]


def test_a_fuse_of_requests_counts_those_it_met_struck_or_not(simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "probability": 0.5, "for_requests": 40, "scope": "model:gpt*", "id": "half"})
    assert statuses(simulator, 30, model="o3") == [200] * 30
    struck = statuses(simulator, 40).count(429)
    assert 5 < struck < 35
    assert not simulator.settings.faults
    assert statuses(simulator, 20) == [200] * 20


def test_it_meets_only_its_scope(simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "scope": {"model": "gpt-4o", "not": {"key": "vip"}}})
    assert statuses(simulator, 1, key="a") == [429]
    assert statuses(simulator, 1, key="vip") == [200]
    assert statuses(simulator, 1, model="o3") == [200]


async def test_it_begins_later_and_lifts_itself(simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "after_s": 10, "for_s": 5})
    assert statuses(simulator, 1) == [200]
    await simulator.clock.advance(10)  # type: ignore[attr-defined]
    assert statuses(simulator, 1) == [429]
    await simulator.clock.advance(5)  # type: ignore[attr-defined]
    assert statuses(simulator, 1) == [200]
    assert not simulator.settings.faults


async def test_it_comes_and_goes_by_its_schedule(simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "every_s": 60, "on_s": 10})
    told = []
    for _ in range(14):
        told += statuses(simulator, 1)
        await simulator.clock.advance(10)  # type: ignore[attr-defined]
    assert told == [429, *[200] * 5, 429, *[200] * 5, 429, 200]


def test_several_strike_in_the_order_they_were_armed(simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "status": 503, "label": "first", "count": 1})
    simulator.arm({"kind": "refuse", "status": 500, "label": "second"})
    assert statuses(simulator, 2) == [503, 500]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"count": 0}, "count: 0 is not allowed"),
        ({"per": "key"}, "per: 'key' is not allowed without count"),
        ({"every_s": 10}, "every_s and on_s: they go together"),
        ({"every_s": 10, "on_s": 10}, "on_s: 10 is not allowed: it is less than every_s, 10"),
        ({"scope": "status:429"}, "only the journal has it"),
        ({"scope": "modle:x"}, "modle: there is no such condition"),
        ({"after_s": -1}, "after_s: -1 is not allowed"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_armed(simulator: Simulator, fields: Any, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        simulator.arm({"kind": "refuse", **fields})
    assert not simulator.settings.faults


def test_what_is_armed_reads_back_as_it_was_written(simulator: Simulator) -> None:
    fields = {"kind": "cut", "id": "c", "scope": "model:a", "count": 2, "per": "key", "after_s": 1.0, "for_requests": 9}
    assert simulator.arm(fields).flat() == {**fields}


# -- mocks


def words(simulator: Simulator, text: str = "hi", **fields: Any) -> str:
    exchange = simulator.begin(ask_for(text, **fields))
    exchange.take(simulator.clock.now() + 1e9)
    return exchange.text()


def mocked(simulator: Simulator, *mocks: Any) -> None:
    simulator.change(mocks=mocks)


def test_replies_come_in_turn(simulator: Simulator) -> None:
    for then, expected in (("last", "abbb"), ("loop", "abab"), ("pass", "ab")):
        mocked(simulator, {"name": then, "replies": ["a", "b"], "then": then})
        told = "".join(words(simulator) for _ in range(4))
        assert told.replace("ok", "") == expected


def test_once_is_once(simulator: Simulator) -> None:
    mocked(simulator, {"name": "one", "reply": "a", "times": 1}, {"name": "two", "reply": "b", "times": 2})
    assert [words(simulator) for _ in range(4)] == ["a", "b", "b", "ok"]


def test_each_key_has_its_own_turns(simulator: Simulator) -> None:
    mocked(simulator, {"name": "turns", "replies": ["a", "b"], "per": "key"})
    assert [words(simulator, key=key) for key in "xyxy"] == ["a", "a", "b", "b"]


def test_a_machine_goes_from_state_to_state(simulator: Simulator) -> None:
    mocked(
        simulator,
        {"name": "pay", "when": "text:pay", "reply": "paid", "state": {"when": "start", "to": "paid"}},
        {"name": "again", "when": "text:pay", "reply": "paid already", "state": {"when": "paid"}},
        {"name": "reset", "when": "text:reset", "reply": "done", "state": {"to": "start"}},
    )
    told = [words(simulator, text) for text in ("pay", "pay", "reset", "pay")]
    assert told == ["paid", "paid already", "done", "paid"]


def test_the_highest_priority_answers_and_of_equal_ones_the_first(simulator: Simulator) -> None:
    mocked(
        simulator,
        {"name": "low", "reply": "low"},
        {"name": "high", "priority": 1, "reply": "high"},
        {"name": "same", "priority": 1, "reply": "same"},
    )
    assert words(simulator) == "high"
    assert simulator.journal.get(1).plan.mock == "high"  # type: ignore[union-attr]
    assert simulator.tally.answered == {"high": 1}


def test_a_template_that_fails_is_the_servers_error_and_says_why(simulator: Simulator) -> None:
    mocked(simulator, {"name": "t", "reply": {"text": "{{ nobody.name }}", "template": True}})
    plan = simulator.begin(ask_for()).plan
    assert isinstance(plan.pieces[0], Fail)
    assert plan.failure is not None
    assert plan.failure.message == "mock t: template: 'nobody' is undefined"


@pytest.mark.parametrize(
    "template", ["{{ ''.__class__ }}", "{{ body.__init__ }}", "{% for i in range(10**9) %}x{% endfor %}"]
)
def test_a_template_stays_in_its_sandbox(simulator: Simulator, template: str) -> None:
    mocked(simulator, {"name": "t", "reply": {"text": template, "template": True}})
    plan = simulator.begin(ask_for()).plan
    assert plan.failure is not None
    assert plan.failure.status == 500


def test_a_template_draws_from_the_exchanges_dice() -> None:
    def told() -> list[str]:
        simulator = Simulator(Settings(latency_profile="instant", seed=3), clock=ToldClock())
        mocked(
            simulator,
            {"name": "t", "reply": {"text": "{{ number(1, 1000) }} {{ choice(['a', 'b']) }}", "template": True}},
        )
        return [words(simulator) for _ in range(5)]

    assert told() == told()
    assert len(set(told())) > 1


def test_a_request_that_is_refused_spends_no_mock_and_no_fault(simulator: Simulator) -> None:
    simulator.change(strict=True, limits=[{"name": "one", "rpm": 1, "per": ["key"], "when": "key:slow"}])
    mocked(simulator, {"name": "turns", "replies": ["a", "b", "c"], "state": {"to": "asked"}})
    simulator.arm({"kind": "slow", "for_requests": 3, "id": "s"})
    assert statuses(simulator, 2, key="slow") == [200, 429]
    assert statuses(simulator, 1) == [401]
    assert statuses(simulator, 1, key="k", model="nobody-1") == [404]
    assert statuses(simulator, 1, key="k", prompt_tokens=10**7) == [400]
    assert (simulator.tally.answered, simulator.hits["s"]) == ({"turns": 1}, 1)
    assert words(simulator, key="k") == "b"
    assert simulator.settings.faults


@pytest.mark.parametrize(
    "fault", [{"kind": "refuse", "status": 503}, {"kind": "cut", "after_tokens": 0}, {"kind": "timeout"}]
)
def test_an_answer_that_a_fault_withholds_is_there_for_the_next_try(simulator: Simulator, fault: Any) -> None:
    mocked(simulator, {"name": "once", "replies": ["a", "b"], "state": {"when": "start", "to": "next"}, "then": "pass"})
    simulator.arm({**fault, "count": 2, "per": "request"})
    assert [words(simulator) for _ in range(3)] == ["", "", "a"]
    assert simulator.tally.states == {"main": "next"}


def test_a_mock_that_fails_has_answered(simulator: Simulator) -> None:
    mocked(simulator, {"name": "flaky", "replies": [{"error": {"status": 503}}, "a"]})
    simulator.arm({"kind": "slow", "ttft_add_ms": 5})
    assert statuses(simulator, 2) == [503, 200]


@pytest.mark.parametrize("reply", [{"thinking": "hm", "text": "a"}, {"blocks": [{"thinking": "hm"}, {"text": "a"}]}])
def test_thoughts_of_a_mock_never_come_where_the_client_allows_none(simulator: Simulator, reply: Any) -> None:
    mocked(simulator, {"name": "t", "reply": reply})
    for fields, thought in (
        ({"thinking": 0}, 0),
        ({"thinking": 9}, 1),
        ({}, 1),
        ({"thinking": 0, "shows_thinking": True}, 1),
    ):
        plan = simulator.begin(ask_for(**fields)).plan  # type: ignore[arg-type]
        assert plan.usage.thinking == sum(type(piece) is Think for piece in plan.pieces) == thought


def brought(simulator: Simulator, told: str, text: str = "hi", **fields: Any) -> int:
    """The status of a request that brings a fault along."""
    plan = simulator.begin(ask_for(text, overrides=Overrides((("fault", told),)), **fields)).plan
    return plan.failure.status if plan.failure else 200


def test_what_a_request_brings_along_is_counted_by_its_own_words(simulator: Simulator) -> None:
    once = "{} count=1 per=request"
    told = [brought(simulator, once.format(status)) for status in (503, 503, 429, 429)]
    assert told == [503, 200, 429, 200]
    assert [brought(simulator, "503 count=1", text) for text in "ab"] == [503, 200]
    assert [brought(simulator, "503 count=1 per=key", key=key) for key in "aab"] == [503, 200, 503]
    assert brought(simulator, '529 message="no; never"') == 529
    assert not simulator.hits  # clients make the ids up


def test_mocks_are_sorted_once_for_all_changes_and_headers(simulator: Simulator) -> None:
    mocked(simulator, {"name": "a", "reply": "a"})
    index = simulator.settings.mock_index
    simulator.arm({"kind": "slow"})
    assert simulator.settings.mock_index is index
    assert Overrides((("ttft", "5"),)).over(simulator.settings).mock_index is index
    mocked(simulator, {"name": "b", "reply": "b"})
    assert simulator.settings.mock_index is not index


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fault", "429 after_s=5"),
        ("fault", "429 until=5"),
        ("fault", "429 id=pad-1"),
        ("fault", "none; 429"),
        ("ttft", "nan"),
        ("tbt", "1_0"),
        ("ttft", "-1"),
        ("explain", "maybe"),
        ("tokens", "٣"),
    ],
)
def test_what_no_request_can_bring_along_is_refused(simulator: Simulator, name: str, told: str) -> None:
    with pytest.raises(SettingsError, match=f"x-llmsim-{name}: "):
        Overrides(((name, told),)).over(simulator.settings)


def test_groups_are_bounded(simulator: Simulator) -> None:
    simulator.arm({"kind": "refuse", "count": 1, "per": "key", "id": "x"})
    for at in range(50):
        statuses(simulator, 1, key=str(at))
    assert len(simulator.tally._groups) == 50 <= GROUPS
