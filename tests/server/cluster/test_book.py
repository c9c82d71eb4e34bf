"""What is counted once for all workers, without any process: the hub's book, and what a worker claims."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from llmsim.clock import ToldClock
from llmsim.conversation import Ask, Message
from llmsim.exchange import Exchange
from llmsim.match import Match
from llmsim.plan import Fail
from llmsim.server.cluster import codec
from llmsim.server.cluster.book import Book
from llmsim.server.cluster.journal import SparseJournal
from llmsim.server.cluster.player import WorkerSimulator
from llmsim.server.cluster.report import HubMeter, Reporter, together
from llmsim.server.cluster.shared import SIZE, Lock, Memory
from llmsim.server.metrics import Metrics
from llmsim.settings import Settings
from llmsim.simulator import Simulator


class Two:
    """Two workers and their hub, joined by calls in place of channels."""

    def __init__(self, memory: Memory, **settings: Any) -> None:
        clock = ToldClock()
        self.hub = Simulator(Settings().changed(latency_profile="instant", target_tokens=5, **settings), clock=clock)
        self.book = Book(self.hub)
        self.workers = [
            WorkerSimulator(self.hub.settings, memory, clock=clock, journal=SparseJournal()) for _ in range(2)
        ]
        for worker in self.workers:
            worker.came = self.book.came
            worker.limiter.settled = self.book.settle

    def ask(self, worker: int, key: str = "k", text: str = "Hello") -> Exchange:
        """A request at one of the workers, played to its end."""
        own = self.workers[worker]
        ask = Ask("gpt-4o", (Message("user", text),), key=key, digest=text.encode().ljust(16), prompt_tokens=4)
        claims = own.claims(ask, b"{}")
        grant = self.book.grant(claims, worker) if claims is not None else None
        exchange: Exchange = own.granted(ask, grant, lambda: own.begin(ask, b"{}"))
        exchange.take(own.clock.now())
        own.end(exchange, "failed" if exchange.plan.failure else "done")
        for one in self.workers:
            if one.settings is not self.hub.settings:
                one.follow({name: getattr(self.hub.settings, name) for name in Settings.model_fields}, 0)
        return exchange


@pytest.fixture
def memory() -> Iterator[Memory]:
    lock = Lock(f"/llmsim-test-{os.getpid()}", new=True)
    lock.forget()
    descriptor = os.memfd_create("test")
    os.ftruncate(descriptor, SIZE)
    yield Memory(descriptor, lock)
    os.close(descriptor)


def failures(two: Two, workers: list[int]) -> list[bool]:
    return [isinstance(two.ask(worker).plan.pieces[0], Fail) for worker in workers]


def test_a_fault_with_a_count_is_spent_by_both_together_and_then_lifted(memory: Memory) -> None:
    two = Two(memory, faults=[{"id": "f", "kind": "refuse", "status": 429, "count": 3}])
    assert failures(two, [0, 1, 0, 1, 0]) == [True, True, True, False, False]
    assert two.hub.settings.faults == ()


def test_a_fault_for_so_many_requests_is_lifted_after_them_whether_it_struck_or_not(memory: Memory) -> None:
    two = Two(memory, faults=[{"id": "f", "kind": "refuse", "status": 429, "for_requests": 4, "probability": 0.5}])
    struck = sum(failures(two, [0, 1] * 6))
    assert 0 < struck < 4
    assert two.hub.settings.faults == ()


def test_a_strike_that_the_dice_keep_back_is_not_counted(memory: Memory) -> None:
    two = Two(memory, faults=[{"id": "f", "kind": "refuse", "status": 429, "count": 3, "probability": 0.3}])
    assert sum(failures(two, [0, 1] * 20)) == 3


def test_a_fault_that_finds_nothing_to_strike_gives_its_turn_back(memory: Memory) -> None:
    late = {"id": "f", "kind": "cut", "after_tokens": 50, "count": 1}
    two = Two(memory, faults=[late])
    two.ask(0)
    assert two.hub.hits.get("f", 0) == 0
    assert len(two.hub.settings.faults) == 1


def test_a_mock_that_a_fault_keeps_back_answers_the_next_request(memory: Memory) -> None:
    two = Two(
        memory,
        mocks=[{"name": "m", "replies": ["one", "two"], "then": "pass"}],
        faults=[{"id": "f", "kind": "refuse", "status": 500, "count": 1}],
    )
    said = [two.ask(worker).text() for worker in (0, 1, 0)]
    assert said == ["", "one", "two"]


def test_what_a_lost_worker_had_open_is_given_back(memory: Memory) -> None:
    two = Two(memory, limits=[{"concurrency": 1}])
    ask = Ask("gpt-4o", (Message("user", "x"),), key="k", digest=b"x" * 16)
    claims = two.workers[0].claims(ask, b"{}")
    assert claims is not None
    assert two.book.grant(claims, "lost").standing.refused == ""  # type: ignore[union-attr]
    assert isinstance(two.ask(1).plan.pieces[0], Fail)
    two.book.lost("lost")
    assert not isinstance(two.ask(1).plan.pieces[0], Fail)


def test_repetitions_and_numbers_are_those_of_both(memory: Memory) -> None:
    two, one = Two(memory), Two(memory)
    memory.clear()
    told = [two.ask(worker).seen for worker in (0, 1, 1, 0)]
    assert told == [0, 1, 2, 3]
    numbers = [one.ask(worker, text=f"{worker}").number for worker in (1, 0, 1)]
    assert numbers == [5, 6, 7]


def test_of_more_requests_than_there_is_room_for_the_one_unseen_for_longest_is_forgotten(memory: Memory) -> None:
    alike = [place.to_bytes(8, "little") + bytes(8) for place in range(1, 18)]  # all of one set, which has room for 16
    assert [memory.take(one)[1] for one in alike[:16]] == [0] * 16
    assert [memory.take(one)[1] for one in alike[:3]] == [1] * 3
    assert memory.take(alike[16])[1] == 0  # in the place of the fourth
    assert [memory.take(one)[1] for one in (*alike[:3], alike[4])] == [2, 2, 2, 1]
    assert memory.take(alike[3])[1] == 0


def test_a_request_without_a_counted_rule_claims_nothing(memory: Memory) -> None:
    two = Two(memory, mocks=[{"name": "m", "reply": "x"}], faults=[{"kind": "cut", "probability": 0.0}])
    assert two.workers[0].claims(Ask("gpt-4o", digest=b"x" * 16), b"") is None
    assert two.ask(0).text() == "x"


# -- what is told of the traffic


def test_the_hub_knows_an_exchange_as_the_worker_does(memory: Memory) -> None:
    two = Two(memory, mocks=[{"name": "m", "when": "model:gpt*", "reply": "hi there"}])
    two.ask(0)
    report = codec.loads(codec.dumps(Reporter(two.workers[0]).report(True)))
    (known,) = report.exchanges
    mine = two.workers[0].journal.newest(1)[0]
    assert (known.number, known.state, known.text(), known.plan.mock) == (mine.number, "done", "hi there", "m")
    assert list(known.plan.times) == list(mine.plan.times)
    assert report.answered == {"m": 1}
    assert Reporter(two.workers[0]).report(True).answered == {}  # told once


def test_figures_of_two_are_added_up(memory: Memory) -> None:
    two = Two(memory)
    for worker in (0, 1, 1):
        two.ask(worker)
    meter = HubMeter(two.hub.clock)
    for worker in (0, 1):
        meter.take(worker, codec.loads(codec.dumps(Reporter(two.workers[worker]).report(True))))
    assert (meter.begun, meter.tokens) == (3, 15)
    assert sum(slot.counts["ok"] + slot.counts["failed"] for slot in meter.window(2)) == 3

    class Nowhere:
        def find(self, request: Any) -> None:
            return None

    told = together(codec.loads(codec.dumps(Metrics(one, Nowhere()).snapshot())) for one in two.workers)  # type: ignore[arg-type]
    assert sum(cell.count for series in told.series for cell in series.cells.values()) == 3


def test_settings_come_over_as_they_are() -> None:
    made = Settings().changed(
        faults=[{"kind": "refuse", "status": 429, "scope": "model:gpt* !key:ci"}],
        mocks=[{"when": {"text": "~^a.*b$", "header": {"x": "1"}}, "replies": ["a", {"text": "b"}]}],
        limits=[{"rpm": 5, "when": "key:a"}],
        profiles={"own": {"ttft": {"kind": "gamma", "mean": 5, "stddev": 1}}},
    )
    _ = made.mock_index, made.spoilers
    fields = {name: getattr(made, name) for name in Settings.model_fields}
    assert codec.loads(codec.dumps(fields)) == fields
    assert codec.loads(codec.dumps(Match("key:a"))) == Match("key:a")


def test_bytes_that_name_something_else_are_not_read() -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.system, ("true",)

    import pickle

    with pytest.raises(codec.Unreadable):
        codec.loads(pickle.dumps(Evil()))
    with pytest.raises(codec.Unreadable):
        codec.loads(b"junk")


def test_a_sparse_journal_takes_late_comers_in_and_lets_the_oldest_go() -> None:
    journal = SparseJournal(count=3)
    simulator = Simulator(Settings(latency_profile="instant"))
    kept = {number: simulator.begin(Ask("gpt-4o")) for number in range(1, 7)}
    for number in (2, 5, 3):
        journal.add(kept[number])
    assert [one.number for one in journal] == [2, 3, 5]
    journal.add(kept[6])
    journal.add(kept[1])  # older than what has gone
    assert [one.number for one in journal.between()] == [3, 5, 6]
    assert journal.get(4) is None
    assert [one.number for one in journal.between(3, newest_first=True)] == [6, 5]
    assert (journal.first, journal.last, len(journal)) == (3, 6, 3)
    journal.clear()
    journal.add(kept[5])
    assert len(journal) == 0
