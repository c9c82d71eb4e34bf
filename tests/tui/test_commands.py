"""The table of commands: nothing in it is a key that does nothing, and no key does two things in one place."""

from __future__ import annotations

from collections import Counter

import pytest
from llmsim_tui.app import LlmsimApp
from llmsim_tui.commands import PLACES, TABLE, bar, listed
from llmsim_tui.screens.editor import Editor
from llmsim_tui.screens.event import Event
from llmsim_tui.screens.fail_with import FailWith
from llmsim_tui.screens.help import Help
from llmsim_tui.screens.honesty import Trust
from llmsim_tui.screens.intercept import Intercept
from llmsim_tui.screens.latency import Latency
from llmsim_tui.screens.limits import Limits
from llmsim_tui.screens.live import Live
from llmsim_tui.screens.mocks import Mocks
from llmsim_tui.screens.pad_edit import PadEdit
from llmsim_tui.screens.rates import Rates
from llmsim_tui.screens.replay import ReplayLive
from llmsim_tui.screens.scenario import ScenarioRun
from llmsim_tui.screens.settings import Preferences
from llmsim_tui.screens.tape import TapeStart, TapeWatch
from llmsim_tui.screens.verdicts import Verdicts
from llmsim_tui.widgets.dossier import Dossier
from llmsim_tui.widgets.events import Log
from llmsim_tui.widgets.flows import Flows
from llmsim_tui.widgets.lines import Opens
from llmsim_tui.widgets.rows import Rows
from llmsim_tui.widgets.streams import Streams

OWNERS = {
    "live": Live, "replay": ReplayLive, "list": Flows, "streams": Streams, "inspector": Dossier,
    "latency": Latency, "rates": Rates, "tape": TapeStart, "taping": TapeWatch,
    "mocks": Mocks, "rows": Rows, "scenario": ScenarioRun, "editor": Editor,
    "limits": Limits, "verdict": Verdicts, "panels": Opens,
    "events": Log, "event": Event,
    "settings": Preferences, "honesty": Trust, "dialogs": LlmsimApp,
    "edit": PadEdit, "intercept": Intercept, "failing": FailWith, "help": Help, "app": LlmsimApp,
}  # fmt: skip


@pytest.mark.parametrize("command", TABLE, ids=lambda one: f"{one.where}:{one.shows}")
def test_every_command_has_an_action_where_it_works(command: object) -> None:
    name = command.action.removeprefix("app.").partition("(")[0]  # type: ignore[attr-defined]
    assert hasattr(OWNERS[command.where], f"action_{name}")  # type: ignore[attr-defined]


def test_no_key_does_two_things_in_one_place() -> None:
    keys = Counter((one.where, key) for one in TABLE for key in one.keys.split(","))
    assert [key for key, times in keys.items() if times > 1] == []


def test_every_place_has_a_heading() -> None:
    assert {one.where for one in TABLE} == set(PLACES)


def test_a_console_that_only_watches_offers_no_change() -> None:
    assert all(not one.changes for place in PLACES for one in listed(place, read_only=True))
    assert "faults" not in [one.short for one in bar(("list", "live", "app"), read_only=True)]
