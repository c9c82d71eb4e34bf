"""Same seed, same requests: the same texts, times and faults, whatever runs beside them."""

import random

from support import ask_for, played

from llmsim.clock import ToldClock
from llmsim.conversation import Message, Tool
from llmsim.settings import Settings
from llmsim.simulator import Simulator

SETTINGS = Settings(
    seed=7,
    rate_limit_rate=0.2,
    timeout_rate=0.1,
    faults=[{"kind": "cut", "after_tokens": 3, "probability": 0.3}, {"kind": "slow", "probability": 0.5}],
    target_tokens=12,
)
LOOK = Tool(
    "look_up", "looks things up", {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}
)


def request(i: int):
    tools = (LOOK,) if i % 5 == 0 else ()
    return ask_for(f"request {i}", model=("gpt-4o", "o3", "gpt-4")[i % 3], n=1 + i % 2, tools=tools)


def told(plan):
    return [repr(piece) for piece in plan.pieces], list(plan.times), plan.usage, plan.faults


def plans(order, noise=0, settings=SETTINGS):
    simulator = Simulator(settings, clock=ToldClock())
    found, dice = {}, random.Random(noise)
    for i in order:
        for _ in range(dice.randrange(3) if noise else 0):
            simulator.begin(ask_for(f"noise {dice.random()}"))
        found[i] = told(simulator.begin(request(i)).plan)
    return found


def test_the_order_of_requests_and_what_is_between_them_change_nothing():
    order = list(range(200))
    calm = plans(order)
    random.Random(1).shuffle(order)
    assert plans(order, noise=2) == calm
    assert len({repr(plan) for plan in calm.values()}) > 150


def test_another_seed_changes_everything():
    one, other = plans(range(40)), plans(range(40), settings=SETTINGS.changed(seed=8))
    assert sum(one[i][0] != other[i][0] for i in range(40)) > 35
    assert sum(one[i][1] != other[i][1] for i in range(40)) > 35


async def test_replies_played_at_once_are_those_played_one_after_the_other():
    async def text_and_moments(together: bool):
        simulator = Simulator(SETTINGS, clock=ToldClock())
        listeners = []
        for i in range(30):
            exchange = simulator.begin(request(i))
            listener = played(simulator, exchange, 0.0 if together else 3600.0)
            listeners.append((exchange, await listener))
        await simulator.clock.advance(3600)
        return [
            ([repr(piece) for piece in one.pieces], [round(at - exchange.started, 3) for at, _ in one.batches])
            for exchange, one in listeners
        ]

    assert [text for text, _ in await text_and_moments(True)] == [text for text, _ in await text_and_moments(False)]


def test_a_request_that_comes_again_gets_another_answer_and_the_next_run_the_same_two():
    def twice():
        simulator = Simulator(Settings(seed=1), clock=ToldClock())
        return [told(simulator.begin(request(1)).plan) for _ in range(2)]

    first, second = twice()
    assert first != second
    assert twice() == [first, second]


def test_a_clients_own_seed_makes_repetitions_alike_and_a_retry_rolls_again():
    simulator = Simulator(Settings(seed=1, rate_limit_rate=0.5), clock=ToldClock())

    def of(seed, attempt=0):
        return told(simulator.begin(ask_for("the same", seed=seed, attempt=attempt)).plan)

    assert of(5) == of(5) == of(5)
    assert len({repr(of(5, attempt)) for attempt in range(40)}) > 10
    assert of(5, 3) == of(5, 3)
    assert len({repr(of(seed)) for seed in range(40)}) > 10


def test_retries_get_through_a_storm_in_the_end():
    simulator = Simulator(Settings(rate_limit_rate=0.5), clock=ToldClock())
    for seed in (None, 9):
        failures = [simulator.begin(ask_for("again", seed=seed, attempt=attempt)).plan.failure for attempt in range(20)]
        assert None in failures
        assert any(failures)


def test_requests_without_a_digest_are_told_apart_by_their_number():
    simulator = Simulator(Settings(), clock=ToldClock())
    one, other = (simulator.begin(ask_for(digest=b"")).seed for _ in range(2))
    assert one != other


def test_a_fault_more_changes_no_text_and_no_roll_of_the_others():
    extra = {"kind": "stall", "after_tokens": 1, "probability": 0.5, "id": "extra"}
    calm = plans(range(60))
    more = plans(range(60), settings=SETTINGS.changed(faults=[*(one.flat() for one in SETTINGS.faults), extra]))
    for i in range(60):
        assert more[i][0] == calm[i][0]
        assert more[i][3][: len(calm[i][3])] == calm[i][3]


def test_the_count_of_repetitions_is_bounded(monkeypatch):
    monkeypatch.setattr("llmsim.repeats.DIFFERENT", 10)
    simulator = Simulator(Settings(latency_profile="instant"), clock=ToldClock())
    for i in range(50):
        simulator.begin(ask_for(str(i), messages=(Message("user", str(i)),)))
    assert len(simulator._repeats._seen) == 10
