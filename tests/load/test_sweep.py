"""A load test of a station on a told clock: throughput grows up to the slots, then the queue does; the knee is there.

So many clients each send the next request as soon as their reply has come, as load generators do. Little's law gives
what has to come out: replies a second = at work / time at work.
"""

from statistics import fmean

import pytest
from support import ask_for

from llmsim.clock import ToldClock, keep
from llmsim.settings import Settings
from llmsim.simulator import Simulator

SLOTS, SLOWING, TTFT, GAP, TOKENS = 8, 1.0, 0.2, 0.02, 21


def simulator_of(queue: int = 1000) -> Simulator:
    served = {
        "ttft": {"kind": "fixed", "mean": 1000 * TTFT},
        "tbt": {"kind": "fixed", "mean": 1000 * GAP},
        "slots": SLOTS,
        "slowing": SLOWING,
        "queue": queue,
    }
    return Simulator(
        Settings(profiles={"served": served}, latency_profile="served", generator="words", target_tokens=TOKENS),
        clock=ToldClock(),
    )


class Run:
    """What so many clients saw: times to the first token, and replies a second."""

    def __init__(self, simulator: Simulator, clients: int) -> None:
        self.simulator, self.clients = simulator, clients
        self.ttfts: list[tuple[float, float]] = []
        self.ended: list[float] = []
        self.refused = 0

    async def client(self, number: int) -> None:
        clock, turn = self.simulator.clock, 0
        while True:
            turn += 1
            exchange = self.simulator.begin(ask_for(f"{number} {turn}"))
            if exchange.plan.failure is not None:
                self.refused += 1
                self.simulator.end(exchange, "failed")
                return
            async for _ in self.simulator.play(exchange):
                pass
            assert exchange.first is not None
            self.ttfts.append((clock.now(), exchange.first - exchange.started))
            self.ended.append(clock.now())

    async def measured(self, warm: float, seconds: float) -> tuple[float, float]:
        tasks = [keep(self.client(number), "client") for number in range(self.clients)]
        await self.simulator.clock.advance(warm + seconds)
        for task in tasks:
            task.cancel()
        await self.simulator.clock.advance(0.01)
        late = [ttft for at, ttft in self.ttfts if at > warm]
        return len([at for at in self.ended if at > warm]) / seconds, fmean(late)


def foretold(clients: int) -> tuple[float, float]:
    """Replies a second and the mean TTFT, by the formulae."""
    at_work = min(clients, SLOTS)
    busy = TTFT + (TOKENS - 1) * GAP * (1 + SLOWING * (at_work - 1) / (SLOTS - 1))
    rate = at_work / busy
    return rate, TTFT + (clients / rate - busy)


@pytest.mark.parametrize("clients", [1, 2, 4, 8, 12, 24])
async def test_throughput_and_first_token_are_what_the_formulae_foretell(clients):
    run = Run(simulator_of(), clients)
    rate, ttft = await run.measured(warm=10, seconds=30)
    wanted_rate, wanted_ttft = foretold(clients)
    assert rate == pytest.approx(wanted_rate, rel=0.04)
    assert ttft == pytest.approx(wanted_ttft, rel=0.05)


async def test_the_knee_is_at_the_slots():
    found = {clients: await Run(simulator_of(), clients).measured(warm=10, seconds=30) for clients in (4, 8, 16)}
    (below, ttft_below), (at, ttft_at), (beyond, ttft_beyond) = found[4], found[8], found[16]
    assert at > 1.3 * below
    assert beyond == pytest.approx(at, rel=0.03)
    assert ttft_at == pytest.approx(ttft_below, rel=0.05)
    assert ttft_beyond > 4 * ttft_at


async def test_a_bounded_queue_bounds_the_first_token_and_the_others_are_refused():
    run = Run(simulator_of(queue=4), 24)
    rate, ttft = await run.measured(warm=10, seconds=30)
    assert run.refused == 24 - SLOTS - 4
    assert (rate, ttft) == (pytest.approx(foretold(12)[0], rel=0.04), pytest.approx(foretold(12)[1], rel=0.05))
    assert run.simulator.stations.at("served", run.simulator.settings.profile("served")).refused == run.refused
