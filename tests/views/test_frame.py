"""Frames: what changed since the one before, at a cost that traffic and history do not raise."""

from __future__ import annotations

import json

import orjson
from tui.real import asked, simulated

from llmsim.server.control import Control
from llmsim.simulator import Simulator
from llmsim.views import Row
from llmsim.views.frame import Wants, frame
from llmsim.views.masked import MaskedView
from llmsim.views.packing import unpacked


def view_of(simulator: Simulator) -> MaskedView:
    return MaskedView(simulator, Control(simulator))


def numbers(told: dict) -> list[int]:
    return [row.number for row in unpacked(Row, told["rows"])]


def test_only_what_is_new_and_what_is_looked_at_is_told() -> None:
    simulator, _ = simulated()
    for _ in range(9):
        asked(simulator)
    view = view_of(simulator)
    assert numbers(frame(view, Wants())) == list(range(1, 10))
    assert numbers(frame(view, Wants(after=7))) == [8, 9]
    assert numbers(frame(view, Wants(after=9, rows=(2, 5)))) == [2, 5]


def test_a_thousand_new_requests_cost_no_more_than_a_page_of_them() -> None:
    simulator, _ = simulated()
    for _ in range(1000):
        asked(simulator)
    told = frame(view_of(simulator), Wants(after=10, newest=100))
    assert numbers(told) == list(range(901, 1001))
    assert len(orjson.dumps(told)) < 24_000


def test_settings_come_once_and_mocks_only_where_they_are_others() -> None:
    simulator, _ = simulated(mocks=[{"name": "a", "when": "text:hello", "reply": "hi"}])
    view = view_of(simulator)
    first = frame(view, Wants())
    assert first["settings"]["mocks"][0]["name"] == "a"
    known = Wants(revision=first["revision"], mocks=first["mocks"])
    assert "settings" not in frame(view, known)
    simulator.change(speed=2.0)
    second = frame(view, known)
    assert second["settings"]["speed"] == 2.0
    assert "mocks" not in second["settings"]
    simulator.change(mocks=())
    assert frame(view, Wants(revision=second["revision"], mocks=second["mocks"]))["settings"]["mocks"] == []


def test_who_knows_events_of_a_server_that_ran_before_is_told_all_of_this_one() -> None:
    simulator, _ = simulated()
    simulator.change(speed=2.0)
    view = view_of(simulator)
    assert len(frame(view, Wants(events=99))["events"]["rows"]) == 1
    assert not frame(view, Wants(events=1))["events"]["rows"]


def test_keys_do_not_leave_the_machine() -> None:
    simulator, _ = simulated()
    secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    exchange = asked(simulator, f"my key is {secret}", key=secret, client=secret, live=True)
    exchange.take(simulator.clock.now() + 1e6)
    told = orjson.dumps(frame(view_of(simulator), Wants(streams=10, details=(1,))))
    assert secret.encode() not in told
    assert json.loads(told)["details"]["1"]["row"]["number"] == 1
