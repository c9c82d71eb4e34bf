"""How clients took what went wrong, as a panel tells it: figures, clients, links; elsewhere and in recordings alike."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from tui.real import ADDRESS, asked, simulated

from llmsim.dialects import Request
from llmsim.server.control import Control
from llmsim.simulator import Simulator
from llmsim.views import Retries
from llmsim.views.frame import Wants, frame
from llmsim.views.masked import MaskedView
from llmsim.views.packing import made
from llmsim.views.recording import Recorder
from llmsim.views.retries import LOOKED_AT
from llmsim.views.session import read
from llmsim.views.view import View


async def stormed() -> tuple[Simulator, View]:
    """One client that waits as told and gets its reply, one that does not wait, and one that gives up."""
    simulator, view = simulated()
    simulator.arm({"kind": "refuse", "status": 429, "retry_after": 2.0, "id": "pad-1"})
    asked(simulator, "a", client="patient")
    for _ in range(3):
        asked(simulator, "b", client="hasty", key="sk-proj-abcdefghijklmnopqrstuvwxyz0123456789")
    asked(simulator, "c", client="gone")
    await simulator.clock.advance(2.0)  # type: ignore[attr-defined]
    simulator.lift()
    asked(simulator, "a", client="patient")
    await simulator.clock.advance(30.0)  # type: ignore[attr-defined]
    return simulator, view


async def test_tries_waits_and_who_gave_up_are_counted_and_the_worst_client_comes_first() -> None:
    _, view = await stormed()
    told = view.retries()
    assert (told.requests, told.firsts, told.second, told.third, told.more) == (6, 3, 2, 1, 0)
    assert (told.gave_up, told.told, told.early) == (2, 3, 2)
    assert told.worst[0] == "hasty: too early 2 of 2, gave up 1, 2 retries"
    assert told.links == {"3": 2, "4": 3, "6": 1}
    assert "too early 2/3" in told.words
    assert view.retries() is told


@pytest.mark.parametrize(
    ("peers", "names"),
    [
        (["sk-proj-aaaaaaaaa 10.0.0.7", "sk-proj-bbbbbbbbb 10.0.0.7"], ["sk-proj-…aaa", "sk-proj-…bbb"]),
        (["sk-test 10.0.0.7", "sk-test 10.0.0.8"], ["at 10.0.0.7", "at 10.0.0.8"]),
        (["sk-proj-aaaaaaaaa 10.0.0.7", "sk-proj-aaaaaaaaa 10.0.0.8", "sk-b"], None),
        ([f"sk-test 10.0.0.{n}" for n in range(6)], ["at 6 addresses"]),
    ],
)
def test_clients_of_one_sdk_are_told_apart_by_their_keys_and_by_the_machines_they_are_on(
    peers: list[str], names: list[str] | None
) -> None:
    simulator, view = simulated(faults=[{"kind": "refuse", "status": 429}])
    for number, peer in enumerate(peers * 2):
        key, _, host = peer.partition(" ")
        one = asked(simulator, f"ask {number % len(peers)}", client="AsyncOpenAI/Python", key=key)
        one.asked = (None, None, Request("POST", "/v1/chat/completions", client=host))
    told = [line.partition(": ")[0].removeprefix("AsyncOpenAI/Python ") for line in view.retries().worst]
    assert sorted(told) == (names or ["sk-proj-…aaa at 10.0.0.7", "sk-proj-…aaa at 10.0.0.8", "sk-…"])


def test_a_client_that_gives_itself_a_name_is_one_wherever_it_is() -> None:
    simulator, view = simulated(faults=[{"kind": "refuse", "status": 429}])
    for host in ("10.0.0.7", "10.0.0.8"):
        one = asked(simulator, "ask", client="agent-01")
        headers = {b"x-llmsim-client": b"agent-01"}
        one.asked = (None, None, Request("POST", "/v1/chat/completions", headers=headers, client=host))
    assert [line.partition(":")[0] for line in view.retries().worst] == ["agent-01"]


async def test_they_are_the_same_elsewhere_and_cost_the_same_after_a_long_history() -> None:
    simulator, _ = await stormed()
    view = MaskedView(simulator, Control(simulator))
    there = made(Retries, frame(view, Wants(retries=True))["retries"])
    assert asdict(there) == asdict(view.retries())
    assert "retries" not in frame(view, Wants())
    for number in range(LOOKED_AT + 50):
        asked(simulator, f"more {number}")
    await simulator.clock.advance(2.0)  # type: ignore[attr-defined]
    assert view.retries().requests == LOOKED_AT


async def test_a_recording_links_the_tries_of_a_call_and_knows_the_figures_of_each_moment(tmp_path: Path) -> None:
    simulator, _ = await stormed()
    recorder = Recorder(MaskedView(simulator, Control(simulator)), tmp_path / "a.jsonl", ADDRESS)
    for _ in range(8):
        recorder.frame()
        await simulator.clock.advance(0.5)  # type: ignore[attr-defined]
    recorder.stop()
    session = read(tmp_path / "a.jsonl")
    assert session.tries(3) == [2, 3, 4]
    assert session.tries(5) == [5]
    assert session.retries(session.line(2.0)).worst[0].startswith("hasty: too early 2 of 2")
    assert (tmp_path / "a.jsonl").read_text("utf-8").count('"3":2') == 1
