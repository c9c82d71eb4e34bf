"""Faults are armed and lifted while traffic runs, and burn out by themselves."""

import pytest
from support import ask_for

from llmsim.errors import SettingsError
from llmsim.history import FUSE
from llmsim.settings import Settings
from llmsim.simulator import Simulator

CUT = {"kind": "cut", "after_tokens": 1}


def kinds(simulator):
    return [one.fault.kind for one in simulator.settings.faults]


def last_event(simulator):
    return simulator.events.after(0)[-1]


def test_an_armed_fault_strikes_the_next_ask_until_it_is_lifted(simulator):
    armed = simulator.arm({**CUT, "label": "snip"}, who="console")
    assert last_event(simulator).text == "armed snip 100%"
    assert simulator.begin(ask_for()).plan.faults == ("snip",)
    assert simulator.hits == {armed.id: 1}
    assert simulator.lift(armed.id) == 1
    assert last_event(simulator).text == "lifted snip (1 hits)"
    assert simulator.begin(ask_for()).plan.faults == ()
    assert simulator.lift(armed.id) == 0


def test_armed_faults_get_ids_of_their_own(simulator):
    ids = [simulator.arm(CUT).id for _ in range(3)]
    assert len(set(ids)) == 3


def test_a_fault_gets_no_id_that_another_has(simulator):
    simulator.arm({**CUT, "id": "fault-1"})
    simulator.arm({"kind": "stall"})
    assert kinds(simulator) == ["cut", "stall"]


def test_a_fault_of_the_same_id_takes_the_place_of_the_armed_one_and_its_hits(simulator):
    simulator.arm({**CUT, "id": "a"})
    simulator.begin(ask_for())
    simulator.arm({"kind": "stall", "id": "a"})
    assert kinds(simulator) == ["stall"]
    assert simulator.hits == {"a": 1}


@pytest.mark.parametrize(
    "fault", [{"kind": "boom"}, {**CUT, "probability": 2}, {**CUT, "for_s": -1}, {**CUT, "x": 1}, {}]
)
def test_a_fault_that_cannot_be_is_not_armed(simulator, fault):
    with pytest.raises(SettingsError):
        simulator.arm(fault)
    assert simulator.settings.faults == ()
    assert simulator.events.newest == 0


def test_lifting_all_lifts_the_founding_rates_too(simulator):
    simulator.arm(CUT)
    simulator.change(rate_limit_rate=0.5)
    assert simulator.lift() == 1
    assert simulator.settings.spoilers == ()
    assert simulator.lift() == 0


async def test_a_fuse_lifts_its_fault_when_its_time_is_up(simulator):
    simulator.arm({**CUT, "for_s": 30, "label": "snip"})
    assert last_event(simulator).text == "armed snip 100% for 30s"
    await simulator.clock.advance(29.9)
    assert kinds(simulator) == ["cut"]
    await simulator.clock.advance(0.2)
    assert kinds(simulator) == []
    assert (last_event(simulator).who, last_event(simulator).text) == (FUSE, "fuse lifted snip (0 hits)")


async def test_what_a_fuse_lifted_is_not_put_back_by_taking_back_a_change(simulator):
    simulator.arm({**CUT, "for_s": 30})
    simulator.change(seed=5)
    await simulator.clock.advance(31)
    simulator.undo()
    assert (kinds(simulator), simulator.settings.seed) == ([], 0)


async def test_a_fault_that_was_lifted_and_put_back_still_has_its_fuse(simulator):
    armed = simulator.arm({**CUT, "for_s": 30})
    simulator.lift(armed.id)
    simulator.undo()
    assert kinds(simulator) == ["cut"]
    await simulator.clock.advance(31)
    assert kinds(simulator) == []


async def test_a_fault_that_is_armed_again_has_a_new_fuse(simulator):
    simulator.arm({**CUT, "id": "a", "for_s": 30})
    await simulator.clock.advance(20)
    simulator.arm({**CUT, "id": "a", "for_s": 30})
    await simulator.clock.advance(20)
    assert kinds(simulator) == ["cut"]
    await simulator.clock.advance(11)
    assert kinds(simulator) == []


async def test_a_fuse_given_as_text_burns_too(simulator):
    simulator.arm({**CUT, "for_s": "30"})
    await simulator.clock.advance(31)
    assert kinds(simulator) == []


async def test_faults_of_a_config_file_get_ids_and_fuses_when_it_starts(clock):
    simulator = Simulator(
        Settings(faults=[{**CUT, "for_s": 30}, {"kind": "stall"}, {"kind": "slow", "id": "s"}]), clock=clock
    )
    ids = [one.id for one in simulator.settings.faults]
    assert len(set(ids)) == 3
    assert all(ids)
    simulator.light_fuses()
    await clock.advance(31)
    assert kinds(simulator) == ["stall", "slow"]


async def test_faults_armed_by_a_change_of_the_settings_get_ids_and_fuses_too(simulator):
    simulator.change(faults=[{**CUT, "for_s": 30}, {"kind": "stall"}])
    ids = [one.id for one in simulator.settings.faults]
    assert len(set(ids)) == 2
    assert all(ids)
    await simulator.clock.advance(31)
    assert kinds(simulator) == ["stall"]


def test_several_are_lifted_in_one_change(simulator):
    ids = [simulator.arm({**CUT, "label": f"cut {at}"}).id for at in range(25)]
    changes = len(simulator.history)
    assert simulator.lift(ids[1:]) == 24
    assert len(simulator.history) == changes + 1
    assert [one.id for one in simulator.settings.faults] == ids[:1]
    told = last_event(simulator).text
    assert told.startswith("lifted cut 1 (0 hits), cut 2 (0 hits)")
    assert told.endswith("cut 20 (0 hits) and 4 more")
