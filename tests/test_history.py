"""The history of changes: bounded in its number and in what the rules in it take."""

from support import ask_for

from llmsim.clock import ToldClock
from llmsim.history import SIZE, UNDO
from llmsim.simulator import Simulator


def changed(simulator: Simulator, texts: int, length: int) -> None:
    mocks = [{"name": f"m{at}", "when": f"text:{at}", "reply": f"{at} " + "x" * length} for at in range(texts)]
    simulator.change(mocks=mocks, seed=simulator.settings.seed + 1)


def test_changes_that_bring_large_rules_do_not_pile_up():
    simulator = Simulator(clock=ToldClock())
    for at in range(60):
        changed(simulator, 2, 1_000_000 + at)
        assert simulator.history.size <= SIZE
    assert 5 < len(simulator.history) < 20


def test_changes_that_bring_very_many_conditions_do_not_pile_up():
    simulator = Simulator(clock=ToldClock())
    for at in range(12):
        simulator.change(mocks=[{"when": {"model": [f"{at}-{one}" for one in range(999)]}, "reply": "x"}] * 10)
        assert simulator.history.size <= SIZE
    assert len(simulator.history) < 8


def test_what_is_still_remembered_can_be_taken_back_and_no_more():
    simulator = Simulator(clock=ToldClock())
    for at in range(60):
        changed(simulator, 2, 1_000_000 + at)
    kept = len(simulator.history)
    undone = 0
    while simulator.undo():
        undone += 1
    assert 0 < undone <= kept


def test_one_change_that_is_larger_than_all_is_remembered_all_the_same():
    simulator = Simulator(clock=ToldClock())
    changed(simulator, 10, 4_000_000)
    assert len(simulator.history) == 1
    assert simulator.undo()
    assert simulator.settings.mocks == ()


def test_a_change_beside_many_mocks_holds_little_as_they_are_shared():
    simulator = Simulator(clock=ToldClock())
    changed(simulator, 100, 1000)
    first = simulator.history.size
    for seed in range(50):
        simulator.change(seed=1000 + seed)
    assert simulator.history.size - first < 50 * 5000
    assert sum(1 for _ in range(UNDO) if simulator.undo()) == 51


def test_settings_that_were_replaced_hold_no_tables_and_no_index():
    simulator = Simulator(clock=ToldClock())
    wait = {"kind": "normal", "mean": 100, "stddev": 10}
    for mean in range(1, 6):
        simulator.change(
            profiles={"mine": {"ttft": wait, "tbt": {"mean": mean}}},
            latency_profile="mine",
            mocks=[{"name": "m", "when": f"text:{mean}", "reply": {"text": "x", "latency": {"ttft": wait}}}],
        )
        for text in ("hello", str(mean)):
            simulator.end(simulator.begin(ask_for(text)), "abandoned")
    old = [change.before for change in simulator.history][1:]
    assert len(old) == 4
    for settings in old:
        assert not settings.kept
        assert "mock_index" not in settings.__dict__
        assert not settings.profiles["mine"]._tables
        assert not settings.mocks[0].answers[0].latency._tables
    assert simulator.settings.profiles["mine"]._tables


def test_of_many_mocks_those_that_a_change_brought_go_when_it_is_taken_back():
    """Though a scenario, whose changes are not taken back, has changed others since."""
    simulator = Simulator(clock=ToldClock())
    changed(simulator, 5, 1)
    kept = simulator.settings.mocks
    simulator.change(mocks=[*kept[:2], {"name": "m2", "reply": "other"}, *kept[4:], {"name": "new", "reply": "x"}])
    by_scenario = [*simulator.settings.mocks, {"name": "its own", "reply": "y"}]
    simulator.change(who="scenario x", mocks=by_scenario)
    assert simulator.undo()
    assert [one.name for one in simulator.settings.mocks] == ["m0", "m1", "m2", "m3", "m4", "its own"]
    assert simulator.settings.mocks[:5] == kept
    assert simulator.redo()
    assert [one.name for one in simulator.settings.mocks] == ["m0", "m1", "m2", "m4", "new", "its own"]
