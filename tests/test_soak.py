"""The soak's arithmetic and its changes, without a server and without its half an hour."""

import random

import pytest

from bench.pacing import Pacing
from bench.soak import GROWTH, Soak, report
from bench.soak_changes import STEADY, STEADY_PROFILE, change
from llmsim.settings import Settings

HELD = {
    "tasks": ["server"],
    "sockets": 3,
    **dict.fromkeys(("live", "players", "playbacks", "on the wheel", "slots taken", "queued"), 0),
    "journal": [10, 8_000_000],
    "store": [1, 1000],
    "begun": 1000,
    "outcomes": {"ok": 900, "cut": 100},
}


def soak(grown=0, log=(), **left):
    one = Soak(30, 500)
    one.memory = [(10.0 * at, 200_000_000 + grown * max(0, at - 60) // 120) for at in range(180)]
    one.held = [HELD, {**HELD, **left}]
    one.log = list(log)
    one.paces = [Pacing(1000, 1.0, 0.5, 2.0, 0.001, 100.0)] * 2
    return one


def test_a_soak_after_which_all_is_as_before_has_nothing_wrong():
    one = soak(grown=GROWTH // 2, log=["WARNING llmsim times are not kept"])
    assert one.wrongs == []
    assert "| not as it must be | nothing |" in report(one)
    assert "| log | 1 WARNING |" in report(one)


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"grown": 2 * GROWTH}, "memory grew by"),
        ({"sockets": 4}, "sockets: 3 before, 4 after"),
        ({"live": 2}, "live: 2 left"),
        ({"tasks": ["server", "lost"]}, "tasks left: ['lost']"),
        ({"log": ["ERROR llmsim a reply could not be played", "Traceback (most recent call last):"]}, "log: ERROR"),
    ],
)
def test_what_is_left_behind_is_wrong(told, word):
    one = soak(**told)
    assert any(word in wrong for wrong in one.wrongs)


def test_every_setting_is_changed_and_every_change_is_valid():
    dice, seen = random.Random(1), set()
    for _ in range(40):
        told = change(dice)
        Settings().changed(**told)
        seen |= told.keys()
    tapes = {name for name in Settings.model_fields if name.startswith("replay")}  # a soak has none to play
    assert seen == set(Settings.model_fields) - tapes
    Settings().changed(**STEADY, profiles={"steady": STEADY_PROFILE})
