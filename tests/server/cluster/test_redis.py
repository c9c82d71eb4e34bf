"""Two replicas over a real Redis are one server, and each goes on by itself while Redis is away."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import CHAT, PATIENCE, Load, Server, together

pytest.importorskip("redis", reason="the extra llmsim[cluster] is not installed")
pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server here")

MANY = 150
"""Requests of the load that are let in before and after the leader dies."""


class Redis:
    """A redis-server on a port of its own, which keeps nothing on the disk."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.start()

    def start(self) -> None:
        words = ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", self.folder]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    made = Redis(tmp_path_factory.mktemp("redis"))
    yield made
    made.kill()


@pytest.fixture(scope="module")
def pair(redis: Redis) -> Iterator[list[Server]]:
    options = ("--cluster", f"redis://127.0.0.1:{redis.port}/0", "--target-tokens", "20")
    servers = together(2, lambda: Server(*options))
    until(lambda: whole(servers))
    yield servers
    for one in servers:
        one.end()


@pytest.fixture
def both(pair: list[Server]) -> list[Server]:
    """The one that leads, then the one that follows."""
    until(lambda: whole(pair))
    leader, follower = sorted(pair, key=state, reverse=True)
    follower.reset()
    return [leader, follower]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.05)


def state(server: Server) -> str:
    return str(server.get("/ready")["cluster"]["redis"])


def whole(pair: list[Server]) -> bool:
    """Whether one leads and has the other with it."""
    told = [one.get("/ready")["cluster"] for one in pair]
    return sorted(one["redis"] for one in told) == ["follows", "leads"] and any(
        one.get("replicas") == 2 for one in told
    )


def tokens(server: Server) -> int:
    return int(server.chat().json()["usage"]["completion_tokens"])


def test_a_change_through_any_replica_is_in_force_in_all_when_its_answer_comes(both: list[Server]) -> None:
    for server, count in ((both[0], 3), (both[1], 5)):
        assert server.call("PATCH", "/llmsim/settings", json={"target_tokens": count}).status_code == 200
        assert [tokens(one) for one in both] == [count, count]
    assert both[0].call("POST", "/llmsim/undo").json()["undone"] == "target_tokens 5"
    assert [tokens(one) for one in both] == [3, 3]


def test_limits_and_counts_are_those_of_all(both: list[Server]) -> None:
    both[1].call("PUT", "/llmsim/limits", json=[{"name": "few", "rpm": 6}])
    turns = iter(both * 10)
    answers = together(12, lambda: next(turns).chat().status_code)
    assert sorted(answers) == [200] * 6 + [429] * 6
    both[0].call("PUT", "/llmsim/limits", json=[])
    both[0].call("POST", "/llmsim/faults", json={"fault": "500", "count": 2})
    assert [one.chat().status_code for one in both * 2] == [500, 500, 200, 200]


def test_any_replica_tells_of_the_exchanges_of_all(both: list[Server]) -> None:
    numbers = {int(one.chat().headers["x-llmsim-exchange"]) for one in both * 2}
    assert len(numbers) == 4
    for one in both:
        assert {told["number"] for told in one.get("/llmsim/journal")["exchanges"]} == numbers
        verified = one.call("POST", "/llmsim/verify", json={"when": "model:gpt-4o", "times": 4}).json()
        assert verified["holds"], verified


def test_without_redis_each_serves_on_says_so_and_catches_up_when_it_is_back(both: list[Server], redis: Redis) -> None:
    both[0].call("PATCH", "/llmsim/settings", json={"target_tokens": 7})
    with Load(both) as load:
        redis.kill()
        until(lambda: [state(one) for one in both] == ["lost", "lost"])
        assert [one.call("GET", "/ready").status_code for one in both] == [200, 200]
        assert [tokens(one) for one in both] == [7, 7]
        refused: Any = both[1].call("PATCH", "/llmsim/settings", json={"target_tokens": 9})
        assert refused.status_code == 503
        assert "the cluster cannot be reached" in refused.json()["error"]["message"]
        redis.start()
        until(lambda: whole(both))
        changed = both[1].call("PATCH", "/llmsim/settings", json={"target_tokens": 11})
        assert changed.status_code == 200, (changed.text, [one.get("/ready") for one in both])
        assert [tokens(one) for one in both] == [11, 11]
        until(lambda: load.answers.total() > 100)
    assert set(load.answers) == {200}


def test_another_replica_leads_when_the_leader_dies_and_goes_on_from_its_settings_and_counts(
    both: list[Server],
) -> None:
    leader, follower = both
    leader.call("PATCH", "/llmsim/settings", json={"target_tokens": 13})
    few, many = {"when": "model:gpt-4o", "rpd": 6}, {"when": "model:gpt-4o-mini", "quota_requests": MANY}
    leader.call("PUT", "/llmsim/limits", json=[few, many])
    leader.call("POST", "/llmsim/faults", json={"fault": "500", "count": 3, "scope": "model:gpt-4o"})
    assert [one.chat().status_code for one in both * 2] == [500, 500, 500, 200]
    with Load(both) as load:
        until(lambda: load.answers[200] > MANY / 3)
        leader.process.send_signal(signal.SIGKILL)
        answers = [follower.chat().status_code for _ in range(3)]  # while no other leads yet, too
        assert answers == [200, 200, 429]
        until(lambda: state(follower) == "leads")
        until(lambda: load.answers[429] > 10)
    assert set(load.answers) <= {200, 429, 503, "gone"}  # 503: by the workers that the leader leaves behind
    assert MANY - load.answers["gone"] <= load.answers[200] <= MANY
    follower.call("PUT", "/llmsim/limits", json=[])
    assert tokens(follower) == 13
    assert follower.get("/llmsim/faults") == []
    assert follower.call("PATCH", "/llmsim/settings", json={"target_tokens": 4}).status_code == 200
    assert tokens(follower) == 4
    assert follower.call("POST", CHAT, json={}).status_code == 400
