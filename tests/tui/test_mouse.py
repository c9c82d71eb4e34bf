"""Everything by the mouse alone, text to be typed aside; and no command that only a key can give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from llmsim_tui.commands import TABLE
from llmsim_tui.screens.editor import Editor
from llmsim_tui.screens.event import Event
from llmsim_tui.screens.help import Help
from llmsim_tui.screens.inspector import Inspector
from llmsim_tui.screens.jump import Jump
from llmsim_tui.screens.latency import Latency
from llmsim_tui.screens.limits import Limits
from llmsim_tui.screens.live import Live
from llmsim_tui.screens.mocks import Mocks
from llmsim_tui.screens.pad_edit import PadEdit
from llmsim_tui.widgets.dossier import Dossier
from llmsim_tui.widgets.flows import Flows
from llmsim_tui.widgets.rows import Rows
from llmsim_tui.widgets.slider import Choice, Slider
from llmsim_tui.widgets.streams import Streams
from textual.widgets import Input
from tui.real import asked, simulated
from tui.stage import Stage, stage

GESTURES = {
    "move(-1)": "a click on the row, or the wheel",
    "move(1)": "a click on the row, or the wheel",
    "rows(-1)": "a click on the field",
    "rows(1)": "a click on the field",
    "page(-1)": "the scroll bar; of the inspector a click on the page's name",
    "page(1)": "the scroll bar",
    "scroll(-1)": "the wheel",
    "oldest": "the top of the scroll bar",
    "open": "a double click",
    "seek(-30)": "a click on the time line",
    "seek(30)": "a click on the time line",
    "begin": "a click on the time line",
    "app.jump": "for keys alone: the mouse is there already",
    "app.help": "the key bar below shows them all",
}
"""What the mouse does where no key bar and no palette has the command."""


def test_no_command_is_for_keys_alone() -> None:
    left = [one for one in TABLE if not (one.short or one.on_palette or one.action in GESTURES)]
    assert [one.id for one in left] == []


def armed(console: Stage) -> list[str]:
    return [one.label for one in console.backend.pulse().armed]


async def test_pads_are_armed_lifted_and_edited() -> None:
    async with stage((120, 40)) as console:
        await console.on_line("1 429 storm")
        await console.on_line("3 503")
        assert armed(console) == ["429 storm", "503 overload"]
        await console.click("#pads", 3, 0)
        assert armed(console) == ["503 overload"]
        await console.on_bar("lift all")
        assert armed(console) == []
        await console.on_bar("undo", "undo")
        assert armed(console) == ["429 storm", "503 overload"]
        await console.on_bar("lift all", "edit pad")
        await console.on_line("1 429 storm")
        screen: Any = console.app.screen
        assert isinstance(screen, PadEdit)
        chance, kind = screen.query_one(Slider), screen.query_one("#kind", Choice)
        await console.click(chance, 20, 0)
        assert chance.value < 0.3
        await console.click(kind, 15, 0)
        assert kind.value != "refuse"
        await console.click(kind, 30, 0)
        for field, text in (("#term-scope", "model:gpt*"), ("#term-count", "2"), ("#seconds", "9")):
            await console.click(field, 1, 0)
            screen.query_one(field, Input).value = text
        await console.on_bar("keep")
        pad = console.app.deck.pads[0]
        assert pad.fault["kind"] == "refuse"
        assert (pad.fault["scope"], pad.fault["count"], pad.seconds) == ("model:gpt*", "2", 9)
        assert pad.fault["probability"] == chance.value


async def test_the_list_is_sorted_held_marked_filtered_and_followed() -> None:
    async with stage((120, 40)) as console:
        flows: Flows = console.one(Flows)
        await console.click(flows, 10, 4)
        assert not flows.following
        marked = flows.cursor
        await console.on_bar("mark", "follow")
        assert (flows.marks, flows.following) == ({marked}, True)
        await console.on_bar("sort")
        assert flows.order == "ttft"
        await console.on_bar("sort", "sort", "sort")
        assert flows.numbers == [marked]
        await console.on_bar("follow", "filter")
        console.one("#filter").value = "model:gpt-4o"
        await console.press("enter")
        assert flows.sieve is not None
        await console.click(flows, flows.size.width, 2)
        assert flows.cursor == flows.numbers[0]
        await console.on_bar("freeze")
        assert "FROZEN" in console.lines()[0]
        await console.on_bar("freeze", "zoom")
        assert not console.one("#chart").display
        await console.on_bar("zoom", "mock this")
        assert isinstance(console.app.screen, Editor)


async def test_replies_under_way_are_paused_let_go_stepped_paced_failed_and_cut() -> None:
    async with stage((100, 28)) as console:
        streams: Streams = console.one(Streams)
        await console.click(streams, 8, 1)
        number = streams.chosen
        await console.on_bar("pause", "pause", "step", "slower", "faster", "fail", "cut", "inspect")
        done = ["pause", "resume", "step", "speed", "speed", "fail", "cut"]
        assert console.backend.acted == [(number, what) for what in done]
        assert isinstance(console.app.screen, Inspector)


async def test_the_inspector_is_turned_copied_sent_again_compared_and_made_a_mock() -> None:
    async with stage((120, 40)) as console:
        await console.click(Flows, 10, 4, times=2)
        dossier = console.app.screen.query_one(Dossier)
        here = dossier.number
        await console.on_line("request · response")
        assert dossier.page == 1
        await console.on_bar("raw/decoded")
        assert "data: {" in console.text()
        await console.on_bar("copy", "copy")
        assert "httpx.stream(" in console.app.clipboard
        await console.on_bar("next", "previous", "try before", "try after")
        assert dossier.number == here
        await console.on_bar("mock this")
        assert isinstance(console.app.screen, Editor)
        await console.on_bar("discard", "resend", "difference")
        assert (dossier.page, console.backend.acted) == (4, [(here, "resend")])
        await console.on_bar("back")
        assert isinstance(console.app.screen, Live)


async def test_latency_is_dragged_previewed_applied_and_taken_back() -> None:
    async with stage((120, 40)) as console:
        await console.on_bar("latency")
        screen = console.app.screen
        mean = screen.query_one("#ttft-mean", Slider)
        await console.pilot.mouse_down(mean, offset=(20, 0))
        await console.pilot.hover(mean, offset=(40, 0))
        await console.pilot.mouse_up(mean, offset=(40, 0))
        await console.settle()
        assert "not applied" in console.text()
        await console.on_bar("apply")
        assert console.backend.settings().profile("custom").ttft.mean == mean.value
        await console.on_bar("undo", "redo", "undo")
        assert console.backend.settings().latency_profile is None
        await console.on_line("gpt5", times=2)
        await console.on_bar("apply")
        assert console.backend.settings().latency_profile == "gpt5"
        await console.on_bar("live-apply", "load terms", "load terms", "over time")
        assert "TTFT mean" not in console.text()
        await console.on_bar("discard")
        assert not isinstance(console.app.screen, Latency)


async def test_rates_and_settings_are_set_and_taken_back() -> None:
    async with stage((120, 40)) as console:
        await console.on_bar("rates")
        await console.click("#rate_limit_rate", 60, 0)
        await console.on_bar("apply")
        assert console.backend.settings().rate_limit_rate > 0.3
        await console.on_bar("undo", "discard", "settings")
        rows = console.app.screen.query_one(Rows)
        rows.select([one.name for one in rows.state].index("strict"))
        await console.tick()
        await console.on_line("strict")
        await console.on_bar("change")
        assert console.backend.settings().strict
        await console.on_bar("default", "undo", "redo", "undo", "turn")
        assert not console.backend.settings().strict
        assert rows.chosen == "strict"
        await console.on_bar("back")


async def test_mocks_and_limits_are_written_tried_switched_drained_and_undone() -> None:
    simulator, backend = simulated()
    asked(simulator, "hello")
    async with stage((120, 40), backend=backend) as console:
        await console.on_bar("mocks", "add", "apply")
        assert isinstance(console.app.screen, Mocks)
        assert [one.name for one in backend.settings().mocks] == ["greeting"]
        await console.on_bar("on/off", "undo", "delete", "undo", "dry run")
        assert [one.enabled for one in backend.settings().mocks] == [True]
        await console.click(Rows, 5, 1, times=2)
        assert isinstance(console.app.screen, Editor)
        await console.on_bar("discard", "back", "limits", "add", "apply")
        asked(simulator)
        await console.tick()
        await console.on_bar("drain")
        assert asked(simulator).status == 429
        await console.on_bar("refill", "drain all", "refill all")
        assert asked(simulator).status == 200
        await console.on_bar("edit", "discard", "delete", "undo", "back")
        assert [one.name for one in backend.settings().limits] == ["free"]
        await console.click("#limits", 4, 2, times=2)
        assert isinstance(console.app.screen, Limits)


async def test_a_scenario_is_chosen_run_and_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calm.yaml").write_text("phases: [{name: calm, for: 60s}]\n", "utf-8")
    simulator, backend = simulated()
    async with stage((120, 40), backend=backend) as console:
        await console.on_bar("scenario")
        await console.click("#here", 25, 0)
        await console.on_bar("run")
        playing = backend.playing()
        assert playing is not None
        assert playing.name == "calm"
        await simulator.clock.advance(1)
        await console.on_bar("commands")
        await console.write("stop the scenario")
        await console.pilot.pause(0.3)
        await console.on_line("stop the scenario", 1)
        assert backend.playing().state == "stopped"  # type: ignore[union-attr]


async def test_events_verdict_help_jump_palette_and_themes_are_a_click_away() -> None:
    async with stage((120, 40)) as console:
        await console.on_line("2 500 burst")
        await console.on_line("armed 500 burst", times=2)
        assert isinstance(console.app.screen, Event)
        await console.on_bar("copy", "back", "verdict", "look again", "back", "keys")
        assert isinstance(console.app.screen, Help)
        await console.on_bar("scroll", "close")
        await console.press("g")
        jump = console.app.screen
        assert isinstance(jump, Jump)
        letter = next(sign for sign, (widget, _) in jump.targets.items() if widget.id == "events")
        await console.on_line(f" {letter} ")
        assert console.one("#events").has_focus
        await console.on_bar("commands")
        await console.on_line("every setting")
        await console.on_bar("back", "commands")
        await console.write("theme: day")
        while console.app.theme != "day":
            await console.pilot.pause()
        await console.on_line("theme: day", 1)
        assert console.app.theme == "day"
