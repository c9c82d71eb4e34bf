"""The core: begins, plays and ends exchanges, and changes while they are under way."""

import pytest
from support import Listener, ask_for, played

from llmsim.clock import ToldClock
from llmsim.conversation import Tool
from llmsim.errors import Failure, SettingsError
from llmsim.generators.fixed import Fixed
from llmsim.journal import Journal
from llmsim.metrics import outcome
from llmsim.plan import Drop, End, Fail
from llmsim.simulator import Simulator

CUT = {"kind": "cut", "after_tokens": 1}


def last_event(simulator):
    return simulator.events.after(0)[-1]


# -- playing


async def test_a_reply_is_played_to_its_end_each_batch_at_its_moment(simulator):
    exchange = simulator.begin(ask_for())
    listener = await played(simulator, exchange)
    assert [round(at, 3) for at, _ in listener.batches] == [0.1, 0.11, 0.12, 0.13, 0.14]
    assert type(listener.pieces[-1]) is End
    assert len(listener.text.split()) == 5
    assert (exchange.state, exchange.ended) == ("done", pytest.approx(0.14))
    assert exchange.late == pytest.approx(0.0, abs=1e-6)
    assert simulator.meter.live == {}


async def test_without_latency_a_whole_reply_is_one_batch(simulator):
    simulator.change(latency_profile="instant")
    listener = await played(simulator, simulator.begin(ask_for()))
    assert len(listener.batches) == 1
    assert listener.batches[0][0] <= 0.001


async def test_who_leaves_early_abandons_the_exchange(simulator):
    exchange = simulator.begin(ask_for())
    listener = Listener(simulator, exchange, leave_after=2)
    await simulator.clock.advance(10)
    assert len(listener.batches) == 2
    assert exchange.state == "abandoned"
    assert simulator.meter.live == {}
    assert simulator.meter.outcomes["abandoned"] == 1
    assert not len(simulator.underway)


async def test_who_is_cancelled_before_the_first_token_abandons_the_exchange(simulator):
    exchange = simulator.begin(ask_for())
    listener = Listener(simulator, exchange)
    await simulator.clock.advance(0.05)
    listener.task.cancel()
    await simulator.clock.advance(10)
    assert (exchange.state, exchange.cursor, simulator.meter.live) == ("abandoned", 0, {})


async def test_a_reply_that_ends_in_a_failure_has_failed(simulator):
    simulator.change(server_error_rate=1)
    exchange = simulator.begin(ask_for())
    listener = await played(simulator, exchange)
    assert list(listener.pieces) == [Fail(Failure("internal"))]
    assert exchange.state == "failed"


async def test_a_reply_that_is_cut_was_dropped(simulator):
    simulator.arm(CUT)
    exchange = simulator.begin(ask_for())
    assert (await played(simulator, exchange)).pieces[-1] == Drop()
    assert exchange.state == "dropped"
    assert outcome(exchange) == "cut"


async def test_hundreds_of_replies_at_once_each_keep_their_own_moments(simulator):
    exchanges = []
    for i in range(300):
        exchanges.append((simulator.begin(ask_for(str(i))), simulator.clock.now()))
        exchanges[-1] = (*exchanges[-1], Listener(simulator, exchanges[-1][0]))
        await simulator.clock.advance(0.007)
    await simulator.clock.advance(10)
    for exchange, started, listener in exchanges:
        first, last = listener.batches[0][0], listener.batches[-1][0]
        assert first - started == pytest.approx(0.1, abs=0.0011)
        assert last - started == pytest.approx(0.14, abs=0.0011)
        assert exchange.state == "done"
    assert simulator.meter.outcomes["ok"] == 300


async def test_the_first_to_say_how_an_exchange_ended_is_believed(simulator):
    exchange = simulator.begin(ask_for())
    simulator.end(exchange, "failed")
    simulator.end(exchange, "done")
    assert exchange.state == "failed"
    assert simulator.meter.outcomes.total() == 1


async def test_who_plays_an_exchange_that_is_ended_from_elsewhere_is_let_go(simulator):
    exchange = simulator.begin(ask_for())
    listener = Listener(simulator, exchange)
    await simulator.clock.advance(0.05)
    simulator.end(exchange, "failed")
    await simulator.clock.advance(10)
    assert listener.task.done()


async def test_what_was_planned_can_still_be_read_when_it_has_ended(simulator):
    exchange = simulator.begin(ask_for())
    await played(simulator, exchange)
    assert list(exchange.plan.times) == pytest.approx([0.1, 0.11, 0.12, 0.13, 0.14, 0.14], abs=1e-6)
    assert simulator.journal.get(exchange.number) is exchange


def test_exchanges_are_numbered_without_gaps_also_refused_ones(simulator):
    simulator.begin(ask_for())
    refused = simulator.refuse(ask_for(), Failure("invalid", "No."), b"{}")
    simulator.begin(ask_for())
    assert [one.number for one in simulator.journal] == [1, 2, 3]
    assert refused.plan.failure == Failure("invalid", "No.")
    assert refused.plan.notes == ("No.",)
    assert refused.request == b"{}"


def test_a_generator_that_fails_is_an_internal_error_and_leaves_no_gap_in_the_journal(simulator, monkeypatch):
    simulator.begin(ask_for())
    monkeypatch.setattr("llmsim.generators.words.Words.reply", lambda *_: 1 / 0)
    assert simulator.begin(ask_for()).plan.failure.status == 500
    monkeypatch.setattr("llmsim.generators.words.Words.reply", Fixed().reply.__func__)
    exchange = simulator.begin(ask_for())
    assert simulator.journal.get(exchange.number) is exchange
    assert len(simulator.journal) == exchange.number


def test_a_schema_that_nothing_fits_is_refused_and_seen(simulator):
    tool = Tool("f", "", {"type": "object", "properties": {"a": False}, "required": ["a"]})
    exchange = simulator.begin(ask_for(tools=(tool,)))
    assert exchange.plan.failure.status == 400
    assert simulator.journal.get(1) is exchange


def test_an_exchange_carries_what_it_was_decided_from(simulator):
    exchange = simulator.begin(ask_for(), b'{"model": "gpt-4o"}')
    assert exchange.request == b'{"model": "gpt-4o"}'
    assert exchange.seed
    assert exchange.standing.refused == ""
    assert exchange.wall == simulator.clock.wall()


def test_the_journal_is_the_one_that_was_given():
    journal = Journal(count=2)
    simulator = Simulator(journal=journal, clock=ToldClock())
    for _ in range(3):
        simulator.begin(ask_for())
    assert len(journal) == 2
    assert len(simulator.meter.live) == 3


# -- changes


def test_a_change_holds_for_the_next_ask_and_a_plan_once_made_is_kept(simulator):
    before = simulator.begin(ask_for())
    simulator.change(generator="fixed:changed", who="console")
    assert before.plan.origin == "generator words"
    assert simulator.begin(ask_for()).plan.origin == "generator fixed"
    event = last_event(simulator)
    assert (event.kind, event.text, event.who, event.mark) == (
        "change",
        "generator fixed:changed",
        "console",
        "generator",
    )


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"seed": 5, "target_tokens": 0}, "target_tokens"),
        ({"seed": 5, "nonsense": 1}, "nonsense: there is no such setting"),
        ({"seed": 5, "latency_profile": "warp"}, "warp"),
        ({"seed": 5, "faults": [{"kind": "boom"}]}, "boom"),
    ],
)
def test_a_change_is_made_whole_or_not_at_all(simulator, changes, word):
    before = simulator.settings
    with pytest.raises(SettingsError, match=word):
        simulator.change(**changes)
    assert simulator.settings is before
    assert simulator.events.newest == 0
    assert simulator.history.last() is None


def test_a_change_that_changes_nothing_is_not_told(simulator):
    simulator.begin(ask_for())
    simulator.change(
        seed=0, profiles={"even": {"ttft": {"kind": "fixed", "mean": 100}, "tbt": {"kind": "fixed", "mean": 10}}}
    )
    assert simulator.events.newest == 0
    assert simulator.history.last() is None


def test_the_last_change_can_be_taken_back_and_then_the_one_before(simulator):
    simulator.change(seed=1)
    simulator.change(target_tokens=9)
    assert simulator.undo("console") == "target_tokens 9"
    assert (simulator.settings.seed, simulator.settings.target_tokens) == (1, 5)
    assert last_event(simulator).text == "undone: target_tokens 9"
    assert simulator.undo() == "seed 1"
    assert simulator.undo() is None
    assert simulator.settings.seed == 0


def test_what_was_taken_back_can_be_made_again_until_something_else_is_changed(simulator):
    simulator.change(seed=1)
    simulator.change(target_tokens=9)
    assert simulator.redo() is None
    simulator.undo()
    simulator.undo()
    assert simulator.redo("console") == "seed 1"
    assert simulator.redo() == "target_tokens 9"
    assert (simulator.settings.seed, simulator.settings.target_tokens) == (1, 9)
    assert last_event(simulator).text == "redone: target_tokens 9"
    assert simulator.undo() == "target_tokens 9"
    simulator.change(seed=5)
    assert simulator.redo() is None


def test_making_a_fault_again_leaves_those_armed_since_alone(simulator):
    simulator.arm({"kind": "refuse", "status": 503, "id": "a"})
    simulator.undo()
    simulator.change(faults=[{"kind": "refuse", "status": 429, "id": "b"}], who="scenario storm")
    simulator.redo()
    assert {one.id for one in simulator.settings.faults} == {"a", "b"}


def test_a_long_value_is_told_by_its_beginning(simulator):
    simulator.change(generator="fixed:" + "x" * 500)
    assert len(last_event(simulator).text) < 100


async def test_a_change_of_speed_reaches_replies_under_way_at_once(simulator):
    listener = Listener(simulator, simulator.begin(ask_for()))
    await simulator.clock.advance(0.11)
    assert len(listener.batches) == 2
    simulator.change(speed=0.1)
    await simulator.clock.advance(10)
    assert [at for at, _ in listener.batches] == pytest.approx([0.1, 0.11, 0.21, 0.31, 0.41], abs=0.0011)


async def test_at_speed_nought_everything_stands_still_and_goes_on_afterwards(simulator):
    listener = Listener(simulator, simulator.begin(ask_for()))
    await simulator.clock.advance(0.105)
    simulator.change(speed=0)
    late = Listener(simulator, simulator.begin(ask_for("more")))
    await simulator.clock.advance(100)
    assert (len(listener.batches), len(late.batches)) == (1, 0)
    simulator.change(speed=1)
    await simulator.clock.advance(10)
    assert round(listener.batches[1][0], 3) == 100.11
    assert round(late.batches[0][0], 3) == 100.205
    assert listener.task.done()
    assert late.task.done()


async def test_taking_back_a_change_of_speed_reaches_replies_under_way_too(simulator):
    simulator.change(speed=0)
    listener = Listener(simulator, simulator.begin(ask_for()))
    await simulator.clock.advance(5)
    simulator.undo()
    await simulator.clock.advance(5)
    assert listener.task.done()


# -- one reply


async def test_one_reply_can_be_paused_and_resumed_while_the_others_go_on(simulator):
    one, other = (Listener(simulator, simulator.begin(ask_for(text))) for text in ("one", "other"))
    await simulator.clock.advance(0.105)
    assert simulator.act(1, "pause", who="console")
    await simulator.clock.advance(100)
    assert (len(one.batches), len(other.batches)) == (1, 5)
    assert simulator.act(1, "resume")
    await simulator.clock.advance(1)
    assert round(one.batches[1][0], 3) == 100.11
    assert [event.text for event in simulator.events.after(0)] == ["pause #1", "resume #1"]


@pytest.mark.parametrize(("action", "piece"), [("cut", Drop()), ("fail", Fail(Failure("internal")))])
@pytest.mark.parametrize("before", ["the first token", "the last token", "being resumed", "time goes on again"])
async def test_one_reply_can_be_cut_or_failed_at_once(simulator, action, piece, before):
    listener = Listener(simulator, simulator.begin(ask_for()))
    await simulator.clock.advance(0.05 if before == "the first token" else 0.125)
    if before == "being resumed":
        simulator.act(1, "pause")
        await simulator.clock.advance(50)
    if before == "time goes on again":
        simulator.change(speed=0)
        await simulator.clock.advance(50)
    now = simulator.clock.now()
    assert simulator.act(1, action)
    await simulator.clock.advance(1)
    assert listener.pieces[-1] == piece
    assert listener.batches[-1][0] == pytest.approx(now, abs=0.0011)
    assert listener.task.done()


def test_nothing_can_be_done_to_a_reply_that_has_ended(simulator):
    exchange = simulator.begin(ask_for())
    simulator.end(exchange, "done")
    assert not simulator.act(exchange.number, "pause")
    assert not simulator.act(99, "cut")
    assert simulator.events.newest == 0


async def test_an_unknown_action_is_an_error_that_lists_those_there_are(simulator):
    simulator.begin(ask_for())
    with pytest.raises(SettingsError, match="there are pause, resume, cut, fail"):
        simulator.act(1, "explode")


async def test_a_paused_reply_stays_paused_when_the_speed_of_all_is_changed(simulator):
    listener = Listener(simulator, simulator.begin(ask_for()))
    simulator.act(1, "pause")
    simulator.change(speed=2)
    await simulator.clock.advance(50)
    assert listener.batches == []


async def test_an_error_while_playing_is_the_listeners_and_ends_the_exchange(simulator, monkeypatch):
    exchange = simulator.begin(ask_for())
    monkeypatch.setattr("llmsim.exchange.Exchange.take", lambda *_: 1 / 0)
    listener = Listener(simulator, exchange)
    told = []
    listener.task.get_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    await simulator.clock.advance(1)
    assert [type(error) for error in told] == [ZeroDivisionError]
    assert exchange.state == "abandoned"


def test_undoing_a_fault_that_was_armed_again_puts_it_back_in_its_place(simulator):
    for id in ("a", "b", "a"):
        simulator.arm({"kind": "refuse", "id": id})
    simulator.undo()
    assert [one.id for one in simulator.settings.faults] == ["a", "b"]


def test_undoing_takes_nothing_back_that_was_changed_since(simulator):
    simulator.change(mocks=[{"name": "m", "reply": "x"}], who="console")
    simulator.change(mocks=[*simulator.settings.mocks, {"name": "n", "reply": "y"}], speed=2, who="scenario s")
    simulator.undo()
    assert [one.name for one in simulator.settings.mocks] == ["n"]
    assert simulator.settings.speed == 2
