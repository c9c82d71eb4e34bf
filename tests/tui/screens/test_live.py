"""The live screen, driven by its keys."""

from __future__ import annotations

from llmsim_tui.screens.inspector import Inspector
from llmsim_tui.widgets.flows import Flows
from textual.widgets import Input
from tui.fake import FakeBackend, Told
from tui.stage import stage


async def test_a_digit_arms_a_pad_and_zero_lifts_all() -> None:
    async with stage((120, 40)) as console:
        await console.press("1", "2")
        assert [one.label for one in console.backend.pulse().armed] == ["429 storm", "500 burst"]
        first = console.lines()[0]
        assert "429 storm 20s" in first
        assert "500 burst 10s" in first
        await console.wait(4)
        await console.wait(4.2)
        assert "1 429 12s" in console.lines()[1]
        assert "✗ of 70%" in console.lines()[2]
        assert "▼429" in console.text()
        await console.press("0")
        assert console.backend.pulse().armed == ()
        assert "1 429 storm" in console.lines()[1]
        await console.wait(0.5)
        assert "△" in console.lines()[4]


async def test_plus_adds_time_and_dot_repeats() -> None:
    async with stage((80, 24)) as console:
        await console.press("plus")
        assert console.toasts()[-1].startswith("No pad of this console is armed")
        await console.press("full_stop")
        assert console.toasts()[-1] == "No pad has been armed yet: press 1-8."
        await console.press("2", "plus")
        assert console.backend.pulse().armed[0].left == 15
        await console.press("0", "full_stop")
        assert console.backend.pulse().armed[0].left == 10


async def test_undo_says_what_it_took_back() -> None:
    async with stage((80, 24)) as console:
        await console.press("3", "u")
        assert console.toasts()[-1] == "Taken back: armed 503 overload"
        assert console.backend.pulse().armed == ()
        await console.press("u")
        assert console.toasts()[-1] == "There is no change to take back."


async def test_speed_goes_in_five_steps_and_stays_within() -> None:
    async with stage((80, 24)) as console:
        await console.press("greater_than_sign")
        assert "×2" in console.lines()[0]
        await console.press(*["greater_than_sign"] * 3)
        assert console.backend.settings().speed == 4
        await console.press(*["less_than_sign"] * 9)
        assert console.backend.settings().speed == 0.25


async def test_space_freezes_the_picture_but_not_the_safety_line() -> None:
    async with stage((100, 28)) as console:
        await console.press("space")
        before = console.lines()
        assert "FROZEN" in before[0]
        await console.wait(7)
        after = console.lines()
        assert "up 0:37" in after[0]
        assert after[3:] == before[3:]
        await console.press("space")
        assert console.lines()[15:] != before[15:]


async def test_the_list_follows_until_it_is_held_and_says_what_is_new() -> None:
    async with stage((80, 24)) as console:
        flows: Flows = console.one(Flows)
        assert flows.following
        await console.press("up", "k")
        at = flows.cursor
        await console.wait(2)
        assert flows.cursor == at
        assert "held, " in console.text()
        assert " new · f follow" in console.text()
        await console.press("f")
        assert flows.following
        assert flows.cursor == console.backend.numbers()[1]
        await console.press("home")
        assert (flows.cursor, flows.following) == (0, False)
        await console.press("pagedown", "j", "down", "pageup")
        assert flows.cursor == 2
        await console.press("end")
        assert flows.following


async def test_a_held_row_that_is_dropped_gives_way_to_the_oldest_kept() -> None:
    async with stage((80, 24)) as console:
        await console.press("home")
        console.backend.kept = 20
        await console.wait(1)
        assert console.one(Flows).cursor == console.backend.numbers()[0]


async def test_the_filter_works_as_it_is_typed_and_escape_clears_it() -> None:
    async with stage((100, 30)) as console:
        await console.press("1")
        await console.wait(5)
        await console.press("slash")
        assert console.one("#filter").has_focus
        await console.write("status:429")
        flows: Flows = console.one(Flows)
        assert {console.backend.row(number).status for number in flows.numbers} == {429}  # type: ignore[union-attr]
        assert "requests  /status:429" in console.text()
        await console.press("enter")
        assert flows.has_focus
        await console.press("slash", "escape")
        assert flows.sieve is None
        assert not console.one("#filter").display


async def test_a_filter_that_cannot_be_read_says_what_there_is() -> None:
    async with stage((80, 24)) as console:
        await console.press("slash")
        await console.write("colour:red")
        assert "colour: there is no such condition" in console.text()
        await console.press("enter")
        assert "colour: there is no such condition; there are provider, api" in console.toasts()[-1]
        assert console.one("#filter").display
        console.one(Input).value = '"no such thing at all"'
        await console.press("enter")
        assert "no request matches" in console.text()
        await console.press("escape")
        assert console.one(Flows).sieve is None


async def test_brackets_turn_the_tabs_where_there_are_tabs() -> None:
    async with stage((80, 24)) as console:
        for words in ("t/s", "p50", "first try", "no limit yet", "serving on"):
            await console.press("right_square_bracket")
            assert words in console.text()
        await console.press("right_square_bracket", "left_square_bracket")
        assert "serving on" in console.text()


async def test_brackets_move_the_focus_where_all_panels_are_seen() -> None:
    async with stage((100, 28)) as console:
        await console.press("right_square_bracket")
        assert console.one("#streams").has_focus
        await console.press("left_square_bracket")
        assert console.one("#requests").has_focus


async def test_zoom_gives_the_focused_panel_the_room_and_takes_it_back() -> None:
    async with stage((120, 40)) as console:
        await console.press("z")
        assert not console.one("#chart").display
        assert console.one("#requests").size.height > 30
        await console.press("escape")
        assert console.one("#chart").display
        await console.press("z", "z")
        assert console.one("#chart").display


async def test_the_screen_folds_as_the_terminal_changes() -> None:
    async with stage((100, 28)) as console:
        for width, height, shown in ((80, 24, "chart"), (50, 14, "requests"), (12, 3, "safety"), (120, 40, "events")):
            await console.resize(width, height)
            assert console.one(f"#{shown}").display
            assert len(console.lines()) == height


async def test_the_chosen_stream_is_paused_let_go_and_cut() -> None:
    async with stage((100, 28)) as console:
        await console.press("right_square_bracket", "down", "p")
        number = console.one("#streams").chosen
        assert console.backend.acted == [(number, "pause")]
        assert "paused" in console.text()
        await console.press("p", "up", "c")
        assert console.backend.acted[1:] == [(number, "resume"), (number, "cut")]
        await console.press("enter")
        assert isinstance(console.app.screen, Inspector)


async def test_what_has_ended_cannot_be_touched_and_is_said() -> None:
    async with stage((80, 24)) as console:
        await console.press("home", "c")
        assert console.toasts()[-1] == "#0 has already ended: only a reply under way can be touched."


async def test_a_console_that_only_watches_refuses_every_change() -> None:
    async with stage((100, 28), read_only=True) as console:
        assert "READ ONLY" in console.lines()[0]
        assert "faults" not in console.lines()[-1]
        for key in ("1", "0", "u", "e", "greater_than_sign", "x"):
            await console.press(key)
            assert console.toasts()[-1].startswith("This console only watches")
            console.app.clear_notifications()
        assert console.backend.settings().faults == ()


async def test_what_the_backend_refuses_is_told_and_nothing_changes() -> None:
    async with stage((80, 24)) as console:

        async def refuse(*_: object, **__: object) -> str:
            raise ConnectionError("the server has gone")

        console.backend.arm = refuse  # type: ignore[method-assign]
        await console.press("1")
        assert console.toasts()[-1] == "Nothing was changed: the server has gone"


async def test_the_mouse_presses_pads_selects_rows_and_looks_into_them() -> None:
    async with stage((120, 40)) as console:
        await console.pilot.click("#pads", offset=(35, 0))
        await console.settle()
        assert [one.id for one in console.backend.pulse().armed] == ["pad-3"]
        flows: Flows = console.one(Flows)
        await console.pilot.click(flows, offset=(10, 5))
        assert flows.cursor == flows.top + 3
        await console.pilot._post_mouse_events([_scroll("up")], flows, offset=(10, 5))
        await console.pilot._post_mouse_events([_scroll("down")], flows, offset=(10, 5))
        assert flows.cursor == flows.top + 3
        await console.pilot.click(flows, offset=(80, 4))
        assert flows.cursor < 30
        await console.pilot.click(flows, offset=(10, 5), times=2)
        assert isinstance(console.app.screen, Inspector)


def _scroll(way: str):  # type: ignore[no-untyped-def]
    from textual import events

    return {"up": events.MouseScrollUp, "down": events.MouseScrollDown}[way]


async def test_a_click_on_the_key_bar_does_what_the_key_does() -> None:
    async with stage((100, 28)) as console:
        at = console.lines()[-1].index("latency")
        await console.pilot.click("#keys", offset=(at, 0))
        await console.settle()
        assert type(console.app.screen).__name__ == "Latency"


async def test_an_empty_list_says_anew_where_to_point_a_client_without_being_resized() -> None:
    async with stage((100, 28), backend=FakeBackend(Told(), rate=0)) as console:
        console.backend.address = "127.0.0.1:8099"
        await console.tick()
        assert "http://127.0.0.1:8099/v1" in console.text()


async def test_quiet_traffic_says_so_in_every_panel() -> None:
    async with stage((100, 28), backend=FakeBackend(Told(), rate=0)) as console:
        text = console.text()
        assert "no request yet · point a client at" in text
        assert "http://127.0.0.1:8080/v1" in text
        assert "no reply under way" in text
        assert "no first token yet" in text
        await console.press("enter", "up", "p", "x", "right_square_bracket", "enter", "p", "x", "up")
        assert console.backend.acted == []


async def test_a_slow_loop_turns_the_lag_amber() -> None:
    async with stage((100, 28)) as console:
        console.backend.lag = 0.031
        await console.tick()
        amber = console.one("#safety").ink.tone["limited"]
        segments = {segment.text.strip(): segment.style for segment in console.strips()[0]}
        assert segments["31ms"].color == amber.color


async def test_leaving_is_at_once() -> None:
    for key in ("q", "ctrl+c"):
        async with stage((80, 24), seconds=1) as console:
            await console.pilot.press(key)
            assert console.app._exit
