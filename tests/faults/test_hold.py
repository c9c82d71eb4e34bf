"""Hold: nothing of a reply goes out until it is let go, its time is up, or the hold is lifted; and never too many."""

import pytest
from support import ask_for

from llmsim.errors import SettingsError
from llmsim.settings import Settings
from llmsim.simulator import Simulator

HOLD = {"kind": "hold", "id": "intercept", "label": "intercept", "scope": "model:gpt-4o*"}


@pytest.fixture
def simulator(clock):
    profile = {"ttft": {"kind": "fixed", "mean": 200}, "tbt": {"kind": "fixed", "mean": 10}}
    settings = Settings(
        generator="fixed:one two three", profiles={"even": profile}, latency_profile="even", faults=[HOLD]
    )
    return Simulator(settings, clock=clock)


def due(exchange):
    return round(exchange.due(), 3)


async def test_a_held_reply_begins_when_it_is_let_go_with_its_whole_latency(simulator, clock):
    held, other = simulator.begin(ask_for("a", model="gpt-4o")), simulator.begin(ask_for("b", model="o3"))
    assert (held.holds(clock.now()), other.holds(clock.now())) == (True, False)
    await clock.advance(30)
    assert held.take(clock.now()) == ()
    assert simulator.act(held.number, "resume")
    assert due(held) == round(clock.now() + 0.2, 3)
    await clock.advance(0.21)
    assert len(held.take(clock.now())) == 2
    assert not held.steady
    assert held.late == pytest.approx(0.01)


async def test_it_goes_on_by_itself_when_its_time_is_up(simulator, clock):
    held = simulator.begin(ask_for("a", model="gpt-4o"))
    await clock.advance(299.9)
    assert held.holds(clock.now())
    await clock.advance(0.2)
    assert not held.holds(clock.now())
    assert due(held) == round(held.started + 300.2, 3)


@pytest.mark.parametrize("how", ["lifted", "undone", "armed again as it was", "reset"])
def test_a_hold_that_is_over_lets_go_of_all_that_it_held(simulator, clock, how):
    held = [simulator.begin(ask_for(str(n), model="gpt-4o")) for n in range(3)]
    if how == "lifted":
        simulator.lift()
    elif how == "undone":
        simulator.arm({**HOLD, "scope": "model:*"})
        assert all(one.holds(clock.now()) for one in held)
        held.append(simulator.begin(ask_for("x", model="o3")))
        simulator.lift()
    elif how == "reset":
        simulator.reset("rules")
    else:
        clock._now += 1
        simulator.arm(HOLD)
    assert not any(one.holds(clock.now()) for one in held)
    assert len(simulator.holds) == 0


def test_another_scope_or_fuse_keeps_what_is_held(simulator, clock):
    held = simulator.begin(ask_for("a", model="gpt-4o"))
    clock._now += 1
    simulator.arm({**HOLD, "scope": "text:nothing"})
    simulator.arm({**HOLD, "for_s": 20})
    assert held.holds(clock.now())
    assert not simulator.begin(ask_for("b", model="o3")).holds(clock.now())


def test_what_is_used_up_keeps_what_it_holds(clock):
    simulator = Simulator(Settings(faults=[{**HOLD, "count": 2}]), clock=clock)
    held = [simulator.begin(ask_for(str(n), model="gpt-4o")) for n in range(3)]
    assert simulator.settings.faults == ()
    assert [one.holds(clock.now()) for one in held] == [True, True, False]


async def test_no_more_are_held_than_may_be_and_that_is_said_once(clock):
    simulator = Simulator(Settings(faults=[{**HOLD, "most": 2}]), clock=clock)
    many = [simulator.begin(ask_for(str(n), model="gpt-4o")) for n in range(5)]
    assert [one.holds(clock.now()) for one in many] == [True, True, False, False, False]
    assert many[2].plan.notes[-1] == "not held: 2 are, as many as may be"
    told = [event.text for event in simulator.events.after(0) if event.kind == "warning"]
    assert told == ["2 held, as many as may be: others pass"]
    simulator.act(many[0].number, "fail")
    assert simulator.begin(ask_for("6", model="gpt-4o")).holds(clock.now())
    await clock.advance(301)
    assert simulator.begin(ask_for("7", model="gpt-4o")).holds(clock.now())


async def test_a_held_reply_is_failed_with_any_error_stepped_or_cut_at_once(simulator, clock):
    failed, stepped, cut = (simulator.begin(ask_for(str(n), model="gpt-4o", stream=True)) for n in range(3))
    await clock.advance(5)
    simulator.act(failed.number, "fail", error={"status": 429, "retry_after": 2, "message": "not today"})
    (piece,) = failed.take(clock.now())
    assert (piece.failure.status, piece.failure.retry_after, piece.failure.message) == (429, 2, "not today")
    simulator.act(stepped.number, "step")
    assert [piece.text for piece in stepped.take(clock.now())] == ["one"]
    assert stepped.due() is None
    simulator.act(cut.number, "cut")
    assert type(cut.take(clock.now())[-1]).__name__ == "Drop"
    assert simulator.events.after(0)[0].text == "fail #1 with 429"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"status": 200}, "status: 200 is not allowed: input should be 400, 401"),
        ({"after_ms": 3}, "after_ms: an error has no such field; it has status, message, retry_after"),
        ({"retry_after": -1}, "retry_after: -1 is not allowed"),
    ],
)
def test_an_error_that_cannot_be_is_told_and_nothing_is_done(simulator, clock, error, words):
    held = simulator.begin(ask_for("a", model="gpt-4o"))
    with pytest.raises(SettingsError, match=words):
        simulator.act(held.number, "fail", error=error)
    assert held.holds(clock.now())


async def test_under_load_a_held_reply_has_its_slot_and_one_that_waits_for_a_slot_is_held_after_it(clock):
    profile = {"ttft": {"kind": "fixed", "mean": 100}, "tbt": {"kind": "fixed", "mean": 10}, "slots": 1, "queue": 9}
    simulator = Simulator(Settings(profiles={"one": profile}, latency_profile="one", faults=[HOLD]), clock=clock)
    first, second, third = (simulator.begin(ask_for(str(n), model="gpt-4o")) for n in range(3))
    assert [one.holds(clock.now()) for one in (first, second, third)] == [True, True, True]
    simulator.act(third.number, "resume")
    await clock.advance(10)
    simulator.act(first.number, "resume")
    assert due(first) == round(clock.now() + 0.1, 3)
    simulator.end(first, "done")
    assert second.holds(clock.now())
    assert due(second) == round(clock.now() + 300.1, 3)
    simulator.act(second.number, "resume")
    assert due(second) == round(clock.now() + 0.1, 3)
    simulator.end(second, "done")
    assert due(third) == round(clock.now() + 0.1, 3)
