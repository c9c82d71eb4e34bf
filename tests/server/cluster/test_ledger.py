"""What a leader has counted is taken on by the next one, on a clock of its own."""

from __future__ import annotations

import pytest

from llmsim.clock import ToldClock
from llmsim.conversation import Ask, Message
from llmsim.plan import Fail
from llmsim.server.cluster.ledger import MOST, Ledger
from llmsim.settings import Settings
from llmsim.simulator import Simulator

LIMIT = {"name": "few", "rpm": 60, "per": ["key"]}
TURN = {"name": "turn", "when": "model:m", "replies": ["a", "b", "c"], "then": "pass"}
DOOR = {"name": "door", "when": "model:door", "state": {"machine": "door", "to": "open"}, "reply": "knock"}


def simulator(clock: ToldClock) -> Simulator:
    fault = {"kind": "refuse", "status": 500, "id": "twice", "count": 2, "scope": "model:weak"}
    return Simulator(Settings(limits=[LIMIT], mocks=[TURN, DOOR], faults=[fault]), clock=clock)


def asked(one: Simulator, model: str = "free", key: str = "ann") -> str:
    ask = Ask(model, [Message("user", "Hello")], key=key)
    exchange = one.begin(ask)
    one.end(exchange, "done")
    failed = isinstance(exchange.plan.pieces[0], Fail)
    return "failed" if failed else "".join(getattr(piece, "text", "") for piece in exchange.plan.pieces)


def passed_on(ledger: Ledger, stored: dict[bytes, bytes]) -> int:
    changed, gone = ledger.changes()
    stored.update(changed)
    for name in gone:
        del stored[name]
    return len(changed) + len(gone)


def test_the_next_leader_goes_on_from_there_and_time_has_gone_on() -> None:
    old, new = ToldClock(), ToldClock(start=1_000, wall=1_700_000_005)
    first, stored = simulator(old), dict[bytes, bytes]()
    ledger = Ledger(first)
    assert [asked(first) for _ in range(61)][-1] == "failed"
    assert [asked(first, "m", "bob") for _ in range(2)] == ["a", "b"]
    asked(first, "door", "bob")
    assert asked(first, "weak", "bob") == "failed"
    passed_on(ledger, stored)
    assert passed_on(ledger, stored) == 0  # nothing has changed
    second = simulator(new)
    Ledger(second).take(stored)
    assert [asked(second) == "failed" for _ in range(7)] == [False] * 5 + [True] * 2
    assert asked(second, "m", "bob") == "c"
    assert second.tally.states == {"door": "open"}
    assert [asked(second, "weak", "bob") == "failed" for _ in range(2)] == [True, False]


def test_what_is_taken_back_goes_from_redis_too() -> None:
    first, stored = simulator(ToldClock()), dict[bytes, bytes]()
    ledger = Ledger(first)
    asked(first)
    assert passed_on(ledger, stored) == 1
    first.reset("limits")
    assert passed_on(ledger, stored) == 1
    assert stored == {}


def test_of_very_many_keys_those_are_written_down_that_asked_last() -> None:
    first, stored = simulator(ToldClock()), dict[bytes, bytes]()
    for number in range(MOST + 5):
        asked(first, key=f"key-{number}")
    passed_on(Ledger(first), stored)
    assert len(stored) == MOST
    assert not any(b'"key-4"' in name for name in stored)


def test_what_cannot_be_read_is_said_and_counts_from_nought(caplog: pytest.LogCaptureFixture) -> None:
    second = simulator(ToldClock())
    Ledger(second).take({b'["account", "few", "ann"]': b"[[1], 2]", b"nonsense": b"3", b'["none", "x"]': b"[1, 2]"})
    assert asked(second) != "failed"
    assert len([one for one in caplog.messages if "cannot be read" in one]) == 3
