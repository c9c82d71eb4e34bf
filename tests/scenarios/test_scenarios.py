"""A scenario's deeds at their moments, on a told clock; what it cannot be; what was done by hand as a scenario."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from support import ask_for

from llmsim.clock import ToldClock
from llmsim.scenarios import Scenario
from llmsim.scenarios.play import Playing
from llmsim.scenarios.record import recorded
from llmsim.scenarios.timeline import deeds
from llmsim.scenarios.verify import results
from llmsim.settings import Settings
from llmsim.simulator import Simulator

STORM = """
name: storm
settings: {target_tokens: 20}
phases:
  - {name: calm, for: 30s}
  - name: storm
    for: 20s
    arm: {kind: refuse, status: 429, retry_after: 1}
  - name: recovery
    for: 1m
    ramp: {setting: server_error_rate, from: 0.4, to: 0, for: 40s, every: 10s}
steps:
  - {at: 10s, change: {speed: 2}, mark: faster}
  - {at: 5s, for: 2500ms, arm: {kind: cut, id: snip}}
"""


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


@pytest.fixture
def simulator(clock: ToldClock) -> Simulator:
    return Simulator(Settings(latency_profile="instant"), clock=clock)


def scenario(text: str = STORM) -> Scenario:
    return Scenario.model_validate(yaml.safe_load(text))


def test_it_is_a_list_of_deeds_before_it_is_played() -> None:
    told = [
        (deed.at, deed.phase or deed.lift or deed.mark or (deed.arm or {}).get("id") or deed.number or "change")
        for deed in deeds(scenario())
    ]
    assert told == [
        (0.0, "change"),
        (0.0, "calm"),
        (5.0, "snip"),
        (7.5, "snip"),
        (10.0, "faster"),
        (10.0, "change"),
        (30.0, "storm"),
        (30.0, "phase-2"),
        (50.0, "phase-2"),
        (50.0, "recovery"),
        *[(at, "server_error_rate") for at in (50.0, 60.0, 70.0, 80.0, 90.0)],
    ]
    assert scenario().length == 110.0


async def test_everything_happens_at_its_moment(clock: ToldClock, simulator: Simulator) -> None:
    playing = Playing(scenario(), simulator)
    seen = []
    for _ in range(12):
        settings = simulator.settings
        seen.append((playing.phase, [one.id for one in settings.faults], settings.speed, settings.server_error_rate))
        await clock.advance(10)
    assert seen[0] == ("calm", [], 1.0, 0.0)
    assert seen[1] == ("calm", [], 2.0, 0.0)
    assert seen[3] == ("storm", ["phase-2"], 2.0, 0.0)
    assert [round(one[3], 2) for one in seen[5:10]] == [0.4, 0.3, 0.2, 0.1, 0.0]
    assert playing.state == "done"
    assert simulator.settings.target_tokens == 20
    assert {change.who for change in simulator.history} <= {"scenario storm", "fuse"}
    assert playing.json()["elapsed_s"] == 110.0


async def test_a_ramp_without_a_start_begins_where_the_setting_is(clock: ToldClock, simulator: Simulator) -> None:
    simulator.change(timeout_rate=0.8)
    Playing(scenario("steps: [{at: 0, ramp: {setting: timeout_rate, to: 0, for: 4, every: 1}}]"), simulator)
    seen = []
    for _ in range(5):
        seen.append(round(simulator.settings.timeout_rate, 3))
        await clock.advance(1)
    assert seen == [0.8, 0.6, 0.4, 0.2, 0.0]


async def test_an_armed_faults_number_goes_up(clock: ToldClock, simulator: Simulator) -> None:
    text = """
    for: 11
    steps:
      - {at: 0, arm: {kind: refuse, id: x, probability: 0}}
      - {at: 0, ramp: {fault: x, setting: probability, from: 0, to: 1, for: 10, every: 5}}
    """
    Playing(scenario(text), simulator)
    seen = []
    for _ in range(3):
        seen.append(simulator.settings.faults[0].fault.probability)
        await clock.advance(5)
    assert seen == [0.0, 0.5, 1.0]
    assert not simulator.settings.faults  # what a scenario arms goes with it


async def test_who_stops_it_is_left_with_no_fault_of_its(clock: ToldClock, simulator: Simulator) -> None:
    playing = Playing(scenario(), simulator)
    await clock.advance(35)
    simulator.arm({"kind": "stall", "id": "mine"})
    playing.stop()
    assert [one.id for one in simulator.settings.faults] == ["mine"]
    assert playing.state == "stopped"
    await clock.advance(100)
    assert simulator.settings.server_error_rate == 0.0


async def test_a_deed_that_cannot_be_ends_it_with_the_reason(clock: ToldClock, simulator: Simulator) -> None:
    playing = Playing(scenario("steps: [{at: 1, change: {latency_profile: mine}}]"), simulator)
    await clock.advance(1)
    assert playing.state == "failed"
    assert "latency_profile: there is no profile 'mine'" in playing.problem


async def test_a_profile_may_be_made_before_it_is_named(clock: ToldClock, simulator: Simulator) -> None:
    text = """
    settings: {profiles: {mine: {ttft: {kind: fixed, mean: 5}}}}
    steps:
      - at: 1
        change: {model_profiles: {o3: mine}, mocks: [{reply: {text: hello, latency: mine}}]}
    """
    playing = Playing(scenario(text), simulator)
    await clock.advance(1)
    assert (playing.state, simulator.settings.model_profiles) == ("done", {"o3": "mine"})


async def test_a_whole_number_stays_one_on_its_way_from_nothing(clock: ToldClock, simulator: Simulator) -> None:
    Playing(scenario("steps: [{at: 0, ramp: {setting: rpm, to: 10, for: 4}}]"), simulator)
    seen = []
    for _ in range(4):
        await clock.advance(1)
        seen.append(simulator.settings.rpm)
    assert seen == [2, 5, 8, 10]


async def test_what_comes_after_its_end_does_not_come(clock: ToldClock, simulator: Simulator) -> None:
    text = "{for: 3, phases: [{name: a, for: 5}], steps: [{at: 4, change: {speed: 2}}]}"
    playing = Playing(scenario(text), simulator)
    await clock.advance(3)
    assert playing.state == "done"
    await clock.advance(3)
    assert simulator.settings.speed == 1.0


async def test_what_was_expected_is_looked_at(clock: ToldClock, simulator: Simulator) -> None:
    text = """
    for: 5
    steps: [{at: 0, arm: {kind: refuse, status: 503, count: 2}}]
    expect:
      - {when: "status:503", times: 2}
      - {when: "model:o3", times: ">=1"}
    clients: {storms: 0, retries: 5}
    """
    one = scenario(text)
    playing = Playing(one, simulator)
    for at in range(4):
        exchange = simulator.begin(ask_for(str(at)))
        exchange.take(clock.now())
        failure = exchange.plan.failure
        exchange.status = failure.status if failure else 200
        simulator.end(exchange, "failed" if failure else "done")
    await clock.advance(5)
    told = results(one, simulator, playing.first)
    assert [result.met for result in told] == [True, False, False, True]
    assert "retries 0, expected 5" in told[2].sentence


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({}, "phases, steps or settings"),
        ({"phases": [{"name": "a", "for": "soon"}]}, "for"),
        ({"phases": [{"name": "a", "for": 0}]}, "for"),
        ({"phases": [{"name": "a", "for": "25h"}]}, "for"),
        ({"steps": [{"at": 0, "change": {"sped": 2}}]}, "sped: there is no such setting"),
        ({"steps": [{"at": 0, "change": {"speed": -2}}]}, "speed: -2 is not allowed"),
        ({"steps": [{"at": 0, "arm": {"kind": "explode"}}]}, "there is no fault 'explode'"),
        ({"steps": [{"at": 0, "ramp": {"setting": "generator", "to": 1, "for": 1}}]}, "is no number that can go up"),
        (
            {"steps": [{"at": 0, "ramp": {"setting": "speed", "to": 1, "for": "1h", "every": "1ms"}}]},
            "more than 10000 steps",
        ),
        ({"steps": [{"at": 0, "ramp": {"setting": "rpm", "from": 9, "to": 0, "for": 1}}]}, "rpm: 0.0 is not allowed"),
        ({"steps": [{"at": 0, "change": {"profiles": {"mine": 3}}}]}, "profiles.mine: 3 is not allowed"),
        ({"settings": {"speed": 1}, "clients": {"waits_kept": 2}}, "waits_kept"),
        ({"settings": {"speed": 1}, "expect": [{"when": "modle:x"}]}, "no such condition"),
        ({"steps": [{}] * 300_000}, "there are 300,000 of them; at most 10,000 are allowed"),
        ({"phases": [1] * 10_001}, "there are 10,001 of them; at most 10,000 are allowed"),
        ({"steps": [{"at": 0, "ramp": [{}] * 300_000}]}, r"ramp\.0"),
        ({"steps": [{"at": 0, "lift": ["a", 1]}]}, "lift: it is a list of ids, or all"),
    ],
)
def test_what_cannot_be_is_refused_before_it_begins(raw: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Scenario.model_validate(raw)


async def test_what_was_done_by_hand_is_a_scenario(clock: ToldClock, simulator: Simulator) -> None:
    simulator.change(speed=2.0, who="console")
    await clock.advance(3)
    simulator.arm({"kind": "refuse", "id": "storm", "for_s": 10}, who="console")
    await clock.advance(2)
    simulator.lift("storm", who="console")
    simulator.undo()
    raw = recorded(simulator.history)
    assert [(step["at"], *[name for name in step if name != "at"]) for step in raw["steps"]] == [
        (0.0, "change"),
        (3.0, "arm"),
        (5.0, "lift"),
        (5.0, "arm"),
    ]
    again = Simulator(Settings(latency_profile="instant"), clock=clock)
    Playing(Scenario.model_validate(yaml.safe_load(yaml.safe_dump(raw))), again)
    await clock.advance(4)
    assert again.settings.speed == 2.0
    assert [one.id for one in again.settings.faults] == ["storm"]


async def test_very_many_deeds_of_one_moment_leave_turns_to_others(clock: ToldClock, simulator: Simulator) -> None:
    text = f"steps: [{', '.join(['{at: 1, change: {seed: 3}}', '{at: 1, change: {seed: 4}}'] * 50)}]"
    playing = Playing(scenario(text), simulator)
    turns = []
    advancing = asyncio.ensure_future(clock.advance(1))
    while not advancing.done():
        turns.append(len(simulator.history))
        await asyncio.sleep(0)
    assert len(set(turns)) >= 5
    assert playing.state == "done"


async def test_mocks_are_read_once_when_the_scenario_is(clock: ToldClock, simulator: Simulator) -> None:
    text = "{settings: {mocks: [{reply: one}]}, steps: [{at: 1, change: {mocks: [{name: a, reply: two}]}}]}"
    read = scenario(text)
    Playing(read, simulator)
    assert simulator.settings.mocks[0] is read.made["mocks"][0]
    await clock.advance(1)
    assert simulator.settings.mocks[0] is read.steps[0].made["mocks"][0]


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"arm": [{"kind": "cut"}] * 1001}, "arm"),
        ({"lift": ["a"] * 1001}, "lift"),
        ({"ramp": [{"setting": "speed", "to": 1, "for": 10}] * 1001}, "ramp"),
        (
            {"ramp": [{"setting": "speed", "to": 1, "for": 9999}] * 11},
            "the ramps of a scenario have at most 100,000 steps; these have 109,989",
        ),
    ],
)
def test_a_scenario_does_so_much_and_no_more(part: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Scenario.model_validate({"steps": [{"at": 1, **part}]})
