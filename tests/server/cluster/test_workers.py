"""Three workers on one address are one server to everybody outside; started as people start them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from processes import ASK, CHAT, PATIENCE, ROOT, Server, together
from running import running
from upstream import Call, upstream

from llmsim.server.cluster.hub import Hub
from llmsim.server.config import Config


@pytest.fixture(scope="module")
def three() -> Iterator[Server]:
    made = Server("--workers", "3", "--target-tokens", "20")
    yield made
    assert made.end() == 0


@pytest.fixture
def server(three: Server) -> Server:
    three.reset()
    return three


# -- traffic and the journal


def test_every_worker_serves_and_all_are_ready(server: Server) -> None:
    together(30, server.chat)
    workers = server.get("/llmsim/state")["workers"]
    assert [one["ready"] for one in workers] == [True] * 3
    assert all(one["requests"] for one in workers)
    assert server.get("/ready") == {"status": "ready", "workers": {"ready": 3, "of": 3}}


def test_the_journal_has_the_exchanges_of_all_in_the_order_of_their_numbers(server: Server) -> None:
    told = [int(server.chat().headers["x-llmsim-exchange"]) for _ in range(9)]
    assert told == list(range(told[0], told[0] + 9))
    assert [one["number"] for one in server.get("/llmsim/journal?order=asc")["exchanges"]] == told
    verified = server.call("POST", "/llmsim/verify", json={"when": "model:gpt-4o", "times": 9}).json()
    assert verified["holds"], verified
    shown = server.get("/llmsim/console")
    assert [dict(zip(shown["rows"]["fields"], row, strict=True))["number"] for row in shown["rows"]["rows"]] == told
    assert "9 calls in 9 requests" in " ".join(server.get("/llmsim/journal/verdict")["lines"])
    assert server.get("/llmsim/state")["requests"] >= 9


async def test_replies_are_those_of_one_process_in_every_byte(server: Server) -> None:
    many = [server.chat(user=str(place % 2)).json()["choices"] for place in range(8)]
    async with running(target_tokens=20) as runner, httpx.AsyncClient(base_url=runner.url, trust_env=False) as client:
        one = [(await client.post(CHAT, json={**ASK, "user": str(place % 2)})).json()["choices"] for place in range(8)]
    assert many == one


def test_a_repetition_is_counted_once_however_many_come_at_once(server: Server) -> None:
    texts = [one.json()["choices"][0]["message"]["content"] for one in together(24, server.chat)]
    assert len(set(texts)) == 24


def test_the_metrics_are_those_of_all_workers(server: Server) -> None:
    def count() -> float:
        lines = server.call("GET", "/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("llmsim_requests_total{"))

    before = count()
    together(20, server.chat)
    assert count() - before == 20


# -- rules


def test_fail_twice_then_succeed_is_counted_over_all_workers(server: Server) -> None:
    server.call("POST", "/llmsim/faults", json={"fault": "429", "count": 2})
    assert [server.chat().status_code for _ in range(5)] == [429, 429, 200, 200, 200]
    assert server.get("/llmsim/faults") == []  # used up, so lifted, once
    assert [one["text"] for one in server.get("/llmsim/changes")][-1].startswith("used up:")


def test_a_fault_strikes_no_more_often_when_all_come_at_once(server: Server) -> None:
    server.call("POST", "/llmsim/faults", json={"fault": "500", "count": 5})
    assert sorted(one.status_code for one in together(20, server.chat)) == [200] * 15 + [500] * 5


def test_each_key_has_its_own_count(server: Server) -> None:
    server.call("POST", "/llmsim/faults", json={"fault": "429", "count": 1, "per": "key"})
    for key in ("ann", "bob"):
        head = {"authorization": f"Bearer {key}"}
        tries = [server.call("POST", CHAT, json=ASK, headers=head).status_code for _ in range(3)]
        assert tries == [429, 200, 200]


def test_a_limit_is_for_all_workers_together(server: Server) -> None:
    server.call("PUT", "/llmsim/limits", json=[{"name": "few", "rpm": 7}])
    answers = together(15, server.chat)
    assert sorted(one.status_code for one in answers) == [200] * 7 + [429] * 8
    assert server.chat().headers["x-ratelimit-limit-requests"] == "7"
    (bucket,) = server.get("/llmsim/limits")["buckets"]
    assert bucket["level"] < 1
    assert bucket["busy"] == 0
    assert server.call("POST", "/llmsim/limits/refill", json={}).json() == {"refilled": 1}
    assert server.chat().status_code == 200


def test_answers_in_turn_and_states_go_on_whoever_answers(server: Server) -> None:
    turn = {"name": "turn", "when": "model:gpt-4o", "replies": ["a", "b", "c"], "then": "pass"}
    door = {"name": "door", "when": "model:gpt-4", "state": {"machine": "door", "to": "open"}, "reply": "knock"}
    inside = {"name": "in", "when": "model:gpt-4", "priority": 1, "reply": "come in"}
    inside["state"] = {"machine": "door", "when": ["open"]}
    server.call("PUT", "/llmsim/mocks", json=[turn, door, inside])

    def said(model: str) -> str:
        return str(server.chat(model=model).json()["choices"][0]["message"]["content"])

    assert [said("gpt-4o") for _ in range(3)] == ["a", "b", "c"]
    assert len(said("gpt-4o")) > 1
    assert [said("gpt-4") for _ in range(3)] == ["knock", "come in", "come in"]
    assert server.get("/llmsim/mocks/states") == {"door": "open"}
    assert {one["name"]: one["answered"] for one in server.get("/llmsim/mocks")} == {"turn": 3, "door": 1, "in": 2}


def test_a_fault_that_a_request_brings_is_counted_over_all_workers(server: Server) -> None:
    head = {"x-llmsim-fault": "503 count=2"}
    assert [server.call("POST", CHAT, json=ASK, headers=head).status_code for _ in range(4)] == [503, 503, 200, 200]


# -- the control API


def test_a_change_is_in_force_everywhere_when_its_answer_comes(server: Server) -> None:
    for tokens in (3, 5, 7):
        assert server.call("PATCH", "/llmsim/settings", json={"target_tokens": tokens}).status_code == 200
        used = {server.chat().json()["usage"]["completion_tokens"] for _ in range(6)}
        assert used == {tokens}
    assert server.call("POST", "/llmsim/undo").json()["undone"] == "target_tokens 7"
    assert {server.chat().json()["usage"]["completion_tokens"] for _ in range(6)} == {5}


def test_what_cannot_be_changes_nothing_anywhere(server: Server) -> None:
    told = server.call("PATCH", "/llmsim/settings", json={"target_tokens": 9, "speed": -1})
    assert told.status_code == 400
    assert {server.chat().json()["usage"]["completion_tokens"] for _ in range(4)} == {20}


def test_a_reply_under_way_is_acted_on_where_it_is_played(server: Server) -> None:
    slow = {"slow": {"ttft": {"kind": "fixed", "mean": 0}, "tbt": {"kind": "fixed", "mean": 3_600_000}}}
    server.call("PATCH", "/llmsim/settings", json={"profiles": slow, "latency_profile": "slow"})
    with httpx.stream("POST", server.url + CHAT, json={**ASK, "stream": True}, timeout=PATIENCE) as reply:
        number = reply.headers["x-llmsim-exchange"]
        assert number in [str(one["number"]) for one in server.get("/llmsim/exchanges")]
        assert server.call("POST", f"/llmsim/exchanges/{number}/fail").status_code == 200
        assert "error" in "".join(reply.iter_text())
    assert server.get(f"/llmsim/exchanges/{number}")["outcome"] == "failed"
    assert server.call("POST", f"/llmsim/exchanges/{number}/fail").status_code == 409


def test_what_clients_leave_is_found_whichever_worker_answers(server: Server) -> None:
    made = server.call("POST", "/v1/responses", json={"model": "gpt-4o", "input": "Hello"}).json()
    given = {"file": ("a.jsonl", b'{"a": 1}\n')}
    file = server.call("POST", "/v1/files", files=given, data={"purpose": "batch"}).json()
    thread = server.call("POST", "/v1/threads", json={}, headers={"openai-beta": "assistants=v2"}).json()
    for _ in range(5):
        assert server.get(f"/v1/responses/{made['id']}")["id"] == made["id"]
        assert server.call("GET", f"/v1/files/{file['id']}/content").content == b'{"a": 1}\n'
        told = server.call("GET", f"/v1/threads/{thread['id']}", headers={"openai-beta": "assistants=v2"})
        assert told.status_code == 200
    more = {"model": "gpt-4o", "input": "And?", "previous_response_id": made["id"]}
    assert {server.call("POST", "/v1/responses", json=more).status_code for _ in range(4)} == {200}
    assert server.get("/llmsim/store")["entries"] >= 3
    assert server.call("DELETE", "/llmsim/store").status_code == 200
    assert server.call("GET", f"/v1/files/{file['id']}").status_code == 404


async def test_real_apis_are_recorded_and_replayed_whichever_worker_is_asked(server: Server, tmp_path: Path) -> None:
    tape, loop = str(tmp_path / "run.jsonl"), asyncio.get_running_loop()

    async def said(times: int) -> list[str]:
        return await loop.run_in_executor(None, lambda: [one.text for one in together(times, server.chat)])

    async def call(method: str, path: str, **body: Any) -> httpx.Response:
        return await loop.run_in_executor(None, lambda: server.call(method, f"/llmsim/{path}", json=body or None))

    async def hello(asked: Call) -> None:
        asked.whole(b'{"from":"upstream"}', "content-type: application/json")

    async with upstream(hello) as url:
        assert (await call("POST", "record", upstreams={"openai": url}, tape=tape)).status_code == 201
        assert set(await said(6)) == {'{"from":"upstream"}'}
        assert (await call("GET", "record")).json()["exchanges"] == 6
        assert (await call("POST", "record", upstreams={"openai": url}, tape=tape)).status_code == 409
        assert (await call("DELETE", "record")).json()["ends"] == {"done": 6}
    assert '"from":"upstream"' not in "".join(await said(6))
    begun = await call("PUT", "replay", tape=tape, mode="none")
    assert (begun.status_code, begun.json()["mode"], begun.json()["takes"]) == (201, "none", 6)
    assert set(await said(6)) == {'{"from":"upstream"}'}
    assert (await call("GET", "settings")).json()["settings"]["replay"] == "none"
    assert (await call("DELETE", "replay")).json()["hits"] == 6
    assert '"from":"upstream"' not in "".join(await said(6))
    await call("PATCH", "settings", replay="once")
    assert (await call("GET", "replay")).status_code == 404


# -- workers that die


def test_a_worker_that_dies_is_said_and_started_again(server: Server) -> None:
    server.call("POST", "/llmsim/faults", json={"fault": "429", "count": 1, "id": "mine"})
    victim = server.get("/llmsim/state")["workers"][1]
    os.kill(victim["pid"], signal.SIGKILL)
    server.said(rf"worker 1 \(process {victim['pid']}\) was ended by SIGKILL; it is started again")
    end = time.monotonic() + PATIENCE
    while server.call("GET", "/ready").status_code != 200:
        assert time.monotonic() < end
    workers = server.get("/llmsim/state")["workers"]
    assert workers[1]["pid"] != victim["pid"]
    assert workers[1]["starts"] == 2
    assert sorted(one.status_code for one in together(12, server.chat)) == [200] * 11 + [429]


def test_a_port_that_is_taken_is_told_in_one_sentence(server: Server) -> None:
    port = server.url.rpartition(":")[2]
    words = [sys.executable, "-m", "llmsim", "serve", "--port", port, "--workers", "2"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert told.returncode == 2
    assert "address already in use" in told.stderr
    assert "Traceback" not in told.stderr


async def test_ctrl_c_lets_replies_end_and_leaves_no_process() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.run_in_executor(None, lambda: Server("--workers", "2"))
    workers = [one["pid"] for one in server.get("/llmsim/state")["workers"]]
    server.process.send_signal(signal.SIGINT)
    assert await loop.run_in_executor(None, server.process.wait, PATIENCE) == 0
    assert server.process.stderr is not None
    server.process.stderr.close()
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_mocks_from_files_are_in_force_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "mocks.yaml").write_text("mocks: [{name: hello, reply: from a file}]")
    hub = Hub(Config(workers=2, mock_files=(str(tmp_path / "mocks.yaml"),)))
    assert [one.name for one in hub.simulator.settings.mocks] == ["hello"]
