"""The app: one tick draws what has changed and no more, themes switch and reload, the palette finds everything."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from llmsim_tui.app import LlmsimApp
from llmsim_tui.palette import folders
from llmsim_tui.screens.rates import Rates
from llmsim_tui.widgets.lines import Lines
from llmsim_tui.widgets.slider import Slider
from textual.css.query import NoMatches
from textual.events import Key, Resize
from textual.geometry import Size
from tui.conftest import take_turns
from tui.fake import FakeBackend, Told
from tui.stage import stage


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    redraw: Callable[[Lines], None] = Lines.redraw
    monkeypatch.setattr(Lines, "redraw", lambda self: (seen.append(self.id or ""), redraw(self))[1])
    return seen


async def test_a_tick_in_which_nothing_changes_draws_nothing(drawn: list[str]) -> None:
    async with stage((100, 28), rate=0.0) as console:
        drawn.clear()
        await console.tick(8)
        assert drawn == []
        console.clock.now += 1
        await console.tick(2)
        assert set(drawn) <= {"safety", "chart"}


async def test_charts_are_drawn_every_second_tick(drawn: list[str]) -> None:
    async with stage((100, 28)) as console:
        drawn.clear()
        for _ in range(8):
            console.clock.now += 0.25
            console.app.slow, console.app.cost = False, 0.0
            console.app.tick()
        assert drawn.count("chart") == 4
        assert drawn.count("streams") == 8


async def test_slow_frames_halve_the_rate_until_they_are_quick_again() -> None:
    async with stage((80, 24)) as console:
        console.app.cost = 10.0
        console.app._drawn(0.0)
        assert console.app.slow
        beats = []
        console.app._parts = lambda: beats.append(console.app.beat) or []  # type: ignore[method-assign,func-returns-value]
        console.app.beat = 0
        for _ in range(4):
            console.app.tick()
        assert beats == [2, 4]


async def test_the_parts_of_a_frame_are_drawn_some_time_apart_so_that_none_holds_up_the_replies() -> None:
    async with stage((100, 28)) as console:
        drawn: list[int] = []
        screen: Any = console.app.screen
        screen.parts = lambda beat: [partial(drawn.append, place) for place in range(3)]
        console.app.fps = 1000
        console.app.slow, console.app.cost = False, 0.0
        console.app.tick()
        assert drawn == [0]
        while len(drawn) < 3:
            await console.pilot.pause()
        assert drawn == [0, 1, 2]


async def test_the_clocks_start_where_a_rate_is_given() -> None:
    backend = FakeBackend(Told())
    app = LlmsimApp(backend, fps=50)
    async with app.run_test(size=(80, 24)) as pilot:
        backend.now.now = 3  # type: ignore[attr-defined]
        while app.beat < 3:
            await pilot.pause()


async def test_the_views_under_a_dialog_go_on_once_a_second() -> None:
    async with stage((100, 28)) as console:
        await console.press("l")
        console.clock.now += 5
        await console.tick(4)
        assert "up 0:35" in console.lines()[0]


async def test_themes_go_round_with_one_key() -> None:
    async with stage((80, 24)) as console:
        seen = [console.app.theme]
        for _ in range(len(console.app.own_themes)):
            await console.press("T")
            seen.append(console.app.theme)
        assert set(seen) == set(console.app.own_themes)
        assert seen[0] == seen[-1]


@pytest.mark.parametrize(("asked", "worn"), [("day", "day"), ("llmsim-night", "night"), ("nord", "nord")])
async def test_a_theme_is_worn_by_name(asked: str, worn: str) -> None:
    async with stage((80, 24), theme=asked, seconds=1) as console:
        assert console.app.theme == worn


async def test_an_unknown_theme_says_which_there_are() -> None:
    async with stage((80, 24), theme="nigth", seconds=1) as console:
        names = "day, ember, forest, high-contrast, night, paper, slate"
        assert console.toasts()[-1] == f"There is no theme 'nigth'; there are {names}."


async def test_a_theme_file_is_reloaded_as_it_is_written() -> None:
    async with stage((80, 24), seconds=2) as console:
        mine = folders()[1]
        mine.mkdir(parents=True)
        path = mine / "mine.yaml"
        path.write_text("name: mine\ncolors: {primary: '#ff0000', background: '#101010'}")
        console.app.look_for_themes()
        console.app.wear("mine")
        await console.tick()
        path.write_text("name: mine\ncolors: {primary: '#ff0000', background: '#202020'}")
        os.utime(path, (1, 1))
        console.app.look_for_themes()
        await console.tick()
        background = console.strips()[10]._segments[0].style.bgcolor.triplet.hex
        assert background == "#202020"
        path.write_text("name: mine\ncolors: {}")
        os.utime(path, (2, 2))
        console.app.look_for_themes()
        await console.settle()
        assert console.toasts()[-1].startswith("Theme left out: mine.yaml: colors.primary")


async def test_without_colour_outcomes_differ_by_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with stage((120, 40)) as console:
        await console.press("1", "6")
        await console.wait(3)
        chart = "\n".join(line[:80] for line in console.lines()[4:14])
        assert {"█", "▓"} <= set(chart)
        assert "▓429" in console.lines()[3]


async def test_with_16_colours_outcomes_differ_by_shape_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LlmsimApp, "few_colors", True)
    async with stage((120, 40)) as console:
        assert "▓429" in console.lines()[3]


async def test_braille_draws_bars_of_dots() -> None:
    async with stage((100, 28)) as console:
        mine = folders()[1]
        mine.mkdir(parents=True)
        (mine / "dots.yaml").write_text("name: dots\ncolors: {primary: '#88aaff'}\nglyphs: braille")
        console.app.look_for_themes()
        console.app.wear("dots")
        await console.tick()
        assert "⣿" in console.text()


async def test_the_palette_runs_commands_and_pads() -> None:
    async with stage((100, 30)) as console:
        names = [command.title for command in console.app.get_system_commands(console.app.screen)]
        assert {"lift every fault", "fault: 429 storm", "theme: day", "quit"} <= set(names)
        commands = {one.title: one.callback for one in console.app.get_system_commands(console.app.screen)}
        commands["fault: 429 storm"]()
        await console.tick()
        assert [one.label for one in console.backend.pulse().armed] == ["429 storm"]
        commands["error rates and timeouts"]()
        await console.tick()
        assert type(console.app.screen).__name__ == "Rates"


async def test_the_palette_shows_a_theme_on_trial_and_takes_it_off() -> None:
    async with stage((100, 30)) as console:
        await console.press("ctrl+p")
        await console.write("theme day")
        while console.app.theme != "day":
            await console.pilot.pause()
        await console.press("escape")
        assert console.app.theme == "night"


async def test_a_palette_that_only_watches_offers_no_change() -> None:
    async with stage((100, 30), read_only=True) as console:
        names = [command.title for command in console.app.get_system_commands(console.app.screen)]
        assert "lift every fault" not in names
        assert not [name for name in names if name.startswith("fault:")]


@pytest.mark.parametrize("key", ["", "l", "ctrl+p"])
async def test_two_sizes_under_way_do_not_chase_each_other_for_ever(key: str) -> None:
    async with stage((120, 40)) as console:
        await console.press(*([key] if key else []))
        screen = console.app.screen
        for size in (Size(80, 24), Size(120, 40), Size(80, 24), Size(120, 40)):
            screen.post_message(Resize(size, size))
        laid: list[Size] = []
        layout: Any = screen._screen_resized
        screen._screen_resized = lambda size: (laid.append(size), layout(size))  # type: ignore[method-assign]
        for _ in range(20):
            await console.pilot.pause()
        assert set(laid) <= {Size(120, 40)}
        assert len(laid) <= 4
        assert screen.size == (120, 40)


async def test_a_key_that_fails_is_told_and_everything_else_goes_on() -> None:
    async with stage((100, 28)) as console:
        console.app.forgiving = True
        console.app.action_next_theme = lambda: 1 / 0  # type: ignore[method-assign]
        await console.press("T")
        assert "That did not work: ZeroDivisionError" in console.toasts()[-1]
        await console.press("1")
        assert [one.label for one in console.backend.pulse().armed] == ["429 storm"]


async def test_what_ends_the_console_is_kept_for_the_one_who_started_it() -> None:
    app = LlmsimApp(FakeBackend(Told()), fps=0, forgiving=True)
    async with app.run_test(size=(80, 24)):
        app.call_later(lambda: 1 / 0)
        while app.failure is None:
            await take_turns()
    assert isinstance(app.failure, ZeroDivisionError)
    assert app.return_code == 1


async def test_a_dialog_that_is_just_going_is_not_drawn() -> None:
    async with stage((100, 28)) as console:
        await console.press("question_mark")
        parts = [*console.app._parts()]
        await console.press("escape")
        for _, draw in parts:
            console.app._show(draw)
        assert console.app.failure is None


@pytest.mark.parametrize("key", ["l", "r", "question_mark", "enter"])
async def test_a_dialog_closed_twice_leaves_what_is_below_it(key: str) -> None:
    async with stage((100, 28)) as console:
        await console.press(key)
        dialog: Any = console.app.screen
        dialog.dismiss()
        dialog.dismiss()
        await console.tick()
        assert type(console.app.screen).__name__ == "Live"


async def test_a_command_chosen_twice_in_a_hurry_is_done_once() -> None:
    async with stage((100, 30)) as console:
        await console.press("ctrl+p")
        await console.write("fault: 429")
        palette: Any = console.app.screen
        while not palette._hit_count:
            await console.pilot.pause()
        await console.press("down")
        palette._action_command_list("select")
        await console.pilot.pause()
        palette._select_or_command()
        await console.tick()
        assert [one.label for one in console.backend.pulse().armed] == ["429 storm"]
        assert type(console.app.screen).__name__ == "Live"


@pytest.mark.parametrize("broken", [Rates, Slider])
async def test_a_dialog_that_fails_is_closed_and_everything_else_goes_on(broken: Any, monkeypatch: Any) -> None:
    async with stage((100, 28)) as console:
        console.app.forgiving = True
        name = "on_slider_changed" if broken is Rates else "on_key"
        monkeypatch.setattr(broken, name, lambda self, event=None: 1 / 0)
        await console.press("r")
        if broken is Rates:
            console.app.screen.post_message(Slider.Changed(console.app.screen.query(Slider).first()))
        else:
            console.app.screen.query(Slider).first().post_message(Key("right", None))
        while type(console.app.screen) is Rates:
            await take_turns()
        await console.press("1")
        assert "A dialog failed and was closed: ZeroDivisionError" in console.toasts()[0]
        assert [one.label for one in console.backend.pulse().armed] == ["429 storm"]


async def test_what_a_closed_dialog_was_still_doing_may_fail_unseen() -> None:
    async with stage((100, 28)) as console:
        console.app.forgiving = True

        async def late() -> None:
            raise NoMatches("gone")

        await console.press("r")
        dialog = console.app.screen
        worker = dialog.run_worker(late)
        dialog.dismiss()
        while not worker.is_finished:
            await take_turns()
        await console.tick()
        assert console.app.failure is None
        assert type(console.app.screen).__name__ == "Live"


async def test_an_empty_list_says_so_once_the_server_is_found() -> None:
    backend = FakeBackend(Told(), rate=0.0)
    backend.away = "no server there yet"
    async with stage((120, 40), seconds=5.0, backend=backend) as console:
        assert "no server there yet" in console.text()
        backend.away = ""
        await console.tick()
        assert "no request yet" in console.text()
