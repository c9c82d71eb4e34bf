"""What the leader decides is told when it is written down, many decisions by one message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from llmsim.clock import ToldClock
from llmsim.conversation import Ask
from llmsim.server.cluster.ledger import Ledger
from llmsim.server.cluster.scribe import Scribe
from llmsim.settings import Settings
from llmsim.simulator import Simulator


class Redis:
    """Takes what is written when the test lets it, and says whether the lease is still ours."""

    def __init__(self) -> None:
        self.gate, self.leads = asyncio.Event(), True
        self.gate.set()
        self.messages: list[tuple[int, int, bool]] = []
        self.simulator = Simulator(Settings(limits=[{"name": "few", "rpm": 60, "per": ["key"]}]), clock=ToldClock())
        self.ledger = Ledger(self.simulator)
        self.scribe = Scribe(self.ledger, self.write)

    async def write(self, changed: Mapping[bytes, bytes], gone: list[bytes], first: bool) -> bool:
        await self.gate.wait()
        self.messages.append((len(changed), len(gone), first))
        return self.leads

    async def asked(self, key: str) -> bool:
        exchange = self.simulator.begin(Ask("m", key=key))
        self.ledger.touch(exchange.number, False)
        return await self.scribe.written()


async def test_the_first_message_has_all_and_the_others_what_was_touched() -> None:
    redis = Redis()
    assert await redis.asked("ann")
    assert await redis.asked("bob")
    assert await redis.asked("ann")
    assert redis.messages == [(1, 0, True), (1, 0, False), (1, 0, False)]
    redis.simulator.reset("limits")
    for number in range(1, 4):
        redis.simulator.limiter.settle(number, 0, 0)
    redis.simulator.reset("limits")
    assert await redis.scribe.written(whole=True)
    assert redis.messages[-1] == (0, 2, False)


async def test_all_that_is_decided_while_a_message_is_under_way_is_in_the_next_one() -> None:
    redis = Redis()
    redis.gate.clear()
    waiting = [asyncio.ensure_future(redis.asked(key)) for key in "abcdef"]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    redis.gate.set()
    assert await asyncio.gather(*waiting) == [True] * 6
    assert sum(count for count, _, _ in redis.messages) == 6
    assert len(redis.messages) <= 2


async def test_what_a_replica_decides_that_leads_no_more_does_not_count() -> None:
    redis = Redis()
    redis.leads = False
    assert not await redis.asked("ann")


async def test_nothing_is_written_where_nothing_has_changed() -> None:
    redis = Redis()
    assert await redis.scribe.written()
    assert await redis.scribe.written()
    assert redis.messages == [(0, 0, True)]


async def test_after_a_message_that_could_not_be_made_the_next_one_has_what_waited() -> None:
    redis, waiting = Redis(), list[asyncio.Future[bool]]()
    changes = redis.ledger.changes

    def broken() -> tuple[dict[bytes, bytes], list[bytes]]:
        redis.ledger.changes = changes  # type: ignore[method-assign]
        waiting.append(redis.scribe.start())
        raise ValueError("a mistake of ours")

    redis.ledger.changes = broken  # type: ignore[method-assign]
    assert await redis.asked("ann")
    assert not waiting[0].done()
    assert await redis.asked("bob")
    assert waiting[0].result()
