"""Replies under load: slots, a queue, a pace that all share; every moment against the formulae, on a told clock."""

import pytest
from support import Listener, ask_for

from llmsim.clock import ToldClock
from llmsim.errors import SettingsError
from llmsim.load import LoadedExchange
from llmsim.plan import Drop, End, Fail
from llmsim.settings import Settings
from llmsim.simulator import Simulator

TTFT, GAP, TOKENS = 0.1, 0.01, 5
ALONE = TTFT + (TOKENS - 1) * GAP


def profile(**load):
    return {"ttft": {"kind": "fixed", "mean": 100}, "tbt": {"kind": "fixed", "mean": 10}, **load}


def simulator_of(tokens=TOKENS, **load):
    settings = Settings(
        profiles={"served": profile(**load)}, latency_profile="served", generator="words", target_tokens=tokens
    )
    return Simulator(settings, clock=ToldClock())


def ask(simulator, text="hello", **fields):
    return Listener(simulator, simulator.begin(ask_for(text, **fields)))


def moments(listener):
    return [at for at, _ in listener.batches]


def station(simulator):
    (one,) = simulator.stations
    return one


def near(moment):
    return pytest.approx(moment, abs=0.0021)


async def test_a_reply_that_has_the_server_for_itself_is_as_it_would_be_without_load():
    simulator = simulator_of(slots=4, slowing=3)
    listener = ask(simulator)
    await simulator.clock.advance(1)
    assert moments(listener) == [near(TTFT + GAP * i) for i in range(TOKENS)]
    assert type(listener.pieces[-1]) is End
    assert not station(simulator).active


async def test_without_load_terms_no_station_is_made(simulator):
    exchange = simulator.begin(ask_for())
    assert type(exchange) is not LoadedExchange
    assert len(simulator.stations) == 0
    assert exchange.plan.load is None


async def test_waits_between_tokens_grow_with_the_replies_at_work_and_the_first_token_does_not_wait_longer():
    simulator = simulator_of(slots=5, slowing=2)
    listeners = [ask(simulator, str(i)) for i in range(3)]
    await simulator.clock.advance(1)
    for listener in listeners:
        at = moments(listener)
        assert at[0] == near(TTFT)
        # Three at work of five: 1 + 2 x 2/4.
        assert at[-1] - at[0] == near((TOKENS - 1) * GAP * 2)


async def test_a_reply_under_way_slows_when_others_come_and_is_faster_again_when_they_go():
    simulator = simulator_of(tokens=101, slots=2, slowing=1)
    long = ask(simulator, "long")
    await simulator.clock.advance(0.6)  # its first 51 tokens, alone
    other = simulator.begin(ask_for("other"))
    await simulator.clock.advance(0.4)  # both: half the pace, 20 tokens
    simulator.end(other, "abandoned")
    await simulator.clock.advance(5)
    # 30 tokens were left; within 0.02 s each change is followed.
    assert moments(long)[-1] == pytest.approx(1.0 + 30 * GAP, abs=0.03)
    assert long.task.done()


async def test_a_whole_reply_follows_the_load_as_well():
    simulator = simulator_of(tokens=101, slots=2, slowing=1)
    exchange = simulator.begin(ask_for("whole"))
    other = simulator.begin(ask_for("other"))
    await simulator.clock.advance(0.05)
    assert exchange.end_due() == near(TTFT + 100 * GAP * 2)
    simulator.end(other, "abandoned")
    await simulator.clock.advance(0.05)
    assert exchange.end_due() == near(TTFT + 100 * GAP)


async def test_who_finds_all_slots_taken_waits_and_is_served_in_the_order_of_arrival():
    simulator = simulator_of(slots=1)
    listeners = [ask(simulator, str(i)) for i in range(4)]
    assert (len(station(simulator).active), len(station(simulator).waiting)) == (1, 3)
    await simulator.clock.advance(5)
    # TTFT = queue + overhead: each has to wait for those before it.
    assert [moments(listener)[0] for listener in listeners] == [
        pytest.approx(i * ALONE + TTFT, abs=0.01) for i in range(4)
    ]
    assert not station(simulator).active


async def test_the_ttft_that_was_asked_has_the_wait_in_the_queue_in_it_so_that_nothing_counts_as_late():
    simulator = simulator_of(slots=1)
    first, second = (simulator.begin(ask_for(text)) for text in ("one", "two"))
    listeners = [Listener(simulator, one) for one in (first, second)]
    await simulator.clock.advance(5)
    assert all(listener.task.done() for listener in listeners)
    assert second.queued is False
    assert second.admitted - second.started == near(ALONE)
    assert second.first_due - second.started == near(ALONE + TTFT)
    assert second.late < 0.002


async def test_beyond_the_queue_a_request_is_refused_as_overload_and_spends_nothing():
    simulator = simulator_of(slots=1, queue=1)
    simulator.change(mocks=[{"name": "once", "times": 1, "reply": "x"}], rpm=10)
    held, waiting = simulator.begin(ask_for("a")), simulator.begin(ask_for("b"))
    refused = simulator.begin(ask_for("c"))
    assert held.plan.mock == "once"
    assert waiting.queued
    assert refused.plan.failure.kind == "busy"
    assert refused.plan.failure.status == 503
    assert "all 1 slots of served are taken" in refused.plan.notes[0]
    assert station(simulator).refused == 1


async def test_a_mock_that_was_to_answer_is_not_spent_on_a_refusal():
    simulator = simulator_of(slots=1, queue=0)
    simulator.begin(ask_for("a"))
    simulator.change(mocks=[{"name": "once", "times": 1, "reply": "x"}])
    assert simulator.begin(ask_for("b")).plan.failure.kind == "busy"
    simulator.end(simulator.meter.live[1], "abandoned")
    assert simulator.begin(ask_for("c")).plan.mock == "once"


@pytest.mark.parametrize("after", [0.05, 0.125])
async def test_a_client_that_leaves_frees_its_slot_at_once(after):
    simulator = simulator_of(slots=1)
    first = simulator.begin(ask_for("first"))
    second = ask(simulator, "second")
    await simulator.clock.advance(after)
    simulator.end(first, "abandoned")
    await simulator.clock.advance(5)
    assert moments(second)[0] == near(after + TTFT)


async def test_a_client_that_leaves_the_queue_is_not_waited_for():
    simulator = simulator_of(slots=1)
    ask(simulator, "first")
    gone = simulator.begin(ask_for("gone"))
    third = ask(simulator, "third")
    simulator.end(gone, "abandoned")
    await simulator.clock.advance(5)
    assert moments(third)[0] == pytest.approx(ALONE + TTFT, abs=0.005)
    assert (gone.cursor, gone.first, gone.tokens) == (0, None, 0)
    assert not station(simulator).waiting


async def test_more_slots_are_filled_at_once_and_fewer_let_those_at_work_come_to_their_end():
    simulator = simulator_of(slots=1)
    listeners = [ask(simulator, str(i)) for i in range(3)]
    simulator.change(profiles={"served": profile(slots=3)})
    assert len(station(simulator).active) == 3
    simulator.change(profiles={"served": profile(slots=1)})
    await simulator.clock.advance(1)
    assert [moments(listener)[0] for listener in listeners] == [near(TTFT)] * 3


async def test_without_slots_any_more_nobody_waits():
    simulator = simulator_of(slots=1)
    listeners = [ask(simulator, str(i)) for i in range(3)]
    simulator.change(profiles={"served": profile()})
    await simulator.clock.advance(1)
    assert [moments(listener)[0] for listener in listeners] == [near(TTFT)] * 3
    simulator.change(seed=5)
    assert len(simulator.stations) == 0


async def test_models_with_profiles_of_their_own_do_not_wait_for_each_other():
    simulator = simulator_of(slots=1)
    simulator.change(
        profiles={"a": profile(slots=1), "b": profile(slots=1)},
        latency_profile=None,
        model_profiles={"gpt-4o": "a", "gpt-4": "b"},
    )
    one, other = ask(simulator, model="gpt-4o"), ask(simulator, model="gpt-4")
    await simulator.clock.advance(1)
    assert moments(one) == moments(other)


async def test_the_speed_of_all_reaches_those_that_wait_too():
    simulator = simulator_of(slots=1)
    first, second = ask(simulator, "one"), ask(simulator, "two")
    simulator.change(speed=0)
    await simulator.clock.advance(50)
    assert (first.batches, second.batches) == ([], [])
    simulator.change(speed=2)
    await simulator.clock.advance(5)
    assert moments(second)[-1] == pytest.approx(50 + 2 * ALONE / 2, abs=0.01)


# -- acting on one, and faults


async def test_one_that_waits_can_be_cut_at_once():
    simulator = simulator_of(slots=1)
    ask(simulator, "one")
    waiting = ask(simulator, "two")
    assert simulator.act(2, "cut")
    await simulator.clock.advance(0.01)
    assert waiting.pieces == [Drop()]
    assert waiting.batches[0][0] <= 0.002
    assert len(station(simulator).active) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_step_lets_one_that_waits_go_before_the_others(stream):
    simulator = simulator_of(slots=1)
    ask(simulator, "one")
    waiting = ask(simulator, "two", stream=stream)
    await simulator.clock.advance(0.001)
    assert simulator.act(2, "step")
    await simulator.clock.advance(0.01)
    assert len(waiting.batches) == 1


async def test_a_paused_reply_keeps_its_slot():
    simulator = simulator_of(slots=1)
    ask(simulator, "one")
    waiting = ask(simulator, "two")
    simulator.act(1, "pause")
    await simulator.clock.advance(50)
    assert waiting.batches == []
    simulator.act(1, "resume")
    await simulator.clock.advance(5)
    assert moments(waiting)[0] == pytest.approx(50 + ALONE + TTFT, abs=0.01)


async def test_an_error_and_a_hang_are_none_of_the_models_work_and_take_no_slot():
    simulator = simulator_of(slots=1, queue=0)
    simulator.begin(ask_for("held"))
    for fault in ({"kind": "refuse", "status": 429}, {"kind": "timeout"}):
        simulator.lift()
        simulator.arm(fault)
        exchange = simulator.begin(ask_for("next"))
        assert type(exchange) is not LoadedExchange
        assert type(exchange.plan.pieces[0]) is Fail
        assert exchange.plan.failure.kind != "busy"
    assert len(station(simulator).active) == 1


async def test_a_stall_lasts_as_long_as_it_says_however_great_the_load():
    simulator = simulator_of(slots=2, slowing=4)
    simulator.arm({"kind": "stall", "after_tokens": 2, "for_ms": 1000})
    listeners = [ask(simulator, str(i)) for i in range(2)]
    await simulator.clock.advance(5)
    for listener in listeners:
        at = moments(listener)
        assert at[1] - at[0] == near(5 * GAP)
        assert at[2] - at[1] == near(5 * GAP + 1)
        assert at[3] - at[2] == near(5 * GAP)


async def test_two_stalls_each_last_as_long_as_they_say():
    simulator = simulator_of(slots=2, slowing=4)
    for id, after in (("late", 3), ("early", 1)):
        simulator.arm({"kind": "stall", "id": id, "after_tokens": after, "for_ms": 1000})
    listeners = [ask(simulator, str(i)) for i in range(2)]
    await simulator.clock.advance(9)
    at = moments(listeners[0])
    assert [at[i + 1] - at[i] for i in range(4)] == [near(5 * GAP + wait) for wait in (1, 0, 1, 0)]


async def test_a_slow_first_token_is_slow_for_its_prefill_as_well():
    simulator = simulator_of(slots=1, prefill_ms_per_token=1)
    simulator.arm({"kind": "slow", "ttft_factor": 3})
    listener = ask(simulator, prompt_tokens=50)
    await simulator.clock.advance(5)
    assert moments(listener)[0] == near(3 * (TTFT + 0.05))


async def test_who_follows_a_reply_waits_with_it_and_is_let_go_when_it_never_comes():
    simulator = simulator_of(slots=1)
    held = simulator.begin(ask_for("held"))
    leader = simulator.begin(ask_for("leader", detached=True))
    follower = Listener(simulator, simulator.begin(ask_for("leader", stream=True, follows=leader)))
    await simulator.clock.advance(1)
    assert follower.batches == []
    simulator.end(held, "abandoned")
    await simulator.clock.advance(1)
    assert moments(follower)[0] == near(1 + TTFT)
    assert follower.task.done()

    held = simulator.begin(ask_for("held"))
    simulator.end(leader, "done")
    leader = simulator.begin(ask_for("leader", detached=True))
    follower = Listener(simulator, simulator.begin(ask_for("leader", stream=True, follows=leader)))
    await simulator.clock.advance(0.01)
    simulator.end(leader, "abandoned")
    await simulator.clock.advance(5)
    assert follower.task.done()


# -- prefill and cache


async def test_the_first_token_waits_for_each_token_of_the_prompt_that_is_read():
    simulator = simulator_of(prefill_ms_per_token=0.5)
    listener = ask(simulator, prompt_tokens=400)
    await simulator.clock.advance(5)
    assert moments(listener)[0] == near(TTFT + 0.2)
    assert moments(listener)[-1] == near(ALONE + 0.2)


async def test_what_is_in_the_cache_need_not_be_read_and_is_told_in_the_usage():
    simulator = simulator_of(prefill_ms_per_token=1, cache_tokens=10_000, cache_block=100)
    words = "all work and no play " * 100
    first = simulator.begin(ask_for(words, prompt_tokens=450))
    await simulator.clock.advance(1)
    second = simulator.begin(ask_for(words, prompt_tokens=450))
    assert (first.plan.usage.cached, second.plan.usage.cached) == (0, 400)
    assert first.plan.times[0] == pytest.approx(TTFT + 0.45)
    assert second.plan.times[0] == pytest.approx(TTFT + 0.05)


async def test_one_that_waited_while_its_prompt_was_read_for_another_finds_it_read():
    simulator = simulator_of(slots=1, prefill_ms_per_token=1, cache_tokens=10_000, cache_block=100)
    words = "all work and no play " * 100
    first, second = (simulator.begin(ask_for(words, prompt_tokens=450)) for _ in range(2))
    listeners = [Listener(simulator, one) for one in (first, second)]
    assert second.plan.usage.cached == 0
    await simulator.clock.advance(5)
    assert second.plan.usage.cached == 400
    one = moments(listeners[0])[-1]
    assert moments(listeners[1])[0] == pytest.approx(one + TTFT + 0.05, abs=0.01)


async def test_the_cache_is_emptied_with_the_store():
    simulator = simulator_of(cache_tokens=10_000)
    words = "all work and no play " * 100
    simulator.begin(ask_for(words, prompt_tokens=450))
    await simulator.clock.advance(1)
    simulator.reset("store")
    assert simulator.begin(ask_for(words, prompt_tokens=450)).plan.usage.cached == 0


def test_load_terms_are_refused_in_one_sentence_with_the_field_and_the_value():
    simulator = simulator_of()
    with pytest.raises(SettingsError, match=r"profiles\.served: slowing: 2 is not allowed without slots"):
        simulator.change(profiles={"served": profile(slowing=2)})
