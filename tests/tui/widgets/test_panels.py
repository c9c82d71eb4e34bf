"""Streams and events: what is under way and what has happened, with the mouse and the keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llmsim_tui.backend import Happening, Stream
from llmsim_tui.widgets.columns import fitted
from llmsim_tui.widgets.events import Log
from tui.stage import stage


class _Event:
    def stop(self) -> None: ...


async def test_streams_show_progress_text_and_what_holds_them_up() -> None:
    async with stage((100, 28)) as console:
        await console.press("5")
        await console.wait(3)
        text = console.text()
        assert "t/s" in text
        assert "stall 5s" in text
        streams = console.one("#streams")
        await console.pilot.click(streams, offset=(5, 3))
        assert streams.chosen == streams.state[1].number
        streams.on_mouse_scroll_up(_Event())
        assert streams.chosen == streams.state[0].number
        streams.on_mouse_scroll_down(_Event())
        await console.pilot.click(streams, offset=(5, 3), times=2)
        assert type(console.app.screen).__name__ == "Inspector"


async def test_the_newest_event_is_on_top_and_older_ones_a_key_away() -> None:
    async with stage((100, 28)) as console:
        for place in range(40):
            console.backend.say("note", f"event {place}", "alice")
        await console.tick()
        log = console.one("#events")
        assert "event 39 (alice)" in console.text()
        log.focus()
        await console.press(*["down"] * 25)
        assert "event 39" not in console.text()
        for _ in range(9):
            log.on_mouse_scroll_up(_Event())
        await console.tick()
        assert "event 39" in console.text()
        for _ in range(30):
            log.on_mouse_scroll_down(_Event())
        await console.tick()
        assert "serving on" in console.text()


async def test_what_has_no_text_yet_says_which_model_is_awaited_and_whether_its_reply_comes_whole() -> None:
    async with stage((120, 40), rate=0.0) as console:
        waiting = Stream(7, "AsyncOpenAI/Python", "gpt-4o", 0, 40, 0.0, 1.24, "waiting", "", ("slow TTFT ×5",))
        whole = replace(waiting, number=8, whole=True, faults=())
        console.backend.streams = lambda limit: [waiting, whole]
        await console.tick()
        shown = [line[82:] for line in console.lines()[15:19]]
        assert ["7 OpenAI" in shown[0], "ttft 1.2s" in shown[0], "slow TTFT ×5 gpt-4o" in shown[1]] == [True] * 3
        assert ["8 OpenAI" in shown[2], "whole 1.2s" in shown[2], "gpt-4o" in shown[3]] == [True] * 3


@pytest.mark.parametrize("width", range(20, 220))
def test_the_columns_of_the_list_fit_whole_at_every_width(width: int) -> None:
    columns = fitted(width)
    assert sum(column.width + 1 for column in columns) - 1 <= max(width, 24)


async def test_events_say_by_their_sign_what_they_are() -> None:
    async with stage((120, 40)) as console:
        console.backend.log.clear()
        console.one("#events").show(())
        await console.settle()
        assert "no change yet · 1-8 arms a fault" in console.text()
        console.one(Log).show(
            [Happening(n, 0.0, kind, "x", "", "") for n, kind in enumerate(("warning", "error", "log"))]
        )
        await console.settle()
        assert [sign in console.text() for sign in ("00:00:00 · x", "00:00:00 ✗ x", "00:00:00 ! x")] == [True] * 3


async def test_an_armed_pad_counts_its_hits_where_it_has_one_line_only() -> None:
    async with stage((80, 24)) as console:
        await console.press("1")
        await console.wait(4)
        assert "✗" in console.lines()[1]


async def test_a_pad_that_another_has_armed_tells_what_is_in_force_not_what_it_would_do_itself() -> None:
    async with stage((120, 40)) as console:
        given = {"kind": "refuse", "status": 503, "probability": 0.4}
        await console.backend.arm(given, label="by a script", seconds=30.0, id="pad-1")
        await console.tick()
        assert "of 40%" in console.lines()[2]
        assert "of 70%" not in console.lines()[2]
        assert "429" not in console.lines()[1]
        assert " 1 by" in console.lines()[1]


async def test_a_warning_that_was_logged_in_more_words_stands_there_once() -> None:
    async with stage((120, 40)) as console:
        told = "times are not kept: tokens come late"
        console.one(Log).show(
            [Happening(1, 5.0, "log", f"{told}. Draw less.", ""), Happening(2, 5.1, "warning", told, "")]
        )
        assert [one.kind for one in console.one(Log).state] == ["warning"]


@pytest.mark.parametrize("by", ["keys", "mouse"])
async def test_an_event_is_told_whole_and_its_change_as_a_command_in_the_clipboard(by: str) -> None:
    async with stage((120, 40)) as console:
        await console.press("1", "greater_than_sign")
        log = console.one(Log)
        if by == "keys":
            log.focus()
            await console.press("down", "enter")
        else:
            await console.pilot.click(log, offset=(12, 2), times=2)
            await console.settle()
        assert "armed 429 storm" in console.text()
        assert "curl -X PUT 'http://127.0.0.1:8080/llmsim/faults/pad-1'" in console.text()
        assert console.app.clipboard.startswith("curl -X PUT 'http://127.0.0.1:8080/llmsim/faults/pad-1'")
        assert "Bearer" not in console.app.clipboard
        await console.press("escape")
        await console.press("u")
        assert log.state[-1 - log.place].text.startswith("armed 429 storm")  # the selection stays with its event


async def test_an_event_that_is_no_change_says_that_there_is_nothing_to_copy() -> None:
    async with stage((80, 24)) as console:
        await console.press("left_square_bracket", "end", "y")
        assert "No call of the control API is known" in console.text()
        await console.press("y")
        assert "There is nothing to copy: this is no change." in console.toasts()
